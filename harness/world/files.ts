// The files that the server of the simulation serves: in memory for the simulated Work, written to
// a folder for the real one.

import { content } from './content.ts';

export interface TreeFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Where a symbolic link leads instead. */
  readonly link?: string;
}

export const SITE = '/site';

/** Whole seconds long ago: Last-Modified says exactly this, and files count as settled. */
export const MODIFIED_MS: number = Date.UTC(2025, 10, 3, 8, 0, 0);

const text = (value: string): Uint8Array => Buffer.from(value);

export const FILES: readonly TreeFile[] = [
  { path: '/site/index.html', bytes: text('<!doctype html><title>simulated</title>\n') },
  { path: '/site/small.txt', bytes: content(1, 700) },
  { path: '/site/block.bin', bytes: content(2, 17408) },
  { path: '/site/large.bin', bytes: content(3, 190_001) },
  { path: '/site/empty.txt', bytes: new Uint8Array(0) },
  { path: '/site/docs/index.html', bytes: text('<p>documents</p>\n') },
  { path: '/site/list/one.txt', bytes: text('one\n') },
  { path: '/site/list/two.txt', bytes: text('two\n') },
  { path: '/site/.hidden', bytes: text('nobody sees this\n') },
  { path: '/site/way-out', bytes: new Uint8Array(0), link: '/secret.txt' },
  { path: '/secret.txt', bytes: text('outside of the site\n') },
];

export function fileBytes(path: string): Uint8Array {
  const file = FILES.find((one) => one.path === path);
  if (file === undefined) throw new Error(`no such file: ${path}`);
  return file.bytes;
}
