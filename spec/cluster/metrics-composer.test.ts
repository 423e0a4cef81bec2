// The thread that composes large responses to requests for metrics: what it sends is what the
// formats write, from the memory of a process and from that of several; it is one thread, which
// ends; and a server whose thread fails composes by itself.

import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { METRICS_CHUNK_BYTES, METRICS_THREAD_HISTOGRAMS } from '../../src/base/fixed-limits.ts';
import { ThreadComposer } from '../../src/cluster/metrics-composer.ts';
import { ComposedDocuments, type FromComposer } from '../../src/cluster/metrics-documents.ts';
import { createServer } from '../../src/index.ts';
import { bucketOf } from '../../src/metrics/buckets.ts';
import { type DocumentFormat, documentOf } from '../../src/metrics/documents.ts';
import type { ServerFacts } from '../../src/metrics/json-format.ts';
import { Meter } from '../../src/metrics/meter.ts';
import { Reader, type SegmentSource } from '../../src/metrics/reader.ts';
import { OwnMemory, Segment, Word } from '../../src/metrics/segment.ts';
import { Server } from '../../src/server/server.ts';
import { onEachDriver } from '../../testing/with-server.ts';

const FACTS: ServerFacts = {
  name: 'vibing',
  version: '1.2.3',
  node: 'v20',
  driver: 'epoll',
  started: 7,
  workers: 2,
};
const FORMATS: readonly DocumentFormat[] = ['text', 'openmetrics', 'json'];
const GET = 1;

/** The memory of a process with so many routes, whose names are not all ASCII. */
function counted(routes: number, salt: number): Segment {
  const segment = new Segment(new OwnMemory(65_536, 1 << 25), salt, salt);
  const meter = new Meter({ segment, methods: ['', 'GET'] });
  for (let index = 0; index < routes; index++) {
    const route = meter.route(`/größe/${index}/"x"`);
    for (let time = 0; time < 1 + (index % 3); time++) {
      meter.began();
      meter.responded(route, GET, 200, salt, index, (index * salt) % 5_000, time === 1);
    }
    meter.flush(salt + (index % 40) * 3);
  }
  const turn = segment.cellOf({ name: 't', type: 'gauge', unit: '', help: 'T.', labels: [] });
  segment.cells[turn] = bucketOf(salt) + 0.1 + 0.2;
  return segment;
}

/** What the formats write, at once. */
function simple(format: DocumentFormat, segments: readonly Segment[]): string {
  const reader = new Reader(() => segments.map(({ buffer }, id) => ({ id, buffer })));
  return [...documentOf(format, reader, FACTS, 9)].join('');
}

function inMemory(segments: readonly Segment[]): SegmentSource[] {
  return segments.map(({ buffer, words }, id) => {
    assert.ok(buffer instanceof SharedArrayBuffer);
    return { id, histograms: words[Word.Histograms], buffer };
  });
}

async function composedBy(
  composer: ThreadComposer,
  format: DocumentFormat,
  isGzip: boolean,
  segments: readonly SegmentSource[],
): Promise<string> {
  const order = { format, isGzip, facts: FACTS, seconds: 9, segments };
  const chunks: Uint8Array[] = [];
  // The memory of a chunk is used again.
  for await (const chunk of composer.compose(order)) chunks.push(Uint8Array.from(chunk));
  const bytes = Buffer.concat(chunks);
  return (isGzip ? gunzipSync(bytes) : bytes).toString();
}

test('what the thread sends is what the formats write', async (context) => {
  const composer = new ThreadComposer();
  context.after(() => composer.end());
  const segments = [counted(900, 3), counted(500, 5)];
  const folder = mkdtempSync(join(tmpdir(), 'vibing-'));
  const fd = openSync(join(folder, 'segments'), 'wx+');
  context.after(() => {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  });
  const inFile = segments.map(({ buffer, words, usedBytes }, id) => {
    const at = id * (1 << 25);
    writeSync(fd, new Uint8Array(buffer, 0, usedBytes), 0, usedBytes, at);
    return { id, histograms: words[Word.Histograms], fd, at };
  });
  assert.equal(composer.hasThread, false, 'before it is needed');
  for (const format of FORMATS) {
    const wanted = simple(format, segments);
    if (format === 'text') assert.ok(wanted.length > 3 * METRICS_CHUNK_BYTES);
    for (const isGzip of [false, true]) {
      for (const sources of [inMemory(segments), inFile]) {
        const found = await composedBy(composer, format, isGzip, sources);
        assert.ok(found === wanted, `${format}, gzip ${isGzip}`);
      }
    }
  }
});

