// What the io_uring driver opens when it starts: all of it, or nothing is left open.

import type { Slab } from '../../base/slab.ts';
import type { LoopWatch } from './foreign.ts';
import type { Syscalls } from './syscalls.ts';
import { bufferCountFor, ProvidedBuffers } from './uring-buffers.ts';
import type { UringCalls } from './uring-calls.ts';
import { BUFFER_GROUP } from './uring-entries.ts';
import { Hangups } from './uring-hangups.ts';
import { IoUring, type RingSizes } from './uring-instance.ts';

export interface UringResources {
  readonly hangups: Hangups;
  readonly ring: IoUring;
  readonly buffers: ProvidedBuffers;
  readonly loopWatch: LoopWatch;
}

/** `undo` closes what the caller has opened before. */
export function openUring(
  calls: Syscalls,
  uringCalls: UringCalls,
  slab: Slab,
  sizes: RingSizes,
  notified: () => void,
  undo: () => void,
): UringResources {
  const steps = [undo];
  try {
    const hangups = new Hangups(calls);
    steps.push(() => hangups.close());
    const ring = new IoUring(uringCalls, sizes.entries, sizes.completions);
    steps.push(() => ring.destroy());
    const count = bufferCountFor(slab);
    const buffers = new ProvidedBuffers(uringCalls, ring.fd, BUFFER_GROUP, slab, count);
    steps.push(() => buffers.destroy());
    const loopWatch = uringCalls.watchOnLoop(ring.eventfd, notified);
    buffers.refill();
    return { hangups, ring, buffers, loopWatch };
  } catch (error) {
    for (const step of steps) step();
    throw error;
  }
}
