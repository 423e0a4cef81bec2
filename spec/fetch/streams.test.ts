// Streams of fetchHandler(), both ways: no faster than the other end reads, and ended when the
// client leaves.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { type FetchFunction, fetchHandler } from '../../src/fetch/handler.ts';
import type { Server } from '../../src/server/server.ts';
import { type UnlistenedServer, unlistenedServer } from '../../testing/unlistened-server.ts';
import { eventually, onEachDriver, withServer } from '../../testing/with-server.ts';

const TIMEOUT_MS = 20_000;
const CHUNK = new Uint8Array(1024).fill(120);

function serving(run: FetchFunction): UnlistenedServer {
  const made = unlistenedServer({ sendQueueBytesMax: 1024 });
  made.server.all('/*', fetchHandler(run));
  return made;
}

/** Iterations of the event loop. */
async function rounds(count: number): Promise<void> {
  for (let round = 0; round < count; round++) await new Promise((done) => setImmediate(done));
}

/** Waits until a number changes no more. */
async function settled(read: () => number): Promise<number> {
  let before = -1;
  while (before !== read()) {
    before = read();
    await rounds(20);
  }
  return before;
}

describe('a Response with a stream', { timeout: TIMEOUT_MS }, () => {
  it('is produced as fast as its client reads', async () => {
    let pulled = 0;
    const { server } = serving(() => {
      const stream = new ReadableStream<Uint8Array>({
        pull(controller) {
          pulled += 1;
          controller.enqueue(CHUNK);
          if (pulled === 1_000) controller.close();
        },
      });
      return new Response(stream);
    });
    const response = await server.inject();
    const ahead = await settled(() => pulled);
    assert.ok(ahead < 300, `${ahead} chunks before anything is read`);
    assert.equal((await response.bytes()).length, 1_000 * CHUNK.length);
  });

  it('has its length when all of it is there at once', async () => {
    const streamOf = (...chunks: Uint8Array[]): ReadableStream<Uint8Array> =>
      new ReadableStream<Uint8Array>({
        start(controller) {
          for (const chunk of chunks) controller.enqueue(chunk);
          controller.close();
        },
      });
    const lengthOf = async (body: ReadableStream<Uint8Array>): Promise<string | null> => {
      const response = await serving(() => new Response(body)).server.inject();
      await response.bytes();
      return response.headers.get('content-length');
    };
    assert.equal(await lengthOf(streamOf()), '0');
    assert.equal(await lengthOf(streamOf(CHUNK)), '1024');
    assert.equal(await lengthOf(streamOf(CHUNK, CHUNK)), null, 'two chunks are not joined');
  });

  it('has a head before its first chunk', async () => {
    let send = (_text: string): void => {};
    const { server } = serving(() => {
      const stream = new ReadableStream<Uint8Array>({
        start(controller) {
          send = (text) => {
            controller.enqueue(Buffer.from(text));
            controller.close();
          };
        },
      });
      return new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
    });
    const response = await server.inject();
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    send('data: 1\n\n');
    assert.equal(await response.text(), 'data: 1\n\n');
  });

  it('that fails is a 500 before its head, and truncated after it', async () => {
    const failing = (chunks: number): ReadableStream<Uint8Array> => {
      let left = chunks;
      return new ReadableStream<Uint8Array>({
        async pull(controller) {
          if (left === 0) controller.error(new Error('the source broke'));
          else controller.enqueue(CHUNK);
          left -= 1;
          if (left >= 0) await rounds(1);
        },
      });
    };
    const early = serving(() => new Response(failing(0)));
    assert.equal((await early.server.inject()).status, 500);
    const late = serving(() => new Response(failing(3)));
    const response = await late.server.inject();
    assert.equal(response.status, 200);
    await assert.rejects(() => response.bytes(), /the response is truncated/);
    for (const { log } of [early, late]) assert.match(log.join('\n'), /the source broke/);
  });

  it('that yields something else than bytes is a 500', async () => {
    const { server, log } = serving(() => {
      const stream = new ReadableStream({
        start(controller) {
          controller.enqueue({ not: 'bytes' });
          controller.close();
        },
      });
      return new Response(stream);
    });
    assert.equal((await server.inject()).status, 500);
    assert.match(log.join('\n'), /content is a string or bytes/);
  });

  it('has the length that it declares, or is truncated', async () => {
    const declaring = (length: number): UnlistenedServer =>
      serving(() => {
        const body = new ReadableStream<Uint8Array>({
          async pull(controller) {
            await rounds(1);
            controller.enqueue(CHUNK);
            controller.close();
          },
        });
        return new Response(body, { headers: { 'content-length': String(length) } });
      });
    const right = await declaring(1024).server.inject();
    assert.equal(right.headers.get('content-length'), '1024');
    assert.equal((await right.bytes()).length, 1024);
    const short = await declaring(2000).server.inject();
    await assert.rejects(() => short.bytes(), /truncated/);
    const long = await declaring(1000).server.inject();
    await assert.rejects(() => long.bytes(), /truncated/);
  });
});