test('documents at a time share a thread, and see what was counted meanwhile', async (context) => {
  const composer = new ThreadComposer();
  context.after(() => composer.end());
  const segment = counted(400, 3);
  const wanted = simple('text', [segment]);
  const texts = await Promise.all(
    [true, false, true, false].map((isGzip) =>
      composedBy(composer, 'text', isGzip, inMemory([segment])),
    ),
  );
  for (const text of texts) assert.ok(text === wanted);
  const cell = segment.cellOf({ name: 'n', type: 'gauge', unit: '', help: 'N.', labels: [] });
  segment.cells[cell] = 4711;
  assert.match(await composedBy(composer, 'text', true, inMemory([segment])), /^n 4711$/m);
  await composer.end();
  assert.deepEqual([composer.hasThread, composer.works], [false, true]);
  const again = await composedBy(composer, 'json', false, inMemory([segment]));
  assert.ok(again === simple('json', [segment]), 'another thread');
});

test('a document that is not read on fills its slots once', () => {
  const posted: FromComposer[] = [];
  const documents = new ComposedDocuments((message) => posted.push(message));
  const segments = inMemory([counted(900, 3)]);
  const slots = [new SharedArrayBuffer(100), new SharedArrayBuffer(100)];
  const order = { format: 'text', isGzip: false, facts: FACTS, seconds: 9, segments } as const;
  documents.received({ kind: 'begin', id: 1, order, slots });
  const full = [0, 1].map((slot) => ({ id: 1, slot, bytes: 100 }));
  assert.deepEqual(posted, full);
  documents.received({ kind: 'more', id: 1, slot: 1 });
  assert.deepEqual(posted, [...full, full[1]]);
  documents.received({ kind: 'cancel', id: 1 });
  documents.received({ kind: 'more', id: 1, slot: 0 });
  assert.equal(posted.length, 3);
});

for (const [what, script] of [
  ['fails', new URL('./programs/failing-thread.js', import.meta.url)],
  ['cannot be started', new URL('http://a.test/')],
] as const) {
  test(`a server whose thread ${what} composes by itself`, () => composesItself(script));
}

async function composesItself(script: URL): Promise<void> {
  const composer = new ThreadComposer(script);
  const server = new Server(
    { metrics: true },
    {
      launch: () => null,
      inherited: () => null,
      listening: (_server, listen) => listen(),
      closed: () => {},
      metricsPorts: {
        figures: { nodeVersion: '', sample: async () => null, watchGc: () => () => {} },
        makeComposer: () => composer,
      },
    },
  );
  for (let index = 0; index < METRICS_THREAD_HISTOGRAMS / 2; index++) {
    server.get(`/${index}`, (_request, response) => response.empty(204));
    await server.inject(`/${index}`);
  }
  const headers = { 'accept-encoding': 'gzip' };
  for (let scrape = 0; scrape < 5; scrape++) {
    const response = await server.inject({ target: '/metrics', headers });
    assert.equal(response.headers.get('content-encoding'), null);
    assert.match(await response.text(), /http_route="\/7"/);
    assert.equal(composer.works, scrape < 2);
  }
  await server.close();
}

onEachDriver('a large response', (add) => {
  add('comes from the thread, and a small one does not', async (driver) => {
    const server = createServer({ port: 0, driver, metrics: true, logLevel: 'error' });
    for (let index = 0; index < METRICS_THREAD_HISTOGRAMS; index++) {
      server.get(`/${index}`, (_request, response) => response.text('x'.repeat(index)));
    }
    const { port } = await server.listen();
    const scrape = (coding: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}/metrics`, { headers: { 'accept-encoding': coding } });
    const few = await scrape('gzip');
    assert.equal(few.headers.get('content-encoding'), null);
    await few.text();
    for (let index = 0; index < METRICS_THREAD_HISTOGRAMS; index++) {
      await server.inject(`/${index}`);
    }
    for (const coding of ['gzip', 'identity']) {
      const response = await scrape(coding);
      const isGzip = coding === 'gzip';
      assert.equal(response.headers.get('content-encoding'), isGzip ? 'gzip' : null);
      const text = await response.text();
      const counts = text.match(
        /^http_server_response_body_size_bytes_count\{http_route="\/\d+",.*\} 1$/gm,
      );
      assert.equal(counts?.length, METRICS_THREAD_HISTOGRAMS);
    }
    await server.close();
  });
});
