// The only file that knows the FFI library. koffi is an optional dependency: where it is missing,
// or its binary does not load, ffi() says why and the portable driver serves instead.

import { createRequire } from 'node:module';

/** A C function: numbers in (addresses too), a number out. */
export type Foreign = (...args: (number | Uint8Array | Int32Array)[]) => number;

/** Watches a descriptor on Node's own loop, until it is closed. */
export interface Watch {
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
   * Calls back in every round of the loop in which `fd` is readable. Promises and ticks that this
   * leaves behind run before the loop sleeps again.
   */
  watch(fd: number, readable: () => void): Watch;
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
  return {
    func: (prototype) => process.func(prototype),
    errno: koffi.errno,
    addressOf: (bytes) => Number(koffi.address(bytes)),
    view: (address, bytes) => koffi.view(address, bytes),
    watch: (fd, readable) => watch(koffi, fd, readable),
  };
}

/**
 * The handle stays referenced by the closures below: a collected one would silently stop watching.
 */
function watch(koffi: Koffi, fd: number, readable: () => void): Watch {
  const called = LEAVES_PROMISES ? () => settling(readable) : readable;
  const handle = koffi.node.poll(fd, { readable: true }, called);
  return { close: () => handle.close() };
}

let isSettling = false;

/** An immediate ends the round, then promises run. Asked for first, in case `readable` throws. */
function settling(readable: () => void): void {
  if (!isSettling) {
    isSettling = true;
    setImmediate(settled);
  }
  readable();
}

function settled(): void {
  isSettling = false;
}
