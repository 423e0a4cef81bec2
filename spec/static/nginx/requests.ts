// The requests that both servers receive: every combination that decides a response to a file.

import { DIGITS_BYTES, LARGE_BYTES, MODIFIED_MS } from './folder.ts';

export interface StaticRequest {
  readonly method: string;
  /** As it is sent. */
  readonly target: string;
  /** `{etag}` stands for the server's own entity tag of the target, `{other}` for another one. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

type Field = readonly [name: string, value: string];

const SAME = new Date(MODIFIED_MS).toUTCString();
const EARLIER = new Date(MODIFIED_MS - 1000).toUTCString();
const LATER = new Date(MODIFIED_MS + 1000).toUTCString();
const SINCE_VALUES = [
  SAME,
  EARLIER,
  LATER,
  'Thursday, 29-Feb-24 12:30:15 GMT',
  'Thu Feb 29 12:30:15 2024',
  'not a date',
  '0',
  '-1',
  'Thu, 29 Feb 2024 12:30:15',
  'Thu, 31 Feb 2024 12:30:15 GMT',
  'Thu, 01 Jan 1970 00:00:00 GMT',
  'Fri, 01 Jan 2100 00:00:00 GMT',
];
const TAG_VALUES = [
  '{etag}',
  'W/{etag}',
  '*',
  '{other}',
  'W/{other}',
  '{other}, {etag}',
  '{other},{etag}',
  '{other} , W/{etag} , {other}',
  '{etag},',
  ',{etag}',
  'unquoted',
  '"unclosed',
  '""',
  '',
  `${'{other}, '.repeat(200)}{etag}`,
];
const RANGE_VALUES = [
  'bytes=0-0',
  'bytes=0-9',
  'bytes=10-19',
  'bytes=990-',
  'bytes=-10',
  'bytes=-1',
  'bytes=0-',
  'bytes=-1000',
  'bytes=-2000',
  'bytes=0-999',
  'bytes=0-5000',
  'bytes=999-999',
  'bytes=1000-',
  'bytes=1000-1001',
  'bytes=5000-6000',
  'bytes=-0',
  'bytes=9-0',
  'bytes=',
  'bytes',
  'bytes=a-b',
  'bytes=1',
  'bytes=--1',
  'bytes=1-2-3',
  'bytes = 0-9',
  'bytes= 0-9',
  'bytes=0 - 9',
  'Bytes=0-9',
  'BYTES=0-9',
  'items=0-9',
  'bytes=0-9,20-29',
  'bytes=0-9, 20-29',
  'bytes=0-9 ,20-29',
  'bytes=20-29,0-9',
  'bytes=0-9,5-14',
  'bytes=0-9,10-19',
  'bytes=0-0,-1',
  'bytes=0-9,2000-2001',
  'bytes=2000-2001,3000-3001',
  'bytes=0-9,',
  'bytes=,0-9',
  'bytes=0-9,a-b',
  'bytes=0-,0-,0-',
  `bytes=${Array.from({ length: 20 }, (_, index) => `${index * 40}-${index * 40 + 1}`).join(',')}`,
  'bytes=18446744073709551616-',
  'bytes=0-18446744073709551615',
  'bytes=-18446744073709551615',
  'bytes=00000000000000000000000-00000000000000000000009',
];
const ENCODING_VALUES = [
  'gzip',
  'br',
  'gzip, br',
  'br, gzip',
  'gzip;q=0',
  'gzip;q=0.5, br;q=0.1',
  'gzip;q=0.1, identity;q=0.9',
  '*',
  '*;q=0',
  'identity',
  'identity;q=0',
  'deflate',
  'x-gzip',
  'GZIP',
  'gzip;q=1.5',
  'gzip;q=abc',
  '',
];
const NAMES = [
  '/',
  '/digits.txt',
  '/empty.txt',
  '/one.txt',
  '/large.bin',
  '/page.html',
  '/style.css',
  '/data.json',
  '/picture.svg',
  '/feed.xml',
  '/font.woff2',
  '/module.wasm',
  '/film.mp4',
  '/list.m3u8',
  '/archive.zip',
  '/unknown.qqq',
  '/noextension',
  '/UPPER.TXT',
  '/upper.txt',
  '/with%20space.txt',
  '/per%25cent.txt',
  '/per%cent.txt',
  '/plus+sign.txt',
  '/plus%2Bsign.txt',
  '/quote%27.txt',
  "/quote'.txt",
  '/semi;colon.txt',
  '/semi%3Bcolon.txt',
  '/question%3F.txt',
  '/hash%23.txt',
  '/%C3%BCmlaut.txt',
  '/%c3%bcmlaut.txt',
  '/%E6%97%A5%E6%9C%AC.txt',
  '/%FCmlaut.txt',
  '/dir',
  '/dir/',
  '/dir/index.html',
  '/dir/inner.txt',
  '/dir/inner.txt/',
  '/dir/inner.txt/more',
  '/dir?query',
  '/dir?next=//evil',
  '/no-index',
  '/no-index/',
  '/no-index/file.txt',
  '/deep/er/est/file.txt',
  '/deep/er/est',
  '/dots/..hidden.txt',
  '/dots/a..b.txt',
  '/link.txt',
  '/broken.txt',
  '/dir-link/',
  '/dir-link/inner.txt',
  '/dir-link',
  '/fifo',
  '/script.js.gz',
  '/script.js.br',
  '/digits.txt?a=b',
  '/digits.txt?',
  '/digits%2Etxt',
  '/%64igits.txt',
  '/missing',
  '/missing/',
  '/missing/file.txt',
  '/digits.txt%00',
  '/digits.txt%00.html',
  '/%00',
  '//digits.txt',
  '//dir//inner.txt',
  '/./digits.txt',
  '/dir/./inner.txt',
  '/dir/../digits.txt',
  '/dir/..',
  '/..',
  '/../outside.txt',
  '/dir/../../outside.txt',
  '/%2e%2e/outside.txt',
  '/%2E%2E%2Foutside.txt',
  '/..%2foutside.txt',
  '/dir%2Finner.txt',
  '/dir/%2e%2e/digits.txt',
  '/dir/%2e/inner.txt',
  '/..%5coutside.txt',
  '/dir%5Cinner.txt',
  '/%c0%ae%c0%ae/outside.txt',
  '/.../outside.txt',
  '/..;/outside.txt',
  '/%',
  '/%4',
  '/%zz',
  '/%25',
  '/%2525',
];
const METHODS = ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'];

/** At least 400, in a fixed order. */
export function staticRequests(): readonly StaticRequest[] {
  const requests: StaticRequest[] = [];
  const add = (target: string, ...fields: Field[]): void => {
    for (const method of ['GET', 'HEAD']) requests.push({ method, target, fields });
  };
  for (const name of NAMES) add(name);
  for (const method of METHODS) {
    for (const target of ['/digits.txt', '/missing', '/dir/', '/']) {
      requests.push({
        method,
        target,
        fields: method === 'OPTIONS' ? [] : [['Content-Length', '0']],
      });
    }
  }
  for (const value of SINCE_VALUES) {
    add('/digits.txt', ['If-Modified-Since', value]);
    add('/digits.txt', ['If-Unmodified-Since', value]);
    add('/digits.txt', ['If-Range', value], ['Range', 'bytes=0-9']);
  }
  for (const value of TAG_VALUES) {
    add('/digits.txt', ['If-None-Match', value]);
    add('/digits.txt', ['If-Match', value]);
    add('/digits.txt', ['If-Range', value], ['Range', 'bytes=0-9']);
  }
  for (const value of RANGE_VALUES) add('/digits.txt', ['Range', value]);
  for (const value of ['bytes=0-0', 'bytes=-1', 'bytes=0-']) add('/empty.txt', ['Range', value]);
  for (const value of ['bytes=0-0', 'bytes=-1', 'bytes=1-', 'bytes=0-0,0-0']) {
    add('/one.txt', ['Range', value]);
  }
  const last = LARGE_BYTES - 1;
  for (const value of [`bytes=100000-200000`, `bytes=${last}-`, `bytes=0-1,${last}-`, 'bytes=5-']) {
    add('/large.bin', ['Range', value]);
  }
  for (const value of ENCODING_VALUES) {
    add('/script.js', ['Accept-Encoding', value]);
    add('/only.js', ['Accept-Encoding', value]);
  }
  add('/script.js', ['Accept-Encoding', 'gzip'], ['Range', 'bytes=0-9']);
  add('/script.js', ['Accept-Encoding', 'gzip'], ['If-None-Match', '{etag}']);
  addCombinations(add);
  return requests;
}

/** The precedence of RFC 9110 13.2.2. */
function addCombinations(add: (target: string, ...fields: Field[]) => void): void {
  const tags = ['{etag}', '{other}', '*'];
  const times = [EARLIER, SAME, LATER];
  for (const tag of tags) {
    for (const time of times) {
      add('/digits.txt', ['If-None-Match', tag], ['If-Modified-Since', time]);
      add('/digits.txt', ['If-Match', tag], ['If-Unmodified-Since', time]);
      add('/digits.txt', ['If-Match', tag], ['If-Modified-Since', time]);
      add('/digits.txt', ['If-None-Match', tag], ['If-Unmodified-Since', time]);
    }
    for (const other of tags) add('/digits.txt', ['If-Match', tag], ['If-None-Match', other]);
    add('/digits.txt', ['If-None-Match', tag], ['Range', 'bytes=0-9']);
    add('/digits.txt', ['If-Match', tag], ['Range', `bytes=${DIGITS_BYTES}-`]);
    add('/digits.txt', ['If-None-Match', tag], ['Range', `bytes=${DIGITS_BYTES}-`]);
  }
  add('/digits.txt', ['If-None-Match', '{other}'], ['If-None-Match', '{etag}']);
  add('/digits.txt', ['Range', 'bytes=0-0'], ['Range', 'bytes=1-1']);
  add('/missing', ['If-None-Match', '*']);
  add('/missing', ['If-Match', '*']);
  add('/missing', ['Range', 'bytes=0-0']);
  add('/dir', ['If-None-Match', '*']);
  add('/dir/', ['If-Modified-Since', SAME]);
  add('/dir/', ['Range', 'bytes=0-0']);
}
