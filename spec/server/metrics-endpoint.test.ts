// Requests for metrics that a thread composes, and streams of them: how many there are at a time,
// and what becomes of those whose clients do not read or have left.

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it, type TestContext, test } from 'node:test';
import { ERRNO } from '../../src/base/errno.ts';
import {
  METRICS_MISSED_MAX,
  METRICS_SAMPLE_MS,
  METRICS_SCRAPES_MAX,
  METRICS_STREAMS_MAX,
  METRICS_THREAD_HISTOGRAMS,
} from '../../src/base/fixed-limits.ts';
import { exchangeOf } from '../../src/exchange/request.ts';
import { Reader } from '../../src/metrics/reader.ts';
import { MetricsEndpoint } from '../../src/server/metrics-endpoint.ts';
import { get } from '../../testing/raw-client.ts';
import { unlistenedServer } from '../../testing/unlistened-server.ts';
import { type VirtualClient, VirtualServer } from '../../testing/virtual-server.ts';
import { eventually } from '../../testing/with-server.ts';

test('a client that leaves before its first chunk ends the composition', async () => {
  const { server } = unlistenedServer();
  let begun = 0;
  let ended = 0;
  let told = 0;
  let finish = (): void => {};
  const composer = {
    works: true,
    async *compose(_order: unknown, sent?: Promise<void>): AsyncGenerator<Uint8Array> {
      try {
        begun += 1;
        void sent?.then(() => (told += 1));
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        yield Buffer.from('first');
        yield Buffer.from('second');
      } finally {
        ended += 1;
      }
    },
    end: async () => {},
  };
  const endpoint = new MetricsEndpoint({
    // The thread reads, not this one.
    reader: {} as Reader,
    composer,
    sources: () => [{ id: 0, histograms: METRICS_THREAD_HISTOGRAMS + 1, fd: 0, at: 0 }],
    facts: () => ({ name: 'vibing', version: '0', node: '', driver: '', started: 0, workers: 1 }),
    refresh: async () => {},
    closing: () => server.closing,
  });
  server.get('/shown', endpoint.handle);
  const whole = server.inject('/shown');
  await eventually('the first composition begins', () => begun === 1);
  finish();
  const shown = await whole;
  assert.equal(await shown.text(), 'firstsecond');
  assert.equal(shown.headers.get('vary'), 'Accept, Accept-Encoding');
  assert.equal(shown.headers.get('cache-control'), 'no-store');
  assert.equal(ended, 1);
  await eventually('the composer may use its memory again', () => told === 1);

  const leaves = new AbortController();
  const left = server.inject({ target: '/shown', signal: leaves.signal });
  await eventually('the second composition begins', () => begun === 2);
  leaves.abort();
  await assert.rejects(left);
  await eventually('the server sees it', () => server.counters.closed === 2);
  finish();
  await eventually('the second composition ends', () => ended === 2);
  await eventually('its memory is free, too', () => told === 2);
  await server.close();
});

const FACTS = { name: 'vibing', version: '0', node: '', driver: '', started: 0, workers: 1 };
const EVENTS = get('/shown', 'Accept: text/event-stream');

/** An endpoint in virtual time, and what its thread composes. */
class Shown {
  readonly life: VirtualServer;
  refreshes = 0;
  compositions = 0;
  histograms = [METRICS_THREAD_HISTOGRAMS + 1];
  /** Awaited before each response is composed. */
  ready: Promise<void> = Promise.resolve();
  chunks: readonly (string | Uint8Array)[] = ['text'];
  /** The thread ends behind its chunks. */
  fails = false;
  #wake: () => void = () => {};

  constructor(context: TestContext) {
    const compose = this.#compose.bind(this);
    const endpoint = new MetricsEndpoint({
      reader: new Reader(() => []),
      composer: { works: true, compose, end: async () => {} },
      sources: () => this.histograms.map((histograms, id) => ({ id, histograms, fd: 0, at: 0 })),
      facts: () => FACTS,
      refresh: () => {
        this.refreshes += 1;
        return this.ready;
      },
      closing: () => this.life.server.closing,
    });
    this.life = new VirtualServer({}, (server) =>
      server.get('/shown', (request, response) => {
        const pause = this.#pause.bind(this);
        Object.defineProperty(exchangeOf(request).services, 'pause', {
          value: pause,
          writable: true,
        });
        return endpoint.handle(request, response);
      }),
    );
    context.after(() => this.life.end());
  }

  /** The pause between two events ends when the test says so, others at once. */
  async #pause(ms: number): Promise<void> {
    if (ms !== METRICS_SAMPLE_MS) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  leave({ slot, socket }: VirtualClient): void {
    const { driver } = this.life;
    if (socket.receiving) driver.finish(slot, -ERRNO.ECONNRESET);
    else driver.breakWatched(slot);
    this.life.turn();
  }

  async *#compose(): AsyncGenerator<Uint8Array> {
    this.compositions += 1;
    for (const chunk of this.chunks) yield Buffer.from(chunk);
    if (this.fails) throw new Error('expected');
  }

  /** A client that asks for a stream of events. */
  async stream(): Promise<VirtualClient> {
    const client = this.life.open();
    client.send(EVENTS);
    await this.life.rest();
    return client;
  }

  async second(): Promise<void> {
    this.#wake();
    await this.life.rest(8);
  }
}

const begun = async (context: TestContext): Promise<Shown> => {
  const shown = new Shown(context);
  await shown.life.server.listen();
  return shown;
};

