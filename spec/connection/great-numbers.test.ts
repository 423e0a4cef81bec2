// Counters that have grown: at 2^31, 2^32 and near 2^53 requests, bytes and milliseconds a
// connection does what a new one does. An identity of a request is an object, so it cannot wrap.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Deadlines } from '../../src/base/deadlines.ts';
import { Ring } from '../../src/base/ring.ts';
import { RequestBody } from '../../src/connection/request-body.ts';
import { BodyKind, Framing } from '../../src/http/framing.ts';
import {
  type Client,
  ConnectionFixture,
  type FixtureOptions,
  get,
  post,
} from '../../testing/connection-fixture.ts';
import { setPrivate } from '../../testing/private-field.ts';
import { Random } from '../../testing/random.ts';

const SEED = Number(process.env['VIBING_SEED'] ?? Date.now() % 2 ** 31);

/** A few below each number at which a representation ends. */
const NEAR: readonly (readonly [string, number])[] = [
  ['2^31', 2 ** 31 - 3],
  ['2^32', 2 ** 32 - 3],
  ['2^53', 2 ** 53 - 100_000],
];

function fixtureWith(options: FixtureOptions = {}, nowMs = 1_000): ConnectionFixture {
  const fixture = new ConnectionFixture(async (request, response) => {
    if (request.path === '/callbacks') {
      response.afterSend(({ bytes, durationMs, complete }) => {
        fixture.debugLines.push(`sent ${bytes} in ${durationMs} ms, ${complete}`);
      });
    }
    if (request.path === '/chunks') {
      for (let count = 0; count < 5; count++) await response.write('x'.repeat(700));
      return response.end();
    }
    if (request.path === '/never') return new Promise(() => {});
    response.text((await request.text()) || 'x');
  }, options);
  fixture.driver.nowMs = nowMs;
  fixture.reactor.readClock();
  return fixture;
}

/** What a client sees of a pipeline that it reads slowly, an upload and the end. */
async function life(client: Client, fixture: ConnectionFixture): Promise<unknown> {
  const seen: string[] = [];
  client.send(get('/callbacks') + get('/chunks') + get('/a') + get('/b'));
  for (let count = 0; count < 40; count++) {
    seen.push(client.take(150));
    await fixture.rest();
    fixture.pass(1);
  }
  seen.push(await client.ask(post('/', 5, 'hello')));
  seen.push(await client.ask(get('/c', 'Connection: close')));
  return [seen, client.isShut, fixture.debugLines];
}

describe('bytes of a connection', () => {
  for (const [name, from] of NEAR) {
    test(`near ${name}: what is queued, sent and waited for is the same`, async () => {
      const options = { limits: { sendQueueBytesMax: 1_024 } };
      const fresh = fixtureWith(options);
      const expected = await life(fresh.open(), fresh);
      const fixture = fixtureWith(options);
      const client = fixture.open();
      client.connection.sendQueue.queuedTotal = from;
      client.connection.sendQueue.sentTotal = from;
      assert.deepEqual(await life(client, fixture), expected);
      await fixture.end();
    });

    test(`near ${name}: an owed Content-Length counts down`, async () => {
      const fixture = new ConnectionFixture(async (_request, response) => {
        response.header('Content-Length', 2);
        await response.write('ab');
        const { exchange } = client.connection;
        assert.ok(exchange !== null);
        exchange.owedBytes = from + 6;
        exchange.contentBytes = from;
        for (let count = 0; count < 6; count++) await response.write('x');
        assert.equal(exchange.owedBytes, from);
        assert.equal(exchange.contentBytes, from + 6);
        response.end();
      });
      const client = fixture.open();
      await client.ask(get('/'));
      const what = `the stream ended ${from} bytes before its Content-Length`;
      assert.match(fixture.errorLines.join('\n'), new RegExp(what));
      await fixture.end();
    });
  }
});

describe('requests of a connection', () => {
  for (const [name, from] of NEAR) {
    test(`near ${name}: the pipeline continues`, async () => {
      const fresh = fixtureWith({ limits: { pipelineDepthMax: 2 } });
      const expected = await life(fresh.open(), fresh);
      const fixture = fixtureWith({ limits: { pipelineDepthMax: 2 } });
      const client = fixture.open();
      client.connection.requests = from;
      await setPrivate(client.connection, { '#pipelineEnd': from + 2 });
      assert.deepEqual(await life(client, fixture), expected);
      assert.equal(client.connection.requests, from + 6);
      await fixture.end();
    });
  }

  test('end at the greatest requests_per_connection_max, and not with 0', async () => {
    const most = 2 ** 31 - 1;
    for (const requestsPerConnectionMax of [most, 0]) {
      const fixture = fixtureWith({ limits: { requestsPerConnectionMax } });
      const client = fixture.open();
      client.connection.requests = most - 2;
      await setPrivate(client.connection, { '#pipelineEnd': most + 100 });
      assert.doesNotMatch(await client.ask(get('/')), /Connection: close/);
      assert.equal(
        /Connection: close/.test(await client.ask(get('/'))),
        most === requestsPerConnectionMax,
      );
      assert.equal(client.isShut, requestsPerConnectionMax === most);
      await fixture.end();
    }
  });

  test('are counted beyond 2^32', async () => {
    const fixture = fixtureWith();
    Object.assign(fixture.counters, { requests: 2 ** 32 - 1, responses: 2 ** 32 - 1 });
    await fixture.open().ask(get('/') + get('/'));
    assert.deepEqual(
      [fixture.counters.requests, fixture.counters.responses],
      [2 ** 32 + 1, 2 ** 32 + 1],
    );
  });
});

