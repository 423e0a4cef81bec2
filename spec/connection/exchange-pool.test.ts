// The pool of exchanges: records are reused at once and hold nothing of earlier requests, and the
// handles of one request never reach another.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DETACHED } from '../../src/connection/detached.ts';
import { ExchangePool } from '../../src/connection/exchange-pool.ts';
import type { Transport } from '../../src/exchange/exchange.ts';
import { Exchange } from '../../src/exchange/exchange.ts';
import type { Request } from '../../src/exchange/request.ts';
import type { Response } from '../../src/exchange/response.ts';
import {
  BodyUse,
  Handling,
  HeadMemory,
  Liveness,
  Phase,
  Writer,
} from '../../src/exchange/state.ts';
import { beginInvocation } from '../../src/server/invocation.ts';
import { fakeServices } from '../exchange/fixtures/exchanges.ts';

const FIRST = { name: 'first' } as unknown as Transport;
const SECOND = { name: 'second' } as unknown as Transport;

function acquired(pool: ExchangePool, count: number): Exchange[] {
  return Array.from({ length: count }, () => pool.acquire(FIRST));
}

it('handles never reach the record again, however often it is reused', () => {
  const services = fakeServices();
  const pool = new ExchangePool(services, 10, true);
  const first = pool.acquire(FIRST);
  const { request, response } = beginInvocation(first);
  const kept: [Request, Response] = [request, response];
  pool.release(first);
  for (let turn = 1; turn < 20_000; turn++) {
    const exchange = pool.acquire(SECOND);
    assert.equal(exchange, first);
    const invocation = beginInvocation(exchange);
    assert.notEqual(invocation.request, kept[0]);
    assert.notEqual(invocation.response, kept[1]);
    assert.throws(() => kept[0].method, /this request is over/);
    assert.throws(() => kept[1].statusCode, /this response is over/);
    kept[1].status(500).send('other');
    assert.equal(exchange.status, 200);
    assert.equal(exchange.phase, Phase.Open);
    pool.release(exchange);
  }
  assert.equal(services.lateCount, 2 * 19_999);
});

it('a released exchange does not reach its connection', () => {
  const pool = new ExchangePool(fakeServices(), 10, true);
  const exchange = pool.acquire(FIRST);
  pool.release(exchange);
  assert.equal(exchange.transport, DETACHED);
});

it('a reused exchange equals a new one, field by field', () => {
  const services = fakeServices();
  const pool = new ExchangePool(services, 10, true);
  const exchange = pool.acquire(FIRST);
  Object.assign(exchange, {
    peer: { address: 'x', port: 1 },
    identity: {},
    handling: Handling.Settled,
    liveness: Liveness.Gone,
    headMemory: HeadMemory.Copied,
    bodyUse: BodyUse.Left,
    bytes: Buffer.from('secret'),
    base: 1,
    headBytes: 2,
    pathBytes: Buffer.from('secret'),
    pathFrom: 3,
    pathTo: 4,
    matchedFrom: 5,
    startedMs: 6,
    phase: Phase.Ended,
    writer: Writer.Events,
    status: 404,
    keepAlive: false,
    contentBytes: 7,
    owedBytes: 8,
    chunked: true,
    trailers: [['a', 'b']],
    beforeSend: [() => {}],
    afterSend: [() => {}],
    onGone: () => {},
    aborter: new AbortController(),
    state: { secret: true },
    query: new URLSearchParams('a=b'),
    lateCalls: 9,
    lateNoted: true,
    quickWrites: 10,
    allowances: [],
  });
  const failure = { error: new Error('old'), mayBeCaught: false };
  Object.assign(exchange.parts, { running: 12, deferred: true, entered: true, failure });
  exchange.fields.append('A', 'a', 'b');
  pool.release(exchange);
  assert.equal(pool.acquire(SECOND), exchange);
  const fresh = new Exchange(services, SECOND, 10);
  fresh.reset(SECOND);
  assert.equal(exchange.fields.count, 0);
  // Each record has objects of its own here, with reset methods of their own.
  const own = ['head', 'framing', 'fields', 'parts'];
  assert.deepEqual(exchange.parts, fresh.parts);
  for (const name of Object.keys(fresh) as (keyof Exchange)[]) {
    if (!own.includes(name)) assert.equal(exchange[name], fresh[name], name);
  }
});

it('without reuse every request has a record of its own', () => {
  const pool = new ExchangePool(fakeServices(), 10, false);
  const seen = new Set<Exchange>();
  for (let turn = 0; turn < 1000; turn++) {
    const exchange = pool.acquire(FIRST);
    assert.ok(!seen.has(exchange));
    seen.add(exchange);
    pool.release(exchange);
  }
});

it('keeps no more than its maximum', () => {
  const pool = new ExchangePool(fakeServices(), 1, true);
  const all = acquired(pool, 1500);
  for (const exchange of all) pool.release(exchange);
  const again = new Set(acquired(pool, 1500));
  const kept = all.filter((exchange) => again.has(exchange));
  assert.ok(kept.length > 900 && kept.length < 1100, `${kept.length} were kept`);
  assert.ok(again.size === 1500 && [...again].every(({ identity }) => identity === null));
});
