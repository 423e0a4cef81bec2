// Connections that close to make room for another client and when the server closes, and
// connections while blocks are short.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { closeFirmly, drain } from '../../src/connection/close.ts';
import { Draining, Timeout } from '../../src/connection/context.ts';
import type { Handler } from '../../src/exchange/handler.ts';
import type { Response } from '../../src/exchange/response.ts';
import {
  type Client,
  ConnectionFixture,
  DATE,
  Gate,
  get,
  post,
  respond,
} from '../../testing/connection-fixture.ts';

const CLOSE = 'Connection: close';
const echo: Handler = (request, response) => response.text(request.target);
const never: Handler = async () => await new Promise(() => {});

/** How late an idle deadline may expire: 1/16 of its length, here at most 1,000 ms. */
const SLACK_MS = 63;

describe('room for another client', () => {
  it('is made by an idle connection, without a response or lost bytes', async () => {
    const fixture = new ConnectionFixture(echo);
    const client = fixture.open();
    assert.equal(client.connection.evict(), true);
    fixture.turn();
    assert.deepEqual([client.isShut, client.isClosed], [true, false]);
    assert.equal(client.connection.evict(), false, 'once is enough');
    client.send(get('/'));
    client.finish();
    assert.equal(client.isClosed, true);
    assert.equal(client.isReset, false);
    assert.equal(fixture.counters.requests, 0);
    assert.equal(fixture.counters.evicted, 1);
    assert.match(fixture.debugLines[0] ?? '', /idle: closed to free its slot for another client/);
    fixture.checkGivenBack();
  });

  const busy: [string, (fixture: ConnectionFixture, client: Client) => void][] = [
    ['a head was begun', (_fixture, client) => client.send('GET')],
    ['a handler runs', (_fixture, client) => client.send(get('/never'))],
    ['a response is being sent', (_fixture, client) => client.send(get('/'))],
    [
      'it is closing',
      (_fixture, client) => {
        client.send(get('/', CLOSE));
        client.take();
      },
    ],
    [
      'no block is free',
      (fixture) => {
        while (fixture.slab.freeCount > 0) fixture.slab.acquire();
      },
    ],
  ];
  for (const [why, prepare] of busy) {
    it(`is not made while ${why}`, () => {
      const fixture = new ConnectionFixture((request, response) =>
        request.target === '/never' ? never(request, response) : response.text('x'),
      );
      const client = fixture.open();
      prepare(fixture, client);
      assert.equal(client.connection.evict(), false);
      fixture.turn();
      assert.equal(client.isClosed, false);
      assert.equal(fixture.counters.evicted, 0);
    });
  }

  it('is not available: 503 with Retry-After, then close', async () => {
    const fixture = new ConnectionFixture(echo, { overloaded: true });
    const client = fixture.open();
    // Its request is not read, and may be a HEAD: a response without content fits any.
    const fields = [DATE, 'Retry-After: 1', 'Content-Length: 0', CLOSE].join('\r\n');
    const busyResponse = `HTTP/1.1 503 Service Unavailable\r\n${fields}\r\n\r\n`;
    assert.equal(await client.read(), busyResponse);
    assert.equal(client.isShut, true);
    assert.deepEqual([fixture.counters.turnedAway, fixture.counters.faults], [1, 0]);
    assert.match(fixture.debugLines[0] ?? '', /no connection is free: 503/);
    client.send(get('/'));
    client.finish();
    assert.equal(client.isClosed, true);
    assert.equal(fixture.counters.requests, 0);
    fixture.checkGivenBack();
  });
});

