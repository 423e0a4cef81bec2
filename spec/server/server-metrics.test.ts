// What a server samples of its process, and what it goes on with after an earlier process of the
// same worker: with figures, memory and a clock of the test.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Figures } from '../../src/async-io/process-figures.ts';
import { documentOf } from '../../src/metrics/documents.ts';
import { type ReadableSegment, Reader } from '../../src/metrics/reader.ts';
import { FixedMemory, type Memory, OwnMemory } from '../../src/metrics/segment.ts';
import { configFrom, type ServerOptions } from '../../src/server/config/config.ts';
import type { Runtime } from '../../src/server/runtime.ts';
import {
  metricsListener,
  ServerMetrics,
  type SharedMetrics,
} from '../../src/server/server-metrics.ts';
import { type JsonMetrics, seriesOf, totalOf } from '../metrics/fixtures/shown.ts';

const BYTES_MAX = 1 << 20;
const DROPPED = 'vibing_log_lines_dropped_total';
const CPU = 'process_cpu_seconds_total';
const OPEN_FDS = 'process_open_fds';

const FIGURES: Figures = {
  heapUsedBytes: 1,
  heapTotalBytes: 2,
  externalBytes: 3,
  residentBytes: 4,
  cpuSeconds: 5,
  openFds: 6,
  startedSeconds: 7,
  loopUtilization: 0.5,
};

/** A process of a server with metrics. */
class Process {
  figures: Figures = FIGURES;
  linesDropped = 0;
  samples = 0;
  readonly warnings: string[] = [];
  readonly events: string[] = [];
  readonly metrics: ServerMetrics;
  /** Resolves the pause that the sampling waits for. */
  wake: () => void = () => {};
  #paused: (kind: string, ms: number) => void = () => {};

