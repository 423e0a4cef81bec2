// Connections that end for the sake of others: to make room for another client, and when the server
// closes; and what they do while memory is short.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cutOff, drain } from '../../src/connection/close.ts';
import { Draining, Timeout } from '../../src/connection/context.ts';
import type { Handler } from '../../src/exchange/exchange.ts';
import type { Response } from '../../src/exchange/response.ts';
import {
  answer,
  type Client,
  ConnectionWorld,
  DATE,
  Gate,
  get,
  post,
} from '../../testing/connection-fixture.ts';

const CLOSE = 'Connection: close';
const echo: Handler = (request, response) => response.text(request.target);
const never: Handler = async () => await new Promise(() => {});

/** How late a deadline of idle connections may come: 1/16 of its length, here at most 1,000 ms. */
const SLACK_MS = 63;

describe('room for another client', () => {
  it('is made by who is idle, without a word, and without losing what it was sent', async () => {
    const world = new ConnectionWorld(echo);
    const client = world.open();
    assert.equal(client.connection.yieldSlot(), true);
    world.turn();
    assert.deepEqual([client.isShut, client.isClosed], [true, false]);
    assert.equal(client.connection.yieldSlot(), false, 'once is enough');
    client.send(get('/'));
    client.finish();
    assert.equal(client.isClosed, true);
    assert.equal(client.isReset, false);
    assert.equal(world.counters.requests, 0);
    assert.equal(world.counters.evicted, 1);
    assert.match(world.debugLines[0] ?? '', /idle, and makes room for another client/);
    world.checkGivenBack();
  });

  const busy: [string, (world: ConnectionWorld, client: Client) => void][] = [
    ['a head was begun', (_world, client) => client.send('GET')],
    ['a handler runs', (_world, client) => client.send(get('/never'))],
    ['an answer is on its way', (_world, client) => client.send(get('/'))],
    [
      'it is ending',
      (_world, client) => {
        client.send(get('/', CLOSE));
        client.take();
      },
    ],
    [
      'no block is free',
      (world) => {
        while (world.slab.freeCount > 0) world.slab.acquire();
      },
    ],
  ];
  for (const [why, prepare] of busy) {
    it(`is not made while ${why}`, () => {
      const world = new ConnectionWorld((request, response) =>
        request.target === '/never' ? never(request, response) : response.text('x'),
      );
      const client = world.open();
      prepare(world, client);
      assert.equal(client.connection.yieldSlot(), false);
      world.turn();
      assert.equal(client.isClosed, false);
      assert.equal(world.counters.evicted, 0);
    });
  }

  it('is not there: 503 with Retry-After, and the end', async () => {
    const world = new ConnectionWorld(echo, { overloaded: true });
    const client = world.open();
    // Its request is not read, and may be a HEAD: an answer without content fits any.
    const fields = [DATE, 'Retry-After: 1', 'Content-Length: 0', CLOSE].join('\r\n');
    const busyAnswer = `HTTP/1.1 503 Service Unavailable\r\n${fields}\r\n\r\n`;
    assert.equal(await client.read(), busyAnswer);
    assert.equal(client.isShut, true);
    assert.deepEqual([world.counters.turnedAway, world.counters.faults], [1, 0]);
    assert.match(world.debugLines[0] ?? '', /no connection is free: 503/);
    client.send(get('/'));
    client.finish();
    assert.equal(client.isClosed, true);
    assert.equal(world.counters.requests, 0);
    world.checkGivenBack();
  });
});

