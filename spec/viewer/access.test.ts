// Metrics behind a proxy that speaks TLS and wants a login: which certificates the viewer accepts,
// what it sends, and what it says when it is not let in.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { accessProblem } from '../../src/viewer/access.ts';
import { type AccessOptions, SnapshotSource } from '../../src/viewer/source/fetch-snapshot.ts';
import { CERTIFICATE, PRIVATE_KEY } from './fixtures/certificate.ts';

const SNAPSHOT = JSON.stringify({
  version: 1,
  time: 5,
  server: { name: 'vibing', version: '1', node: 'v20', driver: 'net', started: 1, workers: 1 },
  families: [],
});

describe('metrics over TLS', () => {
  let server: Server;
  let port = 0;

  before(async () => {
    server = createServer({ cert: CERTIFICATE, key: PRIVATE_KEY }, (request, response) => {
      if (request.headers.authorization !== 'Bearer abc') {
        response.writeHead(401).end();
        return;
      }
      const type = { 'content-type': 'application/json' };
      if (request.url === '/plain') response.writeHead(200, type).end(SNAPSHOT);
      else {
        response.writeHead(200, { ...type, 'content-encoding': 'gzip' });
        const bytes = gzipSync(SNAPSHOT);
        response.end(request.url === '/short' ? bytes.subarray(0, -9) : bytes);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  async function textOf(host: string, path: string, access: AccessOptions): Promise<string> {
    const source = new SnapshotSource(new URL(`https://${host}:${port}${path}`), access);
    try {
      return (await source.fetch()).text;
    } finally {
      source.close();
    }
  }

  it('are had with the authority or without a check, plain or compressed', async () => {
    const authorization = 'Bearer abc';
    for (const path of ['/plain', '/gzip']) {
      for (const access of [{ ca: CERTIFICATE }, { insecure: true }]) {
        assert.equal(await textOf('localhost', path, { ...access, authorization }), SNAPSHOT);
      }
    }
    const cut = textOf('localhost', '/short', { insecure: true, authorization });
    await assert.rejects(cut, { message: /unexpected end of file/ });
  });

  it('are not had otherwise, and a line says why', async () => {
    const ask = (host: string, access: AccessOptions): Promise<string> =>
      textOf(host, '/plain', { authorization: 'Bearer abc', ...access });
    const unknown = /of an unknown authority: give its certificate with --ca FILE/;
    await assert.rejects(ask('localhost', {}), { message: unknown });
    const other = /is for another host name/;
    await assert.rejects(ask('127.0.0.1', { ca: CERTIFICATE }), { message: other });
    const login = /401: a login is needed there: set VIBING_METRICS_AUTHORIZATION/;
    const wrong = ask('localhost', { ca: CERTIFICATE, authorization: 'Bearer x' });
    await assert.rejects(wrong, { message: login });
  });
});

test('authorities of NODE_EXTRA_CA_CERTS are accepted', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'vibing-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'extra.pem');
  writeFileSync(file, CERTIFICATE);
  const script = new URL('../../src/viewer/source/authorities.js', import.meta.url);
  const source =
    `import { authorities } from ${JSON.stringify(script.href)};` +
    `console.log(authorities(null).map((pem) => pem.trim()).includes(process.argv[1]));`;
  const isKnown = (extra: string): string =>
    execFileSync(
      process.execPath,
      ['--input-type=module', '--eval', source, '--', CERTIFICATE.trim()],
      { env: { ...process.env, NODE_EXTRA_CA_CERTS: extra }, encoding: 'utf8' },
    );
  assert.equal(isKnown(file), 'true\n');
  assert.equal(isKnown(''), 'false\n');
});

test('what does not fit together is one line', () => {
  const far = 'http://far.test/metrics';
  const cases: readonly (readonly [string, AccessOptions, RegExp | null])[] = [
    ['https://far.test/', { ca: CERTIFICATE, authorization: 'Basic eA==' }, null],
    ['http://127.0.0.1:1/', { authorization: 'Bearer x' }, null],
    [far, {}, null],
    [far, { authorization: 'Bearer x' }, /^authorization: it would be sent without encryption/],
    ['https://far.test/', { authorization: 'a\r\nb: c' }, /^authorization: not the value/],
    ['https://far.test/', { authorization: '' }, /^authorization: not the value/],
    ['https://far.test/', { authorization: 'Bearer x ' }, /^authorization: not the value/],
    ['https://far.test/', { authorization: ' x' }, /^authorization: not the value/],
    ['https://far.test/', { authorization: 'x' }, null],
    ['https://far.test/', { ca: CERTIFICATE, insecure: true }, /exclude each other/],
    [far, { insecure: true }, /only for https/],
    ['https://far.test/', { insecure: true }, null],
    ['https://far.test/', { insecure: true, authorization: 'Bearer x' }, /to another server than/],
    ['https://[::1]/', { insecure: true, authorization: 'Bearer x' }, null],
    [
      'https://localhost.far.test/',
      { insecure: true, authorization: 'a' },
      /to another server than/,
    ],
    ['https://far.test/', { ca: 'nonsense' }, /^ca: not a certificate/],
    [
      'https://far.test/',
      { ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' },
      /^ca: not a certificate/,
    ],
  ];
  for (const [url, access, wanted] of cases) {
    const problem = accessProblem(new URL(url), access);
    if (wanted === null) assert.equal(problem, null);
    else assert.match(problem ?? '', wanted);
  }
});
