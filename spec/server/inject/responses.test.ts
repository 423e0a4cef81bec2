// server.inject(): what a test sees of the response, as it arrives, and how a client leaves.

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { unlistenedServer } from '../../../testing/unlistened-server.ts';
import { eventually, wait } from '../../../testing/with-server.ts';

const TIMEOUT_MS = 20_000;

describe('the response to an injected request', { timeout: TIMEOUT_MS }, () => {
  it('has status, fields and content, as often as they are read', async () => {
    const { server } = unlistenedServer();
    server.get('/', (_req, res) => {
      res.status(201).appendHeader('Set-Cookie', 'a=1').appendHeader('Set-Cookie', 'b=2');
      res.json({ text: 'é' });
    });
    const response = await server.inject('/');
    assert.deepEqual([response.status, response.statusText], [201, 'Created']);
    assert.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2']);
    assert.equal(response.headers.get('content-length'), '13');
    assert.deepEqual(await response.json(), { text: 'é' });
    assert.equal(await response.text(), '{"text":"é"}');
    assert.equal((await response.bytes()).length, 13);
    assert.throws(() => response.body, /read by bytes\(\)/);
  });

  it('has no content after HEAD, and with 204 and 304', async () => {
    const { server } = unlistenedServer();
    server.get('/', (_req, res) => res.text('content'));
    server.get('/204', (_req, res) => res.empty());
    server.get('/304', (_req, res) => res.empty(304));
    const head = await server.inject({ method: 'HEAD' });
    assert.deepEqual([head.headers.get('content-length'), await head.text()], ['7', '']);
    assert.equal(await (await server.inject('/204')).text(), '');
    assert.equal((await server.inject('/304')).status, 304);
  });

  it('is the final one, after a 100', async () => {
    const { server } = unlistenedServer();
    server.post('/', async (req, res) => res.send(await req.bytes()));
    async function* later(): AsyncGenerator<string> {
      await new Promise((done) => setImmediate(done));
      await eventually('the handler waits', () => server.counters.requests === 1);
      yield 'late';
    }
    const headers = { Expect: '100-continue' };
    const response = await server.inject({ method: 'POST', headers, body: later() });
    assert.deepEqual([response.status, await response.text()], [200, 'late']);
  });

  it('may be long', async () => {
    const { server } = unlistenedServer();
    const content = Buffer.alloc(3_000_000, 'abcdefg');
    server.get('/', (_req, res) => res.send(content));
    server.get('/chunks', (_req, res) => res.stream([content, '', content]));
    assert.deepEqual(Buffer.from(await (await server.inject('/')).bytes()), content);
    const chunked = await server.inject('/chunks');
    assert.equal(chunked.headers.get('transfer-encoding'), 'chunked');
    assert.deepEqual(Buffer.from(await chunked.bytes()), Buffer.concat([content, content]));
  });

  it('has trailers for a client that accepts them, after the content', async () => {
    const { server } = unlistenedServer();
    server.get('/', async (_req, res) => {
      await res.write('a');
      res.trailer('X-Sum', '7').end('b');
    });
    const response = await server.inject({ headers: { TE: 'trailers' } });
    assert.equal(await response.text(), 'ab');
    assert.deepEqual([...response.trailers], [['x-sum', '7']]);
    const without = await server.inject('/');
    await without.text();
    assert.deepEqual([...without.trailers], []);
  });

  it('arrives while the handler still sends', async () => {
    const { server } = unlistenedServer();
    let go = (): void => {};
    server.get('/', async (_req, res) => {
      await res.write('first');
      await new Promise<void>((resolve) => {
        go = resolve;
      });
      res.end('second');
    });
    const response = await server.inject('/');
    const reader = response.body.getReader();
    const texts: string[] = [];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      texts.push(Buffer.from(value).toString());
      go();
    }
    assert.deepEqual(texts, ['first', 'second']);
    await assert.rejects(() => response.bytes(), /read as a stream/);
  });

  it('has the handler wait while it is not read', async () => {
    const { server } = unlistenedServer({ sendQueueBytesMax: 1024 });
    let written = 0;
    server.get('/', async (_req, res) => {
      for (; written < 1_000; written++) await res.write('x'.repeat(1024));
      res.end();
    });
    const response = await server.inject('/');
    let before = -1;
    while (before !== written) {
      before = written;
      for (let round = 0; round < 20; round++) await new Promise((done) => setImmediate(done));
    }
    assert.ok(written < 300, `${written} KiB before anything is read`);
    assert.equal((await response.bytes()).length, 1_000 * 1024);
  });

  it('that is short ends although nothing reads it', async () => {
    const { server } = unlistenedServer();
    const sent: boolean[] = [];
    server.get('/', (_req, res) => res.afterSend(({ complete }) => sent.push(complete)).text('a'));
    await server.inject('/');
    await eventually('the connection is closed', () => server.counters.closed === 1);
    assert.deepEqual(sent, [true]);
  });

  it('that is truncated rejects where its end is read', async () => {
    const { server, log } = unlistenedServer();
    server.get('/', async (_req, res) => {
      await res.write('part');
      throw new Error('no more');
    });
    const response = await server.inject('/');
    await assert.rejects(() => response.bytes(), /the response is truncated/);
    const again = await server.inject('/');
    const reader = again.body.getReader();
    assert.equal(Buffer.from((await reader.read()).value ?? []).toString(), 'part');
    await assert.rejects(() => reader.read(), /the response is truncated/);
    assert.match(log.join('\n'), /no more/);
  });
});

