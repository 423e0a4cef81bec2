// How much memory an encoder has while it compresses a stream, by its coding and level: what a
// client that reads slowly, or a stream that stays open, makes the server hold.

import type { ContentCoding } from '../async-io/async-io.ts';

const MB = 1_000_000;

/**
 * In MB. gzip, deflate and br: the growth of the resident memory for each of eight encoders that
 * were given 2 MB, on Node 20, rounded up; zstd: the window and the tables of the parameters that
 * its library chooses for a level.
 */
const MEGABYTES: Readonly<Record<ContentCoding, readonly number[]>> = {
  gzip: [0.5],
  deflate: [0.5],
  br: [1, 1.5, 3, 3, 7.5, 5.5, 7.5, 11.5, 20, 37, 26, 31],
  zstd: [3.5, 1.5, 2, 3.5, 5, 6, 6, 9, 9, 17, 30, 30, 55, 39, 56, 73, 40, 61, 61, 95],
};

/** An upper estimate; levels beyond the table have the memory of its last one. */
export function encoderBytes(coding: ContentCoding, level: number): number {
  const sizes = MEGABYTES[coding];
  return sizes[Math.min(level, sizes.length - 1)] * MB;
}
