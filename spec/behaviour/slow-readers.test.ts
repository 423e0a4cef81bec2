// Clients that read a large response slowly and steadily: each gets all of it, however long that
// takes. Progress is what the client has acknowledged, not what the kernel buffers for it.

import assert from 'node:assert/strict';
import type { Server } from '../../src/server/server.ts';
import { get, type RawClient } from '../../testing/raw-client.ts';
import { eventually, onDriversInTurn, wait, withServer } from '../../testing/with-server.ts';

/** Too long to expire in a test. */
const NEVER = { connectionTimeoutMs: 60_000, handlerTimeoutMs: 60_000 };

/** More than the kernels of both ends buffer for a client that does not read. */
const BYTES = 24_000_000;

function big(server: Server): void {
  server.get('/', (_request, response) => response.send(Buffer.alloc(BYTES, 'b')));
  server.get('/short', (_request, response) => response.send(Buffer.alloc(BYTES >> 2, 's')));
}

/** Reads a part now and then, for so long; `between` runs after each. */
async function readSlowly(
  client: RawClient,
  forMs: number,
  pauseMs: number,
  between: () => void = () => {},
): Promise<void> {
  const untilMs = performance.now() + forMs;
  const { socket } = client;
  const pause = (): void => void socket.pause();
  socket.on('data', pause);
  while (performance.now() < untilMs && !client.closed) {
    await wait(pauseMs);
    between();
    socket.resume();
  }
  socket.off('data', pause);
}

onDriversInTurn('slow readers', (add) => {
  add('a steady reader is not reset, however slow it is', async (driver) => {
    const options = { ...NEVER, writeTimeoutMs: 1_500 };
    await withServer(driver, options, big, async ({ open, server }) => {
      const client = await open();
      client.pause();
      void client.send(get('/'));
      await readSlowly(client, 5_000, 250);
      assert.equal(client.errorCode, '');
      assert.ok(client.receivedBytes < BYTES / 2, 'it was slow');
      client.resume();
      assert.equal((await client.nextResponse()).body.length, BYTES);
      assert.equal(server.counters.timeouts, 0);
    });
  });

  add('a steady reader that stops is reset', async (driver) => {
    const options = { ...NEVER, writeTimeoutMs: 400 };
    await withServer(driver, options, big, async ({ open, server }) => {
      const client = await open();
      client.pause();
      void client.send(get('/'));
      await readSlowly(client, 1_000, 100);
      client.pause();
      await eventually('the server closes', () => server.counters.closed === 1);
      assert.equal(server.counters.timeouts, 1);
      client.resume();
      await client.isReset();
    });
  });

  add(
    'a last response is not truncated while its client reads it and sends bytes',
    async (driver) => {
      const options = { ...NEVER, lingerTimeoutMs: 100, writeTimeoutMs: 1_000 };
      await withServer(driver, options, big, async ({ open, server }) => {
        const client = await open();
        client.pause();
        void client.send(get('/short', 'Connection: close'));
        await readSlowly(client, 1_500, 150, () => void client.send('x'));
        assert.equal(client.errorCode, '');
        assert.equal(server.counters.closed, 0);
        client.resume();
        assert.equal((await client.nextResponse()).body.length, BYTES >> 2);
        // All of it has arrived, so lingering ends.
        await eventually('the server closes', () => server.counters.closed === 1);
      });
    },
  );

  add('a client that stops reading its last response is reset', async (driver) => {
    const options = { ...NEVER, lingerTimeoutMs: 100, writeTimeoutMs: 300 };
    await withServer(driver, options, big, async ({ open, server }) => {
      const client = await open();
      client.pause();
      void client.send(get('/short', 'Connection: close'));
      await eventually('the server closes', () => server.counters.closed === 1);
      client.resume();
      await client.isReset();
      assert.ok(client.receivedBytes < BYTES >> 2);
    });
  });
});
