// How whole connections end: in order with lingering, by each deadline, by the client, by an answer
// that cannot be finished, to make room, and when the server closes.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Handler } from '../../src/exchange/exchange.ts';
import type { Response } from '../../src/exchange/response.ts';
import {
  answer,
  answerOf,
  ConnectionWorld,
  DATE,
  Gate,
  get,
  post,
} from '../../testing/connection-fixture.ts';

const CLOSE = 'Connection: close';
const echo: Handler = (request, response) => response.text(request.target);

/** How late a deadline of idle connections may come: 1/16 of its length, here at most 1,000 ms. */
const SLACK_MS = 63;

/** What afterSend() is told of every answer. */
function summaries(handler: Handler): { handler: Handler; told: unknown[] } {
  const told: unknown[] = [];
  return {
    told,
    handler: (request, response) => {
      response.afterSend(({ status, bytes, complete }) => told.push({ status, bytes, complete }));
      return handler(request, response);
    },
  };
}

describe('an end in order', () => {
  it('sends the answer, shuts our side, waits for the client', async () => {
    const world = new ConnectionWorld(echo);
    const client = world.open();
    client.send(get('/', CLOSE));
    assert.equal(client.socket.isShut, false, 'not before the answer is out');
    assert.equal(client.socket.receiving, true);
    assert.equal(client.take(10), answer('/', CLOSE).slice(0, 10));
    assert.equal(client.socket.isShut, false);
    assert.equal(client.take(), answer('/', CLOSE).slice(10));
    assert.equal(client.isShut, true);
    for (let count = 0; count < 5; count++) client.send('more and more');
    assert.equal(world.slab.freeCount, world.slab.blockCount);
    client.finish();
    assert.equal(client.isClosed, true);
    assert.equal(client.isReset, false);
    world.checkGivenBack();
  });

  it('waits linger_timeout_ms and no longer', async () => {
    const world = new ConnectionWorld(echo, { limits: { lingerTimeoutMs: 100 } });
    const client = world.open();
    await client.ask(get('/', CLOSE));
    client.send('x');
    // All has arrived: a look finds that.
    client.socket.unacknowledged = 0;
    world.pass(25);
    world.pass(99);
    assert.equal(client.isClosed, false, 'what arrives gives no more time, nor less');
    client.send('x');
    world.pass(1);
    assert.equal(client.isClosed, true);
    assert.equal(client.isReset, false);
    assert.equal(world.counters.timeouts, 1);
    world.checkGivenBack();
  });

  it('waits as long where nothing is known of what has arrived', async () => {
    const world = new ConnectionWorld(echo, { limits: { lingerTimeoutMs: 100 } });
    const client = world.open();
    await client.ask(get('/', CLOSE));
    world.pass(25);
    world.pass(99);
    assert.equal(client.isClosed, false);
    world.pass(1);
    assert.equal(client.isClosed, true);
    assert.equal(client.isReset, false);
    world.checkGivenBack();
  });

  it('waits while the client still takes what was sent', async () => {
    const world = new ConnectionWorld(echo, {
      limits: { lingerTimeoutMs: 100, writeTimeoutMs: 200 },
    });
    const client = world.open();
    await client.ask(get('/', CLOSE));
    for (let left = 2_000; left > 0; left -= 10) {
      client.socket.unacknowledged = left;
      world.pass(25);
      client.send('x');
      assert.equal(client.isClosed, false);
    }
    client.socket.unacknowledged = 0;
    world.pass(25);
    world.pass(99);
    assert.equal(client.isClosed, false, 'the time begins when all has arrived');
    world.pass(1);
    assert.equal(client.isClosed, true);
    assert.equal(client.isReset, false);
    world.checkGivenBack();
  });

  it('gives a client up that takes nothing more, after write_timeout_ms', async () => {
    const world = new ConnectionWorld(echo, {
      limits: { lingerTimeoutMs: 100, writeTimeoutMs: 200 },
    });
    const client = world.open();
    await client.ask(get('/', CLOSE));
    client.socket.unacknowledged = 500;
    world.pass(25);
    for (let passedMs = 25; passedMs < 200; passedMs += 25) {
      world.pass(25);
      assert.equal(client.isClosed, false, `after ${passedMs} ms`);
    }
    world.pass(25);
    assert.equal(client.isClosed, true);
    assert.equal(client.isReset, true);
    assert.equal(world.counters.timeouts, 1);
    assert.match(world.debugLines.at(-1) ?? '', /takes no more of its last response/);
    world.checkGivenBack();
  });

  it('needs no waiting when the client has ended already', async () => {
    const world = new ConnectionWorld(echo);
    const client = world.open();
    client.send(get('/', CLOSE));
    client.finish();
    assert.equal(client.isClosed, false, 'its answer is on the way');
    await client.read();
    assert.equal(client.socket.isShut, false);
    assert.equal(client.isClosed, true);
    world.checkGivenBack();
  });

  it('has no deadline but that of sends while the answer is on its way', async () => {
    const world = new ConnectionWorld(echo, {
      limits: { lingerTimeoutMs: 10, keepAliveTimeoutMs: 10, writeTimeoutMs: 10_000 },
    });
    const client = world.open();
    client.send(get('/', CLOSE));
    world.pass(5_000);
    assert.equal(client.isClosed, false);
    await client.read();
    assert.equal(client.isShut, true);
    await world.end();
  });
});