describe('the body of a Request', { timeout: TIMEOUT_MS }, () => {
  it('is received as fast as it is read', async () => {
    let release = (): void => {};
    const { server } = serving(async (request) => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      let bytes = 0;
      for await (const chunk of request.body ?? []) bytes += (chunk as Uint8Array).length;
      return new Response(String(bytes));
    });
    let produced = 0;
    async function* chunks(): AsyncGenerator<Uint8Array> {
      for (; produced < 300; produced++) yield CHUNK;
    }
    const pending = server.inject({ method: 'POST', body: chunks() });
    const ahead = await settled(() => produced);
    assert.ok(ahead < 200, `${ahead} chunks before the function reads`);
    release();
    assert.equal(await (await pending).text(), String(300 * CHUNK.length));
  });

  it('may be read into a buffer of the reader', async () => {
    const { server } = serving(async (request) => {
      const reader = request.body?.getReader({ mode: 'byob' });
      const texts: string[] = [];
      for (;;) {
        const result = await reader?.read(new Uint8Array(2));
        if (result === undefined || result.done) break;
        texts.push(Buffer.from(result.value).toString());
      }
      return Response.json(texts);
    });
    const response = await server.inject({ method: 'POST', body: 'abcde' });
    assert.deepEqual(await response.json(), ['ab', 'cd', 'e']);
  });

  it('may be cancelled, and left unread', async () => {
    const { server } = serving(async (request) => {
      if (request.url.endsWith('/cancel')) await request.body?.cancel();
      return new Response('enough');
    });
    for (const target of ['/cancel', '/leave']) {
      const response = await server.inject({ method: 'POST', target, body: ['a', 'b'] });
      assert.equal(await response.text(), 'enough');
    }
  });

  it('rejects when it is truncated', async () => {
    const errors: string[] = [];
    const { server } = serving(async (request) => {
      await request.text().catch((error: Error) => errors.push(error.message));
      return new Response();
    });
    async function* chunks(): AsyncGenerator<string> {
      yield 'a';
      throw new Error('the client failed');
    }
    const options = { method: 'POST', body: chunks() };
    await assert.rejects(() => server.inject(options), /the client failed/);
    await eventually('the function knows', () => errors.length === 1);
  });

  it('may become the body of the Response', async () => {
    const { server } = serving((request) => new Response(request.body));
    async function* chunks(): AsyncGenerator<Uint8Array> {
      for (let count = 0; count < 500; count++) yield CHUNK;
    }
    const response = await server.inject({ method: 'POST', body: chunks() });
    assert.equal((await response.bytes()).length, 500 * CHUNK.length);
  });
});

onEachDriver('a client that leaves', (add) => {
  add('aborts the signal of its Request, and cancels the Response', async (driver) => {
    const seen: string[] = [];
    const routes = (server: Server): void => {
      server.get(
        '/waits',
        fetchHandler((request) => {
          request.signal.addEventListener('abort', () => seen.push('signal of /waits'));
          return new Promise(() => {});
        }),
      );
      server.get(
        '/streams',
        fetchHandler((request) => {
          request.signal.addEventListener('abort', () => seen.push('signal of /streams'));
          const stream = new ReadableStream<Uint8Array>({
            start: (controller) => controller.enqueue(Buffer.from('first')),
            cancel: () => void seen.push('stream'),
          });
          return new Response(stream);
        }),
      );
    };
    await withServer(driver, { handlerTimeoutMs: 60_000 }, routes, async ({ server, port }) => {
      for (const target of ['/waits', '/streams']) {
        const before = server.counters.requests;
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => {});
        socket.write(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
        await eventually(`${target} runs`, () => server.counters.requests > before);
        if (target === '/streams') await new Promise((resolve) => socket.once('data', resolve));
        socket.resetAndDestroy();
        await eventually(`${target} knows`, () => seen.includes(`signal of ${target}`));
      }
      await eventually('the stream is cancelled', () => seen.includes('stream'));
    });
  });

  add('gets what it sends, chunk by chunk', async (driver) => {
    const routes = (server: Server): void => {
      server.post(
        '/',
        fetchHandler((request) => new Response(request.body)),
      );
    };
    await withServer(driver, {}, routes, async ({ port }) => {
      const socket = connect(port, '127.0.0.1');
      let text = '';
      socket.setEncoding('latin1').on('data', (part: string) => {
        text += part;
      });
      socket.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
      for (const chunk of ['one', 'two']) {
        socket.write(`3\r\n${chunk}\r\n`);
        await eventually(`${chunk} comes back`, () => text.includes(`3\r\n${chunk}\r\n`));
      }
      socket.end('0\r\n\r\n');
      await eventually('the response ends', () => text.endsWith('0\r\n\r\n'));
    });
  });
});
