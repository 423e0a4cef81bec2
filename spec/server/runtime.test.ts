// What a runtime does with clients that cannot be accepted, or that still wait when it closes.

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { ERRNO } from '../../src/base/errno.ts';
import { Op } from '../../src/driver/driver.ts';
import type { ServerOptions } from '../../src/server/config/config.ts';
import type { Server } from '../../src/server/server.ts';
import { get } from '../../testing/raw-client.ts';
import { VirtualServer } from '../../testing/virtual-server.ts';
import { shownJson, totalOf } from '../metrics/fixtures/shown.ts';

async function begun(
  context: TestContext,
  options: ServerOptions,
  routes: (server: Server) => void = () => {},
): Promise<VirtualServer> {
  const life = new VirtualServer(options, routes);
  await life.server.listen();
  context.after(() => life.end());
  return life;
}

/** Runs promises and turns while time passes, until close() is over. */
async function closes(life: VirtualServer, closing: Promise<void>): Promise<void> {
  let isOver = false;
  void closing.then(() => {
    isOver = true;
  });
  for (let round = 0; !isOver; round++) {
    assert.ok(round < 5_000, 'the server closes');
    await new Promise((resolve) => setImmediate(resolve));
    // Clients end their side when the server has ended its own.
    for (const [slot, { isShut, receiving }] of life.driver.sockets) {
      if (isShut && receiving) life.driver.finish(slot);
    }
    life.driver.nowMs += 10;
    life.turn();
  }
}

/** close() looks at the clock several times meanwhile. */
async function polls(life: VirtualServer): Promise<void> {
  for (let round = 0; round < 8; round++) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    await life.rest(1);
  }
}

async function becomes(life: VirtualServer, isSo: () => boolean): Promise<void> {
  for (let round = 0; !isSo(); round++) {
    assert.ok(round < 1_000, 'it happens without time that passes');
    await new Promise((resolve) => setTimeout(resolve, 1));
    await life.rest(1);
  }
}

describe('clients that cannot be accepted', () => {
  it('are counted each time, and logged once', async (context) => {
    const life = await begun(context, { metrics: true });
    for (let count = 1; count <= 3; count++) {
      life.driver.complete(Op.Accept, -1, -ERRNO.EMFILE);
      life.turn();
      assert.equal(life.server.counters.acceptFaults, count);
      life.pass(2_000);
    }
    const lines = life.asyncIo.log.filter((line) => line.includes('accept()'));
    assert.equal(lines.length, 1);
    const what =
      'clients wait, accept() failed: too many open files; raise the limit of descriptors';
    assert.ok(lines[0].includes(`${what} (ulimit -n) (EMFILE)`), lines[0]);
    const shown = await shownJson(life.server);
    assert.equal(totalOf(shown, 'vibing_accept_failures_total'), 3);
    assert.match(await life.open().ask(get('/')), /^HTTP\/1\.1 404 /);
  });
});

describe('close()', () => {
  it('refuses clients that wait for a slot when its time is over', async (context) => {
    const options = { connectionsMax: 2, overloadWaitMs: 0, shutdownTimeoutMs: 500 };
    const life = await begun(context, options, (server) => {
      server.get('/', () => new Promise<void>(() => {}));
    });
    for (let count = 0; count < 2; count++) life.open().send(get('/'));
    for (let count = 0; count < 3; count++) assert.equal(life.open().isAccepted, false);
    const closing = life.server.close();
    for (let round = 0; round < 10; round++) await life.rest();
    assert.deepEqual(life.driver.refused, [], 'a handler may respond in time');
    await closes(life, closing);
    assert.equal(life.driver.refused.length, 3);
    const lines = life.asyncIo.log.filter((line) => line.includes('reset'));
    assert.equal(lines.length, 1, String(life.asyncIo.log));
    const what = '2 connections were reset before the response ended: ';
    assert.ok(lines[0].includes(`${what}shutdown_timeout_ms (500) has passed`), lines[0]);
  });

  it('closes the rest at shutdown_timeout_ms after its first step', async (context) => {
    for (const drainLingerMs of [0, 300, 5_000]) {
      const options = { drainLingerMs, shutdownTimeoutMs: 700, lingerTimeoutMs: 1 };
      const life = await begun(context, options, (server) => {
        server.get('/', () => new Promise<void>(() => {}));
      });
      const client = life.open();
      client.send(get('/'));
      const beganMs = life.driver.nowMs;
      const closing = life.server.close();
      for (const ms of [1, 299, 300, 301, 699]) {
        life.driver.nowMs = beganMs + ms;
        await polls(life);
        assert.ok(!client.isEnded, `${drainLingerMs}: ${ms} ms`);
      }
      life.driver.nowMs = beganMs + 700;
      await becomes(life, () => client.isEnded || client.socket.isAborted);
      await closes(life, closing);
    }
  });

  it('says whether another process has the clients of the listener', async (context) => {
    for (const [close, call] of [
      ['close', 'unlisten'],
      ['closeLast', 'unlisten last'],
    ] as const) {
      const life = await begun(context, {});
      await closes(life, life.server[close]());
      assert.deepEqual(life.asyncIo.log, [], 'nothing is reset');
      assert.deepEqual(
        life.driver.calls.filter((one) => one.startsWith('unlisten')),
        [call],
      );
    }
  });
});