describe('deadlines', () => {
  it('an idle connection ends in order after keep_alive_timeout_ms', async () => {
    const world = new ConnectionWorld(echo, { limits: { keepAliveTimeoutMs: 1_000 } });
    const client = world.open();
    world.pass(999);
    assert.equal(await client.ask(get('/')), answer('/'));
    world.pass(999);
    assert.equal(client.isShut, false);
    world.pass(1 + SLACK_MS);
    assert.equal(client.isShut, true);
    assert.equal(client.news(), '');
    assert.equal(world.counters.timeouts, 1);
    await world.end();
  });

  it('the idle time begins when the answer was sent', async () => {
    const world = new ConnectionWorld(echo, {
      limits: { keepAliveTimeoutMs: 1_000, writeTimeoutMs: 9_000 },
    });
    const client = world.open();
    client.send(get('/'));
    world.pass(5_000);
    assert.equal(client.isShut, false, 'the client is at its answer');
    assert.equal(world.counters.timeouts, 0);
    assert.equal(client.take(), answer('/'));
    world.pass(999);
    assert.equal(client.isShut, false);
    world.pass(1 + SLACK_MS);
    assert.equal(client.isShut, true);
    await world.end();
  });

  it('the idle time begins anew when the last of an answer is taken', async () => {
    const world = new ConnectionWorld(echo, {
      limits: { keepAliveTimeoutMs: 1_000, writeTimeoutMs: 9_000 },
    });
    const client = world.open();
    client.send(get('/'));
    world.pass(900);
    assert.equal(client.take(), answer('/'));
    world.pass(900);
    assert.equal(client.isShut, false);
    world.pass(100 + SLACK_MS);
    assert.equal(client.isShut, true);
    await world.end();
  });

  it('nobody is idle while no block is free: its request may wait for one', async () => {
    const world = new ConnectionWorld(echo, {
      limits: { keepAliveTimeoutMs: 1_000 },
      blocks: 16,
    });
    const client = world.open();
    const held: number[] = [];
    while (world.slab.freeCount > 0) held.push(world.slab.acquire());
    world.pass(1_000 + SLACK_MS);
    assert.equal(client.isShut, false);
    assert.equal(world.counters.timeouts, 0);
    for (const block of held) world.slab.release(block);
    world.pass(999);
    assert.equal(client.isShut, false, 'it has its whole time again');
    world.pass(1 + SLACK_MS);
    assert.equal(client.isShut, true);
    await world.end();
  });

  it('an empty line begins no head: nothing is answered, and the end comes', async () => {
    const world = new ConnectionWorld(echo, { limits: { headTimeoutMs: 1_000 } });
    const client = world.open();
    client.send(`${get('/')}\r\n`);
    assert.equal(await client.read(), answer('/'));
    world.pass(999);
    assert.equal(client.isShut, false);
    world.pass(1);
    assert.equal(client.isShut, true);
    assert.equal(await client.read(), '');
    client.finish();
    assert.equal(client.isClosed, true);
    world.checkGivenBack();
  });

  it('a head has head_timeout_ms from its first byte to its last, then 408', async () => {
    const world = new ConnectionWorld(echo, {
      limits: { headTimeoutMs: 1_000, keepAliveTimeoutMs: 5_000 },
    });
    const client = world.open();
    world.pass(4_000);
    client.send('GET / HT');
    world.pass(600);
    client.send('TP/1.1\r\n');
    world.pass(399);
    assert.equal(client.socket.send, null);
    world.pass(1);
    assert.equal(await client.read(), answerOf('408 Request Timeout', 'Request Timeout\n', CLOSE));
    assert.equal(client.isShut, true);
    assert.deepEqual([world.counters.timeouts, world.counters.faults], [1, 1]);
    await world.end();
  });

  it('a head that was refused has no time to be over', async () => {
    const world = new ConnectionWorld(echo, { limits: { headTimeoutMs: 1_000 } });
    const client = world.open();
    client.send('GET / HT');
    client.send('??\r\n\r\n');
    world.pass(5_000);
    assert.equal(await client.read(), answerOf('400 Bad Request', 'Bad Request\n', CLOSE));
    assert.deepEqual([world.counters.timeouts, world.counters.faults], [0, 1]);
    await world.end();
  });

  it('what a client sends meanwhile gives a handler no more time', async () => {
    const world = new ConnectionWorld(async () => await new Promise(() => {}), {
      limits: { handlerTimeoutMs: 1_000 },
    });
    const client = world.open();
    client.send(get('/'));
    await world.rest();
    world.pass(600);
    client.send('G');
    world.pass(399);
    assert.equal(client.socket.send, null);
    world.pass(1);
    assert.match(await client.read(), /^HTTP\/1\.1 503 /);
    await world.end();
  });

  it('the next head has its own time', async () => {
    const world = new ConnectionWorld(echo, { limits: { headTimeoutMs: 1_000 } });
    const client = world.open();
    for (let count = 0; count < 3; count++) {
      client.send('GET / HT');
      world.pass(900);
      assert.equal(await client.ask('TP/1.1\r\nHost: a\r\n\r\n'), answer('/'));
    }
    await world.end();
  });

  it('a handler has handler_timeout_ms, then the client gets 503', async () => {
    let aborted = false;
    const { handler, told } = summaries(async (request) => {
      request.signal.addEventListener('abort', () => {
        aborted = true;
      });
      await new Promise(() => {});
    });
    const world = new ConnectionWorld(handler, { limits: { handlerTimeoutMs: 1_000 } });
    const client = world.open();
    client.send(get('/late') + get('/next'));
    await world.rest();
    world.pass(999);
    await world.rest();
    assert.equal(client.socket.send, null);
    world.pass(1);
    const expected = answerOf('503 Service Unavailable', 'Service Unavailable\n', CLOSE);
    assert.equal(await client.read(), expected);
    assert.equal(aborted, true);
    assert.equal(client.isShut, true);
    assert.equal(world.counters.timeouts, 1);
    assert.equal(world.counters.requests, 1);
    assert.deepEqual(told, [{ status: 503, bytes: 20, complete: true }]);
    assert.deepEqual(world.errorLines, ['GET /late: no answer in time']);
    await world.end();
  });

  it('a handler that streams has no deadline of its own', async () => {
    const gate = new Gate();
    const world = new ConnectionWorld(
      async (_request, response) => {
        await response.write('a');
        await gate.opened;
        response.end('b');
      },
      { limits: { handlerTimeoutMs: 1_000, keepAliveTimeoutMs: 1_000, writeTimeoutMs: 1_000 } },
    );
    const client = world.open();
    client.send(get('/'));
    await world.rest();
    await client.read();
    world.pass(60_000);
    assert.equal(client.isClosed, false);
    gate.open();
    await world.rest();
    assert.equal(await client.read(), '1\r\nb\r\n0\r\n\r\n');
    await world.end();
  });

  it('a client that takes nothing for write_timeout_ms is reset', async () => {
    const { handler, told } = summaries(async (_request, response) => {
      await response.write(new Uint8Array(50_000));
      response.end();
    });
    const world = new ConnectionWorld(handler, {
      limits: { writeTimeoutMs: 1_000, handlerTimeoutMs: 100_000 },
    });
    const client = world.open();
    client.send(get('/'));
    await world.rest();
    client.take();
    for (let count = 0; count < 3; count++) {
      for (let look = 0; look < 3; look++) world.pass(250);
      client.take(1_000);
      world.turn();
    }
    assert.equal(client.isClosed, false, 'a byte now and then is progress');
    for (let look = 0; look < 3; look++) world.pass(250);
    world.pass(249);
    assert.equal(client.isClosed, false);
    world.pass(1);
    assert.equal(client.isClosed, true);
    assert.equal(client.isReset, true);
    await world.rest();
    const [{ status, bytes, complete }] = told as [
      { status: number; bytes: number; complete: boolean },
    ];
    assert.deepEqual({ status, complete }, { status: 200, complete: false });
    assert.ok(bytes > 2_000 && bytes <= 3_000, `the client took 3,000 bytes, told ${bytes}`);
    assert.deepEqual([world.counters.timeouts, world.counters.resets], [1, 0]);
    assert.match(world.debugLines.at(-1) ?? '', /takes no more of its answer/);
    world.checkGivenBack();
  });
});

