// What the hostile application of the simulator found: bodies left half read behind a response,
// next() of a request whose client is gone, and streams that callbacks begin.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Handler } from '../../src/exchange/exchange.ts';
import type { Next } from '../../src/exchange/middleware.ts';
import { ConnectionWorld, get, post } from '../../testing/connection-fixture.ts';

describe('a body that is left half read behind its response', () => {
  it('has a deadline', async () => {
    const limits = { bodyTimeoutMs: 200, lingerTimeoutMs: 100 };
    const handler: Handler = (request, response) => {
      void request.body[Symbol.asyncIterator]().next();
      response.text('early');
    };
    const world = new ConnectionWorld(handler, { limits });
    const client = world.open();
    client.send(post('/', 8));
    await world.rest();
    client.send('12345');
    await world.rest();
    assert.match(await client.read(), /early$/);
    world.pass(199);
    await world.rest();
    assert.equal(client.isShut, false, 'the rest may still come');
    world.pass(1);
    await world.rest();
    assert.equal(client.isShut, true, 'a client that sends nothing more is not kept');
    await world.end();
  });
});

describe('next() of a request whose client is gone', () => {
  it('runs nothing once the middleware has settled', async () => {
    let kept: Next | null = null;
    let runs = 0;
    const world = new ConnectionWorld(() => {
      runs += 1;
    });
    world.application.use('/', async (request, response, next) => {
      kept = next;
      await new Promise((resolve) => request.signal.addEventListener('abort', resolve));
      response.status(403).text('no');
    });
    const client = world.open();
    client.send(get('/'));
    client.breakOff();
    await world.rest();
    const late = kept as Next | null;
    assert.ok(late !== null);
    await assert.rejects(late(), /after the response/);
    assert.equal(runs, 0, 'the guard let nothing through');
    await world.end();
  });

  it('still runs the rest for a middleware that goes on', async () => {
    let runs = 0;
    const world = new ConnectionWorld(() => {
      runs += 1;
    });
    world.application.use('/', async (request, _response, next) => {
      await new Promise((resolve) => request.signal.addEventListener('abort', resolve));
      await next();
    });
    const client = world.open();
    client.send(get('/'));
    client.breakOff();
    await world.rest();
    assert.equal(runs, 1);
    await world.end();
  });
});

describe('a stream that a beforeSend() callback begins', () => {
  it('is the response, and its source is ended with it', async () => {
    let ended = false;
    const quiet = new ReadableStream<Uint8Array>({
      cancel() {
        ended = true;
      },
    });
    const world = new ConnectionWorld((_request, response) => {
      response.beforeSend(() => {
        void response.stream(quiet);
      });
      assert.throws(() => response.json({}), /json\(\): stream\(\) is sending the response/);
    });
    const client = world.open();
    assert.equal(await client.ask(get('/')), '', 'the source has given nothing yet');
    client.breakOff();
    await world.rest();
    assert.equal(ended, true, 'nobody waits for it any more');
    await world.end();
  });
});