const eventsOf = (client: VirtualClient): number =>
  client.take().split('event: metrics').length - 1;

describe('streams of metrics', () => {
  it('are few, and one that ends makes room for one', async (context) => {
    const shown = await begun(context);
    const streams: VirtualClient[] = [];
    for (let count = 0; count < METRICS_STREAMS_MAX; count++) streams.push(await shown.stream());
    for (const client of streams) assert.match(client.take(), /^HTTP\/1\.1 200 /);
    for (let round = 0; round < 3; round++) {
      const refused = await shown.stream();
      assert.match(refused.take(), /^HTTP\/1\.1 503 [\s\S]*\r\nRetry-After: 1\r\n/);
      shown.leave(streams[round]);
      await shown.second();
      assert.match((await shown.stream()).take(), /^HTTP\/1\.1 200 /);
    }
  });

  it('begin again after all of them have ended', async (context) => {
    const shown = await begun(context);
    for (let round = 0; round < 3; round++) {
      const client = await shown.stream();
      assert.equal(eventsOf(client), 1, `round ${round}`);
      await shown.second();
      assert.equal(eventsOf(client), 2, `round ${round}`);
      shown.leave(client);
      const { refreshes } = shown;
      for (let count = 0; count < 3; count++) await shown.second();
      assert.equal(shown.refreshes, refreshes, 'nothing is composed without a client');
      assert.equal(getEventListeners(shown.life.server.closing, 'abort').length, 0);
    }
  });

  it('share one snapshot', async (context) => {
    const shown = await begun(context);
    const clients = [await shown.stream(), await shown.stream(), await shown.stream()];
    await shown.second();
    const { compositions } = shown;
    await shown.second();
    assert.equal(shown.compositions, compositions + 1);
    assert.deepEqual(clients.map(eventsOf), [3, 2, 2]);
  });

  it('end when their client has missed too many events, behind what waits', async (context) => {
    const shown = await begun(context);
    shown.chunks = ['x'.repeat(2 * 1024 * 1024)];
    const slow = await shown.stream();
    // The first event waits, and those after it are dropped.
    for (let count = 0; count < METRICS_MISSED_MAX + 5; count++) await shown.second();
    assert.equal(shown.refreshes, METRICS_MISSED_MAX + 2);
    shown.chunks = ['text'];
    for (let round = 0; round < 200 && !/\r\n0\r\n\r\n$/.test(slow.take()); round++) {
      await shown.life.rest();
    }
    assert.match(slow.take(), /\r\n0\r\n\r\n$/);
    assert.equal(eventsOf(slow), 1);
    assert.equal(eventsOf(await shown.stream()), 1);
  });

  it('miss the event whose composition fails, and have whole characters', async (context) => {
    const shown = await begun(context);
    shown.fails = true;
    const client = await shown.stream();
    await shown.second();
    assert.equal(eventsOf(client), 0);
    shown.fails = false;
    const bytes = Buffer.from('é€😀');
    shown.chunks = Array.from(bytes, (byte) => Uint8Array.of(byte));
    await shown.second();
    assert.equal(eventsOf(client), 1);
    assert.match(Buffer.from(client.take(), 'latin1').toString(), /\ndata: é€😀\n\n/);
  });

  it('end when the server closes, at once', async (context) => {
    const shown = await begun(context);
    const clients = [await shown.stream(), await shown.stream()];
    void shown.life.server.close();
    await shown.life.rest();
    for (const client of clients) assert.match(client.take(), /\r\n0\r\n\r\n$/);
  });
});

describe('a document of metrics', () => {
  it('is composed for few clients at a time', async (context) => {
    const shown = await begun(context);
    let ready = (): void => {};
    const gate = () => {
      shown.ready = new Promise((resolve) => {
        ready = resolve;
      });
    };
    for (let round = 0; round < 2; round++) {
      gate();
      const clients = Array.from({ length: METRICS_SCRAPES_MAX }, () => shown.life.open());
      for (const client of clients) client.send(get('/shown'));
      await shown.life.rest();
      const refused = await shown.life.open().ask(get('/shown'));
      assert.match(refused, /^HTTP\/1\.1 503 [\s\S]*\r\nRetry-After: 1\r\n/);
      ready();
      await shown.life.rest(8);
      for (const client of clients) assert.match(client.take(), /^HTTP\/1\.1 200 [\s\S]*text/);
    }
  });

  it('is composed by the thread where it is large', async (context) => {
    const shown = await begun(context);
    for (const [histograms, compositions] of [
      [[], 0],
      [[METRICS_THREAD_HISTOGRAMS], 0],
      [[METRICS_THREAD_HISTOGRAMS, METRICS_THREAD_HISTOGRAMS], 0],
      [[METRICS_THREAD_HISTOGRAMS + 1], 1],
      [[0, METRICS_THREAD_HISTOGRAMS + 1], 1],
    ] as const) {
      shown.histograms = [...histograms];
      shown.compositions = 0;
      const client = shown.life.open();
      const output = await client.ask(get('/shown', 'Accept-Encoding: gzip'));
      assert.match(output, /^HTTP\/1\.1 200 /);
      assert.equal(shown.compositions, compositions, String(histograms));
      // Only the thread compresses.
      assert.equal(/\r\nContent-Encoding: gzip\r\n/.test(output), compositions === 1);
    }
  });
});
