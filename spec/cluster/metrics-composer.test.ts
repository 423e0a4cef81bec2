// The thread that composes large responses to requests for metrics: what it sends is what the
// formats write, from the memory of a process and from that of several; it is one thread, which
// ends; and a server whose thread fails composes by itself. Without a thread:
// metrics-documents.test.ts.

import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import {
  METRICS_CHUNK_BYTES,
  METRICS_THREAD_HISTOGRAMS,
  METRICS_THREAD_IDLE_MS,
} from '../../src/base/fixed-limits.ts';
import { ThreadComposer } from '../../src/cluster/metrics-composer.ts';
import { createServer } from '../../src/index.ts';
import type { DocumentFormat } from '../../src/metrics/documents.ts';
import type { SegmentSource } from '../../src/metrics/reader.ts';
import { Word } from '../../src/metrics/segment.ts';
import { Server } from '../../src/server/server.ts';
import { onEachDriver } from '../../testing/with-server.ts';
import { counted, FACTS, FORMATS, inMemory, simple } from './fixtures/composed.ts';

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

test('the memory of a document that was read to its end is used again', async (context) => {
  const composer = new ThreadComposer();
  context.after(() => composer.end());
  const segments = inMemory([counted(20, 3)]);
  const order = { format: 'text', isGzip: false, facts: FACTS, seconds: 9, segments } as const;
  const memoryOf = async (isWhole: boolean): Promise<unknown> => {
    let memory: unknown;
    for await (const chunk of composer.compose(order)) {
      memory = chunk.buffer;
      if (!isWhole) break;
    }
    return memory;
  };
  const first = await memoryOf(true);
  assert.equal(await memoryOf(true), first);
  assert.equal(await memoryOf(false), first);
  // What was sent of it may still be read.
  assert.notEqual(await memoryOf(true), first);
});

test('that of one that was not is used again when it is not being sent', async (context) => {
  const composer = new ThreadComposer();
  context.after(() => composer.end());
  const segments = inMemory([counted(20, 3)]);
  const order = { format: 'text', isGzip: false, facts: FACTS, seconds: 9, segments } as const;
  let ended: () => void = () => {};
  const sent = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const memoryOf = async (document: AsyncGenerator<Uint8Array>): Promise<unknown> => {
    const { value } = await document.next();
    await document.return(undefined);
    return value.buffer;
  };
  const first = await memoryOf(composer.compose(order, sent));
  // The thread has replied to all that it was asked when it has composed another document.
  const other = await memoryOf(composer.compose(order, new Promise(() => {})));
  assert.notEqual(other, first, 'while it may be being sent');
  ended();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await memoryOf(composer.compose(order)), first);
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

test('a thread that is not needed for long ends', async (context) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const composer = new ThreadComposer();
  context.after(() => composer.end());
  const segments = inMemory([counted(400, 3)]);
  const small = (): Promise<string> => composedBy(composer, 'json', false, inMemory([]));
  await small();
  for (let time = 0; time < 2; time++) {
    mock.timers.tick(METRICS_THREAD_IDLE_MS - 1);
    assert.equal(composer.hasThread, true);
    await small();
  }
  // A client that reads slowly needs it meanwhile.
  const order = { format: 'text', isGzip: false, facts: FACTS, seconds: 9, segments } as const;
  const slow = composer.compose(order);
  assert.equal((await slow.next()).done, false);
  await small();
  mock.timers.tick(METRICS_THREAD_IDLE_MS);
  assert.equal(composer.hasThread, true);
  // It goes away.
  await slow.return(undefined);
  mock.timers.tick(METRICS_THREAD_IDLE_MS - 1);
  assert.equal(composer.hasThread, true);
  mock.timers.tick(1);
  assert.deepEqual([composer.hasThread, composer.works], [false, true]);
  // Nor does the end of a thread come to the next one.
  await small();
  await composer.end();
  const next = composer.compose(order);
  assert.equal((await next.next()).done, false);
  mock.timers.tick(METRICS_THREAD_IDLE_MS);
  assert.equal(composer.hasThread, true);
  await next.return(undefined);
  mock.timers.reset();
});

test('the thread forgets each document that has ended, or is not read on', async (context) => {
  const composer = new ThreadComposer(new URL('./programs/counting-thread.js', import.meta.url));
  context.after(() => composer.end());
  const order = { format: 'text', isGzip: false, facts: FACTS, seconds: 9, segments: [] } as const;
  const lengths: number[] = [];
  for (const isRead of [true, false, true]) {
    const document = composer.compose(order);
    const first = await document.next();
    lengths.push(first.done === true ? 0 : first.value.length);
    if (isRead) for await (const _ of document);
    else await document.return(undefined);
  }
  assert.deepEqual(lengths, [1, 2, 3]);
});

test('a thread that was ended is none of the next one', async (context) => {
  const composer = new ThreadComposer();
  context.after(() => composer.end());
  const segments = inMemory([counted(400, 3)]);
  const order = { format: 'text', isGzip: false, facts: FACTS, seconds: 9, segments } as const;
  const interrupted = composer.compose(order);
  assert.equal((await interrupted.next()).done, false);
  const ended = composer.end();
  const next = composer.compose(order);
  assert.equal((await next.next()).done, false);
  await assert.rejects(async () => {
    for await (const _ of interrupted);
  }, /^Error: metrics were not composed: the server closes$/);
  await ended;
  // The end of the first thread is known by now.
  await new Promise(setImmediate);
  assert.deepEqual([composer.hasThread, composer.works], [true, true]);
  for await (const _ of next);
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