describe('a client that is gone', () => {
  it('in the middle of a head is nobody’s loss', async () => {
    const world = new ConnectionWorld(echo);
    const client = world.open();
    client.send('GET / HT');
    client.breakOff();
    assert.equal(client.isClosed, true);
    assert.deepEqual([world.counters.resets, world.counters.faults], [0, 0]);
    world.checkGivenBack();
  });

  it('while a handler runs aborts its signal, and tells afterSend', async () => {
    const reasons: { code?: string }[] = [];
    const { handler, told } = summaries(async (request) => {
      const { signal } = request;
      signal.addEventListener('abort', () => reasons.push(signal.reason as { code: string }));
      await new Promise(() => {});
    });
    const world = new ConnectionWorld(handler);
    const client = world.open();
    client.send(get('/'));
    await world.rest();
    client.breakOff();
    assert.equal(reasons[0]?.code, 'ECONNRESET');
    assert.match(String(reasons[0]), /the client went away/);
    assert.deepEqual(told, [{ status: 200, bytes: 0, complete: false }]);
    assert.equal(world.counters.resets, 1);
    assert.equal(client.isReset, true);
    world.checkGivenBack();
  });

  it('while its handler reads no more of its body aborts the signal', async () => {
    let isAborted = false;
    const world = new ConnectionWorld(async (request) => {
      request.signal.addEventListener('abort', () => {
        isAborted = true;
      });
      await request.body[Symbol.asyncIterator]().next();
      await new Promise(() => {});
    });
    const client = world.open();
    client.send(post('/', 9_000, 'b'.repeat(500)));
    await world.rest();
    client.send('b'.repeat(2_048));
    assert.equal(client.socket.receiving, false, 'as much as it takes ahead');
    assert.equal(client.socket.watched, true);
    client.breakOff();
    assert.equal(isAborted, true);
    assert.equal(client.isReset, true);
    world.checkGivenBack();
  });

  it('is not watched as long as something is received', async () => {
    const world = new ConnectionWorld(echo);
    const client = world.open();
    for (let count = 0; count < 3; count++) await client.ask(get('/') + get('/'));
    await client.ask(post('/', 3_000, 'b'.repeat(3_000)));
    assert.equal(client.socket.watched, false);
    await world.end();
  });

  it('while its body is read fails the reader', async () => {
    const errors: { code?: string }[] = [];
    const world = new ConnectionWorld(async (request) => {
      await request.bytes().catch((error: { code: string }) => errors.push(error));
    });
    const client = world.open();
    client.send(post('/', 10, '012'));
    await world.rest();
    client.breakOff();
    await world.rest();
    assert.equal(errors[0]?.code, 'ECONNRESET');
    assert.deepEqual(world.errorLines, [], 'that is nobody’s mistake');
    world.checkGivenBack();
  });

  it('after its answer was handed over is counted as no reset', async () => {
    const { handler, told } = summaries(echo);
    const world = new ConnectionWorld(handler);
    const client = world.open();
    client.send(get('/'));
    world.driver.failSend(client.slot, -32);
    world.turn();
    assert.equal(client.isClosed, true);
    assert.equal(client.isReset, true);
    assert.deepEqual(told, [{ status: 200, bytes: 0, complete: false }]);
    assert.equal(world.counters.resets, 0);
    world.checkGivenBack();
  });

  it('behind an answer that is complete, while its handler runs on', async () => {
    const gate = new Gate();
    const after: unknown[] = [];
    const world = new ConnectionWorld(async (request, response) => {
      response.text('x');
      await gate.opened;
      after.push(request.signal.aborted);
    });
    const client = world.open();
    client.send(get('/'));
    await world.rest();
    client.breakOff();
    gate.open();
    await world.rest();
    assert.equal(world.counters.resets, 0);
    assert.deepEqual(world.errorLines, []);
    world.checkGivenBack();
  });
});