describe('a closing server', () => {
  function closing(world: ConnectionWorld, how: Draining = Draining.Gently): void {
    world.context.draining = how;
    world.context.idleTimeout = Timeout.Drain;
    for (const connection of world.connections) drain(connection);
  }

  it('answers what was received, and says close with the last of it', async () => {
    const world = new ConnectionWorld(echo);
    const client = world.open();
    closing(world);
    client.send(get('/1') + get('/2'));
    assert.equal(await client.read(), answer('/1') + answer('/2', CLOSE));
    assert.equal(client.isShut, true);
    await world.end();
  });

  it('firmly says close with the next answer, whatever stands behind it', async () => {
    const world = new ConnectionWorld(echo);
    const client = world.open();
    closing(world, Draining.Firmly);
    client.send(get('/1') + get('/2'));
    assert.equal(await client.read(), answer('/1', CLOSE));
    await world.end();
  });

  it('says close with the answer to a handler that runs', async () => {
    let response: Response | null = null;
    const world = new ConnectionWorld(async (_request, later) => {
      response = later;
      await new Promise(() => {});
    });
    const client = world.open();
    client.send(get('/'));
    await world.rest();
    closing(world);
    (response as Response | null)?.text('late');
    await world.rest();
    assert.equal(await client.read(), answer('late', CLOSE));
    assert.equal(client.isShut, true);
    await world.end();
  });

  it('gives an idle connection drain_linger_ms, and answers what comes in it', async () => {
    const world = new ConnectionWorld(echo, {
      limits: { drainLingerMs: 500, keepAliveTimeoutMs: 60_000 },
    });
    const quiet = world.open();
    const other = world.open();
    closing(world);
    world.pass(499);
    assert.equal(quiet.isShut, false);
    assert.equal(await other.ask(get('/')), answer('/', CLOSE));
    world.pass(1 + SLACK_MS);
    assert.equal(quiet.isShut, true);
    assert.equal(world.counters.timeouts, 0, 'that is no timeout');
    await world.end();
  });

  it('leaves a handler its time, and who is at its answer', async () => {
    const gate = new Gate();
    const world = new ConnectionWorld(
      async (request, response) => {
        if (request.target === '/slow') await gate.opened;
        response.text(request.target);
      },
      { limits: { drainLingerMs: 500 } },
    );
    const [slow, taking] = [world.open(), world.open()];
    slow.send(get('/slow'));
    taking.send(get('/now'));
    await world.rest();
    closing(world);
    world.pass(5_000);
    assert.deepEqual([slow.isShut, slow.isClosed, taking.isShut], [false, false, false]);
    gate.open();
    await world.rest();
    assert.equal(await slow.read(), answer('/slow', CLOSE));
    assert.equal(await taking.read(), answer('/now'));
    world.pass(500 + SLACK_MS);
    assert.equal(taking.isShut, true);
    await world.end();
  });

  it('leaves who lingers its time', async () => {
    const world = new ConnectionWorld(echo, {
      limits: { drainLingerMs: 100, lingerTimeoutMs: 2_000 },
    });
    const client = world.open();
    await client.ask(get('/', CLOSE));
    closing(world);
    world.pass(500);
    world.pass(1_000);
    assert.equal(client.isShut, true);
    world.pass(1_000);
    assert.equal(client.isClosed, true);
    world.checkGivenBack();
  });

  it('cuts off who is left: in order if nothing is missing, else by a reset', async () => {
    const world = new ConnectionWorld((request, response) =>
      request.target === '/never' ? never(request, response) : response.text('x'),
    );
    const [idle, begun, working, sending] = [
      world.open(),
      world.open(),
      world.open(),
      world.open(),
    ];
    begun.send('GET');
    working.send(get('/never'));
    sending.send(get('/'));
    sending.take(5);
    for (const connection of world.connections) cutOff(connection);
    world.turn();
    assert.deepEqual(
      [idle, begun, working, sending].map((client) => [client.isClosed, client.isReset]),
      [
        [true, false],
        [true, true],
        [true, true],
        [true, true],
      ],
    );
    world.checkGivenBack();
  });

  it('says close before a body that was not read', async () => {
    const world = new ConnectionWorld(echo);
    const client = world.open();
    closing(world);
    assert.equal(await client.ask(post('/', 5, '01')), answer('/', CLOSE));
    await world.end();
  });
});

describe('when blocks are short', () => {
  it('what waits moves to memory of its own, and is answered', async () => {
    const gate = new Gate();
    const world = new ConnectionWorld(
      async (request, response) => {
        await gate.opened;
        response.text(request.target);
      },
      { blocks: 16 },
    );
    const client = world.open();
    const held: number[] = [];
    while (world.slab.freeCount > 2) held.push(world.slab.acquire());
    client.send(get('/1'));
    await world.rest();
    client.send(get('/2'));
    client.send(get('/3').slice(0, 7));
    assert.equal(world.slab.freeCount, 2, 'no block is held');
    gate.open();
    await world.rest();
    assert.equal(await client.read(), answer('/1') + answer('/2'));
    assert.equal(await client.ask(get('/3').slice(7)), answer('/3'));
    for (const block of held) world.slab.release(block);
    await world.end();
  });

  it('a head goes on beyond half a block', async () => {
    const world = new ConnectionWorld(echo, { blocks: 16, limits: { headBytesMax: 1_024 } });
    const client = world.open();
    const held: number[] = [];
    while (world.slab.freeCount > 1) held.push(world.slab.acquire());
    const text = get('/long', `X: ${'x'.repeat(800)}`);
    for (let at = 0; at < text.length; at += 100) client.send(text.slice(at, at + 100));
    assert.equal(await client.read(), answer('/long'));
    for (const block of held) world.slab.release(block);
    await world.end();
  });

  it('bytes that fill half a block are enough ahead of a handler', async () => {
    const world = new ConnectionWorld(never, { blocks: 16 });
    const client = world.open();
    const held: number[] = [];
    while (world.slab.freeCount > 1) held.push(world.slab.acquire());
    client.send(get('/1'));
    await world.rest();
    client.send('G'.repeat(511));
    assert.equal(client.socket.receiving, true);
    client.send('G');
    assert.equal(client.socket.receiving, false);
    for (const block of held) world.slab.release(block);
    await world.end();
  });
});