describe('the client of an injected request', { timeout: TIMEOUT_MS }, () => {
  it('leaves before the response', async () => {
    const { server } = unlistenedServer();
    let reason: unknown = null;
    server.get('/', (req) => {
      req.signal.addEventListener('abort', () => {
        reason = req.signal.reason;
      });
      return new Promise(() => {});
    });
    const client = new AbortController();
    const pending = server.inject({ signal: client.signal });
    await eventually('the handler runs', () => server.counters.requests === 1);
    client.abort(new Error('changed my mind'));
    await assert.rejects(pending, /changed my mind/);
    await eventually('the handler knows', () => reason !== null);
  });

  it('sends nothing once it has left', async () => {
    const { server } = unlistenedServer();
    server.post('/', (_req, res) => res.empty());
    const left = AbortSignal.abort(new Error('too late'));
    await assert.rejects(() => server.inject({ method: 'POST', signal: left }), /too late/);
    let returned = false;
    const body = {
      async *[Symbol.asyncIterator]() {
        yield 'a';
      },
      destroy() {
        returned = true;
      },
    };
    const client = new AbortController();
    const pending = server.inject({ method: 'POST', signal: client.signal, body });
    client.abort(new Error('at once'));
    await assert.rejects(pending, /at once/);
    assert.ok(returned, 'the source of the body is released');
    assert.equal(server.counters.requests, 0);
  });

  it('leaves while the content arrives', async () => {
    const { server } = unlistenedServer();
    let aborted = 0;
    server.get('/', async (req, res) => {
      req.signal.addEventListener('abort', () => {
        aborted += 1;
      });
      await res.write('x');
      await new Promise((resolve) => req.signal.addEventListener('abort', resolve));
    });
    const client = new AbortController();
    const response = await server.inject({ signal: client.signal });
    const text = response.text();
    client.abort(new Error('enough'));
    await assert.rejects(text, /enough/);
    await eventually('the handler knows', () => aborted === 1);
    const other = await server.inject('/');
    await other.body.cancel();
    await eventually('cancelling the content is leaving', () => aborted === 2);
  });

  it('a long response that is not read is over when its content is cancelled', async () => {
    const { server } = unlistenedServer();
    let isOver = false;
    server.get('/', async (req, res) => {
      req.signal.addEventListener('abort', () => {
        isOver = true;
      });
      while (!res.closed) await res.write(new Uint8Array(16_384));
    });
    const client = new AbortController();
    const response = await server.inject({ signal: client.signal });
    // More has come than is kept for a reader.
    await wait(20);
    await response.body.cancel();
    await eventually('the handler knows', () => isOver);
    const listeners = (): number => getEventListeners(client.signal, 'abort').length;
    await eventually('the signal is released', () => listeners() === 0);
  });

  it('does not disturb a response that it has received', async () => {
    const { server } = unlistenedServer();
    server.get('/', (_req, res) => res.text('all'));
    const client = new AbortController();
    const response = await server.inject({ signal: client.signal });
    assert.equal(await response.text(), 'all');
    assert.deepEqual(getEventListeners(client.signal, 'abort'), [], 'the signal is released');
    client.abort();
    assert.equal(await response.text(), 'all');
  });
});
