// The reactor's side of the thread that composes large responses to requests for metrics: starts it
// with the first of them, passes its chunks on, and ends it when it was not needed for a while.

import { Worker } from 'node:worker_threads';
import {
  METRICS_CHUNK_BYTES,
  METRICS_GZIP_CHUNK_BYTES,
  METRICS_SCRAPES_MAX,
  METRICS_STALLED_MAX,
  METRICS_THREAD_HEAP_MB,
  METRICS_THREAD_IDLE_MS,
} from '../base/fixed-limits.ts';
import { coresBeforePinning } from '../driver/linux/affinity.ts';
import type { CompositionOrder, MetricsComposer } from '../server/metrics-composer.ts';
import type { FromComposer, ToComposer } from './metrics-documents.ts';
import type { ThreadData } from './metrics-thread.ts';

/** After so many threads that ended by themselves or could not be started, none is started. */
const FAILURES_MAX = 3;

/** Pairs of slots that are kept: one for each document that may be composed at a time. */
const FREE_MAX = METRICS_SCRAPES_MAX + METRICS_STALLED_MAX + 1;

const SCRIPT = new URL('./metrics-thread.js', import.meta.url);

/** The chunks of one document that have arrived. */
interface Arriving {
  readonly chunks: Exclude<FromComposer, { readonly cancelled: true }>[];
  notify: () => void;
}

export class ThreadComposer implements MetricsComposer {
  readonly #script: URL;
  readonly #arriving = new Map<number, Arriving>();
  /** By document that ended early: called when the thread does not fill its slots any more. */
  readonly #cancelled = new Map<number, () => void>();
  #thread: Worker | null = null;
  #last = 0;
  #failures = 0;
  #idle: NodeJS.Timeout | null = null;
  /** The slots of documents that have ended, for further ones. */
  readonly #free: SharedArrayBuffer[][] = [];

  constructor(script: URL = SCRIPT) {
    this.#script = script;
  }

  get works(): boolean {
    return this.#failures < FAILURES_MAX;
  }

  /** Whether the thread runs. */
  get hasThread(): boolean {
    return this.#thread !== null;
  }

  async *compose(order: CompositionOrder, sent?: Promise<void>): AsyncGenerator<Uint8Array> {
    const id = ++this.#last;
    const arriving: Arriving = { chunks: [], notify: () => {} };
    this.#arriving.set(id, arriving);
    // One is sent while the other one is filled.
    const bytes = order.isGzip ? METRICS_GZIP_CHUNK_BYTES : METRICS_CHUNK_BYTES;
    const slots = this.#slotsOf(bytes);
    let isWhole = false;
    try {
      this.#post({ kind: 'begin', id, order, slots });
      for (;;) {
        const message = arriving.chunks.shift();
        if (message === undefined) {
          await new Promise<void>((resolve) => {
            arriving.notify = resolve;
          });
          continue;
        }
        if ('failed' in message) throw new Error(`metrics were not composed: ${message.failed}`);
        if (message.bytes === 0) {
          // A further chunk is asked for when the last one was sent.
          this.#keep(slots);
          isWhole = true;
          return;
        }
        yield new Uint8Array(slots[message.slot], 0, message.bytes);
        this.#post({ kind: 'more', id, slot: message.slot });
      }
    } finally {
      this.#arriving.delete(id);
      if (!isWhole && this.#thread !== null && sent !== undefined) {
        const cancelled = new Promise<void>((resolve) => this.#cancelled.set(id, resolve));
        void Promise.all([cancelled, sent]).then(() => this.#keep(slots));
      }
      this.#thread?.postMessage({ kind: 'cancel', id } satisfies ToComposer);
      this.#endWhenIdle();
    }
  }

  #keep(slots: SharedArrayBuffer[]): void {
    if (this.#thread !== null && this.#free.length < FREE_MAX) this.#free.push(slots);
  }

  /** V8 does not count shared memory, so it collects what is no longer used late. */
  #slotsOf(bytes: number): SharedArrayBuffer[] {
    const index = this.#free.findIndex(([slot]) => slot.byteLength === bytes);
    if (index >= 0) return this.#free.splice(index, 1)[0];
    return [new SharedArrayBuffer(bytes), new SharedArrayBuffer(bytes)];
  }

  #post(message: ToComposer): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    this.#thread ??= this.#started();
    this.#thread.postMessage(message);
  }

  /** Throws what the system says when it has no thread left. */
  #started(): Worker {
    try {
      return this.#start();
    } catch (error) {
      this.#failures += 1;
      throw error;
    }
  }

  /** Nothing that was meant for the main program is loaded in it. */
  #start(): Worker {
    const thread = new Worker(this.#script, {
      name: 'vibing-metrics',
      execArgv: [],
      workerData: { cores: coresBeforePinning() } satisfies ThreadData,
      resourceLimits: { maxOldGenerationSizeMb: METRICS_THREAD_HEAP_MB },
    });
    thread.unref();
    thread.on('message', (message: FromComposer) => this.#arrived(message));
    thread.on('error', (error) => this.#ended(thread, error.message));
    thread.on('exit', () => this.#ended(thread, 'its thread has ended'));
    return thread;
  }

  #arrived(message: FromComposer): void {
    if ('cancelled' in message) {
      this.#cancelled.get(message.id)?.();
      this.#cancelled.delete(message.id);
      return;
    }
    const arriving = this.#arriving.get(message.id);
    arriving?.chunks.push(message);
    arriving?.notify();
  }

  /** All documents end; the next one has another thread. */
  #ended(thread: Worker, why: string): void {
    if (this.#thread !== thread) return;
    this.#thread = null;
    this.#failures += 1;
    this.#failAll(why);
  }

  #failAll(why: string): void {
    this.#cancelled.clear();
    for (const id of [...this.#arriving.keys()]) this.#arrived({ id, failed: why });
  }

  #endWhenIdle(): void {
    if (this.#arriving.size > 0 || this.#thread === null || this.#idle !== null) return;
    this.#idle = setTimeout(() => void this.end(), METRICS_THREAD_IDLE_MS).unref();
  }

  async end(): Promise<void> {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    const thread = this.#thread;
    this.#thread = null;
    this.#free.length = 0;
    this.#failAll('the server closes');
    await thread?.terminate();
  }
}
