// The metrics of all workers, in one file of segments that every process of the server has open. On
// Linux it is shared memory: what a worker has counted is there, however it ends. Elsewhere it is a
// file without a name, to which each worker writes a few times a second: a worker that is killed
// loses what it has counted since.
//
// A segment belongs to a worker slot. The next process of the slot continues it, so that counters
// never go back and nothing is counted twice. While a reload has two processes in a slot, the
// second one has another segment.

import { closeSync, fstatSync, readSync, writeSync } from 'node:fs';
import { assert } from '../base/assert.ts';
import { METRICS_BYTES_MAX, METRICS_PUBLISH_MS } from '../base/fixed-limits.ts';
import { mapShared } from '../driver/linux/shared-memory.ts';
import type { ReadableSegment, SegmentSource } from '../metrics/reader.ts';
import {
  FixedMemory,
  HEADER_BYTES,
  MAGIC,
  type Memory,
  OwnMemory,
  type Segment,
  Word,
} from '../metrics/segment.ts';
import type { MetricsPlace, SharedMetrics } from '../server/server-metrics.ts';

/** What a process knows about the file. */
export interface MetricsAssignment {
  /** Its descriptor in this process. */
  readonly fd: number;
  /** Whether it is mapped as memory; otherwise it is read and written. */
  readonly isMapped: boolean;
  /** The segment of this process, null in the primary, and its worker slot. */
  readonly segment: number | null;
  readonly slot: number;
  /** Larger for each process that was started. */
  readonly start: number;
  readonly place: MetricsPlace;
  readonly workers: number;
  readonly startedSeconds: number;
}

export class MetricsFile implements SharedMetrics {
  readonly memory: Memory | null;
  isClosed = false;
  readonly #assignment: MetricsAssignment;
  readonly #mapped: ArrayBuffer[];
  readonly #release: (fd: number) => void;
  #timer: NodeJS.Timeout | null = null;

  /** `mapped` are the segments that this process has mapped; `release` takes the descriptor. */
  constructor(
    assignment: MetricsAssignment,
    mapped: ArrayBuffer[] = [],
    release: (fd: number) => void = closeSync,
  ) {
    this.#assignment = assignment;
    this.#mapped = mapped;
    this.#release = release;
    const { segment } = assignment;
    this.memory = segment === null ? null : this.#memoryOf(segment);
  }

  get isMapped(): boolean {
    return this.#assignment.isMapped;
  }

  get worker(): number {
    return this.#assignment.slot + 1;
  }

  get start(): number {
    return this.#assignment.start;
  }

  get place(): MetricsPlace {
    return this.#assignment.place;
  }

  get workers(): number {
    return this.#assignment.workers;
  }

  get startedSeconds(): number {
    return this.#assignment.startedSeconds;
  }

  #memoryOf(segment: number): Memory {
    if (this.#assignment.isMapped) return new FixedMemory(this.#map(segment));
    const before = this.#read(segment);
    const memory = new OwnMemory(Math.max(65_536, before.byteLength), METRICS_BYTES_MAX);
    new Uint8Array(memory.buffer).set(new Uint8Array(before));
    return memory;
  }

  #map(segment: number): ArrayBuffer {
    const { fd } = this.#assignment;
    const known = this.#mapped[segment];
    if (known !== undefined) return known;
    const bytes = mapShared(fd, segment * METRICS_BYTES_MAX, METRICS_BYTES_MAX);
    if (bytes === null) throw new Error('the memory for metrics cannot be mapped');
    this.#mapped[segment] = bytes;
    return bytes;
  }

  /** What a process has written; empty before it has. */
  #read(segment: number): ArrayBuffer {
    const { fd } = this.#assignment;
    const at = segment * METRICS_BYTES_MAX;
    const header = this.#headerOf(segment);
    if (header[Word.Magic] !== MAGIC) return new ArrayBuffer(0);
    const bytes = new Uint8Array(header[Word.End]);
    readSync(fd, bytes, 0, bytes.length, at);
    return bytes.buffer;
  }

  segments(own: Segment | null): readonly ReadableSegment[] {
    if (this.isClosed) return [];
    const { fd, isMapped, segment } = this.#assignment;
    // What a client sees is what the others show from now on. The primary has no segment.
    if (!isMapped && own !== null && segment !== null) this.#publish(own);
    const count = Math.floor(fstatSync(fd).size / METRICS_BYTES_MAX);
    const found: ReadableSegment[] = [];
    for (let id = 0; id < count; id++) {
      if (id === segment && own !== null) found.push({ id, buffer: own.buffer });
      else found.push({ id, buffer: isMapped ? this.#map(id) : this.#read(id) });
    }
    return found.filter(({ buffer }) => buffer.byteLength >= HEADER_BYTES);
  }

  sources(own: Segment | null): readonly SegmentSource[] {
    if (this.isClosed) return [];
    const { fd, isMapped, segment } = this.#assignment;
    if (!isMapped && own !== null && segment !== null) this.#publish(own);
    const count = Math.floor(fstatSync(fd).size / METRICS_BYTES_MAX);
    return Array.from({ length: count }, (_, id) => {
      const at = id * METRICS_BYTES_MAX;
      return { id, histograms: this.#headerOf(id)[Word.Histograms], fd, at };
    });
  }

  /** Of a segment that no process has used yet all words are 0. */
  #headerOf(segment: number): Uint32Array {
    const words = new Uint32Array(HEADER_BYTES / 4);
    readSync(this.#assignment.fd, words, 0, HEADER_BYTES, segment * METRICS_BYTES_MAX);
    return words;
  }

  begin(own: Segment): void {
    if (this.#assignment.isMapped) return;
    this.#publish(own);
    this.#timer = setInterval(() => this.#publish(own), METRICS_PUBLISH_MS).unref();
  }

  end(own: Segment): void {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    this.#publish(own);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#release(this.#assignment.fd);
  }

  /** The header last: it says how much there is. */
  #publish(own: Segment): void {
    const { fd, segment } = this.#assignment;
    assert(segment !== null, 'a process that publishes has a segment');
    const at = segment * METRICS_BYTES_MAX;
    const bytes = new Uint8Array(own.buffer, 0, own.usedBytes);
    try {
      const rest = bytes.subarray(HEADER_BYTES);
      for (let done = 0; done < rest.length; ) {
        done += writeSync(fd, rest, done, rest.length - done, at + HEADER_BYTES + done);
      }
      writeSync(fd, bytes, 0, HEADER_BYTES, at);
    } catch {
      // The disk is full: the next attempt writes all of it.
    }
  }
}
