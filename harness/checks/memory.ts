// Checks of memory: no block is released, and no chunk reused, while the kernel may read it.

import type { Slab } from '../../src/base/slab.ts';
import type { SimDriver } from '../world/driver.ts';
import { ensure, Violation } from '../world/violation.ts';

/** The bytes of released blocks: no code may read them. */
const POISON = 0xdb;

/**
 * Checks each release of a block: no send in flight may use it. Its bytes are overwritten at once,
 * so that a late reader does not find the old ones.
 */
export function checkSlab(slab: Slab, driver: () => SimDriver | null): void {
  const release = slab.release.bind(slab);
  slab.release = (block: number): void => {
    const start = slab.start(block);
    const sockets = driver()?.sockets ?? [];
    for (const socket of sockets) {
      const send = socket?.send ?? null;
      if (send === null || send.region !== 0) continue;
      const isApart = send.end <= start || send.start >= start + slab.blockBytes;
      ensure(isApart, 'memory', `block ${block} is released while it is sent from`);
    }
    slab.bytes.fill(POISON, start, start + slab.blockBytes);
    release(block);
  };
}

/**
 * A handler reuses its memory when write() resolves, so the kernel must have read it by then.
 * Returned and not thrown: the server would turn an error of the handler into a response.
 */
export function reuseViolation(driver: SimDriver, memory: Uint8Array): Violation | null {
  const from = memory.byteOffset;
  const to = from + memory.length;
  for (const socket of driver.sockets) {
    const send = socket?.send ?? null;
    if (socket === null || send === null) continue;
    const region = driver.region(send.region);
    if (region.buffer !== memory.buffer) continue;
    const start = region.byteOffset;
    if (start + send.end <= from || start + send.start >= to) continue;
    const message = 'write() resolved while its chunk is sent from';
    return new Violation('memory', message, socket.link.lane);
  }
  return null;
}
