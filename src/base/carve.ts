// Small typed arrays cut from larger memory. One made by itself costs a call of the allocator, and
// the collector of garbage another: where an object has several, that is most of what it costs.

/** As much as Node cuts its small buffers from: what lives long keeps no more than this alive. */
const CHUNK_BYTES = 8192;
const ALIGNMENT = 8;

let chunk = new ArrayBuffer(0);
let used = 0;

/** Zeros that nobody else has, nor ever had. */
export function carveInt32(length: number): Int32Array {
  const at = carve(length * Int32Array.BYTES_PER_ELEMENT);
  return new Int32Array(chunk, at, length);
}

/** As carveInt32(). */
export function carveBytes(length: number): Uint8Array {
  const at = carve(length);
  return new Uint8Array(chunk, at, length);
}

/** Gives where they begin in `chunk`. */
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
