// Runs a server until a signal ends it: the first one gracefully, a second one at once. What it
// touches of the process comes in from outside.

import { availableParallelism, constants } from 'node:os';
import { ServiceError } from '../cluster/service-error.ts';
import { type Config, ConfigError, optionsOf, type ServerOptions } from '../server/config.ts';
import { faultCode, faultText } from './fault-text.ts';

/** What listen() tells, as far as it is printed. */
export interface Listening {
  readonly port: number;
  readonly driver?: string;
  readonly workers?: number;
  /** The address, when the service manager opened the socket. */
  readonly activated?: string;
}

export interface Served {
  listen(): Promise<Listening>;
  close(): Promise<void>;
}

export type StopSignal = 'SIGINT' | 'SIGTERM';

export interface ServeWorld {
  /** Loads the server's code, which only this command needs. */
  loadServer(): Promise<(options: ServerOptions) => Served>;
  onSignal(listener: (signal: StopSignal) => void): void;
  /** Ends the process at once. */
  exit(code: number): void;
  /** Whether this process is a worker of another one, which does the talking. */
  readonly isWorker: boolean;
  /** Prints a line. */
  out(line: string): void;
  /** Prints a line that tells a problem. */
  problem(line: string): void;
}

/** Resolves with the exit code when the server has closed or could not start. */
export async function serve(config: Config, world: ServeWorld): Promise<number> {
  const stop = stopSignal(world);
  const createServer = await world.loadServer();
  let server: Served;
  try {
    server = createServer(optionsOf(config));
    const listening = await server.listen();
    if (!world.isWorker) world.out(listeningLine(config, listening));
  } catch (error) {
    return serveFault(error, config, world);
  }
  await stop;
  await server.close();
  return 0;
}

/** Tells why it could not start and gives the exit code. */
function serveFault(error: unknown, config: Config, world: ServeWorld): number {
  if (error instanceof ConfigError) {
    for (const problem of error.problems) world.problem(problem);
    return 2;
  }
  if (error instanceof ServiceError) {
    world.problem(error.message);
    return 1;
  }
  // Anything but a fault of the system is a mistake of ours, and shows where.
  if (faultCode(error) === undefined) throw error;
  // The first process hears of it, and does the talking.
  if (world.isWorker) return 1;
  world.problem(`cannot listen on ${addressText(config, config.port)}: ${faultText(error)}`);
  return 1;
}

/** Resolves at the first signal; the second ends the process. */
function stopSignal(world: ServeWorld): Promise<void> {
  return new Promise((resolve) => {
    let signals = 0;
    world.onSignal((signal) => {
      signals += 1;
      if (signals === 1) resolve();
      else world.exit(128 + constants.signals[signal]);
    });
  });
}

function listeningLine(config: Config, listening: Listening): string {
  const { port, driver = config.driver } = listening;
  const unix = config.socket !== undefined;
  const own = `${unix ? 'unix:' : 'http://'}${addressText(config, port)}`;
  const address = listening.activated === undefined ? own : `${listening.activated} (systemd)`;
  const wanted = config.workers === 'auto' ? availableParallelism() : config.workers;
  const { workers = wanted } = listening;
  const how = `driver ${driver}, ${workers} ${workers === 1 ? 'worker' : 'workers'}`;
  const what = config.staticDir === undefined ? '' : `, serving ${config.staticDir}`;
  return `vibing listening on ${address} (${how})${what}`;
}

function addressText(config: Config, port: number): string {
  if (config.socket !== undefined) return config.socket;
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  return `${host}:${port}`;
}
