// Problem details (RFC 9457): what res.problem() sends, and errors as problems.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HttpError } from '../../src/exchange/http-error.ts';
import { type Problem, problemOf, problemText } from '../../src/exchange/problem.ts';
import { problemDetails } from '../../src/exchange/problem-details.ts';
import type { Response } from '../../src/exchange/response.ts';
import type { Server } from '../../src/server/server.ts';
import { get } from '../../testing/raw-client.ts';
import { withSite } from '../../testing/virtual-site.ts';

async function sent(
  send: (response: Response) => void,
): Promise<readonly [number, string, string]> {
  let found: readonly [number, string, string] = [0, '', ''];
  const routes = (server: Server) => server.get('/', (_request, response) => send(response));
  await withSite(routes, async ({ ask }) => {
    const { status, text, field } = await ask(get('/'));
    found = [status, field('content-type') ?? '', text];
  });
  return found;
}

const TYPE = 'application/problem+json';

describe('res.problem()', () => {
  const cases: readonly (readonly [Problem | undefined, number, string])[] = [
    [undefined, 500, '{"title":"Internal Server Error","status":500}'],
    [{}, 500, '{"title":"Internal Server Error","status":500}'],
    [{ status: 404 }, 404, '{"title":"Not Found","status":404}'],
    [
      {
        balance: 30,
        status: 403,
        type: 'https://example.com/probs/out-of-credit',
        title: 'You do not have enough credit.',
        detail: 'Your current balance is 30, but that costs 50.',
        instance: '/account/12345/msgs/abc',
        accounts: ['/account/12345'],
      },
      403,
      '{"type":"https://example.com/probs/out-of-credit","title":"You do not have enough ' +
        'credit.","status":403,"detail":"Your current balance is 30, but that costs 50.",' +
        '"instance":"/account/12345/msgs/abc","balance":30,"accounts":["/account/12345"]}',
    ],
    [{ status: 409, type: 'urn:x' }, 409, '{"type":"urn:x","status":409}'],
    [
      { status: 409, type: 'about:blank' },
      409,
      '{"type":"about:blank","title":"Conflict","status":409}',
    ],
    [{ status: 599, title: '' }, 599, '{"title":"","status":599}'],
    [{ status: 400, absent: undefined }, 400, '{"title":"Bad Request","status":400}'],
  ];
  for (const [problem, status, text] of cases) {
    test(`sends ${text.slice(0, 60)}`, async () => {
      assert.deepEqual(await sent((response) => response.problem(problem)), [status, TYPE, text]);
    });
  }

  test('has the status that was set, if that is an error', async () => {
    assert.equal((await sent((response) => response.status(418).problem({})))[0], 418);
    assert.equal((await sent((response) => response.status(418).problem({ status: 410 })))[0], 410);
    assert.equal((await sent((response) => response.status(204).problem({})))[0], 500);
  });

  test('replaces the type of content, and keeps other fields', async () => {
    const routes = (server: Server) =>
      server.get('/', (_request, response) =>
        response.header('Content-Type', 'text/html').header('X-A', '1').problem({ status: 400 }),
      );
    await withSite(routes, async ({ ask }) => {
      const { all } = await ask(get('/'));
      assert.deepEqual([all('content-type'), all('x-a')], [[TYPE], ['1']]);
    });
  });

  test('rejects what is no problem', () => {
    for (const status of [200, 399, 600, 99, 404.5, Number.NaN, '404' as unknown as number]) {
      assert.throws(() => problemText(status, {}), RangeError, String(status));
    }
    for (const name of ['type', 'title', 'detail', 'instance']) {
      for (const value of [7, null, {}]) {
        assert.throws(() => problemText(400, { [name]: value }), TypeError, name);
      }
    }
    for (const problem of [null, [], 'x', new Map()]) {
      assert.throws(() => problemText(400, problem as unknown as Problem), TypeError);
    }
  });

  test('an extension cannot replace the status, and __proto__ is an ordinary name', () => {
    const members = JSON.parse('{"__proto__":{"a":1},"status":7}') as Problem;
    assert.equal(
      problemText(400, members),
      '{"title":"Bad Request","status":400,"__proto__":{"a":1}}',
    );
  });
});