describe('a closing server', () => {
  function closing(fixture: ConnectionFixture, how: Draining = Draining.Gently): void {
    fixture.context.draining = how;
    fixture.context.idleTimeout = Timeout.Drain;
    fixture.context.headTimeout = Timeout.DrainHead;
    for (const connection of fixture.connections) drain(connection);
  }

  it('responds to received requests, with Connection: close in the last response', async () => {
    const fixture = new ConnectionFixture(echo);
    const client = fixture.open();
    closing(fixture);
    client.send(get('/1') + get('/2'));
    assert.equal(await client.read(), respond('/1') + respond('/2', CLOSE));
    assert.equal(client.isShut, true);
    await fixture.end();
  });

  it('firmly says close in the next response, whatever follows the request', async () => {
    const fixture = new ConnectionFixture(echo);
    const client = fixture.open();
    closing(fixture, Draining.Firmly);
    client.send(get('/1') + get('/2'));
    assert.equal(await client.read(), respond('/1', CLOSE));
    await fixture.end();
  });

  it('says close in the response of a running handler', async () => {
    let response: Response | null = null;
    const fixture = new ConnectionFixture(async (_request, later) => {
      response = later;
      await new Promise(() => {});
    });
    const client = fixture.open();
    client.send(get('/'));
    await fixture.rest();
    closing(fixture);
    (response as Response | null)?.text('late');
    await fixture.rest();
    assert.equal(await client.read(), respond('late', CLOSE));
    assert.equal(client.isShut, true);
    await fixture.end();
  });

  it('keeps an idle connection for drain_linger_ms, and responds to its requests', async () => {
    const fixture = new ConnectionFixture(echo, {
      limits: { drainLingerMs: 500, keepAliveTimeoutMs: 60_000 },
    });
    const quiet = fixture.open();
    const other = fixture.open();
    closing(fixture);
    fixture.pass(499);
    assert.equal(quiet.isShut, false);
    assert.equal(await other.ask(get('/')), respond('/', CLOSE));
    fixture.pass(1 + SLACK_MS);
    assert.equal(quiet.isShut, true);
    assert.equal(fixture.counters.timeouts, 0, 'it is not counted as a timeout');
    await fixture.end();
  });

  it('lets a handler run, and a client receive its response', async () => {
    const gate = new Gate();
    const fixture = new ConnectionFixture(
      async (request, response) => {
        if (request.target === '/slow') await gate.opened;
        response.text(request.target);
      },
      { limits: { drainLingerMs: 500 } },
    );
    const [slow, taking] = [fixture.open(), fixture.open()];
    slow.send(get('/slow'));
    taking.send(get('/now'));
    await fixture.rest();
    closing(fixture);
    fixture.pass(5_000);
    assert.deepEqual([slow.isShut, slow.isClosed, taking.isShut], [false, false, false]);
    gate.open();
    await fixture.rest();
    assert.equal(await slow.read(), respond('/slow', CLOSE));
    assert.equal(await taking.read(), respond('/now'));
    fixture.pass(500 + SLACK_MS);
    assert.equal(taking.isShut, true);
    await fixture.end();
  });

  it('lets a connection linger', async () => {
    const fixture = new ConnectionFixture(echo, {
      limits: { drainLingerMs: 100, lingerTimeoutMs: 2_000 },
    });
    const client = fixture.open();
    await client.ask(get('/', CLOSE));
    closing(fixture);
    fixture.pass(500);
    fixture.pass(1_000);
    assert.equal(client.isShut, true);
    fixture.pass(1_000);
    assert.equal(client.isClosed, true);
    fixture.checkGivenBack();
  });

  it('closes the rest: in order if nothing is missing, otherwise by a reset', async () => {
    const fixture = new ConnectionFixture((request, response) =>
      request.target === '/never' ? never(request, response) : response.text('x'),
    );
    const [idle, begun, working, sending] = [
      fixture.open(),
      fixture.open(),
      fixture.open(),
      fixture.open(),
    ];
    begun.send('GET');
    working.send(get('/never'));
    sending.send(get('/'));
    sending.take(5);
    for (const connection of fixture.connections) closeFirmly(connection);
    fixture.turn();
    assert.deepEqual(
      [idle, begun, working, sending].map((client) => [client.isClosed, client.isReset]),
      [
        [true, false],
        [true, true],
        [true, true],
        [true, true],
      ],
    );
    fixture.checkGivenBack();
  });

  it('says close before a body that was not read', async () => {
    const fixture = new ConnectionFixture(echo);
    const client = fixture.open();
    closing(fixture);
    assert.equal(await client.ask(post('/', 5, '01')), respond('/', CLOSE));
    await fixture.end();
  });
});

describe('when blocks are short', () => {
  it('waiting bytes spill, and get a response', async () => {
    const gate = new Gate();
    const fixture = new ConnectionFixture(
      async (request, response) => {
        await gate.opened;
        response.text(request.target);
      },
      { blocks: 16 },
    );
    const client = fixture.open();
    const held: number[] = [];
    while (fixture.slab.freeCount > 2) held.push(fixture.slab.acquire());
    client.send(get('/1'));
    await fixture.rest();
    client.send(get('/2'));
    client.send(get('/3').slice(0, 7));
    assert.equal(fixture.slab.freeCount, 2, 'no block is held');
    gate.open();
    await fixture.rest();
    assert.equal(await client.read(), respond('/1') + respond('/2'));
    assert.equal(await client.ask(get('/3').slice(7)), respond('/3'));
    for (const block of held) fixture.slab.release(block);
    await fixture.end();
  });

  it('a head may be longer than half a block', async () => {
    const fixture = new ConnectionFixture(echo, { blocks: 16, limits: { headBytesMax: 1_024 } });
    const client = fixture.open();
    const held: number[] = [];
    while (fixture.slab.freeCount > 1) held.push(fixture.slab.acquire());
    const text = get('/long', `X: ${'x'.repeat(800)}`);
    for (let at = 0; at < text.length; at += 100) client.send(text.slice(at, at + 100));
    assert.equal(await client.read(), respond('/long'));
    for (const block of held) fixture.slab.release(block);
    await fixture.end();
  });

  it('half a block is received ahead of a handler', async () => {
    const fixture = new ConnectionFixture(never, { blocks: 16 });
    const client = fixture.open();
    const held: number[] = [];
    while (fixture.slab.freeCount > 1) held.push(fixture.slab.acquire());
    client.send(get('/1'));
    await fixture.rest();
    client.send('G'.repeat(511));
    assert.equal(client.socket.receiving, true);
    client.send('G');
    assert.equal(client.socket.receiving, false);
    for (const block of held) fixture.slab.release(block);
    await fixture.end();
  });
});
