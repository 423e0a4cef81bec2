// The entry for HttpArena: its responses in each profile, on data of its own, and its files.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { perfScript, type ServerChild, startServer } from '../../perf/measure/child-process.ts';
import { ROOT } from '../../testing/child-program.ts';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { RawClient } from '../../testing/raw-client.ts';
import type { RawResponse } from '../../testing/raw-response.ts';

leaveOutOfCoverage();

const TIMEOUT_MS = 60_000;
const FOLDER = mkdtempSync(join(tmpdir(), 'vibing-arena-'));
const SETTINGS: Readonly<Record<string, string>> = {
  ARENA_HOST: '127.0.0.1',
  ARENA_PORT: '0',
  ARENA_WORKERS: '1',
  ARENA_DATASET: join(FOLDER, 'dataset.json'),
  ARENA_STATIC: join(FOLDER, 'static'),
};
/** The header of the load generator, with its weights. */
const ACCEPT = 'br;q=1, gzip;q=0.8';
const STYLE = 'body { margin: 0; } '.repeat(200);
const FONT = Buffer.from('wOF2 of the test');
const UPLOAD_BYTES = 20 * 1024 * 1024;
const ITEMS = Array.from({ length: 50 }, (_, index) => ({
  id: index + 1,
  name: `Item ${index + 1}`,
  category: 'tools',
  price: 100 + index,
  quantity: 3 + (index % 7),
  active: index % 2 === 0,
  tags: ['fast', 'new'],
  rating: { score: 40 + (index % 10), count: index },
}));

function get(target: string, ...fields: readonly string[]): string {
  return [`GET ${target} HTTP/1.1`, 'Host: a', ...fields, '', ''].join('\r\n');
}

function post(target: string, body: string): string {
  const length = `Content-Length: ${body.length}`;
  return [`POST ${target} HTTP/1.1`, 'Host: a', length, '', body].join('\r\n');
}

