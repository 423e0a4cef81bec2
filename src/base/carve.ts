// Small typed arrays carved from larger buffers. One with a buffer of its own costs an allocation,
// and the garbage collector a deallocation: for an object that has several, that is most of its
// cost.

import { copyBytes } from './bytes.ts';

/** The size of Node's own buffer pool: a long-lived array keeps no more than this alive. */
const CHUNK_BYTES = 8192;
const ALIGNMENT = 8;

let chunk = new ArrayBuffer(0);
/** All of the chunk. */
let bytes: Buffer = Buffer.from(chunk);
let used = 0;

/** Zeros, in memory that is used for nothing else. */
export function carveInt32(length: number): Int32Array {
  const at = carve(length * Int32Array.BYTES_PER_ELEMENT);
  return new Int32Array(chunk, at, length);
}

/** As carveInt32(). */
export function carveBytes(length: number): Uint8Array {
  const at = carve(length);
  return new Uint8Array(chunk, at, length);
}

/**
 * Copies bytes from `from` to `to` into memory that does not change. They begin at the returned
 * position of `carvedMemory()`, which has those of others, too.
 */
export function carveCopy(source: Uint8Array, from: number, to: number): number {
  const at = carve(to - from);
  copyBytes(bytes, at, source.subarray(from, to));
  return at;
}

/** The memory of the last carveCopy(). */
export function carvedMemory(): Buffer {
  return bytes;
}

/** Returns where they begin in `chunk`. */
function carve(length: number): number {
  const at = used;
  const end = Math.ceil((at + length) / ALIGNMENT) * ALIGNMENT;
  if (end <= chunk.byteLength) {
    used = end;
    return at;
  }
  chunk = new ArrayBuffer(Math.max(length, CHUNK_BYTES));
  bytes = Buffer.from(chunk);
  used = Math.ceil(length / ALIGNMENT) * ALIGNMENT;
  return 0;
}
