// How connections end: in order with lingering, by each deadline, by the client, and by a response
// that cannot be completed.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Handler } from '../../src/exchange/handler.ts';
import type { Response } from '../../src/exchange/response.ts';
import {
  ConnectionFixture,
  DATE,
  Gate,
  get,
  post,
  respond,
  responseOf,
} from '../../testing/connection-fixture.ts';

const CLOSE = 'Connection: close';
const echo: Handler = (request, response) => response.text(request.target);

/** How late an idle deadline may expire: 1/16 of its length, here at most 1,000 ms. */
const SLACK_MS = 63;

/** The summaries of afterSend() for every response. */
function summaries(handler: Handler): { handler: Handler; reported: unknown[] } {
  const reported: unknown[] = [];
  return {
    reported,
    handler: (request, response) => {
      response.afterSend(({ status, bytes, complete }) =>
        reported.push({ status, bytes, complete }),
      );
      return handler(request, response);
    },
  };
}

describe('an end in order', () => {
  it('sends the response, shuts our side, waits for the client', async () => {
    const fixture = new ConnectionFixture(echo);
    const client = fixture.open();
    client.send(get('/', CLOSE));
    assert.equal(client.socket.isShut, false, 'not before the response was sent');
    assert.equal(client.socket.receiving, true);
    assert.equal(client.take(10), respond('/', CLOSE).slice(0, 10));
    assert.equal(client.socket.isShut, false);
    assert.equal(client.take(), respond('/', CLOSE).slice(10));
    assert.equal(client.isShut, true);
    for (let count = 0; count < 5; count++) client.send('more and more');
    assert.equal(fixture.slab.freeCount, fixture.slab.blockCount);
    client.finish();
    assert.equal(client.isClosed, true);
    assert.equal(client.isReset, false);
    fixture.checkGivenBack();
  });

  it('waits for linger_timeout_ms and no longer', async () => {
    const fixture = new ConnectionFixture(echo, { limits: { lingerTimeoutMs: 100 } });
    const client = fixture.open();
    await client.ask(get('/', CLOSE));
    client.send('x');
    // All has arrived: the next check sees that.
    client.socket.unacknowledged = 0;
    fixture.pass(25);
    fixture.pass(99);
    assert.equal(client.isClosed, false, 'received bytes do not change the deadline');
    client.send('x');
    fixture.pass(1);
    assert.equal(client.isClosed, true);
    assert.equal(client.isReset, false);
    assert.equal(fixture.counters.timeouts, 1);
    fixture.checkGivenBack();
  });

  it('waits as long where it is unknown what has arrived', async () => {
    const fixture = new ConnectionFixture(echo, { limits: { lingerTimeoutMs: 100 } });
    const client = fixture.open();
    await client.ask(get('/', CLOSE));
    fixture.pass(25);
    fixture.pass(99);
    assert.equal(client.isClosed, false);
    fixture.pass(1);
    assert.equal(client.isClosed, true);
    assert.equal(client.isReset, false);
    fixture.checkGivenBack();
  });

  it('waits while the client still receives', async () => {
    const fixture = new ConnectionFixture(echo, {
      limits: { lingerTimeoutMs: 100, writeTimeoutMs: 200 },
    });
    const client = fixture.open();
    await client.ask(get('/', CLOSE));
    for (let left = 2_000; left > 0; left -= 10) {
      client.socket.unacknowledged = left;
      fixture.pass(25);
      client.send('x');
      assert.equal(client.isClosed, false);
    }
    client.socket.unacknowledged = 0;
    fixture.pass(25);
    fixture.pass(99);
    assert.equal(client.isClosed, false, 'the timeout begins when all has arrived');
    fixture.pass(1);
    assert.equal(client.isClosed, true);
    assert.equal(client.isReset, false);
    fixture.checkGivenBack();
  });

  it('resets a client that receives nothing more, after write_timeout_ms', async () => {
    const fixture = new ConnectionFixture(echo, {
      limits: { lingerTimeoutMs: 100, writeTimeoutMs: 200 },
    });
    const client = fixture.open();
    await client.ask(get('/', CLOSE));
    client.socket.unacknowledged = 500;
    fixture.pass(25);
    for (let passedMs = 25; passedMs < 200; passedMs += 25) {
      fixture.pass(25);
      assert.equal(client.isClosed, false, `after ${passedMs} ms`);
    }
    fixture.pass(25);
    assert.equal(client.isClosed, true);
    assert.equal(client.isReset, true);
    assert.equal(fixture.counters.timeouts, 1);
    assert.match(fixture.debugLines.at(-1) ?? '', /acknowledges no more of its last response/);
    fixture.checkGivenBack();
  });

  it('does not wait when the client has half-closed already', async () => {
    const fixture = new ConnectionFixture(echo);
    const client = fixture.open();
    client.send(get('/', CLOSE));
    client.finish();
    assert.equal(client.isClosed, false, 'its response is being sent');
    await client.read();
    assert.equal(client.socket.isShut, false);
    assert.equal(client.isClosed, true);
    fixture.checkGivenBack();
  });

  it('has only the deadline of sends while the response is being sent', async () => {
    const fixture = new ConnectionFixture(echo, {
      limits: { lingerTimeoutMs: 10, keepAliveTimeoutMs: 10, writeTimeoutMs: 10_000 },
    });
    const client = fixture.open();
    client.send(get('/', CLOSE));
    fixture.pass(5_000);
    assert.equal(client.isClosed, false);
    await client.read();
    assert.equal(client.isShut, true);
    await fixture.end();
  });
});

