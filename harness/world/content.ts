// Content that client and server can both make: number `id` of `length` bytes, a part of one large
// block of noise. And the digest that the application computes of a body.

import { Random } from '../../testing/random.ts';

const NOISE_BYTES = 1 << 20;
const OFFSETS = 1 << 16;

export const HELLO = 'Hello, world!\n';

export const CONTENT_BYTES_MAX: number = NOISE_BYTES - OFFSETS;

const noise = makeNoise();

function makeNoise(): Buffer {
  const bytes = Buffer.allocUnsafeSlow(NOISE_BYTES);
  const random = new Random(1, 'noise');
  for (let at = 0; at < NOISE_BYTES; at += 4) bytes.writeUInt32LE(random.next(), at);
  return bytes;
}

/** The memory is shared: never write to it. */
export function content(id: number, length: number): Buffer {
  const from = Math.imul(id, 7919) & (OFFSETS - 1);
  return noise.subarray(from, from + length);
}

/** A text that contains its number: up to a few hundred characters, not always ASCII. */
export function textOf(id: number): string {
  const end = id % 7 === 0 ? 'ä\n' : '\n';
  return `text ${id}${'.'.repeat(id % 290)}${end}`;
}

/** FNV-1a over the bytes so far; begin with DIGEST_START. */
export function digest(start: number, bytes: Uint8Array): number {
  let hash = start;
  for (let index = 0; index < bytes.length; index++) {
    hash = Math.imul(hash ^ bytes[index], 0x01000193);
  }
  return hash >>> 0;
}

export const DIGEST_START = 0x811c9dc5;
