// The 304 that is prepared with a file: it has the fields of the one that is made for a request,
// and is sent for the same conditions.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createServer, type Middleware, type Server } from '../../src/index.ts';
import { compress } from '../../src/middleware/index.ts';
import { serveStatic } from '../../src/static/index.ts';

const MODIFIED = new Date('2024-05-06T07:08:09Z');
const MODIFIED_TEXT = 'Mon, 06 May 2024 07:08:09 GMT';
const EARLIER_TEXT = 'Mon, 06 May 2024 07:08:08 GMT';
/** The response to a request with this field is made for it: middleware has set a field. */
const MADE = 'x-made';

/** What middleware may do before a file is found. */
const CHANGES: Readonly<Record<string, Middleware>> = {
  beforeSend: (_req, res, next) => {
    res.beforeSend(() => {
      res.header('X-Sent', 'yes');
    });
    return next();
  },
  status: (_req, res, next) => {
    res.status(404);
    return next();
  },
  compress: compress({ threshold: 1 }),
};

/** Status of the whole and of a revalidation, and X-Sent of the latter. */
const EXPECTED: Readonly<Record<string, readonly unknown[]>> = {
  beforeSend: [200, 304, 'yes'],
  status: [404, 404, null],
  compress: [200, 304, null],
};

describe('a prepared 304', () => {
  let root: string;
  let server: Server;

  before(() => {
    root = mkdtempSync(join(tmpdir(), 'vibing-304-'));
    const files = {
      'small.txt': 'small '.repeat(500),
      'app.3f9a1c2b.js': 'let a;',
      'large.bin': 'x'.repeat(1e5),
    };
    for (const [name, content] of Object.entries({ ...files, 'small.txt.gz': 'z' })) {
      writeFileSync(join(root, name), content);
      utimesSync(join(root, name), MODIFIED, MODIFIED);
    }
    writeFileSync(join(root, 'future.txt'), 'from tomorrow');
    const tomorrow = new Date(Date.now() + 86_400_000);
    utimesSync(join(root, 'future.txt'), tomorrow, tomorrow);
    server = createServer();
    server.use((req, res, next) => {
      if (req.header(MADE) !== undefined) res.header('X-Made', 'yes');
      return next();
    });
    server.use('/', serveStatic(root, { headers: { '**': { 'Content-Language': 'en' } } }));
  });

  after(() => rmSync(root, { recursive: true }));

  for (const [name, prepare] of Object.entries(CHANGES)) {
    it(`is not sent where ${name} has a say`, async () => {
      const changed = createServer();
      changed.use(prepare);
      changed.use('/', serveStatic(root));
      for (const target of ['/small.txt', '/large.bin']) {
        const get = (headers: Record<string, string> = {}) =>
          changed.inject({ target, headers: { 'Accept-Encoding': 'gzip', ...headers } });
        const whole = await get();
        const again = await get({ 'If-None-Match': whole.headers.get('etag') ?? '*' });
        const seen = [whole.status, again.status, again.headers.get('x-sent')];
        assert.deepEqual(seen, EXPECTED[name], target);
        assert.equal(again.headers.get('etag'), whole.headers.get('etag'));
      }
    });
  }

  async function responseTo(
    method: string,
    target: string,
    headers: Record<string, string>,
  ): Promise<{ status: number; fields: string[]; text: string }> {
    const response = await server.inject({ method, target, headers });
    const nowMs = Date.now();
    const fields = [...response.headers]
      .filter(([name]) => name !== 'date' && name !== MADE)
      .map(([name, value]) => `${name},${isNow(name, value, nowMs) ? 'now' : value}`);
    return { status: response.status, fields, text: await response.text() };
  }

  for (const target of ['/small.txt', '/app.3f9a1c2b.js', '/large.bin', '/future.txt']) {
    for (const method of ['GET', 'HEAD']) {
      it(`is as one that is made: ${method} ${target}`, async () => {
        const etag = (await server.inject({ target })).headers.get('etag') ?? '';
        assert.notEqual(etag, '');
        const statuses = new Map<number, number>();
        for (const headers of conditionsOf(etag)) {
          const prepared = await responseTo(method, target, headers);
          const made = await responseTo(method, target, { ...headers, [MADE]: '1' });
          assert.deepEqual(prepared, made, JSON.stringify(headers));
          statuses.set(prepared.status, (statuses.get(prepared.status) ?? 0) + 1);
        }
        for (const status of [200, 304, 412]) assert.ok(statuses.has(status), `${status} occurs`);
      });
    }
  }
});

/** Whether a Last-Modified is the time of its response, which differs from request to request. */
function isNow(name: string, value: string, nowMs: number): boolean {
  return name === 'last-modified' && Math.abs(Date.parse(value) - nowMs) < 3_600_000;
}

function conditionsOf(etag: string): readonly Record<string, string>[] {
  return [
    { 'If-None-Match': etag },
    { 'If-None-Match': etag, 'Accept-Encoding': 'gzip' },
    { 'If-None-Match': `W/${etag}` },
    { 'If-None-Match': `"other", ${etag}` },
    { 'If-None-Match': '"other"' },
    { 'If-None-Match': '*' },
    { 'If-None-Match': '"other', 'If-Modified-Since': MODIFIED_TEXT },
    { 'If-None-Match': '"other"', 'If-Modified-Since': MODIFIED_TEXT },
    { 'If-Modified-Since': MODIFIED_TEXT },
    { 'If-Modified-Since': EARLIER_TEXT },
    { 'If-Modified-Since': 'yesterday' },
    { 'If-Match': '"other"', 'If-None-Match': etag },
    { 'If-Match': etag, 'If-None-Match': etag },
    { 'If-Unmodified-Since': EARLIER_TEXT, 'If-None-Match': etag },
    { 'If-Unmodified-Since': MODIFIED_TEXT, 'If-None-Match': etag },
    { Range: 'bytes=0-1', 'If-None-Match': etag },
    { Range: 'bytes=0-1', 'If-Range': etag, 'If-None-Match': '"other"' },
  ];
}
