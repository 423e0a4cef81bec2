// The epoll driver on the scripted kernel, for the tests of its faults.

import { EpollDriver } from '../../../src/driver/linux/epoll.ts';
import { ScriptedFixture, type ScriptedFixtureOptions } from './driver-fixture.ts';
import type { ScriptedSocket } from './syscalls.ts';

/** As long as a block of the fixture. */
export const BLOCK: string = 'b'.repeat(64);

export function epollFixture(options?: ScriptedFixtureOptions): ScriptedFixture {
  return new ScriptedFixture((driver, calls) => new EpollDriver(driver, calls), options);
}

/** A test with one socket in slot 0, which is closed and checked afterwards. */
export function withSocket(
  run: (fixture: ScriptedFixture, socket: ScriptedSocket) => void,
  options?: ScriptedFixtureOptions,
): void {
  const fixture = epollFixture(options);
  run(fixture, fixture.adopt(0));
  fixture.finish(0);
  fixture.end();
}
