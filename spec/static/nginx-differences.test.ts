// The same requests to this server and to nginx, for one folder: every difference has a reason.

import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createServer, type Server } from '../../src/index.ts';
import { serveStatic } from '../../src/static/index.ts';
import { ROOT } from '../../testing/child-program.ts';
import { type Reduced, Responder, reduce } from './fixtures/nginx/compare.ts';
import { DIFFERENCES } from './fixtures/nginx/differences.ts';
import { makeFolder } from './fixtures/nginx/folder.ts';
import { type Nginx, skip, startNginx } from './fixtures/nginx/nginx.ts';
import { type StaticRequest, staticRequests } from './fixtures/nginx/requests.ts';

const REQUESTS_MIN = 400;

describe('static files beside nginx', { skip }, () => {
  let base = '';
  let nginx: Nginx;
  let server: Server;
  let ours: Responder;
  let theirs: Responder;

  before(async () => {
    base = makeFolder();
    nginx = await startNginx(join(base, 'root'));
    server = createServer({ host: '127.0.0.1', port: 0, logLevel: 'error' });
    server.use('/', serveStatic(join(base, 'root'), { precompressed: true }));
    ours = new Responder((await server.listen()).port);
    theirs = new Responder(nginx.port);
  });
  after(async () => {
    await server?.close();
    await nginx?.stop();
    if (base !== '') rmSync(base, { recursive: true, force: true });
  });

  test('every difference is one that has a reason', async () => {
    const requests = staticRequests();
    assert.ok(requests.length >= REQUESTS_MIN, `${requests.length} requests`);
    const found = new Set<string>();
    const unexplained: string[] = [];
    for (const request of requests) {
      const one = reduce(request.method, await ours.request(request));
      const other = reduce(request.method, await theirs.request(request));
      const different = differentKeys(one, other);
      if (different.length === 0) continue;
      const reason = DIFFERENCES.find(({ fits }) => fits(request, one, other, different));
      if (reason === undefined) unexplained.push(describeDifference(request, one, other));
      else found.add(reason.name);
    }
    assert.equal(unexplained.length, 0, `${unexplained.length}:\n${unexplained.join('\n')}`);
    const gone = DIFFERENCES.filter(({ name }) => !found.has(name)).map(({ name }) => name);
    assert.deepEqual(gone, [], 'differences that no request shows');
  });

  test('HEAD has the fields of GET', async () => {
    for (const request of staticRequests()) {
      // Ranges are defined for GET only (RFC 9110 14.2).
      if (request.method !== 'GET' || request.fields.some(([name]) => name === 'Range')) continue;
      const get = await ours.request(request);
      const head = await ours.request({ ...request, method: 'HEAD' });
      const named = (name: string): readonly string[] => [...get.all(name), '/', ...head.all(name)];
      assert.equal(head.status, get.status, describeRequest(request));
      for (const [name] of [...get.fields, ...head.fields]) {
        const key = name.toLowerCase();
        if (key === 'date') continue;
        const values = named(key).map((value) => value.replace(/boundary=.*/, 'boundary'));
        const half = values.indexOf('/');
        const same = [values.slice(half + 1), values.slice(0, half)] as const;
        assert.deepEqual(...same, `${describeRequest(request)}: ${name}`);
      }
    }
  });
});

test('the page lists the differences', () => {
  const page = readFileSync(join(ROOT, 'spec', 'static-differences.md'), 'utf8');
  const rows = page
    .split('\n')
    .filter((line) => /^\| [^-]/.test(line))
    .slice(1);
  const names = rows.map((row) => row.split('|')[1].trim());
  assert.deepEqual(names.sort(), DIFFERENCES.map(({ name }) => name).sort());
});

function differentKeys(one: Reduced, other: Reduced): readonly string[] {
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].filter((key) => one[key] !== other[key]);
}

function describeRequest({ method, target, fields }: StaticRequest): string {
  const shown = fields.map(([name, value]) => `${name}: ${value.slice(0, 60)}`);
  return `${method} ${target} ${shown.join('; ')}`;
}

function describeDifference(request: StaticRequest, one: Reduced, other: Reduced): string {
  const values = differentKeys(one, other).map(
    (key) => `${key}: ${one[key]} (nginx ${other[key]})`,
  );
  return `${describeRequest(request)} | ${values.join(' | ')}`;
}