describe('deadlines', () => {
  it('an idle connection closes in order after keep_alive_timeout_ms', async () => {
    const fixture = new ConnectionFixture(echo, { limits: { keepAliveTimeoutMs: 1_000 } });
    const client = fixture.open();
    fixture.pass(999);
    assert.equal(await client.ask(get('/')), respond('/'));
    fixture.pass(999);
    assert.equal(client.isShut, false);
    fixture.pass(1 + SLACK_MS);
    assert.equal(client.isShut, true);
    assert.equal(client.news(), '');
    assert.equal(fixture.counters.timeouts, 1);
    await fixture.end();
  });

  it('the idle timeout begins when the response was sent', async () => {
    const fixture = new ConnectionFixture(echo, {
      limits: { keepAliveTimeoutMs: 1_000, writeTimeoutMs: 9_000 },
    });
    const client = fixture.open();
    client.send(get('/'));
    fixture.pass(5_000);
    assert.equal(client.isShut, false, 'the client receives its response');
    assert.equal(fixture.counters.timeouts, 0);
    assert.equal(client.take(), respond('/'));
    fixture.pass(999);
    assert.equal(client.isShut, false);
    fixture.pass(1 + SLACK_MS);
    assert.equal(client.isShut, true);
    await fixture.end();
  });

  it('the idle timeout restarts when the last byte of a response was sent', async () => {
    const fixture = new ConnectionFixture(echo, {
      limits: { keepAliveTimeoutMs: 1_000, writeTimeoutMs: 9_000 },
    });
    const client = fixture.open();
    client.send(get('/'));
    fixture.pass(900);
    assert.equal(client.take(), respond('/'));
    fixture.pass(900);
    assert.equal(client.isShut, false);
    fixture.pass(100 + SLACK_MS);
    assert.equal(client.isShut, true);
    await fixture.end();
  });

  it('no connection is idle while no block is free: its request may wait for one', async () => {
    const fixture = new ConnectionFixture(echo, {
      limits: { keepAliveTimeoutMs: 1_000, connectionTimeoutMs: 1_000 },
      blocks: 16,
    });
    const [client, used] = [fixture.open(), fixture.open()];
    assert.equal(await used.ask(get('/')), respond('/'));
    const held: number[] = [];
    while (fixture.slab.freeCount > 0) held.push(fixture.slab.acquire());
    fixture.pass(1_000 + SLACK_MS);
    assert.deepEqual([client.isShut, used.isShut], [false, false]);
    assert.equal(fixture.counters.timeouts, 0);
    for (const block of held) fixture.slab.release(block);
    fixture.pass(999);
    assert.deepEqual([client.isShut, used.isShut], [false, false], 'the full timeout again');
    fixture.pass(1 + SLACK_MS);
    assert.deepEqual([client.isShut, used.isShut], [true, true]);
    await fixture.end();
  });

  it('an empty line begins no head: the connection closes without a response', async () => {
    const fixture = new ConnectionFixture(echo, { limits: { headTimeoutMs: 1_000 } });
    const client = fixture.open();
    client.send(`${get('/')}\r\n`);
    assert.equal(await client.read(), respond('/'));
    fixture.pass(999);
    assert.equal(client.isShut, false);
    fixture.pass(1);
    assert.equal(client.isShut, true);
    assert.equal(await client.read(), '');
    client.finish();
    assert.equal(client.isClosed, true);
    fixture.checkGivenBack();
  });

  it('a head has head_timeout_ms from its first byte to its last, then 408', async () => {
    const fixture = new ConnectionFixture(echo, {
      limits: { headTimeoutMs: 1_000, keepAliveTimeoutMs: 5_000 },
    });
    const client = fixture.open();
    fixture.pass(4_000);
    client.send('GET / HT');
    fixture.pass(600);
    client.send('TP/1.1\r\n');
    fixture.pass(399);
    assert.equal(client.socket.send, null);
    fixture.pass(1);
    assert.equal(
      await client.read(),
      responseOf('408 Request Timeout', 'Request Timeout\n', CLOSE),
    );
    assert.equal(client.isShut, true);
    assert.deepEqual([fixture.counters.timeouts, fixture.counters.faults], [1, 1]);
    await fixture.end();
  });

  it('a rejected head has no further deadline', async () => {
    const fixture = new ConnectionFixture(echo, { limits: { headTimeoutMs: 1_000 } });
    const client = fixture.open();
    client.send('GET / HT');
    client.send('??\r\n\r\n');
    fixture.pass(5_000);
    assert.equal(await client.read(), responseOf('400 Bad Request', 'Bad Request\n', CLOSE));
    assert.deepEqual([fixture.counters.timeouts, fixture.counters.faults], [0, 1]);
    await fixture.end();
  });

  it('received bytes do not extend the deadline of a handler', async () => {
    const fixture = new ConnectionFixture(async () => await new Promise(() => {}), {
      limits: { handlerTimeoutMs: 1_000 },
    });
    const client = fixture.open();
    client.send(get('/'));
    await fixture.rest();
    fixture.pass(600);
    client.send('G');
    fixture.pass(399);
    assert.equal(client.socket.send, null);
    fixture.pass(1);
    assert.match(await client.read(), /^HTTP\/1\.1 503 /);
    await fixture.end();
  });

  it('the next head has its own deadline', async () => {
    const fixture = new ConnectionFixture(echo, { limits: { headTimeoutMs: 1_000 } });
    const client = fixture.open();
    for (let count = 0; count < 3; count++) {
      client.send('GET / HT');
      fixture.pass(900);
      assert.equal(await client.ask('TP/1.1\r\nHost: a\r\n\r\n'), respond('/'));
    }
    await fixture.end();
  });

  it('a handler has handler_timeout_ms, then the client gets 503', async () => {
    let aborted = false;
    const { handler, reported } = summaries(async (request) => {
      request.signal.addEventListener('abort', () => {
        aborted = true;
      });
      await new Promise(() => {});
    });
    const fixture = new ConnectionFixture(handler, { limits: { handlerTimeoutMs: 1_000 } });
    const client = fixture.open();
    client.send(get('/late') + get('/next'));
    await fixture.rest();
    fixture.pass(999);
    await fixture.rest();
    assert.equal(client.socket.send, null);
    fixture.pass(1);
    const expected = responseOf('503 Service Unavailable', 'Service Unavailable\n', CLOSE);
    assert.equal(await client.read(), expected);
    assert.equal(aborted, true);
    assert.equal(client.isShut, true);
    assert.equal(fixture.counters.timeouts, 1);
    assert.equal(fixture.counters.requests, 1);
    assert.deepEqual(reported, [{ status: 503, bytes: 20, complete: true }]);
    assert.deepEqual(fixture.errorLines, ['GET /late: no response within handler_timeout_ms']);
    await fixture.end();
  });

  it('a handler that streams has no deadline of its own', async () => {
    const gate = new Gate();
    const fixture = new ConnectionFixture(
      async (_request, response) => {
        await response.write('a');
        await gate.opened;
        response.end('b');
      },
      { limits: { handlerTimeoutMs: 1_000, keepAliveTimeoutMs: 1_000, writeTimeoutMs: 1_000 } },
    );
    const client = fixture.open();
    client.send(get('/'));
    await fixture.rest();
    await client.read();
    fixture.pass(60_000);
    assert.equal(client.isClosed, false);
    gate.open();
    await fixture.rest();
    assert.equal(await client.read(), '1\r\nb\r\n0\r\n\r\n');
    await fixture.end();
  });

  it('a client that receives nothing for write_timeout_ms is reset', async () => {
    const { handler, reported } = summaries(async (_request, response) => {
      await response.write(new Uint8Array(50_000));
      response.end();
    });
    const fixture = new ConnectionFixture(handler, {
      limits: { writeTimeoutMs: 1_000, handlerTimeoutMs: 100_000 },
    });
    const client = fixture.open();
    client.send(get('/'));
    await fixture.rest();
    client.take();
    for (let count = 0; count < 3; count++) {
      for (let look = 0; look < 3; look++) fixture.pass(250);
      client.take(1_000);
      fixture.turn();
    }
    assert.equal(client.isClosed, false, 'a byte now and then is progress');
    for (let look = 0; look < 3; look++) fixture.pass(250);
    fixture.pass(249);
    assert.equal(client.isClosed, false);
    fixture.pass(1);
    assert.equal(client.isClosed, true);
    assert.equal(client.isReset, true);
    await fixture.rest();
    const [{ status, bytes, complete }] = reported as [
      { status: number; bytes: number; complete: boolean },
    ];
    assert.deepEqual({ status, complete }, { status: 200, complete: false });
    assert.ok(
      bytes > 2_000 && bytes <= 3_000,
      `the client received 3,000 bytes, reported ${bytes}`,
    );
    assert.deepEqual([fixture.counters.timeouts, fixture.counters.resets], [1, 0]);
    assert.match(fixture.debugLines.at(-1) ?? '', /acknowledges no more of its response/);
    fixture.checkGivenBack();
  });
});

