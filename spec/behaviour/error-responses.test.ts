// Error responses of the server itself, for every method: complete, with Connection: close, the
// same for HEAD but without content, and nothing after them.

import assert from 'node:assert/strict';
import type { Server } from '../../src/server/server.ts';
import { get, type RawClient } from '../../testing/raw-client.ts';
import type { RawResponse } from '../../testing/raw-response.ts';
import { onEachDriver, withServer } from '../../testing/with-server.ts';

const LIMITS = { targetBytesMax: 200, headBytesMax: 600, fieldsMax: 6, streamBytesMax: 1_000 };
const HEAD_TIMEOUT_MS = 200;

function routes(server: Server): void {
  server.all('/', (_request, response) => response.text('hello'));
}

/** Request lines and fields, `M` stands for the method; the status of the response. */
const REJECTED: readonly (readonly [name: string, status: number, request: string])[] = [
  ['no Host', 400, 'M / HTTP/1.1\r\n\r\n'],
  ['two Hosts', 400, 'M / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
  ['a bad Host', 400, 'M / HTTP/1.1\r\nHost: a b\r\n\r\n'],
  ['a bad target', 400, 'M nothing HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['no target', 400, 'M  HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['no version', 400, 'M /\r\nHost: a\r\n\r\n'],
  ['a bad version', 400, 'M / HTP/1.1\r\nHost: a\r\n\r\n'],
  ['another version', 505, 'M / HTTP/2.0\r\nHost: a\r\n\r\n'],
  ['a bad field name', 400, 'M / HTTP/1.1\r\nHost: a\r\nA b: c\r\n\r\n'],
  ['a bad field value', 400, 'M / HTTP/1.1\r\nHost: a\r\nA: \x01\r\n\r\n'],
  ['space before a colon', 400, 'M / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n'],
  ['a folded line', 400, 'M / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n'],
  ['a bare LF', 400, 'M / HTTP/1.1\nHost: a\n\n'],
  ['a bare CR', 400, 'M / HTTP/1.1\r\nHost: a\rb\r\n\r\n'],
  ['a bad length', 400, 'M / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx'],
  [
    'a length and a coding',
    400,
    'M / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['an unknown coding', 501, 'M / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: a, chunked\r\n\r\n'],
  ['a coding of HTTP/1.0', 400, 'M / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['an expectation', 417, 'M / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n'],
  ['a long target', 414, `M /${'x'.repeat(200)} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ['a long head', 431, `M / HTTP/1.1\r\nHost: a\r\nA: ${'x'.repeat(600)}\r\n\r\n`],
  ['many fields', 431, `M / HTTP/1.1\r\nHost: a\r\n${'A: b\r\n'.repeat(6)}\r\n`],
  ['a long body', 413, 'M / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n'],
];

/** Incomplete heads; the methods of `M` are known. */
const UNFINISHED: readonly string[] = ['M ', 'M /', 'M / HTTP/1.1\r\n', 'M / HTTP/1.1\r\nHost: a'];
const METHODS = ['GET', 'HEAD', 'POST', 'BREW'] as const;

/** The response is an error that RFC 9110 allows for the method; nothing follows it. */
async function isErrorResponse(
  client: RawClient,
  method: string,
  status: number,
): Promise<RawResponse> {
  const response = await client.nextResponse(method);
  assert.equal(response.status, status, method);
  assert.equal(response.field('connection'), 'close');
  assert.equal(response.all('date').length, 1);
  const text = `${response.reason}\n`;
  assert.equal(response.field('content-length'), String(text.length));
  assert.equal(response.text, method === 'HEAD' ? '' : text);
  await client.endsCleanly();
  return response;
}

/** The same field lines, but for Date, for every method. */
function haveSameFields(responses: readonly RawResponse[]): void {
  const fields = responses.map(({ fields }) => fields.filter(([name]) => name !== 'Date'));
  for (const other of fields) assert.deepEqual(other, fields[0]);
}

onEachDriver('error responses', (add) => {
  add('an invalid head, alone and after another request', async (driver) => {
    await withServer(driver, LIMITS, routes, async ({ open, server }) => {
      for (const [name, status, request] of REJECTED) {
        const responses: RawResponse[] = [];
        for (const method of METHODS) {
          for (const isBehind of [false, true]) {
            const client = await open();
            const bytes = request.replace(/^M/, method);
            // Nothing after an invalid head is read as a request.
            void client.send(`${isBehind ? get('/') : ''}${bytes}${get('/')}`);
            if (isBehind) assert.equal((await client.nextResponse()).text, 'hello');
            responses.push(await isErrorResponse(client, method, status));
            client.reset();
          }
        }
        haveSameFields(responses);
        assert.equal(responses.length, 2 * METHODS.length, name);
      }
      assert.equal(server.counters.faults, REJECTED.length * 2 * METHODS.length);
    });
  });

  add('a truncated head: 400', async (driver) => {
    await withServer(driver, LIMITS, routes, async ({ open }) => {
      for (const request of UNFINISHED) {
        const responses: RawResponse[] = [];
        for (const method of METHODS) {
          const client = await open();
          void client.send(get('/') + request.replace(/^M/, method));
          client.half();
          assert.equal((await client.nextResponse()).text, 'hello');
          responses.push(await isErrorResponse(client, method, 400));
        }
        haveSameFields(responses);
      }
    });
  });

  add('a head that is not complete in time: 408', async (driver) => {
    const options = { ...LIMITS, headTimeoutMs: HEAD_TIMEOUT_MS };
    await withServer(driver, options, routes, async ({ open }) => {
      const responses = UNFINISHED.flatMap((request) =>
        METHODS.map(async (method) => {
          const client = await open();
          void client.send(request.replace(/^M/, method));
          return await isErrorResponse(client, method, 408);
        }),
      );
      haveSameFields(await Promise.all(responses));
    });
  });

  add('a handler that does not respond: 503, for HEAD without content', async (driver) => {
    const never = (server: Server) => {
      server.all('/', () => {});
    };
    await withServer(driver, { handlerTimeoutMs: 50 }, never, async ({ open }) => {
      const responses = METHODS.map(async (method) => {
        const client = await open();
        void client.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
        return await isErrorResponse(client, method, 503);
      });
      haveSameFields(await Promise.all(responses));
    });
  });

  add('a client without a free slot: 503 without content, whatever the method', async (driver) => {
    const options = { connectionsMax: 1, overloadWaitMs: 30, handlerTimeoutMs: 60_000 };
    const held = (server: Server) => {
      server.all('/', () => {});
    };
    await withServer(driver, options, held, async ({ open }) => {
      void (await open()).send(get('/'));
      for (const method of METHODS) {
        const client = await open();
        void client.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
        const response = await client.nextResponse(method);
        assert.equal(response.status, 503);
        assert.equal(response.field('retry-after'), '1');
        assert.equal(response.field('content-length'), '0');
        assert.equal(response.field('connection'), 'close');
        await client.endsCleanly();
        client.half();
      }
    });
  });
});
