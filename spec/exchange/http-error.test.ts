// Errors with a response: their status, their text, their cause.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { HttpError } from '../../src/exchange/http-error.ts';
import { problemDetails } from '../../src/index.ts';
import type { Server } from '../../src/server/server.ts';
import { get } from '../../testing/raw-client.ts';
import { withSite } from '../../testing/virtual-site.ts';

it('has its status, and its reason phrase as message', () => {
  const error = new HttpError(404);
  assert.ok(error instanceof Error);
  assert.equal(error.name, 'HttpError');
  assert.equal(error.status, 404);
  assert.equal(error.message, 'Not Found');
  assert.equal(new HttpError(499).message, 'Bad Request');
});

it('keeps its message and its cause', () => {
  const cause = new Error('why');
  const error = new HttpError(503, 'come back later', { cause });
  assert.equal(error.message, 'come back later');
  assert.equal(error.cause, cause);
  assert.equal(new HttpError(400, '').message, '');
});

it('accepts only error statuses', () => {
  for (const status of [0, 100, 200, 302, 399, 600, 404.5, Number.NaN]) {
    assert.throws(() => new HttpError(status), RangeError, String(status));
  }
});

it('has fields that nothing changes, and none that describe its content', () => {
  const given: Record<string, string | number> = { 'Retry-After': 5 };
  for (const { headers } of [new HttpError(503), new HttpError(503, 'a', { headers: given })]) {
    assert.ok(Object.isFrozen(headers));
    assert.ok(headers.every((line) => Object.isFrozen(line)));
  }
  for (const name of ['Content-Type', 'content-encoding', 'Content-Range', 'CONTENT-LENGTH']) {
    assert.throws(() => new HttpError(416, 'a', { headers: { [name]: 'x' } }), TypeError, name);
  }
});

it('has fields that its response carries', async () => {
  const headers = { 'Retry-After': 5, 'WWW-Authenticate': 'Basic realm="a"' };
  const site = (server: Server) => {
    server.get('/sync', (_request, response) => {
      response.header('Retry-After', 99).header('X-Kept', 'yes').header('ETag', '"v1"');
      throw new HttpError(503, 'later', { headers });
    });
    server.get('/async', async () => {
      throw new HttpError(401, undefined, { headers });
    });
    server.group('/problems', (group) => {
      group.onError(problemDetails);
      group.get('/', () => {
        throw new HttpError(429, undefined, { headers });
      });
    });
    server.group('/failing', (group) => {
      group.onError(() => {
        throw new HttpError(503, undefined, { headers });
      });
      group.get('/', () => {
        throw new Error('expected');
      });
    });
  };
  await withSite(site, async ({ ask }) => {
    for (const [path, status] of [
      ['/sync', 503],
      ['/async', 401],
      ['/problems', 429],
      ['/failing', 503],
    ] as const) {
      const response = await ask(get(path));
      assert.equal(response.status, status, path);
      assert.equal(response.field('retry-after'), '5', path);
      assert.equal(response.field('www-authenticate'), 'Basic realm="a"', path);
      assert.equal(response.field('etag'), undefined);
    }
    assert.equal((await ask(get('/sync'))).field('x-kept'), 'yes');
    const problem = await ask(get('/problems'));
    assert.equal(problem.field('content-type'), 'application/problem+json');
  });
});

it('rejects fields that could split or misdescribe a response, where it is made', () => {
  for (const [headers, message] of [
    [{ 'X-A': 'a\r\nSet-Cookie: b=1' }, /the value of field X-A cannot contain character 13/],
    [{ 'X-A\r\nX-B': 'a' }, /a field name must be an HTTP token/],
    [{ 'Content-Length': 5 }, /the server sets the field content-length itself/],
    [{ 'transfer-encoding': 'chunked' }, /the server sets the field transfer-encoding itself/],
    [{ 'Content-Type': 'text/html' }, /Content-Type follows from the content/],
    [{ 'X-A': null }, /X-A is a string or a number, given null/],
    [['X-A', 'a'], /headers is an object of fields/],
  ] as const) {
    const make = () =>
      new HttpError(503, '', { headers: headers as unknown as Record<string, string> });
    assert.throws(
      make,
      (error: Error) => error instanceof TypeError && message.test(error.message),
    );
  }
  const given = { 'Retry-After': 5 };
  const error = new HttpError(503, '', { headers: given });
  given['Retry-After'] = 6;
  assert.deepEqual(error.headers, [['Retry-After', '5']]);
});

it('is sent also when a subclass has fields that are not valid', async () => {
  class Odd extends HttpError {
    override readonly headers = [['X-A', 'a\nb']] as [string, string][];
  }
  const site = (server: Server) => {
    server.get('/odd', () => {
      throw new Odd(409);
    });
    server.get('/odder', () => {
      throw Object.defineProperty(new HttpError(409), 'headers', {
        get() {
          throw new Error('expected');
        },
      });
    });
  };
  await withSite(site, async ({ ask }) => {
    for (const path of ['/odd', '/odder']) {
      const response = await ask(get(path));
      assert.deepEqual([response.status, response.field('x-a')], [409, undefined], path);
    }
  });
});
