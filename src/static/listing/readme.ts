// The README of a directory, which its listing shows as plain text.

import { type AsyncIo, isFault } from '../../async-io/async-io.ts';
import { LISTING_README_BYTES_MAX } from '../../base/fixed-limits.ts';
import { utf8 } from '../../http/text.ts';
import type { ListedDirectory } from './reader.ts';
import type { Readme } from './view.ts';

/** The text of the first of these files that can be read; README.md is preferred. */
export async function readReadme(
  asyncIo: AsyncIo,
  listed: ListedDirectory,
  names: readonly string[],
): Promise<Readme | null> {
  for (const name of [...names].sort(byPreference)) {
    const readme = await readText(asyncIo, listed, name);
    if (readme !== null) return readme;
  }
  return null;
}

function byPreference(one: string, other: string): number {
  return rank(one) - rank(other) || (one < other ? -1 : 1);
}

function rank(name: string): number {
  return ['.md', '.txt'].indexOf(name.slice('readme'.length).toLowerCase()) & 3;
}

async function readText(
  asyncIo: AsyncIo,
  listed: ListedDirectory,
  name: string,
): Promise<Readme | null> {
  // It may be a link out of the root.
  const real = await listed.resolve(name);
  if (real === null) return null;
  const opened = await asyncIo.open(real);
  if (isFault(opened)) return null;
  try {
    const bytes = new Uint8Array(Math.min(opened.stat.bytes, LISTING_README_BYTES_MAX));
    let length = 0;
    while (length < bytes.length) {
      const count = await asyncIo.read(opened.file, bytes.subarray(length), length);
      if (count <= 0) break;
      length += count;
    }
    const isTruncated = opened.stat.bytes > length;
    const text = utf8(bytes, 0, length);
    // The limit may have split a character.
    return { name, text: isTruncated ? text.replace(/\ufffd$/, '') : text, isTruncated };
  } finally {
    await asyncIo.close(opened.file);
  }
}
