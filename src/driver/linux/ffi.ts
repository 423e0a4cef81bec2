// The only file that uses the FFI library. koffi is an optional dependency: where it is missing, or
// its binary does not load, ffi() returns the reason, and the portable driver serves instead.
// Node's own node:ffi (26.1, experimental) would be a second load() that returns the same
// interface, before koffi. `npm run bench -- foreign` compares the two where Node has it. In 26.10
// a call with small numbers takes half of koffi's time, but recv() by address twice as long:
// addresses are bigints there.

import { createRequire } from 'node:module';
import type { Foreign, LoopWatch } from './foreign.ts';
import { loopCalls, watchByLibuv } from './loop-watch.ts';

export interface Ffi {
  /** A function of the C library by its prototype; addresses are declared uintptr_t. */
  func(prototype: string): Foreign;
  /** The errno of the last foreign call. */
  errno(): number;
  /** The address of `bytes`, which must lie off V8's heap: they are 64 or more. */
  addressOf(bytes: Uint8Array): number;
  /** The memory at an address. It must stay mapped for as long as the result is used. */
  view(address: number, bytes: number): ArrayBuffer;
  /**
   * While `fd` is readable the loop does not wait. Once armed, `woken` is called when the next wait
   * ends, for any reason; it may also be called unarmed. Promises and ticks that it queues run
   * before the loop waits again.
   */
  watchOnLoop(fd: number, woken: () => void): LoopWatch;
}

/**
 * Up to 25, Node runs promises and ticks when a native callback returns. From 26 on they wait for
 * the next callback of Node itself: a handler that awaits would wait for an unrelated timer.
 */
const LEAVES_PROMISES: boolean = Number.parseInt(process.versions.node, 10) > 25;

/** The part of koffi that is used. */
export interface Koffi {
  load(path: null): { func(prototype: string): Foreign };
  errno(): number;
  address(bytes: Uint8Array): bigint;
  view(address: number, bytes: number): ArrayBuffer;
  node: {
    poll(fd: number, options: object, callback: () => void): KoffiPoll;
  };
}

export interface KoffiPoll {
  close(): void;
}

let loaded: Ffi | string | null = null;

/** The FFI of this process, or the reason why there is none, in one line. */
export function ffi(): Ffi | string {
  loaded ??= loadFfi(() => createRequire(import.meta.url)('koffi') as Koffi);
  return loaded;
}

/** `loadKoffi` throws where it is missing. */
export function loadFfi(
  loadKoffi: () => Koffi,
  leavesPromises: boolean = LEAVES_PROMISES,
): Ffi | string {
  let koffi: Koffi;
  try {
    koffi = loadKoffi();
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    if (code === 'MODULE_NOT_FOUND') return 'koffi is not installed (npm install koffi)';
    // On a system without a binary of koffi the error has no code.
    return `koffi does not load: ${code ?? message.split('\n', 1)[0]}`;
  }
  const symbols = koffi.load(null);
  const func = (prototype: string): Foreign => symbols.func(prototype);
  const addressOf = (bytes: Uint8Array): number => Number(koffi.address(bytes));
  const loop = loopCalls(func, addressOf);
  return {
    func,
    errno: koffi.errno,
    addressOf,
    view: (address, bytes) => koffi.view(address, bytes),
    watchOnLoop: (fd, woken) => {
      const watched = loop === null ? null : watchByLibuv(loop, fd, woken);
      return watched ?? watchByKoffi(koffi, fd, leavesPromises ? () => settling(woken) : woken);
    },
  };
}

/**
 * For where libuv cannot be called. The closures below keep the handle referenced: a collected one
 * would stop watching without an error.
 */
function watchByKoffi(koffi: Koffi, fd: number, called: () => void): LoopWatch {
  const handle = koffi.node.poll(fd, { readable: true }, called);
  return { arm: () => {}, close: () => handle.close() };
}

let isSettling = false;

/** After an immediate Node runs promises. It is queued first, in case `woken` throws. */
function settling(woken: () => void): void {
  if (!isSettling) {
    isSettling = true;
    setImmediate(settled);
  }
  woken();
}

function settled(): void {
  isSettling = false;
}
