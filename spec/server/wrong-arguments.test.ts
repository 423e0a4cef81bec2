// Arguments of wrong types, of programs without types: they throw, so that nothing else than what
// was meant is sent, and no guard lets pass.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Response } from '../../src/exchange/response.ts';
import type { Server } from '../../src/server/server.ts';
import { get } from '../../testing/raw-client.ts';
import { withSite } from '../../testing/virtual-site.ts';

/** Calls without types. */
type Untyped = Record<string, (...given: unknown[]) => unknown>;

/** What a call in a handler throws. */
async function thrownBy(call: (response: Untyped) => unknown): Promise<Error> {
  let thrown: unknown;
  const routes = (server: Server) => {
    server.get('/', (_request, response: Response) => {
      try {
        call(response as unknown as Untyped);
      } catch (error) {
        thrown = error;
      }
      if (!response.sent) response.text('sent');
    });
  };
  await withSite(routes, async ({ ask }) => {
    const { status, text } = await ask(get('/'));
    assert.deepEqual([status, text], [200, 'sent'], 'nothing else was sent');
  });
  assert.ok(thrown instanceof TypeError || thrown instanceof RangeError, String(thrown));
  return thrown;
}

describe('next()', () => {
  const outcome = async (given: readonly unknown[]): Promise<readonly [number, boolean]> => {
    let isPassed = false;
    const routes = (server: Server) => {
      server.use('/', (_request, _response, next) => {
        return (next as (...all: unknown[]) => Promise<void>)(...given);
      });
      server.get('/', (_request, response) => {
        isPassed = true;
        response.text('secret');
      });
    };
    let status = 0;
    await withSite(routes, async ({ ask }) => {
      ({ status } = await ask(get('/')));
    });
    return [status, isPassed];
  };

  it('with an error, or with what skips handlers elsewhere, does not go on', async () => {
    for (const given of [new Error('unauthorized'), 'route', 'router', false, 0, '', {}]) {
      assert.deepEqual(await outcome([given]), [500, false], String(given));
    }
  });

  it('without an error goes on', async () => {
    for (const given of [[], [undefined], [null]]) {
      assert.deepEqual(await outcome(given), [200, true]);
    }
  });
});

describe('the value of a field', () => {
  it('is text or a number', async () => {
    for (const value of [undefined, null, true, {}, Symbol.iterator, 1n]) {
      for (const call of ['header', 'appendHeader']) {
        const { message } = await thrownBy((response) => response[call]('X-A', value));
        assert.match(message, /^the value of a field is text or a number, given /);
      }
    }
  });

  it('is not a list, whose members would be joined', async () => {
    const both = ['a=1', 'b=2'];
    const { message } = await thrownBy((response) => response['header']('Set-Cookie', both));
    assert.match(message, /given an array; use appendHeader\(\) for each of several$/);
  });
});

it('a status is a number of a final response', async () => {
  const calls: Record<string, (response: Untyped, value: unknown) => unknown> = {
    'status()': (response, value) => response['status'](value),
    'empty()': (response, value) => response['empty'](value),
    'beforeSend()': (response, value) => {
      let thrown: unknown;
      response['beforeSend']((outgoing: { status: unknown }) => {
        try {
          outgoing.status = value;
        } catch (error) {
          thrown = error;
        }
      });
      response['text']('sent');
      throw thrown;
    },
  };
  for (const [value, shown] of [
    ['404', '"404"'],
    [99, '99'],
    [Number.NaN, 'NaN'],
    [103, '103'],
    [404.5, '404.5'],
    [null, 'null'],
    [{}, 'an object'],
  ]) {
    for (const [call, run] of Object.entries(calls)) {
      const { message } = await thrownBy((response) => run(response, value));
      assert.equal(
        message,
        `${call}: its status is a whole number from 200 to 599, given ${shown}`,
      );
    }
  }
  for (const [value, shown] of [
    ['301', '"301"'],
    [200, '200'],
  ]) {
    const { message } = await thrownBy((response) => response['redirect']('/', value));
    assert.equal(message, `redirect(): its status is 301, 302, 303, 307 or 308, given ${shown}`);
  }
});

it('a prepared response is one that prepare() has returned', async () => {
  for (const value of [undefined, null, 5, {}, Promise.resolve()]) {
    const { message } = await thrownBy((response) => response['prepared'](value));
    assert.match(message, /^prepared\(\) sends what prepare\(\) has returned, given /);
  }
});

it('the location of a redirection is text', async () => {
  for (const value of [undefined, null, 301, {}]) {
    const { message } = await thrownBy((response) => response['redirect'](value));
    assert.match(message, /^the location of a redirection is text, given /);
  }
});
