// The chain by itself: that a request which everybody handles at once is over at once. A promise in
// between would cost each such request more than its parsing, and hold up the next one.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Exchange } from '../../src/exchange/exchange.ts';
import type { Middleware } from '../../src/exchange/middleware.ts';
import { Chain } from '../../src/server/chain.ts';

/** As much of an exchange as a chain looks at. */
function exchangeWith(endpoint: () => void | Promise<void>): Exchange {
  const given = { endpoint, live: true, nexts: [], failure: null, deferred: false, mountBytes: 0 };
  return given as unknown as Exchange;
}

function chainOf(settled: () => void, middleware: readonly Middleware[]): Chain {
  const chain = new Chain(settled);
  for (const run of middleware) chain.add({ prefix: new Uint8Array(), run });
  return chain;
}

const passOn: Middleware = (_request, _response, next) => next();
const callOnly: Middleware = (_request, _response, next) => {
  void next();
};

describe('the chain', () => {
  for (const [name, middleware] of [
    ['without middleware', []],
    ['behind one that returns next()', [passOn]],
    ['behind several', [passOn, passOn, callOnly, passOn]],
  ] as const) {
    it(`is over before run() returns, ${name}`, () => {
      let handled = 0;
      let settled = 0;
      const exchange = exchangeWith(() => {
        handled += 1;
      });
      chainOf(() => (settled += 1), middleware).run(exchange);
      assert.deepEqual([handled, settled], [1, 1]);
      // Whoever answers later may: nothing here promised to be done.
      assert.equal(exchange.deferred, false);
    });
  }

  it('waits for an endpoint that answers later, behind those who return next()', async () => {
    let settled = 0;
    const exchange = exchangeWith(async () => undefined);
    chainOf(() => (settled += 1), [passOn, passOn]).run(exchange);
    assert.deepEqual([settled, exchange.deferred], [0, true]);
    await new Promise(setImmediate);
    assert.equal(settled, 1);
  });

  it('keeps an error that is thrown behind those who return next()', async () => {
    const error = new Error('thrown');
    let settled = 0;
    const exchange = exchangeWith(() => {
      throw error;
    });
    chainOf(() => (settled += 1), [passOn, passOn]).run(exchange);
    await new Promise(setImmediate);
    assert.equal(settled, 1);
    assert.equal(exchange.failure?.error, error);
  });
});
