// Small typed arrays carved from larger buffers. One with a buffer of its own costs an allocation,
// and the garbage collector a deallocation: for an object that has several, that is most of its
// cost.

/** The size of Node's own buffer pool: a long-lived array keeps no more than this alive. */
const CHUNK_BYTES = 8192;
const ALIGNMENT = 8;

let chunk = new ArrayBuffer(0);
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

/** Returns where they begin in `chunk`. */
function carve(bytes: number): number {
  const at = used;
  const end = Math.ceil((at + bytes) / ALIGNMENT) * ALIGNMENT;
  if (end <= chunk.byteLength) {
    used = end;
    return at;
  }
  chunk = new ArrayBuffer(Math.max(bytes, CHUNK_BYTES));
  used = Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
  return 0;
}