describe('an answer that cannot be finished', () => {
  const failing =
    (before: (response: Response) => void): Handler =>
    async (_request, response) => {
      before(response);
      await response.write('begun');
      throw new Error('planted');
    };

  it('in chunks ends early, so that the client can tell', async () => {
    const { handler, told } = summaries(failing(() => {}));
    const world = new ConnectionWorld(handler);
    const client = world.open();
    const text = await client.ask(get('/'));
    const head = `HTTP/1.1 200 OK\r\n${DATE}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    assert.equal(text, `${head}5\r\nbegun\r\n`);
    assert.equal(client.isShut, true);
    assert.deepEqual(told, [{ status: 200, bytes: 5, complete: false }]);
    assert.equal(world.counters.resets, 1);
    assert.match(world.errorLines[0] ?? '', /planted/);
    await world.end();
  });

  it('of known length ends early as well', async () => {
    const world = new ConnectionWorld(failing((response) => response.header('Content-Length', 9)));
    const client = world.open();
    assert.ok((await client.ask(get('/'))).endsWith('\r\n\r\nbegun'));
    assert.equal(client.isShut, true);
    assert.equal(client.isReset, false);
    await world.end();
  });

  it('that only the end of the connection would end is reset', async () => {
    const world = new ConnectionWorld(failing(() => {}));
    const client = world.open();
    client.send('GET / HTTP/1.0\r\n\r\n');
    await world.rest();
    assert.equal(client.isClosed, true);
    assert.equal(client.isReset, true);
    assert.equal(world.counters.resets, 1);
    world.checkGivenBack();
  });

  it('because nothing can be said is reset before its head', async () => {
    const world = new ConnectionWorld((_request, response) => {
      response.beforeSend(() => {
        throw new Error('planted');
      });
      Object.defineProperty(response, 'send', {
        value: () => {
          throw new Error('planted too');
        },
      });
      throw new Error('first');
    });
    const client = world.open();
    client.send(get('/'));
    await world.rest();
    assert.equal(client.isReset, true);
    assert.equal(client.isClosed, true);
    world.checkGivenBack();
  });
});

describe('afterSend()', () => {
  it('that throws is logged, and the others are told', async () => {
    const told: number[] = [];
    const world = new ConnectionWorld((_request, response) => {
      response.afterSend(() => {
        throw new Error('planted');
      });
      response.afterSend(({ status }) => told.push(status));
      response.text('x');
    });
    const client = world.open();
    assert.equal(await client.ask(get('/')), answer('x'));
    assert.deepEqual(told, [200]);
    assert.match(world.errorLines[0] ?? '', /an afterSend\(\) callback failed: .*planted/);
    await world.end();
    assert.deepEqual(told, [200], 'once');
  });

  it('is told how long it took', async () => {
    const told: unknown[] = [];
    const world = new ConnectionWorld(async (_request, response) => {
      response.afterSend((summary) => told.push(summary));
      await response.write('ab');
      await gate.opened;
      response.end();
    });
    const gate = new Gate();
    const client = world.open();
    client.send(get('/'));
    await world.rest();
    world.pass(321);
    gate.open();
    await world.rest();
    assert.deepEqual(told, [], 'the kernel has nothing of it');
    await client.read();
    assert.deepEqual(told, [{ status: 200, bytes: 2, durationMs: 321, complete: true }]);
    await world.end();
  });
});
