// What HTTP leaves to a server, by a request for each row of "Choices" in docs/security.md.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Server } from '../../src/server/server.ts';
import { serveStatic } from '../../src/static/serve-static.ts';
import { get, post } from '../../testing/raw-client.ts';
import { withSite } from '../../testing/virtual-site.ts';

const HOST = 'Host: a.test\r\n';
const MULTIPART = 'Content-Type: multipart/form-data; boundary=b';
const PART = '--b\r\nContent-Disposition: form-data; name=a\r\n\r\nv\r\n--b--';

/** A request with this request line. */
const line = (text: string) => `${text}\r\n${HOST}\r\n`;
/** A request for the host in a field, or in no field. */
const to = (host: string) => `GET / HTTP/1.1\r\n${host}\r\n`;
const chunk = (size: string) =>
  `POST /body HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${size}\r\na\r\n0\r\n\r\n`;

const CASES: readonly (readonly [what: string, bytes: string, status: number])[] = [
  ...['1.2', '1.9', '0.9', '2.0'].map(
    (version) => [`HTTP/${version}`, line(`GET / HTTP/${version}`), 505] as const,
  ),
  ...['x', '', '100-continue, 100-continue'].map(
    (value) => [`Expect: ${value}`, post('/body', 'a', `Expect: ${value}`), 417] as const,
  ),
  ['CONNECT', 'CONNECT a.test:80 HTTP/1.1\r\nHost: a.test:80\r\n\r\n', 501],
  ['TRACE without a route', line('TRACE /none HTTP/1.1'), 404],
  ['TRACE of a route', line('TRACE /body HTTP/1.1'), 405],
  ['TRACE of all()', line('TRACE /all HTTP/1.1'), 200],
  ['Upgrade', get('/', 'Connection: Upgrade', 'Upgrade: websocket'), 200],
  [
    'h2c',
    get('/', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: A'),
    200,
  ],
  ['an empty line', `\r\n${get('/')}`, 200],
  ['two empty lines', `\r\n\r\n${get('/')}`, 400],
  ['a method of 32 bytes', line(`${'A'.repeat(32)} /all HTTP/1.1`), 200],
  ['a method of 33 bytes', line(`${'A'.repeat(33)} /all HTTP/1.1`), 501],
  ['characters of no URI', get('/?\\^`{|}[]%zz%00%ff'), 200],
  ...['"', '<', '>', '#', '\t', '\xe9'].map(
    (it) => [`a target with ${it}`, get(`/?${it}`), 400] as const,
  ),
  ...['%zz', '%00', '%ff'].map((it) => [`a path with ${it}`, get(`/${it}`), 400] as const),
  ['OPTIONS of a host', line('OPTIONS http://a.test HTTP/1.1'), 204],
  ['an empty Host', to('Host:\r\n'), 200],
  ['no Host', to(''), 400],
  ['the last port', to('Host: a:65535\r\n'), 200],
  ['a port beyond', to('Host: a:65536\r\n'), 400],
  ['a zone', to('Host: [fe80::1%25eth0]\r\n'), 400],
  ['user information', line('GET http://u@a.test/ HTTP/1.1'), 400],
  ['another scheme', line('GET ftp://a.test/ HTTP/1.1'), 400],
  ['a chunk size of 16 digits', chunk('1'.padStart(16, '0')), 200],
  ['a chunk size of 17 digits', chunk('1'.padStart(17, '0')), 400],
  ['a form', post('/form', PART, MULTIPART), 200],
  ['a preamble', post('/form', `text\r\n${PART}`, MULTIPART), 400],
  ['an epilogue', post('/form', `${PART}\r\ntext`, MULTIPART), 400],
];

describe('choices', () => {
  let root: string;
  const routes = (server: Server): void => {
    server.get('/', (request, response) => response.json([request.host, request.header('host')]));
    server.post('/body', async (request, response) => response.send(await request.bytes()));
    server.post('/form', async (request, response) => {
      response.json([...(await request.form()).keys()]);
    });
    server.all('/all', (_request, response) => response.text('all'));
    server.use('/files', serveStatic(root, { cacheEntryBytesMax: 100 }));
  };

  before(() => {
    root = mkdtempSync(join(tmpdir(), 'vibing-choices-'));
  });
  after(() => rmSync(root, { recursive: true }));

  test('of statuses', async () => {
    await withSite(routes, async ({ ask }) => {
      for (const [what, bytes, status] of CASES) {
        assert.equal((await ask(bytes)).status, status, what);
      }
    });
  });

  test('of hosts, connections and protocols', async () => {
    await withSite(routes, async ({ ask }) => {
      const absolute = await ask(line('GET http://b.test:81/ HTTP/1.1'));
      assert.equal(absolute.text, '["b.test:81","b.test:81"]');
      assert.equal((await ask(to('Host:\r\n'))).text, '["",""]');
      const connect = await ask('CONNECT a.test:80 HTTP/1.1\r\nHost: a.test:80\r\n\r\n');
      assert.equal(connect.field('connection'), 'close');
      const upgrade = await ask(get('/', 'Connection: Upgrade', 'Upgrade: h2c'));
      assert.equal(upgrade.field('upgrade'), undefined);
    });
  });

  test('of files', async () => {
    const [small, large] = ['small.txt', 'large.txt'].map((name) => join(root, name));
    const write = (path: string, text: string): void => {
      writeFileSync(path, text);
      utimesSync(path, 1_600_000_000, 1_600_000_000);
    };
    write(small, 'x'.repeat(50));
    write(large, 'x'.repeat(500));
    await withSite(routes, async ({ ask }) => {
      const etagOf = async (name: string) => (await ask(get(`/files/${name}`))).field('etag') ?? '';
      const etag = await etagOf('small.txt');
      const part = await ask(get('/files/small.txt', 'Range: bytes=0-1', `If-Range: ${etag}`));
      assert.equal(part.status, 206);
      assert.equal(part.field('content-type'), 'text/plain; charset=utf-8');
      assert.equal(part.field('last-modified'), 'Sun, 13 Sep 2020 12:26:40 GMT');
      const before = await etagOf('large.txt');
      write(large, 'y'.repeat(500));
      assert.match(before, /^"/);
      assert.equal(await etagOf('large.txt'), before);
    });
  });
});