  constructor(memory: Memory, start: number) {
    const shared: SharedMetrics = {
      memory,
      worker: 1,
      start,
      segments: (own) => (own === null ? [] : [{ id: 0, buffer: own.buffer }]),
      sources: () => [],
      begin: () => this.events.push('begin'),
      end: () => this.events.push('end'),
      close: () => this.events.push('close'),
      place: { path: '/metrics', hasListener: false },
      workers: 3,
      startedSeconds: 4_711,
    };
    const figures = {
      nodeVersion: 'v0',
      sample: async () => {
        this.samples += 1;
        await Promise.resolve();
        return this.figures;
      },
      watchGc: (paused: (kind: string, ms: number) => void) => {
        this.#paused = paused;
        return () => this.events.push('no more pauses');
      },
    };
    this.metrics = new ServerMetrics({
      config: configFrom({ metrics: true }),
      isWorker: true,
      shared,
      ports: { figures, makeComposer: () => ({ works: false, end: this.#ended }) as never },
      linesDropped: () => this.linesDropped,
      warn: (text) => this.warnings.push(text),
      closing: () => new AbortController().signal,
    });
  }

  readonly #ended = async (): Promise<void> => {
    this.events.push('composer ends');
  };

  async begin(): Promise<void> {
    const pause = () =>
      new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    const reactor = {
      driver: { name: 'fake', wall: () => 1_500 },
      slab: { blockCount: 10, freeCount: 7 },
    };
    this.metrics.begin({ reactor, pause } as unknown as Runtime);
    await settled();
  }

  /** A second passes. */
  async sampleAgain(): Promise<void> {
    this.wake();
    await settled();
  }

  pauseOfGc(): void {
    this.#paused('minor', 2);
  }

  get shown(): JsonMetrics {
    const { meter } = this.metrics;
    assert.ok(meter !== null);
    const segments: ReadableSegment[] = [{ id: 0, buffer: meter.segment.buffer }];
    const facts = { name: '', version: '', node: '', driver: '', started: 0, workers: 1 };
    return JSON.parse([...documentOf('json', new Reader(() => segments), facts, 1)].join(''));
  }

  /** What the next process of the worker begins with. */
  get memory(): Memory {
    const { meter } = this.metrics;
    assert.ok(meter !== null);
    const { buffer } = meter.segment;
    const memory = new OwnMemory(buffer.byteLength, BYTES_MAX);
    new Uint8Array(memory.buffer).set(new Uint8Array(buffer));
    return memory;
  }
}

async function settled(): Promise<void> {
  for (let round = 0; round < 3; round++) await new Promise((resolve) => setImmediate(resolve));
}

const empty = (): Memory => new OwnMemory(65_536, BYTES_MAX);

describe('what is sampled', () => {
  it('is that of now, each second', async () => {
    const worker = new Process(empty(), 1);
    await worker.begin();
    assert.equal(totalOf(worker.shown, CPU), 5);
    assert.equal(totalOf(worker.shown, 'vibing_pool_blocks', { state: 'free' }), 7);
    assert.equal(totalOf(worker.shown, 'vibing_pool_blocks', { state: 'used' }), 3);
    assert.equal(worker.samples, 1);
    worker.figures = { ...FIGURES, cpuSeconds: 6, openFds: 0, residentBytes: 40 };
    worker.linesDropped = 3;
    await worker.sampleAgain();
    assert.equal(worker.samples, 2);
    assert.equal(totalOf(worker.shown, CPU), 6);
    assert.equal(totalOf(worker.shown, 'process_resident_memory_bytes'), 40);
    assert.equal(totalOf(worker.shown, OPEN_FDS), 0);
    assert.equal(totalOf(worker.shown, DROPPED), 3);
    await worker.metrics.end();
  });

  it('leaves out descriptors that the system does not count', async () => {
    const worker = new Process(empty(), 1);
    worker.figures = { ...FIGURES, openFds: -1 };
    await worker.begin();
    assert.deepEqual(seriesOf(worker.shown, OPEN_FDS), []);
    await worker.metrics.end();
  });

  it('is sampled once more when the server has closed, and then no more', async () => {
    const worker = new Process(empty(), 1);
    await worker.begin();
    worker.figures = { ...FIGURES, cpuSeconds: 8 };
    worker.pauseOfGc();
    await worker.metrics.end();
    assert.deepEqual(worker.events, ['begin', 'composer ends', 'no more pauses', 'end']);
    assert.equal(totalOf(worker.shown, CPU), 8);
    assert.equal(totalOf(worker.shown, 'vibing_gc_pause_seconds', { kind: 'minor' }), 1);
    const { samples } = worker;
    await worker.sampleAgain();
    await worker.sampleAgain();
    assert.equal(worker.samples, samples);
  });

  it('is logged once when the memory for it is full', async () => {
    const worker = new Process(new FixedMemory(new ArrayBuffer(65_536)), 1);
    await worker.begin();
    assert.equal(totalOf(worker.shown, 'vibing_metrics_full'), 0);
    const counter = worker.metrics.own.counter('many_total', 'Many.', ['a']);
    for (let index = 0; index < 3_000; index++) counter.inc(1, { a: `${index}`.padEnd(60, 'x') });
    for (let count = 0; count < 3; count++) await worker.sampleAgain();
    assert.equal(totalOf(worker.shown, 'vibing_metrics_full'), 1);
    assert.equal(worker.warnings.length, 1);
    assert.match(worker.warnings[0], /^metrics: their memory is full, new series count in/);
    await worker.metrics.end();
  });
});

describe('the next process of a worker', () => {
  it('goes on with the counters of the one before it, each time', async () => {
    let memory = empty();
    for (let start = 1; start <= 3; start++) {
      const worker = new Process(memory, start);
      worker.linesDropped = 2;
      await worker.begin();
      for (let count = 0; count < 2; count++) await worker.sampleAgain();
      assert.equal(totalOf(worker.shown, CPU), 5 * start);
      assert.equal(totalOf(worker.shown, DROPPED), 2 * start);
      assert.equal(totalOf(worker.shown, OPEN_FDS), 6, 'a gauge begins again');
      await worker.metrics.end();
      ({ memory } = worker);
    }
  });
});

describe('a primary', () => {
  it('closes the memory of its workers, and samples nothing', async () => {
    const worker = new Process(empty(), 1);
    await worker.metrics.end();
    assert.deepEqual(worker.events, ['composer ends', 'close']);
    assert.equal(worker.samples, 0);
  });
});

describe('a listener for metrics alone', () => {
  it('has each timeout of the server, its driver and its level of the log', () => {
    const times = {
      connectionTimeoutMs: 50_001,
      keepAliveTimeoutMs: 50_002,
      headTimeoutMs: 50_003,
      writeTimeoutMs: 50_004,
      lingerTimeoutMs: 50_005,
      drainLingerMs: 50_006,
      shutdownTimeoutMs: 50_007,
    };
    const more: ServerOptions = { driver: 'net', logLevel: 'error', ...times };
    const of = (options: ServerOptions) => metricsListener(configFrom({ ...more, ...options }));
    const all = { driver: 'net', logLevel: 'error', connectionsMax: 64, blockCount: 128, ...times };
    const port = { metricsPort: 9_100, metricsHost: '127.0.0.2' };
    assert.deepEqual(of(port), { ...all, host: '127.0.0.2', port: 9_100 });
    assert.deepEqual(of({ metricsSocket: 'a.sock' }), { ...all, socket: 'a.sock' });
    assert.equal(of({ metrics: true }), null);
  });
});
