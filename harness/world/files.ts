// The files that the simulated server serves: in memory for SimAsyncIo, in a folder when the
// clients run over real sockets.

import { content } from './content.ts';

export interface TreeFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** The target of a symbolic link. */
  readonly link?: string;
}

export const SITE = '/site';

/** Whole seconds, long ago: Last-Modified has exactly this value, and no file counts as recent. */
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
  { path: '/site/.hidden', bytes: text('not to be served\n') },
  { path: '/site/way-out', bytes: new Uint8Array(0), link: '/secret.txt' },
  { path: '/secret.txt', bytes: text('outside of the site\n') },
];

export function fileBytes(path: string): Uint8Array {
  const file = FILES.find((one) => one.path === path);
  if (file === undefined) throw new Error(`no such file: ${path}`);
  return file.bytes;
}