describe('a client that disconnects', () => {
  it('in the middle of a head has no other effect', async () => {
    const fixture = new ConnectionFixture(echo);
    const client = fixture.open();
    client.send('GET / HT');
    client.breakOff();
    assert.equal(client.isClosed, true);
    assert.deepEqual([fixture.counters.resets, fixture.counters.faults], [0, 0]);
    fixture.checkGivenBack();
  });

  it('while a handler runs aborts its signal, and calls afterSend', async () => {
    const reasons: { code?: string }[] = [];
    const { handler, reported } = summaries(async (request) => {
      const { signal } = request;
      signal.addEventListener('abort', () => reasons.push(signal.reason as { code: string }));
      await new Promise(() => {});
    });
    const fixture = new ConnectionFixture(handler);
    const client = fixture.open();
    client.send(get('/'));
    await fixture.rest();
    client.breakOff();
    assert.equal(reasons[0]?.code, 'ECONNRESET');
    assert.match(String(reasons[0]), /the connection closed before the response was complete/);
    assert.deepEqual(reported, [{ status: 200, bytes: 0, complete: false }]);
    assert.equal(fixture.counters.resets, 1);
    assert.equal(client.isReset, true);
    fixture.checkGivenBack();
  });

  it('while its handler has stopped reading the body aborts the signal', async () => {
    let isAborted = false;
    const fixture = new ConnectionFixture(async (request) => {
      request.signal.addEventListener('abort', () => {
        isAborted = true;
      });
      await request.body[Symbol.asyncIterator]().next();
      await new Promise(() => {});
    });
    const client = fixture.open();
    client.send(post('/', 9_000, 'b'.repeat(500)));
    await fixture.rest();
    client.send('b'.repeat(2_048));
    assert.equal(client.socket.receiving, false, 'no more is received ahead');
    assert.equal(client.socket.watched, true);
    client.breakOff();
    assert.equal(isAborted, true);
    assert.equal(client.isReset, true);
    fixture.checkGivenBack();
  });

  it('is not watched while a receive is in flight', async () => {
    const fixture = new ConnectionFixture(echo);
    const client = fixture.open();
    for (let count = 0; count < 3; count++) await client.ask(get('/') + get('/'));
    await client.ask(post('/', 3_000, 'b'.repeat(3_000)));
    assert.equal(client.socket.watched, false);
    await fixture.end();
  });

  it('while its body is read makes the read reject', async () => {
    const errors: { code?: string }[] = [];
    const fixture = new ConnectionFixture(async (request) => {
      await request.bytes().catch((error: { code: string }) => errors.push(error));
    });
    const client = fixture.open();
    client.send(post('/', 10, '012'));
    await fixture.rest();
    client.breakOff();
    await fixture.rest();
    assert.equal(errors[0]?.code, 'ECONNRESET');
    assert.deepEqual(fixture.errorLines, [], 'it is no error of the handler');
    fixture.checkGivenBack();
  });

  it('after its response was passed on is not counted as a reset', async () => {
    const { handler, reported } = summaries(echo);
    const fixture = new ConnectionFixture(handler);
    const client = fixture.open();
    client.send(get('/'));
    fixture.driver.failSend(client.slot, -32);
    fixture.turn();
    assert.equal(client.isClosed, true);
    assert.equal(client.isReset, true);
    assert.deepEqual(reported, [{ status: 200, bytes: 0, complete: false }]);
    assert.equal(fixture.counters.resets, 0);
    fixture.checkGivenBack();
  });

  it('after a complete response, while its handler still runs', async () => {
    const gate = new Gate();
    const after: unknown[] = [];
    const fixture = new ConnectionFixture(async (request, response) => {
      response.text('x');
      await gate.opened;
      after.push(request.signal.aborted);
    });
    const client = fixture.open();
    client.send(get('/'));
    await fixture.rest();
    client.breakOff();
    gate.open();
    await fixture.rest();
    assert.equal(fixture.counters.resets, 0);
    assert.deepEqual(fixture.errorLines, []);
    fixture.checkGivenBack();
  });
});

