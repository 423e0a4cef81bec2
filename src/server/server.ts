// A server: configuration, routes and life cycle. When it listens it makes the runtime that serves
// requests (slab, driver, reactor, connections), and frees all of it when it closes.

import type { AsyncIo } from '../async-io/async-io.ts';
import { NodeAsyncIo } from '../async-io/node.ts';
import type { Address } from '../driver/driver.ts';
import { resolveHost } from '../driver/resolve.ts';
import type { Middleware } from '../exchange/handler.ts';
import type { State } from '../exchange/request.ts';
import type { Siblings } from '../exchange/siblings.ts';
import { type Counters, type Counts, countersOf, makeCounts } from '../metrics/counters.ts';
import type { OwnMetrics } from '../metrics/own.ts';
import { accessLog } from '../middleware/access-log.ts';
import { Application } from './application.ts';
import { type Config, configFrom, type ServerOptions } from './config/config.ts';
import { closingController, Ending } from './ending.ts';
import { Group } from './group.ts';
import { addHealthRoutes } from './health.ts';
import { Injector } from './inject/injector.ts';
import type { InjectOptions } from './inject/options.ts';
import type { InjectedResponse } from './inject/response.ts';
import type { WebRequest, WebResponse } from './inject/web.ts';
import { hostPort, listenError, MetricsListenError } from './listen-error.ts';
import { type Log, makeLog } from './log.ts';
import { Routes } from './routes.ts';
import { Runtime, type RuntimeOptions } from './runtime.ts';
import {
  type MetricsParts,
  metricsListener,
  ServerMetrics,
  type SharedMetrics,
} from './server-metrics.ts';
import { checkRoots, missingParts, staticFiles } from './static-files.ts';

/** Where a server listens. */
export interface Listening {
  /** The port that the kernel chose when 0 was configured; 0 for a unix socket. */
  readonly port: number;
  readonly host: string;
  /** The driver in use: 'uring', 'epoll' or 'net'. */
  readonly driver: string;
  readonly workers: number;
  /** The URL when the service manager opened the socket, as 'http://127.0.0.1:80'. */
  readonly activated?: string;
  /** The listener for metrics alone, if there is one: address and port, or the unix socket. */
  readonly metrics?: string;
}

/** Runs a server in several processes; null when this process serves requests itself. */
export type Launcher = (config: Config, log: Log) => Cluster | null;

export interface Cluster {
  listen(): Promise<Listening>;
  close(): Promise<void>;
  /** Replaces every worker by a new one, without losing a client. */
  reload(): Promise<void>;
  /** Resolves with the reason if it closes by itself. */
  readonly failed: Promise<Error>;
  /** What the workers count; null without metrics. */
  readonly metrics: SharedMetrics | null;
}

/** What to listen on, in place of the configuration. */
export interface Inherited {
  readonly address: Address;
  /** Null: as configured. */
  readonly driver: Config['driver'] | null;
}

/** Notified about the life of the server: a service manager. */
export interface ServiceLife {
  /** Called before anything is started; may throw. */
  begins(config: Config, log: Log): void;
  /** The server accepts clients. Returns what listen() resolves with; a throw closes the server. */
  listens(listening: Listening): Listening;
  /** Workers are being replaced; `reloaded` settles when that ends. */
  reloads(reloaded: Promise<void>): Promise<void>;
  /** The server accepts no more clients. */
  closes(): void;
  /** The server has closed, or listening has failed. */
  ended(): void;
}

/** What the process of a server provides: where logs go, how workers are made. */
export interface ServerParts extends MetricsParts {
  readonly launch: Launcher;
  /** What a worker inherits from its primary, or a service from its manager. */
  readonly inherited: () => Inherited | null;
  /** Notified before and after listening and closing. */
  readonly listening: (server: Server, listen: () => Promise<Listening>) => Promise<Listening>;
  readonly closing?: (server: Server) => void;
  readonly closed: (server: Server) => void | Promise<void>;
  /** The beginning of every line of the log. */
  readonly logPrefix?: string;
  /** Reports that a faster driver could not be used; without it the log reports that. */
  readonly noted?: (note: string) => void;
  /** Called with the time for every response, before its head is sent. */
  readonly responding?: RuntimeOptions['responding'];
  readonly asyncIo?: AsyncIo;
  /** The other workers of a worker. */
  readonly siblings?: Siblings;
  /** Makes the runtime in place of `new Runtime()`: for a simulator with its own driver. */
  readonly makeRuntime?: (options: RuntimeOptions) => Runtime;
  /** Absent in a worker: its primary has it. */
  readonly service?: ServiceLife;
  /** A worker leaves warnings about its configuration to its primary. */
  readonly isWorker?: boolean;
}

const LISTEN_TAKES_NOTHING =
  'listen() takes no arguments: host and port are options, as in createServer({ port: 8080 })';

