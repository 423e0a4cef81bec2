// The primary's side of the metrics of its workers: opens the file, and decides which process has
// which segment of it.

import { closeSync, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs';
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
    const memory = openMapped();
    this.fd = memory ?? openUnnamed();
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
    this.file = new MetricsFile(this.#primary);
  }

  /** A segment for the next process of a worker slot; in that process the file is `fd`. */
  assign(worker: number, fd: number): MetricsAssignment {
    const fits = (one: Assigned): boolean => one.worker === worker && !one.isUsed;
    let segment = this.#segments.findIndex(fits);
    if (segment < 0) {
      segment = this.#segments.length;
      ftruncateSync(this.fd, (segment + 1) * METRICS_BYTES_MAX);
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

/** Null where memory cannot be shared. */
function openMapped(): number | null {
  const fd = openSharedMemory(NAME);
  if (fd === null) return null;
  ftruncateSync(fd, METRICS_BYTES_MAX);
  const memory = mapShared(fd, 0, METRICS_BYTES_MAX);
  ftruncateSync(fd, 0);
  if (memory !== null) return fd;
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
