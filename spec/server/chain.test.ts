// The chain alone: a request whose middleware and handler are synchronous settles within run(). A
// promise in between would cost more than the parsing of the request, and delay the next one.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Middleware } from '../../src/exchange/handler.ts';
import { Chain } from '../../src/server/chain.ts';
import { fakeServices, invocationWith } from '../exchange/fixtures/exchanges.ts';

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
      const invocation = invocationWith(
        services,
        () => {
          handled += 1;
        },
        middleware,
      );
      new Chain().run(invocation);
      assert.deepEqual([handled, services.settledCount], [1, 1]);
      // The handler may respond later: it returned no promise.
      assert.deepEqual(
        [invocation.exchange.parts.deferred, invocation.mayRespondLater],
        [false, true],
      );
    });
  }

  it('waits for an async handler after middleware that returns next()', async () => {
    const services = fakeServices();
    const invocation = invocationWith(services, async () => undefined, [passOn, passOn]);
    new Chain().run(invocation);
    assert.deepEqual([services.settledCount, invocation.exchange.parts.deferred], [0, true]);
    await new Promise(setImmediate);
    assert.equal(services.settledCount, 1);
  });

  it('waits for any thenable, which need not be a Promise', async () => {
    let settle = (): void => {};
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
    const thenable = { then: (resolve: () => void) => (settle = resolve) };
    const services = fakeServices();
    const invocation = invocationWith(services, () => thenable as unknown as Promise<void>, []);
    new Chain().run(invocation);
    await new Promise(setImmediate);
    assert.deepEqual([services.settledCount, invocation.exchange.parts.deferred], [0, true]);
    settle();
    await new Promise(setImmediate);
    assert.equal(services.settledCount, 1);
  });

  it('ends without an exception for promises that are proxies or whose class throws', async () => {
    const thrown = new Error('thrown by a trap');
    const fails = (): never => {
      throw thrown;
    };
    class Hostile extends Promise<void> {
      static override get [Symbol.species](): PromiseConstructor {
        return fails();
      }
    }
    const ofNone = Promise.resolve();
    Object.defineProperty(ofNone, 'constructor', { get: fails });
    for (const part of [
      new Proxy(Promise.resolve(), {}),
      new Proxy(Promise.resolve(), { getPrototypeOf: fails }),
      new Proxy(Promise.resolve(), { getOwnPropertyDescriptor: fails }),
      Hostile.resolve(),
      ofNone,
    ]) {
      for (const middleware of [[], [passOn]]) {
        const services = fakeServices();
        const invocation = invocationWith(services, () => part, middleware);
        new Chain().run(invocation);
        await new Promise(setImmediate);
        await new Promise(setImmediate);
        assert.equal(services.settledCount, 1);
      }
    }
  });

  it('takes what follows a late next() for what decides whether a response may come', async () => {
    for (const [handler, mayCome] of [
      [async () => undefined, false],
      [() => undefined, true],
    ] as const) {
      let late = (): void => {};
      const keeps: Middleware = (_request, _response, next) => {
        late = () => void next();
      };
      const invocation = invocationWith(fakeServices(), handler, [keeps]);
      new Chain().run(invocation);
      assert.equal(invocation.mayRespondLater, true);
      late();
      await new Promise(setImmediate);
      assert.equal(invocation.mayRespondLater, mayCome);
    }
  });

  it('keeps an error that is thrown after middleware that returns next()', async () => {
    const error = new Error('thrown');
    const services = fakeServices();
    const invocation = invocationWith(services, () => {
      throw error;
    }, [passOn, passOn]);
    new Chain().run(invocation);
    await new Promise(setImmediate);
    assert.equal(services.settledCount, 1);
    assert.equal(invocation.exchange.parts.failure?.error, error);
  });
});