function chunked(target: string, ...chunks: readonly string[]): string {
  const body = [...chunks, ''].map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`);
  const head = `POST ${target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`;
  return head + body.join('');
}

function textOf({ field, status, text }: RawResponse): string {
  assert.match(field('content-type') ?? '', /^text\/plain/);
  return status === 200 ? text : `${status}`;
}

function expectedJson(count: number, m: number): unknown {
  const items = ITEMS.slice(0, count).map((item) => {
    return { ...item, total: item.price * item.quantity * m };
  });
  return { items, count };
}

describe('the entry for HttpArena', { timeout: TIMEOUT_MS }, () => {
  let server: ServerChild;
  let client: RawClient;

  before(async () => {
    mkdirSync(join(FOLDER, 'static'));
    writeFileSync(join(FOLDER, 'dataset.json'), JSON.stringify(ITEMS));
    writeFileSync(join(FOLDER, 'static', 'reset.css'), STYLE);
    writeFileSync(join(FOLDER, 'static', 'reset.css.br'), brotliCompressSync(STYLE));
    writeFileSync(join(FOLDER, 'static', 'reset.css.gz'), gzipSync(STYLE));
    writeFileSync(join(FOLDER, 'static', 'bold.woff2'), FONT);
    Object.assign(process.env, SETTINGS);
    server = await startServer('arena/server.ts');
    client = await RawClient.open(server.port);
  });

  after(async () => {
    client?.reset();
    await server?.stop();
    rmSync(FOLDER, { recursive: true, force: true });
  });

  it('responds with the sums of baseline, limited-conn and the fixed rates', async () => {
    const target = '/baseline11?a=13&b=42';
    assert.equal(textOf(await client.ask(get(target))), '55');
    assert.equal(textOf(await client.ask(post(target, '20'))), '75');
    assert.equal(textOf(await client.ask(chunked(target, '20'))), '75');
    assert.equal(textOf(await client.ask(chunked(target, '2', '0', '0'))), '255');
    assert.equal(textOf(await client.ask(post('/baseline11?a=-5&b=2', ' 7\n'))), '4');
    // As the load of limited-conn: ten requests, then another connection.
    for (let round = 0; round < 3; round++) {
      const short = await RawClient.open(server.port);
      for (let index = 0; index < 10; index++) {
        const next = [get(target), post(target, '1'), chunked(target, '1')][index % 3];
        assert.equal(textOf(await short.ask(next)), index % 3 === 0 ? '55' : '56');
      }
      short.half();
      assert.equal(await short.ending(), 'end');
      short.reset();
    }
  });

  it('responds to sixteen requests at once, and a request in single bytes', async () => {
    await client.send(get('/pipeline').repeat(16));
    for (let index = 0; index < 16; index++) {
      assert.equal(textOf(await client.nextResponse()), 'ok');
    }
    await client.send(get('/baseline11?a=1&b=2') + chunked('/baseline11?a=1&b=2', '3'));
    assert.equal(textOf(await client.nextResponse()), '3');
    assert.equal(textOf(await client.nextResponse()), '6');
    for (const byte of chunked('/baseline11?a=1&b=1', '40')) await client.send(byte);
    assert.equal(textOf(await client.nextResponse()), '42');
  });

  it('makes JSON for each request, compressed where the client accepts it', async () => {
    for (const [count, m] of [
      [1, 3],
      [5, 7],
      [50, 6],
      [0, 2],
    ] as const) {
      const target = `/json/${count}?m=${m}`;
      const plain = await client.ask(get(target));
      assert.match(plain.field('content-type') ?? '', /^application\/json/);
      assert.equal(plain.field('content-encoding'), undefined);
      assert.deepEqual(JSON.parse(plain.text), expectedJson(count, m));
      if (count === 0) continue;
      const zipped = await client.ask(get(target, 'Accept-Encoding: gzip'));
      assert.equal(zipped.field('content-encoding'), 'gzip');
      assert.deepEqual(JSON.parse(String(gunzipSync(zipped.body))), expectedJson(count, m));
      const brotli = await client.ask(get(target, 'Accept-Encoding: gzip, br'));
      assert.equal(brotli.field('content-encoding'), 'br');
      assert.deepEqual(
        JSON.parse(String(brotliDecompressSync(brotli.body))),
        expectedJson(count, m),
      );
    }
    assert.deepEqual(JSON.parse((await client.ask(get('/json/2'))).text), expectedJson(2, 1));
  });

  it('counts the bytes of uploads of 20 MB, some at once, with a length or chunked', async () => {
    const body = 'u'.repeat(UPLOAD_BYTES);
    const requests = [post('/upload', body), chunked('/upload', body, 'more'), post('/upload', '')];
    const sizes = await Promise.all(
      requests.map(async (request) => {
        const one = await RawClient.open(server.port);
        const response = await one.ask(request);
        one.reset();
        return textOf(response);
      }),
    );
    assert.deepEqual(sizes, [`${UPLOAD_BYTES}`, `${UPLOAD_BYTES + 4}`, '0']);
  });

  it('serves files, and the compressed ones beside them', async () => {
    const plain = await client.ask(get('/static/reset.css'));
    assert.deepEqual([plain.status, plain.text], [200, STYLE]);
    assert.match(plain.field('content-type') ?? '', /^text\/css/);
    const small = await client.ask(get('/static/reset.css', `Accept-Encoding: ${ACCEPT}`));
    assert.equal(small.field('content-encoding'), 'br');
    assert.match(small.field('content-type') ?? '', /^text\/css/);
    assert.equal(String(brotliDecompressSync(small.body)), STYLE);
    const zipped = await client.ask(get('/static/reset.css', 'Accept-Encoding: gzip'));
    assert.equal(String(gunzipSync(zipped.body)), STYLE);
    const font = await client.ask(get('/static/bold.woff2', `Accept-Encoding: ${ACCEPT}`));
    assert.deepEqual([font.field('content-encoding'), font.body], [undefined, FONT]);
    assert.equal(font.field('content-type'), 'font/woff2');
    assert.equal((await client.ask(get('/static/nonexistent.txt'))).status, 404);
    assert.notEqual((await client.ask(get('/static/../dataset.json'))).status, 200);
  });

  it('rejects wrong input, and goes on', async () => {
    const wrong: readonly (readonly [status: number, request: string])[] = [
      [400, get('/baseline11?a=x&b=1')],
      [400, get('/baseline11?a=1.5')],
      [400, post('/baseline11?a=1', 'x')],
      [400, post('/baseline11?a=1', '')],
      [400, get('/json/51?m=1')],
      [400, get('/json/-1?m=1')],
      [400, get('/json/x?m=1')],
      [400, get('/json/1?m=x')],
      [404, get('/other')],
      [405, get('/upload')],
    ];
    for (const [status, request] of wrong) {
      const one = await RawClient.open(server.port);
      assert.equal((await one.ask(request)).status, status, request);
      one.reset();
    }
    assert.equal(textOf(await client.ask(get('/pipeline'))), 'ok');
  });

  it('says what is wrong with its settings', () => {
    const run = (change: Readonly<Record<string, string>>): string => {
      const env = { ...process.env, ...SETTINGS, ...change };
      const script = perfScript('arena/server.ts');
      const ended = spawnSync(process.execPath, [script], {
        env,
        encoding: 'utf8',
        timeout: 20_000,
      });
      assert.equal(ended.status, 1, ended.stderr);
      return ended.stderr;
    };
    assert.match(run({ ARENA_DATASET: '/no/such.json' }), /^arena: cannot read .*ARENA_DATASET/m);
    assert.match(run({ ARENA_DATASET: join(FOLDER, 'static', 'bold.woff2') }), /cannot read/);
    assert.match(run({ ARENA_PORT: 'x' }), /port: /);
    assert.match(run({ ARENA_WORKERS: '0' }), /workers: /);
  });
});

describe('the files of the entry', () => {
  const read = (name: string): string => readFileSync(join(ROOT, 'perf', 'arena', name), 'utf8');

  it('are a description with the fields of the benchmark', () => {
    const { completeness, tests, ...meta } = JSON.parse(read('meta.json'));
    assert.deepEqual(Object.keys(meta).sort(), [
      ...['description', 'display_name', 'enabled', 'engine', 'language', 'maintainers', 'mode'],
      ...['repo', 'type'],
    ]);
    assert.ok(['flagship', 'emerging', 'experimental'].includes(meta.type));
    assert.deepEqual(Object.keys(completeness), ['routing', 'middleware', 'request', 'response']);
    assert.equal(new Set(tests).size, tests.length);
  });

  it('start the server, and no other file of the project', () => {
    assert.match(read('Dockerfile'), /^CMD \["node", "server\.ts"\]$/m);
    const imports = [...read('server.ts').matchAll(/ from '([^']+)'/g)].map(([, from]) => from);
    assert.deepEqual(imports, ['node:fs', 'vibing', 'vibing/middleware', 'vibing/static']);
  });
});
