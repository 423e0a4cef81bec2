// The primary's side of the metrics of its workers: opens the file, and decides which process has
// which segment of it.

import { closeSync, fstatSync, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { METRICS_BYTES_MAX } from '../base/fixed-limits.ts';
import { mapShared, openSharedMemory } from '../driver/linux/shared-memory.ts';
import { Word } from '../metrics/segment.ts';
import type { MetricsPlace } from '../server/server-metrics.ts';
import { type MetricsAssignment, MetricsFile } from './metrics-file.ts';

const NAME = 'vibing-metrics';

interface Assigned {
  readonly worker: number;
  isUsed: boolean;
}

export class WorkerMetrics {
  readonly file: MetricsFile;
  /** The descriptor that workers inherit. */
  readonly fd: number;
  readonly #primary: MetricsAssignment;
  readonly #segments: Assigned[] = [];
  #starts = 0;

  constructor(workers: number, place: MetricsPlace) {
    const memory = takeSpare() ?? openMapped();
    this.fd = memory?.fd ?? openUnnamed();
    this.#primary = {
      fd: this.fd,
      isMapped: memory !== null,
      segment: null,
      slot: 0,
      start: 0,
      place,
      workers,
      startedSeconds: Date.now() / 1_000,
    };
    this.file =
      memory === null
        ? new MetricsFile(this.#primary)
        : new MetricsFile(this.#primary, memory.mapped, () => keepSpare(memory));
  }

  /** A segment for the next process of a worker slot; in that process the file is `fd`. */
  assign(worker: number, fd: number): MetricsAssignment {
    const fits = (one: Assigned): boolean => one.worker === worker && !one.isUsed;
    let segment = this.#segments.findIndex(fits);
    if (segment < 0) {
      segment = this.#segments.length;
      const bytes = (segment + 1) * METRICS_BYTES_MAX;
      // One that is used again is as long as it was: what is mapped stays within it.
      if (fstatSync(this.fd).size < bytes) ftruncateSync(this.fd, bytes);
      this.#segments.push({ worker, isUsed: false });
    }
    this.#segments[segment].isUsed = true;
    this.#starts += 1;
    return { ...this.#primary, fd, segment, slot: worker, start: this.#starts };
  }

  /** The process has ended: its gauges are no longer shown, the next one may have its segment. */
  release({ segment }: MetricsAssignment): void {
    if (segment === null || this.file.isClosed) return;
    this.#segments[segment].isUsed = false;
    const at = segment * METRICS_BYTES_MAX + 4 * Word.IsUsed;
    writeSync(this.fd, new Uint32Array([0]), 0, 4, at);
  }
}

/** A file in memory, and the segments of it that this process has mapped. */
interface SharedMemory {
  readonly fd: number;
  readonly mapped: ArrayBuffer[];
}

/** What is mapped stays so until the process ends: the next server of the process uses it again. */
let spare: SharedMemory | null = null;

function keepSpare(memory: SharedMemory): void {
  if (spare === null) spare = memory;
  else closeSync(memory.fd);
}

/** The memory of a server that has closed, with zeros in it. */
function takeSpare(): SharedMemory | null {
  const memory = spare;
  if (memory === null) return null;
  spare = null;
  const { size } = fstatSync(memory.fd);
  ftruncateSync(memory.fd, 0);
  ftruncateSync(memory.fd, size);
  return memory;
}

/** Null where memory cannot be shared. */
function openMapped(): SharedMemory | null {
  const fd = openSharedMemory(NAME);
  if (fd === null) return null;
  ftruncateSync(fd, METRICS_BYTES_MAX);
  const first = mapShared(fd, 0, METRICS_BYTES_MAX);
  if (first !== null) return { fd, mapped: [first] };
  closeSync(fd);
  return null;
}

/** A file that no other process can open. */
function openUnnamed(): number {
  const path = join(tmpdir(), `${NAME}-${crypto.randomUUID()}`);
  const fd = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return fd;
}
