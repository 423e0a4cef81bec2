// Watches a descriptor on Node's own loop without a callback from native code, which allocates an
// object and costs more than all else of a turn that serves one request. libuv watches the
// descriptor and calls a function that does nothing; an unreferenced immediate runs after the wait,
// whatever ended it.

import { isMainThread } from 'node:worker_threads';
import type { Foreign, LoopWatch } from './foreign.ts';

/** Of enum uv_handle_type and enum uv_poll_event (<uv.h>). */
const UV_POLL = 8;
const UV_READABLE = 1;

/** Memory below this size may lie on V8's heap, where it moves. */
const LEAST_BYTES = 256;

/** Functions of libuv, which Node's own binary exports. */
export interface LoopCalls {
  readonly loop: number;
  /** The address of a function without effect, whatever its arguments. */
  readonly nothing: number;
  readonly handleBytes: number;
  readonly init: Foreign;
  readonly start: Foreign;
  readonly close: Foreign;
  addressOf(bytes: Uint8Array): number;
}

/** Null where libuv's functions are not exported, or in another thread than the main one. */
export function loopCalls(
  func: (prototype: string) => Foreign,
  addressOf: (bytes: Uint8Array) => number,
): LoopCalls | null {
  if (!isMainThread) return null;
  try {
    const name = new Uint8Array(LEAST_BYTES);
    name.set(new TextEncoder().encode('uv_version'));
    const nothing = Number(func('uintptr_t dlsym(uintptr_t, void*)')(0, name));
    if (nothing === 0) return null;
    return {
      loop: Number(func('uintptr_t uv_default_loop()')()),
      nothing,
      handleBytes: func('size_t uv_handle_size(int)')(UV_POLL),
      init: func('int uv_poll_init(uintptr_t, uintptr_t, int)'),
      start: func('int uv_poll_start(uintptr_t, int, uintptr_t)'),
      close: func('void uv_close(uintptr_t, uintptr_t)'),
      addressOf,
    };
  } catch {
    return null;
  }
}

/** Memory of handles that libuv may still use. */
const held = new Set<Uint8Array>();

/** Null when libuv does not take the descriptor. */
export function watchByLibuv(calls: LoopCalls, fd: number, woken: () => void): LoopWatch | null {
  const handle = new Uint8Array(Math.max(calls.handleBytes, LEAST_BYTES));
  const address = calls.addressOf(handle);
  if (calls.init(calls.loop, address, fd) < 0) return null;
  held.add(handle);
  let isArmed = false;
  let isClosed = false;
  const run = (): void => {
    isArmed = false;
    if (!isClosed) woken();
  };
  const close = (): void => {
    if (isClosed) return;
    isClosed = true;
    calls.close(address, 0);
    // libuv no longer uses the handle when this round of the loop and the next have ended.
    setImmediate(() => setImmediate(() => held.delete(handle)));
  };
  if (calls.start(address, UV_READABLE, calls.nothing) < 0) {
    close();
    return null;
  }
  const arm = (): void => {
    if (isArmed || isClosed) return;
    isArmed = true;
    setImmediate(run).unref();
  };
  return { arm, close };
}
