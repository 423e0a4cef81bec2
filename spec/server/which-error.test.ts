// Which error becomes the response where several parts of a request fail, and that a way to respond
// that failed leaves the response to another one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HttpError } from '../../src/exchange/http-error.ts';
import type { Server } from '../../src/server/server.ts';
import { unlistenedServer } from '../../testing/unlistened-server.ts';

const MISSING = '/nonexistent/file';

/** Rejects before its first chunk. */
// biome-ignore lint/correctness/useYield: it fails before that
async function* failing(): AsyncGenerator<string> {
  throw new Error('no chunk');
}

/** The statuses and texts of requests. */
async function outcomes(
  routes: (server: Server) => void,
  targets: readonly string[],
): Promise<string[]> {
  const { server } = unlistenedServer();
  routes(server);
  const found: string[] = [];
  for (const target of targets) {
    const response = await server.inject(target);
    found.push(`${response.status} ${(await response.text()).trim()}`);
  }
  await server.close();
  return found;
}

test('the error that middleware throws takes the place of the one that it caught', async () => {
  const routes = (server: Server) => {
    server.use('/then', (_request, _response, next) => {
      return next().catch(() => {
        throw new HttpError(418, 'another');
      });
    });
    server.use('/await', async (_request, _response, next) => {
      await next().catch(() => {});
      throw new HttpError(418, 'another');
    });
    server.use('/respond', (_request, response, next) => {
      return next().catch(() => void response.text('handled'));
    });
    for (const path of ['/then', '/await', '/respond']) {
      server.get(`${path}/now`, () => {
        throw new Error('failed');
      });
      server.get(`${path}/later`, async () => {
        await new Promise((resolve) => setImmediate(resolve));
        throw new Error('failed');
      });
    }
  };
  const targets = ['/then', '/await', '/respond'].flatMap((path) => [
    `${path}/now`,
    `${path}/later`,
  ]);
  const another = '418 another';
  assert.deepEqual(await outcomes(routes, targets), [
    ...[another, another, another, another],
    ...['200 handled', '200 handled'],
  ]);
});

test('the error of a handler takes the place of that of a call it did not await', async () => {
  const routes = (server: Server) => {
    server.get('/now', (_request, response) => {
      void response.file(MISSING);
      throw new HttpError(418, 'another');
    });
    server.get('/later', async (_request, response) => {
      await response.file(MISSING).catch(() => {});
      throw new HttpError(418, 'another');
    });
    server.get('/alone', (_request, response) => void response.file(MISSING));
  };
  const found = await outcomes(routes, ['/now', '/later', '/alone']);
  assert.deepEqual(found, ['418 another', '418 another', '404 Not Found']);
});

test('after a file or a stream that failed before its head the handler responds', async () => {
  const routes = (server: Server) => {
    server.get('/file', async (_request, response) => {
      await response.file(MISSING).catch(() => response.text('instead'));
    });
    server.get('/stream', async (_request, response) => {
      await response.stream(failing()).catch(() => response.text('instead'));
    });
    server.get('/twice', async (_request, response) => {
      await response.file(MISSING).catch(() => {});
      await response.file(MISSING).catch(() => {});
      response.json(['instead']);
    });
  };
  const found = await outcomes(routes, ['/file', '/stream', '/twice']);
  assert.deepEqual(found, ['200 instead', '200 instead', '200 ["instead"]']);
});
