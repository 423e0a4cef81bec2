// Runs a server until a signal: the first one closes it gracefully, a second one exits at once,
// SIGHUP reloads it, or closes it when its terminal is gone. Access to the process is passed in.

import { constants } from 'node:os';
import { join } from 'node:path';
import { ClosedError } from '../cluster/closed-error.ts';
import { ServiceError } from '../cluster/service-error.ts';
import {
  type Config,
  ConfigError,
  metricsPath,
  optionsOf,
  type ServerOptions,
} from '../server/config/config.ts';
import { MetricsListenError } from '../server/listen-error.ts';
import { faultCode, faultText } from './fault-text.ts';

/** The result of listen(), as far as it is printed. */
export interface Listening {
  readonly port: number;
  readonly driver?: string;
  readonly workers: number;
  /** The address, when the service manager opened the socket. */
  readonly activated?: string;
  /** The listener for metrics alone. */
  readonly metrics?: string;
}

export interface Served {
  listen(): Promise<Listening>;
  close(): Promise<void>;
  reload(): Promise<void>;
  /** Resolves when it has closed, with the error when it closed by itself. */
  readonly ended: Promise<Error | null>;
}

export type StopSignal = 'SIGINT' | 'SIGTERM';
export type Signal = StopSignal | 'SIGHUP' | 'SIGUSR1';

export interface ServeEnvironment {
  /** Loads the server's code, which only this command needs. */
  loadServer(): Promise<(options: ServerOptions) => Served>;
  onSignal(listener: (signal: Signal) => void): void;
  /** Whether it was started in a terminal that is closed now. */
  hasLostTerminal(): boolean;
  /** Ends the process at once. */
  exit(code: number): void;
  /** Whether this process is a worker: then its primary prints and handles signals. */
  readonly isWorker: boolean;
  /** Whether a person started it, in a terminal or by npm, and may not know how to stop it. */
  readonly isByHand: boolean;
  /** Whether this file exists. */
  hasFile(path: string): boolean;
  /** Prints a line. */
  out(line: string): void;
  /** Prints a problem as a line. */
  problem(line: string): void;
}

/** Resolves with the exit code when the server has closed or could not start. */
export async function serve(config: Config, environment: ServeEnvironment): Promise<number> {
  const signals = new Signals(environment);
  let server: Served;
  try {
    const createServer = await environment.loadServer();
    server = createServer(optionsOf(config));
    const listening = await listenUntilStopped(server, signals);
    if (listening === null) return 0;
    if (!environment.isWorker) {
      environment.out(listeningLine(config, listening));
      if (environment.isByHand) environment.out(hintLine(config, listening));
      noteMissingIndex(config, environment);
    }
    signals.reloads(isSupervised(config, listening) ? server : null);
  } catch (error) {
    return serveFault(error, config, environment);
  }
  return (await server.ended) === null ? 0 : 1;
}

/** Clients get a 404 for the root of such a directory, which does not say why. */
function noteMissingIndex(config: Config, environment: ServeEnvironment): void {
  const { index, listing, spa, staticDir } = config;
  if (staticDir === undefined || listing || spa !== false) return;
  const names = typeof index === 'string' ? [index] : index;
  if (names.some((name) => environment.hasFile(join(staticDir, name)))) return;
  const what = `${staticDir} has no ${names.join(' or ')}, so / is 404`;
  environment.problem(`${what}; with --listing it is a list of the files`);
}

/** Null when a signal stopped it before it listened. */
async function listenUntilStopped(server: Served, signals: Signals): Promise<Listening | null> {
  const listened = server.listen();
  // A stop does not wait until it listens: workers may take long to start, or hang.
  void signals.stop.then(() => server.close());
  try {
    return await listened;
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error;
    await server.close();
    return null;
  }
}

function isSupervised(config: Config, { workers }: Listening): boolean {
  return config.supervise || workers > 1;
}

