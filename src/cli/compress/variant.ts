// Makes one variant of a file: compresses into a temporary file beside it, and renames that when it
// is complete. An interruption at any moment leaves the old variant or the new one.

import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, lstat, open, rename, rm, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { faultCode } from '../fault-text.ts';
import type { Coding } from './codings.ts';
import type { CompressOptions } from './flags.ts';
import { temporaryName } from './walk.ts';

/** What was done for one coding of a file. */
export type Outcome =
  | { readonly what: 'written' | 'current'; readonly bytes: number }
  /** It would not be smaller; `removed`: there was a variant, which is stale. */
  | { readonly what: 'larger' | 'removed' };

export async function makeVariant(
  path: string,
  coding: Coding,
  options: CompressOptions,
  signal: AbortSignal,
): Promise<Outcome> {
  const variant = path + coding.extension;
  // A link that took the place of the file is not followed.
  const source = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  try {
    const stat = await source.stat({ bigint: true });
    if (!stat.isFile()) throw new Error('it is no longer a file');
    const old = await statOf(variant);
    if (old !== null && !options.force && isCurrent(old, stat)) {
      return { what: 'current', bytes: Number(old.size) };
    }
    const temporary = join(dirname(path), temporaryName(basename(variant)));
    try {
      const bytes = await compress(source, stat, temporary, coding, options, signal);
      if (bytes >= stat.size) return await removeStale(variant, old, options);
      if (!options.dryRun) {
        await utimes(temporary, Number(stat.atimeMs) / 1000, modifiedSeconds(stat));
        signal.throwIfAborted();
        await rename(temporary, variant);
      }
      return { what: 'written', bytes };
    } finally {
      await rm(temporary, { force: true });
    }
  } finally {
    await source.close();
  }
}

/** Removes the variant of a file that is too small for one, if it is older than the file. */
export async function removeOutdated(
  path: string,
  coding: Coding,
  options: CompressOptions,
): Promise<boolean> {
  const variant = path + coding.extension;
  const old = await statOf(variant);
  if (old === null || isCurrent(old, await lstat(path, { bigint: true }))) return false;
  return (await removeStale(variant, old, options)).what === 'removed';
}

async function removeStale(
  variant: string,
  old: BigIntStats | null,
  options: CompressOptions,
): Promise<Outcome> {
  if (old === null) return { what: 'larger' };
  if (!options.dryRun) await rm(variant);
  return { what: 'removed' };
}

/** Returns the size of the compressed file. */
async function compress(
  source: FileHandle,
  stat: BigIntStats,
  temporary: string,
  coding: Coding,
  options: CompressOptions,
  signal: AbortSignal,
): Promise<number> {
  const input = source.createReadStream({ autoClose: false, start: 0 });
  const compressor = coding.compressor(options.level, Number(stat.size));
  let bytes = 0;
  // Of its last stream a pipeline awaits only that all was written to it, not that all was read.
  async function count(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const { length } of chunks) bytes += length;
  }
  if (options.dryRun) {
    await pipeline(input, compressor, count, { signal });
  } else {
    const output = await open(temporary, 'wx');
    try {
      await output.chmod(Number(stat.mode & 0o777n));
      const written = output.createWriteStream();
      await pipeline(input, compressor, written, { signal });
      bytes = written.bytesWritten;
    } finally {
      await output.close();
    }
  }
  const after = await source.stat({ bigint: true });
  if (after.size !== stat.size || after.mtimeNs !== stat.mtimeNs) {
    throw new Error('it changed while it was compressed');
  }
  return bytes;
}

/** A variant that is as new as its original. Anything but a file is replaced. */
function isCurrent(variant: BigIntStats, original: BigIntStats): boolean {
  return variant.isFile() && variant.mtimeNs >= original.mtimeNs;
}

/**
 * The time of the original, for its variant. A number of seconds is exact to a quarter of a
 * microsecond, and the variant must not become older than its original.
 */
function modifiedSeconds({ mtimeNs }: BigIntStats): number {
  const seconds = Number(mtimeNs / 1_000_000_000n);
  const rest = Number(mtimeNs % 1_000_000_000n);
  return rest === 0 ? seconds : seconds + (rest + 1_000) / 1e9;
}

/** Null when there is no such file. */
async function statOf(path: string): Promise<BigIntStats | null> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (faultCode(error) === 'ENOENT') return null;
    throw error;
  }
}
