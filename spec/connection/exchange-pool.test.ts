// The pool of exchanges: those that come back are dead at once, rest as long as can be, and begin
// anew.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ExchangePool } from '../../src/connection/exchange-pool.ts';
import type { Exchange } from '../../src/exchange/exchange.ts';
import { Phase } from '../../src/exchange/phase.ts';
import type { Transport } from '../../src/exchange/transport.ts';

const FIRST = { limits: { bodyBytesMax: 1 } } as unknown as Transport;
const SECOND = { limits: { bodyBytesMax: 2 } } as unknown as Transport;

function acquired(pool: ExchangePool, count: number): Exchange[] {
  return Array.from({ length: count }, () => pool.acquire(FIRST));
}

it('an exchange that came back throws for who kept it', () => {
  const pool = new ExchangePool(10, false);
  const exchange = pool.acquire(FIRST);
  assert.equal(exchange.request.httpVersion.slice(0, 2), '1.');
  pool.release(exchange);
  assert.throws(() => exchange.request.method, /this request is over/);
  assert.throws(() => exchange.response.status(200), /this response is over/);
});

it('a view that came back rests for long, its exchange serves again at once', () => {
  const pool = new ExchangePool(10, false);
  const first = pool.acquire(FIRST);
  const kept = first.request;
  pool.release(first);
  const lastUsed = new Map<object, number>([[kept, 0]]);
  for (let turn = 1; turn < 20_000; turn++) {
    const exchange = pool.acquire(SECOND);
    assert.equal(exchange, first);
    const before = lastUsed.get(exchange.request);
    assert.ok(before === undefined || turn - before > 4_000, `used again after ${turn}`);
    lastUsed.set(exchange.request, turn);
    if (exchange.request !== kept) assert.throws(() => kept.method, /this request is over/);
    pool.release(exchange);
  }
  assert.ok(lastUsed.size < 10_000, 'they are used again');
});

it('one that is used again has forgotten everything', () => {
  const pool = new ExchangePool(10, false);
  const all = acquired(pool, 40);
  for (const exchange of all) {
    exchange.status = 404;
    exchange.phase = Phase.Ended;
    exchange.gone = true;
    exchange.detached = true;
    exchange.close = true;
    exchange.mountBytes = 5;
    exchange.fields.append('A', 'a', 'b');
    exchange.state = { secret: true };
    exchange.aborter = new AbortController();
    exchange.beforeSend = [() => {}];
    exchange.afterSend = [() => {}];
    exchange.trailers = [['a', 'b']];
    exchange.failure = { error: new Error('old'), caught: false };
    pool.release(exchange);
  }
  const exchange = pool.acquire(SECOND);
  assert.ok(all.includes(exchange));
  assert.equal(exchange.transport, SECOND);
  assert.ok(exchange.live && !exchange.gone && !exchange.detached && !exchange.close);
  assert.equal(exchange.status, 200);
  assert.equal(exchange.phase, Phase.Open);
  assert.equal(exchange.mountBytes, 0);
  assert.equal(exchange.fields.count, 0);
  const { state, aborter, beforeSend, afterSend, trailers, failure } = exchange;
  assert.deepEqual([state, aborter, beforeSend, afterSend, trailers, failure], Array(6).fill(null));
});

it('no view is used again where handlers that keep them are looked for', () => {
  const pool = new ExchangePool(10, true);
  const seen = new Set<object>();
  for (let turn = 0; turn < 20_000; turn++) {
    const exchange = pool.acquire(FIRST);
    assert.ok(!seen.has(exchange.request));
    assert.ok(!seen.has(exchange.response));
    seen.add(exchange.request);
    seen.add(exchange.response);
    pool.release(exchange);
  }
});

it('more than it keeps are let go', () => {
  const pool = new ExchangePool(1, false);
  const all = acquired(pool, 1500);
  for (const exchange of all) pool.release(exchange);
  const again = new Set(acquired(pool, 1500));
  const kept = all.filter((exchange) => again.has(exchange));
  assert.ok(kept.length > 900 && kept.length < 1100, `${kept.length} were kept`);
  assert.ok(again.size === 1500 && [...again].every(({ live }) => live));
});