/** Prints why it could not start, and returns the exit code. */
function serveFault(error: unknown, config: Config, environment: ServeEnvironment): number {
  if (error instanceof ConfigError) {
    for (const problem of error.problems) environment.problem(problem);
    return 2;
  }
  if (error instanceof ServiceError || error instanceof MetricsListenError) {
    environment.problem(error.message);
    return 1;
  }
  // Any other error than one of the system is a bug, and is thrown with its stack.
  if (faultCode(error) === undefined) throw error;
  // The worker reports it to its primary, which prints it.
  if (environment.isWorker) return 1;
  if (faultCode(error) === 'ENOTSUP' && error instanceof Error) {
    // It says which driver cannot run, why, and what to do.
    environment.problem(error.message);
    return 1;
  }
  const text = error instanceof Error ? error.message : '';
  // The error of listen() says what to do; others have the words of the system alone.
  const isOfListen = text.startsWith('cannot listen on ');
  const where = addressText(config, config.port);
  environment.problem(isOfListen ? text : `cannot listen on ${where}: ${faultText(error)}`);
  return 1;
}

/** Handles signals. A worker ignores them here: its primary handles them. */
class Signals {
  /** Resolves at the first signal to stop; the second ends the process. */
  readonly stop: Promise<void>;
  readonly #environment: ServeEnvironment;
  #stops = 0;
  #stop: () => void = () => {};
  #reload: () => void;
  /** SIGHUP came before the server listened. */
  #isDue = false;

  constructor(environment: ServeEnvironment) {
    this.#environment = environment;
    this.stop = new Promise((resolve) => {
      this.#stop = resolve;
    });
    this.#reload = () => {
      this.#isDue = true;
    };
    if (!environment.isWorker) environment.onSignal((signal) => this.#received(signal));
  }

  #received(signal: Signal): void {
    const environment = this.#environment;
    if (signal === 'SIGUSR1') {
      environment.problem('SIGUSR1 has no effect: there are no log files to reopen');
      return;
    }
    if (signal === 'SIGHUP') {
      if (this.#stops > 0) return;
      // The terminal that closes sends it too, to a server that runs in its foreground.
      if (!environment.hasLostTerminal()) {
        this.#reload();
        return;
      }
    }
    this.#stops += 1;
    if (this.#stops === 1) this.#stop();
    else environment.exit(128 + constants.signals[signal]);
  }

  /** From now on SIGHUP reloads this server; null is a server that cannot reload. */
  reloads(server: Served | null): void {
    const environment = this.#environment;
    this.#reload = () => {
      if (server === null) environment.problem(`SIGHUP has no effect: a reload needs ${NEEDED}`);
      else server.reload().catch((error: Error) => environment.problem(error.message));
    };
    if (this.#isDue) this.#reload();
  }
}

const NEEDED = 'more than one worker, or --supervise';

function listeningLine(config: Config, listening: Listening): string {
  const { port, driver = config.driver, workers } = listening;
  const unix = config.socket !== undefined;
  const own = `${unix ? 'unix:' : 'http://'}${addressText(config, port)}`;
  const address = listening.activated === undefined ? own : `${listening.activated} (systemd)`;
  const how = `driver ${driver}, ${workers} ${workers === 1 ? 'worker' : 'workers'}`;
  const served = [config.staticDir ?? [], ...Object.keys(config.mounts ?? {})].flat();
  const what = served.length === 0 ? '' : `, serving ${served.join(', ')}`;
  return `vibing listening on ${address} (${how})${what}${metricsText(config, listening)}`;
}

function metricsText(config: Config, { metrics }: Listening): string {
  const path = metricsPath(config);
  if (path === null) return '';
  if (metrics === undefined) return `, metrics at ${path}`;
  const scheme = config.metricsSocket === undefined ? 'http://' : 'unix:';
  return `, metrics at ${scheme}${metrics}${path}`;
}

/** Where to look, and how to stop. A browser cannot open the address of all interfaces. */
function hintLine(config: Config, { port, activated }: Listening): string {
  const stop = 'Ctrl-C stops the server';
  if (config.socket !== undefined || activated !== undefined) return stop;
  const host = LOOPBACKS[config.host] ?? config.host;
  return `open http://${addressText({ ...config, host }, port)}/ in a browser; ${stop}`;
}

const LOOPBACKS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

function addressText(config: Config, port: number): string {
  if (config.socket !== undefined) return config.socket;
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  return `${host}:${port}`;
}
