// Files over sockets: every status that conditions and ranges lead to, by res.file() and from the
// memory of serveStatic, whose responses are the same but for the entity tag.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { RANGE_PARTS_MAX } from '../../src/base/fixed-limits.ts';
import { formatDate } from '../../src/http/date.ts';
import type { Server } from '../../src/server/server.ts';
import { serveStatic } from '../../src/static/serve-static.ts';
import { Random } from '../../testing/random.ts';
import { get, type RawClient, request } from '../../testing/raw-client.ts';
import type { RawResponse } from '../../testing/raw-response.ts';
import {
  type DriverName,
  onDriversInTurn,
  type Running,
  withServer,
} from '../../testing/with-server.ts';
import { boundaryOf, rangeOf, readParts } from './fixtures/byteranges.ts';

const folder = mkdtempSync(join(tmpdir(), 'vibing-representation-'));
after(() => rmSync(folder, { recursive: true }));

const LONG_AGO_MS = Date.UTC(2020, 1, 29, 12);
const MODIFIED = formatDate(LONG_AGO_MS);
const EARLIER = formatDate(LONG_AGO_MS - 1000);
const random = new Random(7);
/** More than three reads of a file, and more than the limit of the cache of serveStatic. */
const LARGE = Uint8Array.from({ length: 400_001 }, () => random.below(256));
const FILES: Readonly<Record<string, Uint8Array>> = {
  'large.bin': LARGE,
  'small.txt': LARGE.subarray(0, 1000),
  'empty.txt': new Uint8Array(0),
};
for (const [name, content] of Object.entries(FILES)) {
  writeFileSync(join(folder, name), content);
  utimesSync(join(folder, name), new Date(LONG_AGO_MS), new Date(LONG_AGO_MS));
}

function routes(server: Server): void {
  server.get('/file/:name', (req, res) => res.file(join(folder, req.params['name'] ?? '')));
  server.post('/file/:name', (req, res) => res.file(join(folder, req.params['name'] ?? '')));
  server.get('/page/:name', (req, res) =>
    res.status(404).file(join(folder, req.params['name'] ?? '')),
  );
  server.get('/own/:name', (req, res) =>
    res
      .header('ETag', '"own"')
      .header('Last-Modified', EARLIER)
      .header('Cache-Control', 'max-age=60')
      .header('Content-Type', 'text/x-own')
      .header('X-Kept', 'yes')
      .file(join(folder, req.params['name'] ?? '')),
  );
  server.use('/static', serveStatic(folder));
}

const run = (driver: DriverName, body: (running: Running) => Promise<void>) =>
  withServer(driver, {}, routes, body);

/** Every path that leads to a file: read for each request, and from the cache once it is known. */
const PATHS = ['/file/large.bin', '/file/small.txt', '/static/small.txt', '/static/large.bin'];

