// What an error leaves of the response that its handler had begun, and errors that are not what
// they seem to be.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HttpError } from '../../src/index.ts';
import type { Server } from '../../src/server/server.ts';
import { unlistenedServer } from '../../testing/unlistened-server.ts';

const OF_CONTENT: Readonly<Record<string, string>> = {
  'Content-Type': 'image/png',
  'Content-Encoding': 'gzip',
  'Content-Language': 'de',
  'Content-Range': 'bytes 0-1/2',
  'Content-Disposition': 'attachment',
  'Content-Location': '/a.png',
  'Content-Digest': 'sha-256=:AA==:',
  'Repr-Digest': 'sha-256=:AA==:',
  'Accept-Ranges': 'bytes',
  ETag: '"a"',
  'Last-Modified': 'Thu, 29 Feb 2024 12:00:00 GMT',
  'Cache-Control': 'max-age=60',
  Expires: 'Thu, 29 Feb 2024 12:00:00 GMT',
  Location: '/elsewhere',
};

async function ask(site: (server: Server) => void, target = '/') {
  const { log, server } = unlistenedServer();
  site(server);
  const response = await server.inject(target);
  const text = await response.text();
  await server.close();
  return { status: response.status, headers: response.headers, text, log };
}

/** Something thrown that claims to be an error with these members. */
function odd(members: Readonly<Record<string, unknown>>): HttpError {
  const error = new HttpError(400, 'odd');
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(error, name, { value });
  }
  return error;
}

describe('an error', () => {
  it('removes each field that describes content, and no other', async () => {
    for (const [name, value] of Object.entries(OF_CONTENT)) {
      for (const isHandled of [false, true]) {
        const { headers, status, text } = await ask((server) => {
          if (isHandled) {
            server.onError((_error, _request, response) => response.status(400).text('handled'));
          }
          server.get('/', (_request, response) => {
            response.header(name, value).header('X-Kept', 'yes').header('Vary', 'Origin');
            throw new HttpError(400, 'no');
          });
        });
        assert.deepEqual([status, text], [400, isHandled ? 'handled' : 'no\n'], name);
        assert.notEqual(headers.get(name), value, name);
        assert.deepEqual([headers.get('x-kept'), headers.get('vary')], ['yes', 'Origin'], name);
      }
    }
  });

  it('does not have the length that the handler has announced', async () => {
    for (const announced of [0, 3, 5_000]) {
      const { headers, log, status, text } = await ask((server) =>
        server.get('/', (_request, response) => {
          response.header('Content-Length', announced);
          throw new HttpError(409, 'of another length');
        }),
      );
      assert.deepEqual([status, text, log], [409, 'of another length\n', []], String(announced));
      assert.equal(headers.get('content-length'), String(text.length));
    }
  });

  it('has its own fields once, and none of the error that was handled before', async () => {
    const { headers, status } = await ask((server) => {
      server.onError(() => {
        throw new HttpError(503, undefined, { headers: { 'Retry-After': 7, 'X-Second': 'b' } });
      });
      server.get('/', (_request, response) => {
        response.header('Retry-After', 1).appendHeader('Retry-After', 2);
        throw new HttpError(401, undefined, {
          headers: { 'WWW-Authenticate': 'Basic realm="a"', 'X-First': 'a' },
        });
      });
    });
    assert.equal(status, 503);
    const names = ['retry-after', 'x-second', 'www-authenticate', 'x-first'];
    assert.deepEqual(
      names.map((name) => headers.get(name)),
      ['7', 'b', null, null],
    );
  });

  it('leaves to the next one what it replaced, and what was set since', async () => {
    const site = (server: Server, again: boolean) => {
      server.use((_request, response, next) => {
        response.header('Access-Control-Allow-Origin', 'https://a.example');
        response.header('X-Request-Id', 'of middleware').header('Vary', 'Origin');
        response.appendHeader('Set-Cookie', 'a=1').appendHeader('Set-Cookie', 'b=2');
        return next();
      });
      server.onError((_error, _request, response) => {
        response.header('X-Request-Id', 'of onError').appendHeader('Set-Cookie', 'd=4');
        if (again) throw new HttpError(503, undefined, { headers: { 'X-Second': 'b' } });
        response.status(400).text('handled');
      });
      server.get('/', () => {
        const headers = {
          'Access-Control-Allow-Origin': '*',
          'access-control-allow-origin': 'https://c.example',
          'X-Request-Id': 'of the error',
          'Set-Cookie': 'c=3',
          'X-First': 'a',
          Vary: 'Accept',
        };
        throw new HttpError(401, undefined, { headers });
      });
    };
    const names = ['access-control-allow-origin', 'x-request-id', 'vary', 'x-first', 'x-second'];
    for (const [again, values, cookies] of [
      [false, ['https://c.example', 'of onError', 'Origin, Accept', 'a', null], ['c=3', 'd=4']],
      [
        true,
        ['https://a.example', 'of onError', 'Origin, Accept', null, 'b'],
        ['a=1', 'b=2', 'd=4'],
      ],
    ] as const) {
      const { headers, status } = await ask((server) => site(server, again));
      assert.equal(status, again ? 503 : 400);
      assert.deepEqual(
        names.map((name) => headers.get(name)),
        values,
      );
      assert.deepEqual(headers.getSetCookie(), cookies);
    }
  });

  it('with members that no HttpError has is a 500, or loses what is not valid', async () => {
    for (const [members, status, text] of [
      [{ status: 200 }, 500, 'Internal Server Error\n'],
      [{ status: 304 }, 500, 'Internal Server Error\n'],
      [{ status: 399 }, 500, 'Internal Server Error\n'],
      [{ status: 400 }, 400, 'odd\n'],
      [{ status: 599 }, 599, 'odd\n'],
      [{ status: 600 }, 500, 'Internal Server Error\n'],
      [{ status: 400.5 }, 500, 'Internal Server Error\n'],
      [{ message: 5 }, 500, 'Internal Server Error\n'],
      [{ message: undefined }, 500, 'Internal Server Error\n'],
      [{ headers: [['Content-Length', '1']] }, 400, 'odd\n'],
      [{ headers: [['Transfer-Encoding', 'chunked']] }, 400, 'odd\n'],
      [
        {
          headers: [
            ['X-A', 'a'],
            ['Connection', 'x'],
            ['X-B', 'b'],
          ],
        },
        400,
        'odd\n',
      ],
    ] as const) {
      const seen = await ask((server) =>
        server.get('/', () => {
          throw odd(members);
        }),
      );
      const what = JSON.stringify(members);
      assert.deepEqual([seen.status, seen.text], [status, text], what);
      assert.equal(seen.headers.get('content-length'), String(text.length), what);
      assert.equal(seen.headers.get('transfer-encoding'), null, what);
    }
  });
});
