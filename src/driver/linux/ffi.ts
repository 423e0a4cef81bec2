// The only file that knows the FFI library. koffi is an optional dependency: where it is missing,
// or its binary does not load, ffi() says why and the portable driver serves instead.

import { createRequire } from 'node:module';
import { loopCalls, watchOnLoop } from './loop-watch.ts';

/** A C function: numbers in (addresses too), a number out. */
export type Foreign = (...args: (number | Uint8Array | Int32Array)[]) => number;

/** Watches a descriptor on Node's own loop, until it is closed. */
export interface Watch {
  /** Before a sleep: asks to be called when the loop's next wait is over. */
  arm(): void;
  close(): void;
}

export interface Ffi {
  /** A function of the C library by its prototype; addresses are declared uintptr_t. */
  func(prototype: string): Foreign;
  /** Errno as the last foreign call left it. */
  errno(): number;
  /** Where the memory of `bytes` lies. It must be off V8's heap, so 64 bytes or more. */
  addressOf(bytes: Uint8Array): number;
  /** The memory at an address, which must stay mapped for as long as somebody looks at it. */
  view(address: number, bytes: number): ArrayBuffer;
  /**
   * While `fd` is readable the loop does not wait. Once armed, `woken` is called when the next wait
   * is over, for whatever reason; unarmed it may be called too. Promises and ticks that it leaves
   * behind run before the loop waits again.
   */
  watch(fd: number, woken: () => void): Watch;
}

/**
 * Up to 25, Node runs promises and ticks when a native callback returns. From 26 on it leaves them
 * to the next callback of its own: a handler which awaits would wait for some stranger's timer.
 */
const LEAVES_PROMISES: boolean = Number.parseInt(process.versions.node, 10) > 25;

interface Koffi {
  load(path: null): { func(prototype: string): Foreign };
  errno(): number;
  address(bytes: Uint8Array): bigint;
  view(address: number, bytes: number): ArrayBuffer;
  node: {
    poll(fd: number, options: object, callback: () => void): KoffiPoll;
  };
}

interface KoffiPoll {
  close(): void;
}

let loaded: Ffi | string | null = null;

/** The FFI of this process, or one line that says why there is none. */
export function ffi(): Ffi | string {
  loaded ??= load();
  return loaded;
}

function load(): Ffi | string {
  let koffi: Koffi;
  try {
    koffi = createRequire(import.meta.url)('koffi') as Koffi;
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    if (code === 'MODULE_NOT_FOUND') return 'koffi is not installed';
    // A system that it has no binary for is an error without a code.
    return `koffi does not load: ${code ?? message.split('\n', 1)[0]}`;
  }
  const process = koffi.load(null);
  const func = (prototype: string): Foreign => process.func(prototype);
  const addressOf = (bytes: Uint8Array): number => Number(koffi.address(bytes));
  const loop = loopCalls(func, addressOf);
  return {
    func,
    errno: koffi.errno,
    addressOf,
    view: (address, bytes) => koffi.view(address, bytes),
    watch: (fd, woken) =>
      (loop === null ? null : watchOnLoop(loop, fd, woken)) ?? watchByLibrary(koffi, fd, woken),
  };
}

/**
 * Where libuv is out of reach. The handle stays referenced by the closures below: a collected one
 * would silently stop watching.
 */
function watchByLibrary(koffi: Koffi, fd: number, woken: () => void): Watch {
  const called = LEAVES_PROMISES ? () => settling(woken) : woken;
  const handle = koffi.node.poll(fd, { readable: true }, called);
  return { arm: () => {}, close: () => handle.close() };
}

let isSettling = false;

/** An immediate ends the round, then promises run. Asked for first, in case `woken` throws. */
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