const contentOf = (path: string): Buffer => Buffer.from(FILES[path.replace(/.*\//, '')]);

/** Names of fields and their values, but for Date. */
function fieldsOf(response: RawResponse): readonly string[] {
  const fields = response.fields.filter(([name]) => name !== 'Date');
  return fields.map(([name, value]) => `${name}: ${value}`);
}

async function etagOf(client: RawClient, path: string): Promise<string> {
  const etag = (await client.ask(get(path))).field('etag') ?? '';
  assert.match(etag, /^"[^"]+"$/, 'a settled file has a strong tag');
  return etag;
}

onDriversInTurn('representations', (test) => {
  test('200 has all fields, and HEAD the same ones', async (driver) => {
    await run(driver, async ({ open }) => {
      const client = await open();
      for (const path of [...PATHS, '/file/empty.txt', '/static/empty.txt']) {
        const first = await client.ask(get(path));
        assert.equal(first.status, 200);
        assert.deepEqual(first.body, contentOf(path));
        assert.equal(first.field('accept-ranges'), 'bytes');
        assert.equal(first.field('last-modified'), MODIFIED);
        for (const extra of [[], ['Range: bytes=1-2'], ['If-Match: *']]) {
          const head = await client.ask(request('HEAD', path, extra));
          assert.equal(head.status, 200);
          assert.deepEqual(fieldsOf(head), fieldsOf(first), `${path} ${extra}`);
          assert.deepEqual(fieldsOf(await client.ask(get(path))), fieldsOf(first), path);
        }
      }
    });
  });

  test('304 has the validators and nothing that describes content', async (driver) => {
    await run(driver, async ({ open }) => {
      const client = await open();
      for (const path of PATHS) {
        const etag = await etagOf(client, path);
        for (const method of ['GET', 'HEAD']) {
          for (const lines of [
            [`If-None-Match: ${etag}`],
            [`If-None-Match: "x", W/${etag}`],
            ['If-None-Match: *'],
            [`If-Modified-Since: ${MODIFIED}`],
            [`If-None-Match: ${etag}`, `If-Modified-Since: ${EARLIER}`, 'Range: bytes=0-1'],
          ]) {
            const response = await client.ask(request(method, path, lines));
            assert.equal(response.status, 304, `${path} ${lines}`);
            assert.deepEqual(fieldsOf(response), [`ETag: ${etag}`]);
          }
        }
      }
    });
  });

  test('conditions that are true have no effect', async (driver) => {
    await run(driver, async ({ open }) => {
      const client = await open();
      for (const path of PATHS) {
        const etag = await etagOf(client, path);
        for (const lines of [
          ['If-None-Match: "x"'],
          [`If-None-Match: ${etag}x`],
          [`If-None-Match: "x"`, `If-Modified-Since: ${MODIFIED}`],
          [`If-Modified-Since: ${EARLIER}`],
          ['If-Modified-Since: yesterday'],
          [`If-Match: ${etag}`, `If-Unmodified-Since: ${EARLIER}`],
          [`If-Unmodified-Since: ${MODIFIED}`],
        ]) {
          const response = await client.ask(get(path, ...lines));
          assert.equal(response.status, 200, `${path} ${lines}`);
          assert.deepEqual(response.body, contentOf(path));
        }
      }
    });
  });

  test('412 when the client wants another version', async (driver) => {
    await run(driver, async ({ open }) => {
      const client = await open();
      for (const path of PATHS) {
        const etag = await etagOf(client, path);
        for (const lines of [
          ['If-Match: "x"'],
          [`If-Match: W/${etag}`],
          [`If-Match: ${etag.slice(1)}`],
          [`If-Unmodified-Since: ${EARLIER}`],
          ['If-Match: "x"', `If-None-Match: ${etag}`],
        ]) {
          const response = await client.ask(get(path, ...lines));
          assert.equal(response.status, 412, `${path} ${lines}`);
          assert.equal(response.text, 'Precondition Failed\n');
          for (const name of ['etag', 'last-modified', 'accept-ranges', 'cache-control']) {
            assert.equal(response.field(name), undefined, name);
          }
          const head = await client.ask(request('HEAD', path, lines));
          assert.deepEqual(fieldsOf(head), fieldsOf(response));
        }
      }
    });
  });

  test('206 has one range', async (driver) => {
    await run(driver, async ({ open }) => {
      const client = await open();
      for (const path of PATHS) {
        const content = contentOf(path);
        const whole = await client.ask(get(path));
        const { length } = content;
        for (const [range, from, to] of [
          ['0-0', 0, 1],
          ['0-', 0, length],
          ['-1', length - 1, length],
          ['17-900', 17, 901],
          [`500-${length * 2}`, 500, length],
          [`${length + 5}-, 5-6`, 5, 7],
        ] as const) {
          const response = await client.ask(get(path, `Range: bytes=${range}`));
          assert.equal(response.status, 206, `${path} ${range}`);
          assert.deepEqual(rangeOf(response.field('content-range')), { from, to, length });
          assert.deepEqual(response.body, content.subarray(from, to));
          const expected = fieldsOf(whole).map((line) =>
            line.startsWith('Content-Length') ? `Content-Length: ${to - from}` : line,
          );
          const rest = fieldsOf(response).filter((line) => !line.startsWith('Content-Range'));
          assert.deepEqual(rest, expected, 'the other fields are those of 200');
        }
      }
    });
  });

  test('206 has several ranges as parts, in their order', async (driver) => {
    await run(driver, async ({ open }) => {
      const client = await open();
      const boundaries = new Set<string>();
      for (const path of PATHS) {
        const content = contentOf(path);
        const { length } = content;
        const sets = [
          [
            [0, 1],
            [2, 3],
          ],
          [
            [900, 1000],
            [0, 5],
            [500, 600],
          ],
          [
            [0, length / 2],
            [length / 2 + 3, length],
          ],
          Array.from({ length: RANGE_PARTS_MAX }, (_, index) => [index * 9, index * 9 + 1]),
        ].map((set) => set.map(([from, to]) => ({ from: Math.floor(from), to: Math.floor(to) })));
        for (const set of sets) {
          const value = set.map(({ from, to }) => `${from}-${to - 1}`).join(', ');
          const response = await client.ask(get(path, `Range: bytes=${value}`));
          assert.equal(response.status, 206, `${path} ${value}`);
          assert.equal(response.framing, 'length');
          assert.equal(response.field('content-range'), undefined);
          const parts = readParts(response);
          assert.deepEqual(
            parts.map(({ from, to }) => ({ from, to })),
            set,
          );
          for (const part of parts) {
            assert.deepEqual(part.content, content.subarray(part.from, part.to));
            assert.equal(part.length, length);
            assert.ok(part.type?.startsWith(path.endsWith('txt') ? 'text/plain' : 'application/'));
          }
          boundaries.add(boundaryOf(response));
        }
      }
      assert.equal(boundaries.size, PATHS.length * 4, 'no boundary occurs twice');
    });
  });

  test('416 when no range can be satisfied', async (driver) => {
    await run(driver, async ({ open }) => {
      const client = await open();
      for (const path of [...PATHS, '/file/empty.txt', '/static/empty.txt']) {
        const { length } = contentOf(path);
        for (const range of [`${length}-`, `${length}-${length}`, '-0', '999999999-, -0']) {
          const response = await client.ask(get(path, `Range: bytes=${range}`));
          assert.equal(response.status, 416, `${path} ${range}`);
          assert.equal(response.field('content-range'), `bytes */${length}`);
          assert.equal(response.text, 'Range Not Satisfiable\n');
          assert.equal(response.field('etag'), undefined);
        }
      }
    });
  });

  test('a Range that is malformed, of another unit, or too costly is ignored', async (driver) => {
    await run(driver, async ({ open }) => {
      const client = await open();
      const many = Array.from({ length: RANGE_PARTS_MAX + 1 }, (_, index) => `${index}-${index}`);
      for (const path of [...PATHS, '/file/empty.txt', '/static/empty.txt']) {
        for (const lines of [
          ['Range: bytes=1-0'],
          ['Range: items=0-1'],
          ['Range: bytes=0-1, x'],
          ['Range: bytes=0-1', 'Range: bytes=0-1'],
          ['Range: bytes=0-1', 'Range: 2-3'],
          ['Range: bytes=0-,0-,0-,0-'],
          [`Range: bytes=${many.join(',')}`],
          ['Range:'],
        ]) {
          if (contentOf(path).length === 0 && lines[0].includes('0-,')) continue;
          if (contentOf(path).length === 0 && lines[0].includes(',1-')) continue;
          const response = await client.ask(get(path, ...lines));
          assert.equal(response.status, 200, `${path} ${lines}`);
          assert.deepEqual(response.body, contentOf(path));
        }
      }
      const suffix = await client.ask(get('/file/empty.txt', 'Range: bytes=-5'));
      assert.equal(suffix.status, 200, 'no Content-Range could describe it');
    });
  });

  test('If-Range decides between 206 and 200', async (driver) => {
    await run(driver, async ({ open }) => {
      const client = await open();
      for (const path of PATHS) {
        const etag = await etagOf(client, path);
        for (const [value, status] of [
          [etag, 206],
          [MODIFIED, 206],
          [`W/${etag}`, 200],
          ['"x"', 200],
          [EARLIER, 200],
          ['', 200],
        ] as const) {
          const lines = ['Range: bytes=0-9', `If-Range: ${value}`];
          const response = await client.ask(get(path, ...lines));
          assert.equal(response.status, status, `${path} ${value}`);
          assert.equal(response.body.length, status === 206 ? 10 : contentOf(path).length);
        }
        const missed = ['Range: bytes=9999999-', 'If-Range: "x"'];
        assert.equal((await client.ask(get(path, ...missed))).status, 200);
        assert.equal((await client.ask(get(path, 'If-Range: "x"'))).status, 200);
      }
    });
  });

  test('only a 200 to GET or HEAD is conditional', async (driver) => {
    await run(driver, async ({ open }) => {
      const client = await open();
      const lines = ['If-Match: "x"', 'If-None-Match: *', 'Range: bytes=0-1'];
      const posted = await client.ask(
        request('POST', '/file/small.txt', [...lines, 'Content-Length: 0']),
      );
      assert.equal(posted.status, 200);
      assert.deepEqual(posted.body, contentOf('small.txt'));
      const page = await client.ask(get('/page/small.txt', ...lines));
      assert.equal(page.status, 404);
      assert.deepEqual(page.body, contentOf('small.txt'));
      for (const path of ['/file/none', '/static/none']) {
        assert.equal((await client.ask(get(path, ...lines))).status, 404);
      }
    });
  });

  test('fields that the handler has set count', async (driver) => {
    await run(driver, async ({ open }) => {
      const client = await open();
      const path = '/own/small.txt';
      assert.equal((await client.ask(get(path, 'If-Match: "own"'))).status, 200);
      assert.equal((await client.ask(get(path, `If-Modified-Since: ${EARLIER}`))).status, 304);
      const parts = readParts(await client.ask(get(path, 'Range: bytes=0-1,3-4')));
      assert.deepEqual(
        parts.map(({ type }) => type),
        ['text/x-own', 'text/x-own'],
      );
      const fresh = await client.ask(get(path, 'If-None-Match: "own"'));
      assert.deepEqual(fieldsOf(fresh), [
        'ETag: "own"',
        'Cache-Control: max-age=60',
        'X-Kept: yes',
      ]);
      const failed = await client.ask(get(path, 'If-Match: "other"'));
      assert.equal(failed.status, 412);
      assert.equal(failed.field('cache-control'), undefined, 'an error is not fresh for a minute');
      assert.equal(failed.field('x-kept'), 'yes');
    });
  });

  test('hostile fields get the right response in a short time', async (driver) => {
    const limits = { fieldsMax: 1_000, headBytesMax: 65_536, blockCount: 256 };
    await withServer(driver, limits, routes, async ({ open }) => {
      const client = await open();
      for (const path of PATHS) {
        const etag = await etagOf(client, path);
        const tags = Array.from({ length: 1500 }, (_, index) => `"${index}"`).join(',');
        const lines = (line: string) => Array.from({ length: 990 }, () => line);
        for (const [fields, status] of [
          [[`If-None-Match: ${tags}, ${etag}`], 304],
          [[`If-None-Match: ${tags}, ${etag}, x`], 200],
          [[`If-None-Match: ${'"'.repeat(8191)}`], 200],
          [lines('If-None-Match: "x"'), 200],
          [[...lines('If-None-Match: "x"'), `If-None-Match: ${etag}`], 304],
          [lines(`If-Modified-Since: ${MODIFIED}`), 200],
          [lines('If-Match: *'), 412],
          [lines('Range: bytes=0-0'), 200],
          [['Range: bytes=0-0', ...lines(`If-Range: ${etag}`)], 200],
          [[`Range: bytes=${'0-0,'.repeat(2000)}0-0`], 200],
          [[`Range: bytes=${'9999999-,'.repeat(900)}0-0`], 206],
          [[`Range: bytes=0-${'9'.repeat(8000)}`], 206],
        ] as const) {
          const response = await client.ask(get(path, ...fields));
          assert.equal(response.status, status, `${path} ${fields[0].slice(0, 60)}`);
          assert.ok(response.body.length <= contentOf(path).length);
        }
      }
      const many = Array.from({ length: 10_000 }, () => 'If-Match: "x"');
      assert.equal((await client.ask(get('/file/small.txt', ...many))).status, 431);
    });
  });
});
