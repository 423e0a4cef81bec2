// Finds the files below a directory that `vibing compress` works on. It follows no link, so it
// never leaves the directory, and skips hidden names, which are not served.

import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { faultCode } from '../fault-text.ts';
import { codingOf, isCompressible } from './codings.ts';

const TEMPORARY = '.vibing-tmp';

let temporaries = 0;

/** The name of a temporary file of this process: hidden, so that it is not served. */
export function temporaryName(variant: string): string {
  temporaries += 1;
  return `.${variant}.${process.pid}-${temporaries}${TEMPORARY}`;
}

/** Whether the process that made a temporary file has ended without removing it. */
export function isLeftBehind(temporary: string): boolean {
  const id = /\.(\d{1,9})-\d+\.vibing-tmp$/.exec(temporary)?.[1];
  if (id === undefined) return false;
  try {
    process.kill(Number(id), 0);
    return false;
  } catch (error) {
    return faultCode(error) === 'ESRCH';
  }
}

export interface Found {
  /** An original, a variant of one, or a file that an earlier run has left behind. */
  readonly kind: 'original' | 'variant' | 'temporary';
  readonly path: string;
}

/** Problems of directories are passed to `failed`. */
export async function* walk(
  directory: string,
  failed: (path: string, error: unknown) => void,
): AsyncGenerator<Found> {
  const folders: string[] = [];
  // All names are read first: files that are written meanwhile are not found.
  const found: Found[] = [];
  try {
    for await (const entry of await opendir(directory)) {
      const { name } = entry;
      const path = join(directory, name);
      if (entry.isFile() && name.startsWith('.') && name.endsWith(TEMPORARY)) {
        found.push({ kind: 'temporary', path });
      }
      if (name.startsWith('.') && name !== '.well-known') continue;
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile()) {
        const coding = codingOf(name);
        // Of an archive such as `a.tar.gz` no original is looked for.
        const original = coding === undefined ? name : name.slice(0, -coding.extension.length);
        if (isCompressible(original)) {
          found.push({ kind: coding === undefined ? 'original' : 'variant', path });
        }
      }
    }
  } catch (error) {
    failed(directory, error);
  }
  yield* found;
  for (const folder of folders) yield* walk(folder, failed);
}
