// The metrics of a server: what it counts, the path that shows it, and what its process uses.

import type { Figures, ProcessFigures } from '../async-io/process-figures.ts';
import { METRICS_BYTES_MAX, METRICS_SAMPLE_MS } from '../base/fixed-limits.ts';
import { VERSION } from '../base/version.ts';
import { CLOSE_REASONS } from '../connection/close-reason.ts';
import { METHOD_COUNT, methodName } from '../http/method.ts';
import type { ServerFacts } from '../metrics/json-format.ts';
import { Meter } from '../metrics/meter.ts';
import { OwnMetrics } from '../metrics/own.ts';
import { type ReadableSegment, Reader, type SegmentSource } from '../metrics/reader.ts';
import { OVERFLOW } from '../metrics/schema.ts';
import { type Memory, OwnMemory, Segment, Word } from '../metrics/segment.ts';
import { type Config, metricsPath, type ServerOptions } from './config/config.ts';
import type { MetricsComposer } from './metrics-composer.ts';
import { MetricsEndpoint } from './metrics-endpoint.ts';
import { isLocal, isNotRebound } from './metrics-guard.ts';
import type { RouteGuard, Routes } from './routes.ts';
import type { Runtime } from './runtime.ts';

/** What the processes of one server share. */
export interface SharedMetrics {
  /** The memory of this process; null in one that serves no requests. */
  readonly memory: Memory | null;
  /** From 1 on. */
  readonly worker: number;
  /** Larger for each process that was started. */
  readonly start: number;
  /** The memory of all processes. `own` is that of this process. */
  segments(own: Segment | null): readonly ReadableSegment[];
  /** Where a thread of this process finds it. */
  sources(own: Segment | null): readonly SegmentSource[];
  /** The server begins to count, and ends. */
  begin(own: Segment): void;
  end(own: Segment): void;
  close(): void;
  readonly place: MetricsPlace;
  readonly workers: number;
  /** When the server started, in seconds since 1970. */
  readonly startedSeconds: number;
}

/** Where the metrics are shown; a reload does not change it. */
export interface MetricsPlace {
  /** Null without metrics. */
  readonly path: string | null;
  /** They have a listener of their own. */
  readonly hasListener: boolean;
}

export function placeOf(config: Config): MetricsPlace {
  const { metricsPort, metricsSocket } = config;
  const hasListener = metricsPort !== undefined || metricsSocket !== undefined;
  return { path: metricsPath(config), hasListener };
}

/** What metrics need of the process. */
export interface MetricsPorts {
  readonly figures: ProcessFigures;
  /** Called once for a server with metrics. It starts nothing before it is needed. */
  readonly makeComposer: () => MetricsComposer;
}

/** What a server is given for its metrics. */
export interface MetricsParts {
  /** Absent where nothing of the process is shown. */
  readonly metricsPorts?: MetricsPorts;
  /** The memory of a worker. */
  readonly sharedMetrics?: () => SharedMetrics | null;
}

const NOWHERE: MetricsPlace = { path: null, hasListener: false };

export interface ServerMetricsOptions {
  readonly config: Config;
  /** Then its primary decides whether there are metrics. */
  readonly isWorker: boolean;
  readonly shared: SharedMetrics | null;
  readonly ports: MetricsPorts | null;
  readonly linesDropped: () => number;
  readonly warn: (text: string) => void;
  readonly closing: () => AbortSignal;
}

/** The limits of the server that are also those of the listener for metrics alone. */
const LISTENER_LIMITS = [
  'connectionTimeoutMs',
  'keepAliveTimeoutMs',
  'headTimeoutMs',
  'writeTimeoutMs',
  'lingerTimeoutMs',
  'drainLingerMs',
  'shutdownTimeoutMs',
] as const;

/** The options of a server for metrics alone, or null. Few clients, so little memory. */
export function metricsListener(config: Config): ServerOptions | null {
  const { driver, logLevel, metricsHost: host, metricsPort: port, metricsSocket: socket } = config;
  const times = LISTENER_LIMITS.map((name) => [name, config.limits[name]] as const);
  const limits = { connectionsMax: 64, blockCount: 128, ...Object.fromEntries(times) };
  if (socket !== undefined) return { socket, driver, logLevel, ...limits };
  return port === undefined ? null : { host, port, driver, logLevel, ...limits };
}

/** Memory of a process alone begins so; it grows. */
const OWN_BYTES = 65_536;

const METHODS: readonly string[] = Array.from({ length: METHOD_COUNT }, (_, method) =>
  methodName(method),
);

export class ServerMetrics {
  /** Null without metrics. */
  readonly meter: Meter | null;
  readonly own: OwnMetrics;
  readonly #options: ServerMetricsOptions;
  readonly #place: MetricsPlace;
  readonly #segment: Segment | null;
  readonly #reader: Reader;
  readonly #endpoint: MetricsEndpoint;
  readonly #figures: ProcessFigures | null;
  readonly #composer: MetricsComposer | null;
  #shared: SharedMetrics | null;
  #runtime: Runtime | null = null;
  #driver = '';
  #startedSeconds = 0;
  /** Counters of the processes before this one. */
  readonly #cpuBefore: number;
  readonly #linesBefore: number;
  #sampling: Promise<void> | null = null;
  #isFullLogged = false;
  #stopGc: () => void = () => {};