describe('a response that cannot be completed', () => {
  const failing =
    (before: (response: Response) => void): Handler =>
    async (_request, response) => {
      before(response);
      await response.write('begun');
      throw new Error('injected');
    };

  it('in chunks ends early, which the client sees', async () => {
    const { handler, reported } = summaries(failing(() => {}));
    const fixture = new ConnectionFixture(handler);
    const client = fixture.open();
    const text = await client.ask(get('/'));
    const head = `HTTP/1.1 200 OK\r\n${DATE}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    assert.equal(text, `${head}5\r\nbegun\r\n`);
    assert.equal(client.isShut, true);
    assert.deepEqual(reported, [{ status: 200, bytes: 5, complete: false }]);
    assert.equal(fixture.counters.resets, 1);
    assert.match(fixture.errorLines[0] ?? '', /injected/);
    await fixture.end();
  });

  it('of known length ends early as well', async () => {
    const fixture = new ConnectionFixture(
      failing((response) => response.header('Content-Length', 9)),
    );
    const client = fixture.open();
    assert.ok((await client.ask(get('/'))).endsWith('\r\n\r\nbegun'));
    assert.equal(client.isShut, true);
    assert.equal(client.isReset, false);
    await fixture.end();
  });

  it('that is delimited by the close of the connection is reset', async () => {
    const fixture = new ConnectionFixture(failing(() => {}));
    const client = fixture.open();
    client.send('GET / HTTP/1.0\r\n\r\n');
    await fixture.rest();
    assert.equal(client.isClosed, true);
    assert.equal(client.isReset, true);
    assert.equal(fixture.counters.resets, 1);
    fixture.checkGivenBack();
  });

  it('whose error response fails is reset before its head', async () => {
    const fixture = new ConnectionFixture((_request, response) => {
      response.beforeSend(() => {
        throw new Error('injected');
      });
      Object.defineProperty(response, 'send', {
        value: () => {
          throw new Error('injected too');
        },
      });
      throw new Error('first');
    });
    const client = fixture.open();
    client.send(get('/'));
    await fixture.rest();
    assert.equal(client.isReset, true);
    assert.equal(client.isClosed, true);
    fixture.checkGivenBack();
  });
});

describe('afterSend()', () => {
  it('that throws is logged, and the others are called', async () => {
    const reported: number[] = [];
    const fixture = new ConnectionFixture((_request, response) => {
      response.afterSend(() => {
        throw new Error('injected');
      });
      response.afterSend(({ status }) => reported.push(status));
      response.text('x');
    });
    const client = fixture.open();
    assert.equal(await client.ask(get('/')), respond('x'));
    assert.deepEqual(reported, [200]);
    assert.match(fixture.errorLines[0] ?? '', /an afterSend\(\) callback failed: .*injected/);
    await fixture.end();
    assert.deepEqual(reported, [200], 'once');
  });

  it('receives the duration', async () => {
    const reported: unknown[] = [];
    const fixture = new ConnectionFixture(async (_request, response) => {
      response.afterSend((summary) => reported.push(summary));
      await response.write('ab');
      await gate.opened;
      response.end();
    });
    const gate = new Gate();
    const client = fixture.open();
    client.send(get('/'));
    await fixture.rest();
    fixture.pass(321);
    gate.open();
    await fixture.rest();
    assert.deepEqual(reported, [], 'the kernel has no byte of it');
    await client.read();
    assert.deepEqual(reported, [{ status: 200, bytes: 2, durationMs: 321, complete: true }]);
    await fixture.end();
  });
});
