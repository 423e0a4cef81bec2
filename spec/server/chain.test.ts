// The chain alone: a request whose middleware and handler are synchronous settles within run(). A
// promise in between would cost more than the parsing of the request, and delay the next one.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Middleware } from '../../src/exchange/middleware.ts';
import { Chain } from '../../src/server/chain.ts';
import { exchangeWith, fakeServices } from '../exchange/exchanges.ts';

function chainOf(middleware: readonly Middleware[]): Chain {
  const chain = new Chain();
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
    ['with one that returns next()', [passOn]],
    ['with several', [passOn, passOn, callOnly, passOn]],
  ] as const) {
    it(`settles before run() returns, ${name}`, () => {
      let handled = 0;
      const services = fakeServices();
      const exchange = exchangeWith(services, () => {
        handled += 1;
      });
      chainOf(middleware).run(exchange);
      assert.deepEqual([handled, services.settledCount], [1, 1]);
      // The handler may respond later: it returned no promise.
      assert.deepEqual([exchange.deferred, exchange.awaited], [false, true]);
    });
  }

  it('waits for an async handler after middleware that returns next()', async () => {
    const services = fakeServices();
    const exchange = exchangeWith(services, async () => undefined);
    chainOf([passOn, passOn]).run(exchange);
    assert.deepEqual([services.settledCount, exchange.deferred], [0, true]);
    await new Promise(setImmediate);
    assert.equal(services.settledCount, 1);
  });

  it('keeps an error that is thrown after middleware that returns next()', async () => {
    const error = new Error('thrown');
    const services = fakeServices();
    const exchange = exchangeWith(services, () => {
      throw error;
    });
    chainOf([passOn, passOn]).run(exchange);
    await new Promise(setImmediate);
    assert.equal(services.settledCount, 1);
    assert.equal(exchange.failure?.error, error);
  });
});
