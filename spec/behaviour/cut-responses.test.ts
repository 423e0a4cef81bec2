// Responses whose content does not have the length they announced: the client sees that they are
// incomplete, a log line says why, and the server serves the next request.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { Handler } from '../../src/exchange/handler.ts';
import { serveStatic } from '../../src/static/serve-static.ts';
import { get } from '../../testing/raw-client.ts';
import {
  type DriverName,
  eventually,
  onEachDriver,
  withServer,
} from '../../testing/with-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'vibing-cut-'));
after(() => rmSync(folder, { recursive: true }));

/** More than the kernel buffers for a client that does not read. */
const HUGE_BYTES = 64 * 1024 * 1024;

async function* chunks(...all: string[]): AsyncGenerator<string> {
  for (const chunk of all) {
    await new Promise((resolve) => setImmediate(resolve));
    yield chunk;
  }
}

const LONGER =
  /GET \/: the connection was reset: .*more was written than Content-Length announced \(5\)/;
const SHORTER = /GET \/: the response was truncated: .* ended 2 bytes before its Content-Length/;

/** A chunk after the last announced byte: the client has a complete response. */
const AFTER_END = 'a chunk after the end';

/** Each announces 5 bytes. */
const WRONG: readonly (readonly [name: string, why: RegExp, handler: Handler])[] = [
  ['a long chunk', LONGER, (_request, response) => response.stream(['123456'])],
  [AFTER_END, LONGER, (_request, response) => response.stream(chunks('123', '45', '6'))],
  [
    'a long write()',
    LONGER,
    async (_request, response) => {
      await response.write('123');
      await response.write('456');
    },
  ],
  [
    'a long write() whose error is caught',
    LONGER,
    async (_request, response) => {
      try {
        await response.write('123456');
        response.end();
      } catch {
        // Whatever the error is.
      }
    },
  ],
  [
    'a long end()',
    LONGER,
    async (_request, response) => {
      await response.write('123');
      response.end('456');
    },
  ],
  ['a short stream', SHORTER, (_request, response) => response.stream(chunks('123'))],
  [
    'a short end()',
    SHORTER,
    async (_request, response) => {
      await response.write('12');
      response.end('3');
    },
  ],
  [
    'a short end() whose error is caught',
    SHORTER,
    async (_request, response) => {
      await response.write('123');
      try {
        response.end();
      } catch {
        // Whatever the error is.
      }
    },
  ],
];

/** The messages of the log; the lines of an error's stack belong to one message. */
function messages(log: readonly string[]): string[] {
  return log.filter((line) => line.startsWith('vibing '));
}

/** The response to `GET /` is truncated (complete if `isComplete`), and one log line says why. */
async function isCut(
  driver: DriverName,
  handler: Handler,
  why: RegExp,
  isComplete: boolean,
): Promise<void> {
  await withServer(
    driver,
    { logLevel: 'info' },
    (server) => {
      server.get('/', (request, response) => {
        response.header('Content-Length', 5);
        return handler(request, response);
      });
      server.get('/next', (_request, response) => response.text('next'));
    },
    async ({ log, open, server }) => {
      const client = await open();
      void client.send(get('/') + get('/next'));
      await client.ending();
      if (isComplete) assert.equal((await client.nextResponse()).text, '12345');
      await assert.rejects(client.nextResponse(), 'the response is incomplete');
      assert.equal((await (await open()).ask(get('/next'))).text, 'next');
      assert.equal(messages(log).length, 1, log.join('\n'));
      assert.match(log[0] ?? '', why);
      assert.equal(server.counters.resets, 1);
    },
  );
}

onEachDriver('a response of the wrong length', (add) => {
  for (const [name, why, handler] of WRONG) {
    add(name, (driver) => isCut(driver, handler, why, name === AFTER_END));
  }

  for (const target of ['/file', '/site/huge.bin']) {
    add(`a file that shrinks while it is sent (${target})`, async (driver) => {
      const file = join(folder, 'huge.bin');
      writeFileSync(file, '');
      truncateSync(file, HUGE_BYTES);
      await withServer(
        driver,
        { logLevel: 'info' },
        (server) => {
          server.use('/site', serveStatic(folder));
          server.get('/file', (_request, response) => response.file(file));
        },
        async ({ log, open }) => {
          const client = await open();
          void client.send(get(target));
          await client.hasReceived(1);
          client.pause();
          // The kernel holds a few million bytes more.
          truncateSync(file, 1_000_000);
          client.resume();
          await client.ending();
          assert.ok(client.receivedBytes < HUGE_BYTES);
          await eventually('the log has a line', () => log.length > 0);
          assert.equal(messages(log).length, 1, log.join('\n'));
          assert.match(log[0] ?? '', /GET .*: the response was truncated: the file ended /);
        },
      );
    });
  }
});