/** `S` is the state that the middleware before its next routes has set. */
export class Server<S extends State = State> extends Group<'', S> {
  readonly config: Config;
  /** What the server counts, from its creation on. */
  readonly counters: Readonly<Counters>;
  readonly #counts: Counts;
  readonly #metrics: ServerMetrics;
  #metricsServer: Server | null = null;
  readonly #routes: Routes;
  readonly #application: Application;
  readonly #parts: ServerParts;
  readonly #asyncIo: AsyncIo;
  readonly #log: Log;
  #runtime: Runtime | null = null;
  #cluster: Cluster | null = null;
  #listening: Promise<Listening> | null = null;
  #state: 'new' | 'listening' | 'closing' = 'new';
  #closed: Promise<void> | null = null;
  readonly #injector: Injector = new Injector(() => this.#runtimeOptions());
  #isLast = false;
  #ended = new Ending();
  #closing = closingController();

  constructor(options: ServerOptions, parts: ServerParts) {
    const config = configFrom(options);
    const asyncIo = parts.asyncIo ?? new NodeAsyncIo((text) => this.#log.error(text));
    const metrics = new ServerMetrics({
      config,
      isWorker: parts.isWorker === true,
      shared: parts.sharedMetrics?.() ?? null,
      ports: parts.metricsPorts ?? null,
      linesDropped: () => asyncIo.linesDropped,
      warn: (text) => this.#log.warn(text),
      closing: () => this.closing,
    });
    const routes = new Routes(metrics.meter);
    super(routes, routes.root);
    this.#routes = routes;
    this.#metrics = metrics;
    this.config = config;
    this.#asyncIo = asyncIo;
    this.#counts = makeCounts();
    this.counters = countersOf(this.#counts, () => asyncIo.linesDropped);
    this.#parts = parts;
    this.#log = makeLog(this.config.logLevel, this.#asyncIo, parts.logPrefix);
    this.#application = new Application({
      counters: this.#counts,
      logError: (message) => this.#log.error(message),
      logWarn: (message) => this.#log.warn(message),
      routes,
      trailingSlash: this.config.trailingSlash,
    });
    addHealthRoutes(routes, this.config, () => this.closing.aborted);
    metrics.addRoute(routes);
    if (this.config.accessLog) this.use(accessLog());
    const files = staticFiles(this.config);
    if (files !== null) this.#application.fallback(files);
  }

  override use<A extends object>(middleware: Middleware<A, S>): Server<S & A>;
  override use(prefix: string, middleware: Middleware<object, S>): this;
  override use(...given: never[]): unknown {
    return super.use(...(given as unknown as [Middleware<object, S>]));
  }