describe('an HttpError with a problem', () => {
  test('is sent as problem details, with its message as the detail', async () => {
    const error = new HttpError(409, 'it changed', { problem: { type: 'urn:x', version: 7 } });
    const routes = (server: Server) =>
      server.get('/', () => {
        throw error;
      });
    await withSite(routes, async ({ ask, errors }) => {
      const { status, field, text } = await ask(get('/'));
      assert.deepEqual([status, field('content-type')], [409, TYPE]);
      assert.equal(text, '{"type":"urn:x","status":409,"detail":"it changed","version":7}');
      assert.deepEqual(errors(), []);
    });
  });

  test('has its own status, whatever the members of the problem say', () => {
    const members = { status: 200, detail: 'other' } as Record<string, unknown>;
    const error = new HttpError(409, 'it changed', { problem: members });
    assert.deepEqual(problemOf(error), { status: 409, detail: 'other' });
    assert.deepEqual(problemOf(new HttpError(409)), { status: 409 });
    assert.deepEqual(problemOf(new Error('hidden')), { status: 500 });
  });

  test('without one is text, as before', async () => {
    const routes = (server: Server) =>
      server.get('/', () => {
        throw new HttpError(409, 'it changed');
      });
    await withSite(routes, async ({ ask }) => {
      const { field, text } = await ask(get('/'));
      assert.deepEqual(
        [field('content-type'), text],
        ['text/plain; charset=utf-8', 'it changed\n'],
      );
    });
  });

  test('that cannot be JSON is a 500', async () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    for (const problem of [circular, { title: 7 as unknown as string }, { n: 1n }]) {
      const routes = (server: Server) =>
        server.get('/', () => {
          throw new HttpError(409, 'x', { problem });
        });
      await withSite(routes, async ({ ask }) => {
        const { status, text } = await ask(get('/'));
        assert.deepEqual([status, text], [500, 'Internal Server Error\n']);
      });
    }
  });

  test('takes only an object as its problem', () => {
    for (const problem of [null, 'x', [], new Map()]) {
      assert.throws(() => new HttpError(409, 'x', { problem } as object), /problem is an object/);
    }
    assert.equal(new HttpError(409).problem, null);
  });
});

describe('problemDetails as the error handler', () => {
  const routes = (server: Server) => {
    server.onError(problemDetails);
    server.get('/gone', () => {
      throw new HttpError(410);
    });
    server.get('/text', () => {
      throw new HttpError(409, 'it changed');
    });
    server.get('/secret', () => {
      throw new Error('the password is 1234');
    });
    server.get('/thrown', () => Promise.reject(null));
  };

  test('makes problems of all errors, also of 404 and 405', async () => {
    await withSite(routes, async ({ ask, errors }) => {
      for (const [target, status, text] of [
        ['/gone', 410, '{"title":"Gone","status":410}'],
        ['/text', 409, '{"title":"Conflict","status":409,"detail":"it changed"}'],
        ['/none', 404, '{"title":"Not Found","status":404}'],
        ['/secret', 500, '{"title":"Internal Server Error","status":500}'],
        ['/thrown', 500, '{"title":"Internal Server Error","status":500}'],
      ] as const) {
        const response = await ask(get(target));
        assert.deepEqual(
          [response.status, response.field('content-type'), response.text],
          [status, TYPE, text],
        );
      }
      assert.equal(errors().length, 2);
      const wrong = await ask('PUT /gone HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
      assert.deepEqual([wrong.status, wrong.field('allow')], [405, 'GET, HEAD, OPTIONS']);
      assert.equal(wrong.field('content-type'), TYPE);
    });
  });

  test('a response that was sent stays', () => {
    let calls = 0;
    const response = { sent: true, problem: () => (calls += 1) } as unknown as Response;
    problemDetails(new HttpError(400), {} as never, response);
    assert.equal(calls, 0);
    assert.deepEqual(problemOf(7), { status: 500 });
  });
});
