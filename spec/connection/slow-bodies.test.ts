// Request bodies that arrive slowly, on connections in memory: body_timeout_ms for each chunk and
// body_total_timeout_ms for all of them.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Handler } from '../../src/exchange/handler.ts';
import {
  ConnectionFixture,
  type FixtureOptions,
  Gate,
  post,
  respond,
  responseOf,
} from '../../testing/connection-fixture.ts';

const CLOSE = 'Connection: close';

/** Responds with the text of the body. */
const echoBody: Handler = async (request, response) => {
  response.text(`${request.target}:${await request.text()}`);
};

/** Responds at once and reads nothing. */
const careless: Handler = (request, response) => response.text(request.target);

function echo(options: FixtureOptions = {}): ConnectionFixture {
  return new ConnectionFixture(echoBody, options);
}

describe('a slow body', () => {
  it('has body_timeout_ms for each chunk, then 408', async () => {
    const fixture = echo({ limits: { bodyTimeoutMs: 1_000 } });
    const client = fixture.open();
    client.send(post('/', 10, '0'));
    await fixture.rest();
    for (let count = 0; count < 5; count++) {
      fixture.pass(900);
      client.send('1');
      await fixture.rest();
    }
    assert.equal(client.news(), '');
    fixture.pass(999);
    await fixture.rest();
    assert.equal(client.socket.send, null);
    fixture.pass(1);
    await fixture.rest();
    assert.equal(await client.read(), responseOf('408 Request Timeout', 'body too slow\n', CLOSE));
    assert.equal(fixture.counters.timeouts, 1);
    assert.equal(client.isShut, true);
    await fixture.end();
  });

  it('rejects for a handler that has responded and reads on', async () => {
    const errors: string[] = [];
    const reading: Handler = async (request, response) => {
      const body = request.text();
      response.text('early');
      await body.catch((error: Error) => errors.push(error.message));
    };
    const fixture = new ConnectionFixture(reading, { limits: { bodyTimeoutMs: 1_000 } });
    const client = fixture.open();
    client.send(post('/', 10, '0'));
    await fixture.rest();
    assert.equal(await client.read(), respond('early'));
    fixture.pass(1_000);
    await fixture.rest();
    assert.equal(errors.length, 1);
    assert.equal(client.isShut, true);
    await fixture.end();
  });

  it('has body_total_timeout_ms and a millisecond for each byte in all', async () => {
    const fixture = echo({ limits: { bodyTimeoutMs: 1_000, bodyTotalTimeoutMs: 2_000 } });
    const client = fixture.open();
    client.send(post('/', 10));
    await fixture.rest();
    for (let count = 1; count <= 4; count++) {
      fixture.pass(501);
      client.send('x');
      await fixture.rest();
      const isOver = 501 * count > 2_000 + count;
      assert.equal(client.socket.send !== null, isOver, `after ${count} bytes`);
    }
    assert.equal(fixture.counters.timeouts, 0);
    fixture.pass(5);
    client.send('x');
    await fixture.rest();
    assert.match(await client.read(), /^HTTP\/1\.1 408 /);
    assert.equal(fixture.counters.timeouts, 1);
    await fixture.end();
  });

  it('has all of its time, whatever the one before on its connection took', async () => {
    const fixture = echo({ limits: { bodyTimeoutMs: 1_500, bodyTotalTimeoutMs: 2_000 } });
    const client = fixture.open();
    for (let request = 0; request < 3; request++) {
      client.send(post('/', 1));
      await fixture.rest();
      fixture.pass(1_400);
      client.send('x');
      await fixture.rest();
      assert.match(await client.read(), /\/:x$/, `request ${request}`);
    }
    assert.equal(fixture.counters.timeouts, 0);
    await fixture.end();
  });

  for (const [name, limits] of [
    ['body_timeout_ms', { bodyTimeoutMs: 1_000 }],
    ['body_total_timeout_ms', { bodyTimeoutMs: 5_000, bodyTotalTimeoutMs: 1_000 }],
  ] as const) {
    it(`gets no more than ${name} from a handler that writes while it waits`, async () => {
      let write = (): void => {};
      const errors: unknown[] = [];
      const fixture = new ConnectionFixture(
        async (request, response) => {
          write = () => void response.write('.');
          write();
          await request.bytes().catch((error: unknown) => {
            errors.push(error);
            throw error;
          });
        },
        { limits },
      );
      const client = fixture.open();
      client.send(post('/', 10, '0'));
      await fixture.rest();
      for (let count = 0; count < 4; count++) {
        fixture.pass(300);
        write();
        client.news();
        await fixture.rest();
      }
      if (errors.length === 0) {
        client.send('1');
        await fixture.rest();
      }
      assert.equal(fixture.counters.timeouts, 1);
      assert.match(String(errors), /body too slow/);
      await client.read();
      fixture.pass(60_000);
      await fixture.end();
    });
  }

  it('time without a reader does not count', async () => {
    const gates = [new Gate(), new Gate()];
    const fixture = new ConnectionFixture(
      async (request, response) => {
        await gates[0]?.opened;
        response.text(await request.text());
      },
      { limits: { bodyTimeoutMs: 1_000, bodyTotalTimeoutMs: 500, handlerTimeoutMs: 60_000 } },
    );
    const client = fixture.open();
    client.send(post('/', 3, 'a'));
    await fixture.rest();
    fixture.pass(10_000);
    gates[0]?.open();
    await fixture.rest();
    fixture.pass(400);
    client.send('bc');
    await fixture.rest();
    assert.equal(await client.read(), respond('abc'));
    await fixture.end();
  });

  it('that is skipped has the timeout as well, then the connection closes', async () => {
    const fixture = new ConnectionFixture(careless, { limits: { bodyTimeoutMs: 1_000 } });
    const client = fixture.open();
    assert.equal(await client.ask(post('/a', 10, '0')), respond('/a'));
    fixture.pass(1_000);
    assert.equal(client.isShut, true);
    assert.equal(fixture.counters.timeouts, 1);
    assert.equal(await client.read(), '');
    await fixture.end();
  });
});