  /** Rejects with an Error whose `code` names the kernel's error, such as EADDRINUSE. */
  listen(...given: []): Promise<Listening> {
    if (given.length > 0) return Promise.reject(new TypeError(LISTEN_TAKES_NOTHING));
    if (this.#state !== 'new') return Promise.reject(new Error('the server is listening already'));
    this.#state = 'listening';
    this.#closed = null;
    if (this.#closing.signal.aborted) this.#closing = closingController();
    if (this.#ended.isOver) this.#ended = new Ending();
    this.#listening = this.#listenNow();
    return this.#listening;
  }

  async #listenNow(): Promise<Listening> {
    try {
      await checkRoots(this.#asyncIo, this.config);
      if (this.#parts.isWorker !== true) await this.#warnOfMissingParts();
      this.#parts.service?.begins(this.config, this.#log);
      this.#cluster = this.#parts.launch(this.config, this.#log);
      const listening =
        this.#cluster === null
          ? await this.#parts.listening(this, () => this.#listenHere())
          : await this.#listenAsCluster(this.#cluster);
      const all = { ...listening, ...(await this.#listenForMetrics()) };
      return this.#parts.service?.listens(all) ?? all;
    } catch (error) {
      // service.listens() may fail after clients have connected.
      await this.#cluster?.close();
      await this.#runtime?.close(false);
      await this.#closeMetrics();
      this.#parts.service?.ended();
      this.#cluster = null;
      this.#runtime = null;
      if (this.#state === 'listening') this.#state = 'new';
      throw error;
    }
  }

  async #listenAsCluster(cluster: Cluster): Promise<Listening> {
    const listening = await cluster.listen();
    void cluster.failed.then((error) => {
      this.#ended.error = error;
      return this.close();
    });
    this.#metrics.beginAsPrimary(cluster.metrics, listening.driver);
    return listening;
  }

  /** Opens the listener for metrics alone. Workers have none: their primary shows all of them. */
  async #listenForMetrics(): Promise<Pick<Listening, 'metrics'>> {
    const options = metricsListener(this.config);
    if (options === null || this.#parts.isWorker === true) return {};
    const server = new Server(options, {
      launch: () => null,
      inherited: () => null,
      listening: (_server, listen) => listen(),
      closed: () => {},
    });
    this.#metrics.addOwnRoute(server.#routes);
    this.#metricsServer = server;
    const { host, port } = await server.listen().catch((error: Error) => {
      throw new MetricsListenError(error);
    });
    return { metrics: options.socket ?? hostPort(host, port) };
  }

  async #closeMetrics(): Promise<void> {
    await this.#metricsServer?.close();
    this.#metricsServer = null;
    await this.#metrics.end();
  }

  async #warnOfMissingParts(): Promise<void> {
    const lines = await missingParts(this.#asyncIo, this.config, this.#routes.staticRoots);
    for (const line of lines) this.#log.warn(line);
  }

  async #listenHere(): Promise<Listening> {
    const { config } = this;
    const inherited = this.#parts.inherited();
    const address = inherited?.address ?? (await addressOf(config));
    const makeRuntime = this.#parts.makeRuntime ?? ((options) => new Runtime(options));
    const runtime = makeRuntime({
      ...this.#runtimeOptions(),
      siblings: this.#parts.siblings,
      responding: this.#parts.responding,
      config: { ...config, driver: inherited?.driver ?? config.driver },
    });
    if (runtime.driverNote !== null) this.#reportDriver(runtime.driverNote);
    const result = await runtime.listen(address);
    if (result < 0) {
      runtime.free();
      throw listenError(-result, config);
    }
    this.#runtime = runtime;
    this.#metrics.begin(runtime);
    return { port: result, host: config.host, driver: runtime.driverName, workers: 1 };
  }

  #runtimeOptions(): RuntimeOptions {
    return {
      config: this.config,
      asyncIo: this.#asyncIo,
      log: this.#log,
      counters: this.#counts,
      meter: this.#metrics.meter,
      application: this.#application,
    };
  }

  /** The program's own metrics, which are shown with those of the server. */
  get metrics(): OwnMetrics {
    return this.#metrics.own;
  }

  /** Handles a request without a socket, also when the server does not listen: for tests. */
  inject(request?: InjectOptions | string): Promise<InjectedResponse> {
    return this.#injector.inject(request);
  }

  /** As inject(), with a request and a response of the Fetch standard. */
  fetch(request: WebRequest | URL | string, init?: RequestInit): Promise<WebResponse> {
    return this.#injector.fetch(request, init);
  }

  #reportDriver(note: string): void {
    if (this.#parts.noted === undefined) this.#log.notice(note);
    else this.#parts.noted(note);
  }

  /**
   * Replaces every worker, one after the other, by a new process, which loads the current code and
   * configuration. No client is lost. When a new process does not start, the remaining workers stay
   * and this rejects. Without workers it always rejects.
   */
  reload(): Promise<void> {
    if (this.#cluster !== null && this.#state === 'listening') {
      const reloaded = this.#cluster.reload();
      return this.#parts.service?.reloads(reloaded) ?? reloaded;
    }
    const why = 'it needs workers above 1 or supervise, and the primary process';
    return Promise.reject(new Error(`the server cannot reload: ${why}`));
  }

  /**
   * Aborts when this process begins to close: by close(), and in a worker also when its primary
   * replaces it or has ended. After the server has closed, the next listen() makes a new signal.
   */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Resolves when the server has closed: with null, or with the error that made it close. */
  get ended(): Promise<Error | null> {
    return this.#ended.whenOver;
  }

  /** Accepts the clients of another inherited listener too, or stops that. @internal */
  acceptAlso(fd: number, on: boolean): void {
    this.#runtime?.acceptAlso(fd, on);
  }

  /**
   * Stops accepting, lets requests finish for at most shutdown_timeout_ms, then frees everything.
   * The server may listen again afterwards.
   */
  close(): Promise<void> {
    if (this.#state === 'new') return this.#injector.close(() => this.#closing.abort());
    const begins = this.#state === 'listening';
    this.#state = 'closing';
    if (begins) {
      this.#parts.service?.closes();
      this.#parts.closing?.(this);
      // Handlers that listen to `closing` respond at once, which closes their connections.
      this.#runtime?.beginDraining();
      this.#closing.abort();
    }
    this.#closed ??= this.#closeNow();
    return this.#closed;
  }

  /** As close(), when no other process accepts from the inherited listener. @internal */
  closeLast(): Promise<void> {
    this.#isLast = true;
    return this.close();
  }

  async #closeNow(): Promise<void> {
    const injected = this.#injector.close();
    void this.#metricsServer?.close();
    // This also closes a cluster whose workers are still starting.
    if (this.#cluster !== null) await this.#cluster.close();
    await this.#listening?.catch(() => {});
    if (this.#cluster !== null) await this.#cluster.close();
    if (this.#runtime !== null) await this.#runtime.close(this.#isLast);
    await this.#closeMetrics();
    await injected;
    this.#cluster = null;
    this.#runtime = null;
    this.#state = 'new';
    this.#parts.service?.ended();
    await this.#asyncIo.flush();
    await this.#parts.closed(this);
    this.#ended.end();
  }
}

/** The configured address, with its host name resolved. */
export async function addressOf(config: Config): Promise<Address> {
  if (config.socket !== undefined) {
    const mode = config.socketMode;
    return mode === undefined ? { path: config.socket } : { path: config.socket, mode };
  }
  return { host: await resolveHost(config.host), port: config.port };
}