  constructor(options: ServerMetricsOptions) {
    const { config, shared } = options;
    this.#options = options;
    this.#shared = shared;
    this.#place = options.isWorker ? (shared?.place ?? NOWHERE) : placeOf(config);
    const { path } = this.#place;
    const memory = shared?.memory ?? new OwnMemory(OWN_BYTES, METRICS_BYTES_MAX);
    this.#segment = path === null ? null : new Segment(memory, shared?.worker, shared?.start);
    this.meter = this.#segment === null ? null : makeMeter(this.#segment);
    this.own = new OwnMetrics(this.#segment);
    this.#reader = new Reader(() => this.#segments());
    this.#cpuBefore = this.meter?.valueOf('cpu') ?? 0;
    this.#linesBefore = this.meter?.valueOf('logLinesDropped') ?? 0;
    this.#figures = options.ports?.figures ?? null;
    this.#composer = path === null ? null : (options.ports?.makeComposer() ?? null);
    this.#endpoint = new MetricsEndpoint({
      reader: this.#reader,
      composer: this.#composer,
      sources: () => this.#sources(),
      facts: () => this.#facts(),
      refresh: () => this.#sample(),
      closing: options.closing,
    });
  }

  /** Adds the path, unless metrics have a listener of their own. */
  addRoute(routes: Routes): void {
    const { config } = this.#options;
    if (this.#place.hasListener) return;
    this.#addRoute(routes, config.metricsPublic ? undefined : isLocal);
  }

  /** Adds the path to a server for metrics alone. */
  addOwnRoute(routes: Routes): void {
    const { metricsPort, metricsPublic } = this.#options.config;
    const isGuarded = metricsPort !== undefined && !metricsPublic;
    this.#addRoute(routes, isGuarded ? isNotRebound : undefined);
  }

  #addRoute(routes: Routes, guard: RouteGuard | undefined): void {
    const { path } = this.#place;
    if (path === null) return;
    routes.add(routes.root, {
      method: 'GET',
      pattern: path,
      middleware: [],
      handler: this.#endpoint.handle,
      place: 'option metrics',
      ...(guard === undefined ? {} : { guard }),
    });
  }

  /** The server listens, with this runtime. */
  begin(runtime: Runtime): void {
    const { meter } = this;
    const figures = this.#figures;
    if (meter === null) return;
    const { driver } = runtime.reactor;
    this.#runtime = runtime;
    this.#driver = driver.name;
    this.#startedSeconds = driver.wall() / 1_000;
    if (figures !== null) this.#stopGc = figures.watchGc((kind, ms) => meter.paused(kind, ms));
    this.#shared?.begin(meter.segment);
    if (figures !== null) void this.#sampleOften(runtime);
  }

  /** The primary serves no requests: it shows what its workers count. */
  beginAsPrimary(shared: SharedMetrics | null, driver: string): void {
    this.#shared = shared;
    this.#driver = driver;
    this.#reader.reset();
  }

  /** The server has closed. */
  async end(): Promise<void> {
    if (this.meter === null) return;
    await this.#composer?.end();
    if (this.#runtime === null) {
      this.#shared?.close();
      return;
    }
    this.#stopGc();
    await this.#sample();
    this.#runtime = null;
    if (this.#segment !== null) this.#shared?.end(this.#segment);
  }

  async #sampleOften(runtime: Runtime): Promise<void> {
    while (this.#runtime === runtime) {
      await this.#sample();
      await runtime.pause(METRICS_SAMPLE_MS);
    }
  }

  #sample(): Promise<void> {
    this.#sampling ??= this.#sampleNow().finally(() => {
      this.#sampling = null;
    });
    return this.#sampling;
  }

  async #sampleNow(): Promise<void> {
    const { meter } = this;
    const { linesDropped, warn } = this.#options;
    if (meter === null || this.#runtime === null) return;
    const { isFull } = meter.segment;
    meter.set('memoryFull', isFull ? 1 : 0);
    if (isFull && !this.#isFullLogged) {
      this.#isFullLogged = true;
      warn(`metrics: their memory is full, new series count in the series ${OVERFLOW}`);
    }
    const { slab } = this.#runtime.reactor;
    meter.set('blocks', slab.freeCount, 'free');
    meter.set('blocks', slab.blockCount - slab.freeCount, 'used');
    meter.set('logLinesDropped', this.#linesBefore + linesDropped());
    const sampled = await (this.#figures?.sample() ?? null);
    if (sampled !== null) setFigures(meter, sampled, this.#cpuBefore);
  }

  #segments(): readonly ReadableSegment[] {
    const own = this.#segment;
    if (this.#shared !== null) return this.#shared.segments(own);
    return own === null ? [] : [{ id: 0, buffer: own.buffer }];
  }

  #sources(): readonly SegmentSource[] {
    const own = this.#segment;
    if (this.#shared !== null) return this.#shared.sources(own);
    // Memory of a process alone.
    const { buffer } = own ?? {};
    if (own === null || !(buffer instanceof SharedArrayBuffer)) return [];
    return [{ id: 0, histograms: own.words[Word.Histograms], buffer }];
  }

  #facts(): ServerFacts {
    return {
      name: 'vibing',
      version: VERSION,
      node: this.#figures?.nodeVersion ?? '',
      driver: this.#driver,
      started: this.#shared?.startedSeconds ?? this.#startedSeconds,
      workers: this.#shared?.workers ?? 1,
    };
  }
}

function makeMeter(segment: Segment): Meter {
  const meter = new Meter({ segment, methods: METHODS });
  for (const reason of CLOSE_REASONS) meter.add('closed', reason, 0);
  return meter;
}

function setFigures(meter: Meter, figures: Figures, cpuBefore: number): void {
  meter.set('heapUsed', figures.heapUsedBytes);
  meter.set('heapTotal', figures.heapTotalBytes);
  meter.set('external', figures.externalBytes);
  meter.set('resident', figures.residentBytes);
  meter.set('cpu', cpuBefore + figures.cpuSeconds);
  meter.set('started', figures.startedSeconds);
  meter.set('loopUtilization', figures.loopUtilization);
  if (figures.openFds >= 0) meter.set('openFds', figures.openFds);
}
