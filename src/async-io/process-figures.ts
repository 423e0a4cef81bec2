// What a process uses: memory, CPU time, descriptors, the garbage collector's pauses.

import { readdir, stat } from 'node:fs/promises';
import { type EventLoopUtilization, PerformanceObserver, performance } from 'node:perf_hooks';

export interface Figures {
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  readonly externalBytes: number;
  readonly residentBytes: number;
  /** CPU time of the process since it started. */
  readonly cpuSeconds: number;
  /** -1 where the system does not report it. */
  readonly openFds: number;
  /** When the process started, in seconds since 1970. */
  readonly startedSeconds: number;
  /** The share of the time since the sample before in which the event loop was busy. */
  readonly loopUtilization: number;
}

export interface ProcessFigures {
  /** Null where the system reports nothing, as without a free descriptor. */
  sample(): Promise<Figures | null>;
  /** Calls `paused` for each pause of the garbage collector, until the returned call. */
  watchGc(paused: (kind: string, ms: number) => void): () => void;
  readonly nodeVersion: string;
}

const GC_KINDS: ReadonlyMap<unknown, string> = new Map([
  [1, 'minor'],
  [4, 'major'],
  [8, 'incremental'],
  [16, 'weak_callbacks'],
]);

export class NodeFigures implements ProcessFigures {
  readonly nodeVersion: string = process.version;
  #loop: EventLoopUtilization = performance.eventLoopUtilization();

  async sample(): Promise<Figures | null> {
    try {
      return await this.#sampleNow();
    } catch {
      return null;
    }
  }

  async #sampleNow(): Promise<Figures> {
    const { heapUsed, heapTotal, external, rss } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    const loop = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(loop, this.#loop);
    this.#loop = loop;
    return {
      heapUsedBytes: heapUsed,
      heapTotalBytes: heapTotal,
      externalBytes: external,
      residentBytes: rss,
      cpuSeconds: (user + system) / 1e6,
      openFds: await openDescriptors(),
      startedSeconds: performance.timeOrigin / 1_000,
      loopUtilization: utilization,
    };
  }

  watchGc(paused: (kind: string, ms: number) => void): () => void {
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const { detail } = entry as { detail?: { kind?: number } };
        paused(GC_KINDS.get(detail?.kind) ?? 'other', entry.duration);
      }
    });
    observer.observe({ entryTypes: ['gc'] });
    return () => observer.disconnect();
  }
}

/** From Linux 6.2 on the size of the directory is the number of open descriptors. */
async function openDescriptors(): Promise<number> {
  const directory = await stat('/proc/self/fd').catch(() => null);
  if (directory === null) return -1;
  if (directory.size > 0) return directory.size;
  // One of them is that of this reading.
  return readdir('/proc/self/fd').then(
    (names) => names.length - 1,
    () => -1,
  );
}
