// The epoll driver on the scripted kernel, for the tests of its faults.

import { EpollDriver } from '../../../src/driver/linux/epoll.ts';
import { Rig, type RigOptions } from './driver-fixture.ts';
import type { ScriptedSocket } from './syscalls.ts';

/** As long as a block of the rig. */
export const BLOCK: string = 'b'.repeat(64);

export function rigOf(options?: RigOptions): Rig {
  return new Rig((driver, calls) => new EpollDriver(driver, calls), options);
}

/** A test with one socket in slot 0, which is finished and accounted for afterwards. */
export function withSocket(
  run: (rig: Rig, socket: ScriptedSocket) => void,
  options?: RigOptions,
): void {
  const rig = rigOf(options);
  run(rig, rig.adopt(0));
  rig.finish(0);
  rig.end();
}
