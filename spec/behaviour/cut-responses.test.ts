// Responses that do not keep to the length that they announced: the client sees that they are not
// whole, a line of the log says why, and the server goes on.

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

/** More than the kernel takes for a client that does not read. */
const HUGE_BYTES = 64 * 1024 * 1024;

async function* pieces(...all: string[]): AsyncGenerator<string> {
  for (const piece of all) {
    await new Promise((resolve) => setImmediate(resolve));
    yield piece;
  }
}

const LONGER =
  /GET \/: the response was truncated: .*more was written than Content-Length announced \(5\)/;
const SHORTER = /GET \/: the response was truncated: .* ended 2 bytes before its Content-Length/;

/** What came behind the last announced byte leaves a response that is whole. */
const BEHIND = 'a piece behind the end';

/** Each announces 5 bytes. */
const WRONG: readonly (readonly [name: string, why: RegExp, handler: Handler])[] = [
  ['a long piece', LONGER, (_request, response) => response.stream(['123456'])],
  [BEHIND, LONGER, (_request, response) => response.stream(pieces('123', '45', '6'))],
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
        // Whatever it says.
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
  ['a short stream', SHORTER, (_request, response) => response.stream(pieces('123'))],
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
        // Whatever it says.
      }
    },
  ],
];

/** Messages of the log; an error's stack is more lines of one. */
function messages(log: readonly string[]): string[] {
  return log.filter((line) => line.startsWith('vibing '));
}

/** The response to `GET /` is cut, unless what is wrong came behind it, and the log tells of it. */
async function isCut(
  driver: DriverName,
  handler: Handler,
  why: RegExp,
  isWhole: boolean,
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
      if (isWhole) assert.equal((await client.nextResponse()).text, '12345');
      await assert.rejects(client.nextResponse(), 'what came is not whole');
      assert.equal((await (await open()).ask(get('/next'))).text, 'next');
      assert.equal(messages(log).length, 1, log.join('\n'));
      assert.match(log[0] ?? '', why);
      assert.equal(server.counters.resets, 1);
    },
  );
}

onEachDriver('a response of the wrong length', (add) => {
  for (const [name, why, handler] of WRONG) {
    add(name, (driver) => isCut(driver, handler, why, name === BEHIND));
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
          // The kernel has a few million bytes more.
          truncateSync(file, 1_000_000);
          client.resume();
          await client.ending();
          assert.ok(client.receivedBytes < HUGE_BYTES);
          await eventually('the log tells of it', () => log.length > 0);
          assert.equal(messages(log).length, 1, log.join('\n'));
          assert.match(log[0] ?? '', /GET .*: the response was truncated: the file ended /);
        },
      );
    });
  }
});