describe('bytes of a body', () => {
  for (const [name, from] of NEAR) {
    test(`near ${name}: a Content-Length counts down, and the limit is exact`, async () => {
      for (const streamBytesMax of [from + 4, from + 3]) {
        const limits = { chunkExtensionBytesMax: 0, trailerBytesMax: 0, fieldsMax: 1 };
        const body = new RequestBody({ ...limits, streamBytesMax });
        const framing = new Framing();
        framing.kind = BodyKind.Length;
        framing.length = from + 4;
        body.begin(framing);
        assert.equal(body.fault !== 0, streamBytesMax < from + 4);
        if (body.fault !== 0) continue;
        assert.equal(body.owedBytes, from + 4);
        assert.equal(body.isWorthSkipping(from + 3), false);
        assert.equal(body.isWorthSkipping(from + 4), true);
        body.discard();
        const bytes = new Uint8Array(6);
        assert.equal(body.feed(bytes, 0, 6), 6);
        assert.equal(body.owedBytes, from - 2);
        // All but the last four bytes have come.
        await setPrivate(body, { '#remaining': 4 });
        body.receivedBytes = from;
        body.discardedBytes = from;
        assert.equal(body.feed(bytes, 0, 6), 4, 'the bytes behind are the next request');
        assert.deepEqual(
          [body.ended, body.receivedBytes, body.discardedBytes],
          [true, from + 4, from + 4],
        );
      }
    });
  }
});

describe('milliseconds', () => {
  const CLOCKS: readonly (readonly [string, number])[] = [
    ['2^31', 2 ** 31 - 40],
    ['2^32', 2 ** 32 - 40],
    // A clock of nanoseconds in 64 bits ends there.
    ['2^63 nanoseconds', Math.floor(2 ** 63 / 1e6) - 40],
  ];
  for (const [name, from] of CLOCKS) {
    test(`near ${name}: the life of a connection is the same`, async () => {
      const fresh = fixtureWith();
      const expected = await life(fresh.open(), fresh);
      const fixture = fixtureWith({}, from);
      assert.deepEqual(await life(fixture.open(), fixture), expected);
      await fixture.end();
    });

    test(`near ${name}: timeouts are the same`, async () => {
      const ends = async (nowMs: number): Promise<readonly number[]> => {
        const limits = {
          ...{ connectionTimeoutMs: 70, keepAliveTimeoutMs: 60, headTimeoutMs: 50 },
          ...{ bodyTimeoutMs: 40, handlerTimeoutMs: 30, writeTimeoutMs: 80, lingerTimeoutMs: 90 },
        };
        const fixture = fixtureWith({ limits, slots: 8 }, nowMs);
        const clients = Array.from({ length: 7 }, () => fixture.open());
        clients[1].send('GET');
        clients[2].send(get('/never'));
        clients[3].send(post('/', 5, '12'));
        clients[4].send(get('/'));
        await clients[5].ask(get('/', 'Connection: close'));
        await clients[6].ask(get('/'));
        const found = clients.map(() => 0);
        for (let elapsedMs = 1; elapsedMs < 300; elapsedMs++) {
          fixture.pass(1);
          if (elapsedMs % 10 === 0) await fixture.rest();
          clients.forEach((client, at) => {
            if (at !== 4) client.take();
            if (found[at] === 0 && (client.isShut || client.isClosed)) found[at] = elapsedMs;
          });
        }
        return found;
      };
      const expected = await ends(1_000);
      assert.ok(
        expected.every((endMs) => endMs > 0),
        `each ends: ${expected}`,
      );
      assert.deepEqual(await ends(from), expected);
    });

    test(`near ${name}: deadlines expire in the same order`, (context) => {
      context.diagnostic(`seed ${SEED}`);
      const expiries = (offset: number): string[] => {
        const random = new Random(SEED, 'deadlines');
        const deadlines = new Deadlines(16, [5, 37, 200]);
        const found: string[] = [];
        for (let now = 0; now < 500; now += random.below(4)) {
          const node = random.below(16);
          const kind = random.below(3);
          if (kind === 2) deadlines.extend(node, kind, now + offset);
          else if (random.once(4)) deadlines.disarm(node);
          else deadlines.arm(node, kind, now + offset);
          for (let each = 0; each < 3; each++) {
            const expired = deadlines.expire(each, now + offset);
            if (expired >= 0) found.push(`${now}: ${expired}`);
          }
          found.push(`${deadlines.nextDueMs() - offset}`);
        }
        return found;
      };
      assert.deepEqual(expiries(from), expiries(0));
    });
  }
});

describe('a ring', () => {
  for (const from of [2 ** 31 - 10, -10, 0]) {
    test(`at position ${from} keeps its items in order`, async (context) => {
      context.diagnostic(`seed ${SEED}`);
      const random = new Random(SEED, `ring ${from}`);
      const ring = new Ring(16);
      await setPrivate(ring, { '#head': from, '#tail': from });
      const model: number[] = [];
      for (let item = 0; item < 200; item++) {
        if (model.length < 16 && random.once(2)) {
          ring.push(item);
          model.push(item);
        } else if (model.length > 0) assert.equal(ring.shift(), model.shift());
        assert.equal(ring.length, model.length);
      }
    });
  }
});
