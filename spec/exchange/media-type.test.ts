// Media types of files by their names.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { mediaType } from '../../src/exchange/media-type.ts';

const UNKNOWN = 'application/octet-stream';

const TYPES: readonly (readonly [path: string, type: string])[] = [
  ['a.html', 'text/html; charset=utf-8'],
  ['a.HTM', 'text/html; charset=utf-8'],
  ['/x/y.z/a.css', 'text/css; charset=utf-8'],
  ['a.min.js', 'text/javascript; charset=utf-8'],
  ['a.json', 'application/json; charset=utf-8'],
  ['a.webmanifest', 'application/manifest+json; charset=utf-8'],
  ['a.svg', 'image/svg+xml'],
  ['a.xml', 'text/xml'],
  ['a.xhtml', 'application/xhtml+xml'],
  ['a.cjs', 'text/javascript; charset=utf-8'],
  ['a.txt', 'text/plain; charset=utf-8'],
  ['a.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  ['a.m3u8', 'application/vnd.apple.mpegurl'],
  ['a.flac', 'audio/flac'],
  ['a.avif', 'image/avif'],
  ['a.woff2', 'font/woff2'],
  ['a.md', 'text/markdown; charset=utf-8'],
  ['a.wasm', 'application/wasm'],
  ['a.pdf', 'application/pdf'],
  ['a.mp4', 'video/mp4'],
  ['a.bmp', 'image/bmp'],
  ['a.ico', 'image/x-icon'],
  ['a', UNKNOWN],
  ['a.', UNKNOWN],
  ['', UNKNOWN],
  ['.html', 'text/html; charset=utf-8'],
  ['html', UNKNOWN],
  ['/x.html/a', UNKNOWN],
  ['a.no-such-type', UNKNOWN],
  ['a.constructor', UNKNOWN],
  ['a.__proto__', UNKNOWN],
];

for (const [path, type] of TYPES) {
  it(`${JSON.stringify(path)} is ${type}`, () => {
    assert.equal(mediaType(path), type);
  });
}
