// Requests on one connection: in which order they are answered, when the next one is read, what is
// refused, and when the connection lives on.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Reading } from '../../src/connection/reading.ts';
import type { Response } from '../../src/exchange/response.ts';
import {
  answer,
  answerOf,
  ConnectionWorld,
  DATE,
  get,
  post,
} from '../../testing/connection-fixture.ts';

const CLOSE = 'Connection: close';
const KEEP = 'Connection: keep-alive';

function refusal(status: string, ...lines: string[]): string {
  return answerOf(status, `${status.slice(4)}\n`, ...lines, CLOSE);
}

/** What a HEAD gets where another method gets this. */
function headOf(text: string): string {
  return text.slice(0, text.indexOf('\r\n\r\n') + 4);
}

/** Answers every request with its target. */
function echo(): ConnectionWorld {
  return new ConnectionWorld((request, response) => response.text(request.target));
}

describe('a connection', () => {
  it('waits for the first byte, counts its client, and answers', async () => {
    const world = echo();
    const client = world.open();
    assert.equal(client.socket.receiving, true);
    assert.equal(world.counters.accepted, 1);
    assert.equal(await client.ask(get('/a')), answer('/a'));
    assert.deepEqual(
      [world.counters.requests, world.counters.answers, world.counters.faults],
      [1, 1, 0],
    );
    assert.equal(client.connection.requests, 1);
    assert.equal(client.connection.exchange, null);
    await world.end();
  });

  it('lives on after an answer, and holds no block between two', async () => {
    const world = echo();
    const client = world.open();
    for (const target of ['/1', '/2', '/3']) {
      assert.equal(await client.ask(get(target)), answer(target));
      assert.equal(world.slab.freeCount, world.slab.blockCount, 'idle connections hold no memory');
      assert.equal(client.socket.receiving, true);
    }
    assert.equal(client.isShut, false);
    await world.end();
  });

  it('reads a head in pieces of every size', async () => {
    const whole = get('/pieces', 'X: y');
    for (let size = 1; size < whole.length; size++) {
      const world = echo();
      const client = world.open();
      for (let at = 0; at < whole.length; at += size) {
        assert.equal(client.news(), '');
        client.send(whole.slice(at, at + size));
      }
      assert.equal(await client.read(), answer('/pieces'));
      await world.end();
    }
  });

  it('can be opened again after it was released', async () => {
    const world = echo();
    const client = world.open();
    await client.ask(get('/a', CLOSE));
    client.finish();
    const [connection] = world.released;
    assert.ok(connection !== undefined);
    const slot = world.reactor.sockets.acquire();
    world.driver.adopt(0, slot);
    world.reactor.sockets.owners[slot] = connection;
    connection.open(slot);
    assert.deepEqual(
      [connection.reading, connection.ended, connection.lost, connection.lingering],
      [Reading.Head, false, false, false],
    );
    assert.deepEqual([connection.continueOwed, connection.requests], [false, 0]);
    world.driver.deliver(slot, Buffer.from(get('/again')));
    world.turn();
    world.driver.take(slot);
    world.turn();
    assert.equal(world.driver.socket(slot).output.toString(), answer('/again'));
    world.driver.finish(slot);
    world.turn();
    assert.equal(world.released.length, 2);
  });
});

describe('a pipeline', () => {
  it('is answered in its order and in one send', async () => {
    const world = echo();
    const client = world.open();
    client.send(get('/1') + get('/2') + get('/3'));
    assert.equal(client.take(), answer('/1') + answer('/2') + answer('/3'));
    await world.end();
  });

  it('waits for an answer that comes later; none overtakes it', async () => {
    const waiting: Response[] = [];
    const world = new ConnectionWorld(async (request, response) => {
      if (request.target === '/slow') {
        waiting.push(response);
        await new Promise(() => {});
      }
      response.text(request.target);
    });
    const client = world.open();
    client.send(get('/1') + get('/slow') + get('/3'));
    await world.rest();
    assert.equal(await client.read(), answer('/1'));
    assert.equal(world.counters.requests, 2, 'the third is not begun');
    waiting[0]?.text('late');
    await world.rest();
    assert.equal(await client.read(), answer('late') + answer('/3'));
    await world.end();
  });

  it('is read on only when the answers before are sent, beyond pipeline_depth_max', async () => {
    const world = new ConnectionWorld((request, response) => response.text(request.target), {
      limits: { pipelineDepthMax: 2 },
    });
    const client = world.open();
    client.send(get('/1') + get('/2') + get('/3') + get('/4') + get('/5'));
    assert.equal(world.counters.requests, 2);
    assert.equal(client.take(), answer('/1') + answer('/2'));
    assert.equal(world.counters.requests, 4, 'as many again');
    assert.equal(client.take(), answer('/3') + answer('/4'));
    assert.equal(client.take(), answer('/5'));
    assert.equal(world.counters.requests, 5);
    await world.end();
  });

  it('is not read on while more than send_queue_bytes_max waits to be sent', async () => {
    const text = 'x'.repeat(700);
    const world = new ConnectionWorld((_request, response) => response.text(text), {
      limits: { sendQueueBytesMax: 1024 },
      blockBytes: 2048,
    });
    const client = world.open();
    client.send(get('/').repeat(6));
    assert.equal(world.counters.requests, 2, 'two answers are more than that');
    client.take(100);
    assert.equal(world.counters.requests, 2);
    client.take(answer(text).length);
    assert.equal(world.counters.requests, 3, 'there was room for one more');
    client.news();
    await client.read();
    assert.equal(client.socket.output.toString(), answer(text).repeat(6));
    await world.end();
  });

  it('is received a block ahead and no further', async () => {
    const world = new ConnectionWorld(async () => await new Promise(() => {}));
    const client = world.open();
    client.send(get('/1'));
    const block = Buffer.alloc(1024, 'G');
    assert.ok(client.give(Buffer.concat(Array(10).fill(block))) <= 2048, 'a block, one behind it');
    assert.equal(client.socket.receiving, false);
    await world.end();
  });
});

describe('persistence', () => {
  it('ends when the client says close, and the answer says so', async () => {
    const world = echo();
    const client = world.open();
    assert.equal(await client.ask(get('/a', CLOSE) + get('/b')), answer('/a', CLOSE));
    assert.equal(world.counters.requests, 1, 'what follows close is no request');
    assert.equal(client.isShut, true);
    client.finish();
    assert.equal(client.isClosed, true);
    assert.equal(client.isReset, false);
    await world.end();
  });

  it('ends when the handler says close', async () => {
    const world = new ConnectionWorld((_request, response) => {
      response.header('Connection', 'close').text('x');
    });
    const client = world.open();
    assert.equal(await client.ask(get('/') + get('/')), answer('x', CLOSE));
    assert.equal(client.isShut, true);
    await world.end();
  });

  it('of HTTP/1.0 is asked for and granted', async () => {
    const world = echo();
    const client = world.open();
    const request = `GET /a HTTP/1.0\r\n${KEEP}\r\n\r\n`;
    assert.equal(await client.ask(request), answer('/a', KEEP));
    assert.equal(await client.ask('GET /b HTTP/1.0\r\n\r\n'), answer('/b', CLOSE));
    assert.equal(client.isShut, true);
    await world.end();
  });

  it('ends with request number requests_per_connection_max', async () => {
    const world = new ConnectionWorld((request, response) => response.text(request.target), {
      limits: { requestsPerConnectionMax: 2 },
    });
    const client = world.open();
    assert.equal(await client.ask(get('/1')), answer('/1'));
    assert.equal(await client.ask(get('/2') + get('/3')), answer('/2', CLOSE));
    assert.equal(client.isShut, true);
    await world.end();
  });

  it('the end of the stream between two requests closes, without a word', async () => {
    const world = echo();
    const client = world.open();
    await client.ask(get('/a'));
    client.finish();
    assert.equal(client.isClosed, true);
    assert.equal(client.news(), '');
    assert.equal(client.isReset, false);
    assert.deepEqual([world.counters.faults, world.counters.resets], [0, 0]);
    await world.end();
  });

  it('an end of the stream behind requests lets them be answered', async () => {
    const world = echo();
    const client = world.open();
    client.send(get('/1') + get('/2'));
    client.finish();
    assert.equal(client.isClosed, false);
    assert.equal(await client.read(), answer('/1') + answer('/2'));
    assert.equal(client.isClosed, true);
    assert.equal(client.isReset, false);
    await world.end();
  });

  it('an end of the stream while a handler runs lets it answer', async () => {
    let response: Response | null = null;
    const world = new ConnectionWorld(async (_request, later) => {
      response = later;
      await new Promise(() => {});
    });
    const client = world.open();
    client.send(get('/'));
    client.finish();
    await world.rest();
    assert.equal(client.isClosed, false);
    (response as Response | null)?.text('late');
    await world.rest();
    assert.equal(await client.read(), answer('late'));
    assert.equal(client.isClosed, true);
    await world.end();
  });
});

describe('what is no request', () => {
  it('is answered after those before it, and ends the connection', async () => {
    const world = echo();
    const client = world.open();
    const text = await client.ask(`${get('/1')}what is this\r\n\r\n${get('/2')}`);
    assert.equal(text, answer('/1') + refusal('400 Bad Request'));
    assert.equal(client.isShut, true);
    assert.equal(world.counters.faults, 1);
    assert.deepEqual(world.debugLines, [`192.0.2.1:${1000 + client.slot} bad target: 400`]);
    client.finish();
    assert.equal(client.isClosed, true);
    await world.end();
  });

  for (const [name, text, status] of [
    ['a head without Host', 'GET / HTTP/1.1\r\n\r\n', '400 Bad Request'],
    ['HTTP/2.0', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', '505 HTTP Version Not Supported'],
    ['a long target', get(`/${'x'.repeat(300)}`), '414 URI Too Long'],
    ['a long head', get('/', `X: ${'x'.repeat(500)}`), '431 Request Header Fields Too Large'],
    ['many fields', get('/', 'A: 1', 'B: 1', 'C: 1'), '431 Request Header Fields Too Large'],
    ['an unknown coding', get('/', 'Transfer-Encoding: gzip, chunked'), '501 Not Implemented'],
    ['both framings', post('/', 1, 'x', 'Transfer-Encoding: chunked'), '400 Bad Request'],
    ['a strange expectation', get('/', 'Expect: miracles'), '417 Expectation Failed'],
    ['a body above every limit', post('/', 5_000), '413 Content Too Large'],
  ] as const) {
    it(`${name}: ${status}`, async () => {
      const world = new ConnectionWorld((_request, response) => response.text('no'), {
        limits: { targetBytesMax: 256, headBytesMax: 512, fieldsMax: 3, streamBytesMax: 4096 },
      });
      const client = world.open();
      assert.equal(await client.ask(text), refusal(status));
      assert.equal(world.counters.answers, 0);
      assert.equal(world.counters.faults, 1);
      assert.equal(client.isShut, true);
      const headClient = world.open();
      const head = text.replace(/^\w+/, 'HEAD');
      assert.equal(await headClient.ask(head), headOf(refusal(status)), 'a HEAD gets no content');
      assert.equal(headClient.isShut, true);
      await world.end();
    });
  }

  it('says nothing of the request before it', async () => {
    // The refused head is HTTP/1.0: the answer is not.
    const world = echo();
    const client = world.open();
    const bad = 'GET / HTTP/1.0\r\nContent-Length: 1, 2\r\nTE: trailers\r\n\r\n';
    assert.equal(await client.ask(bad), refusal('400 Bad Request'));
    await world.end();
  });

  for (const [sent, isHead] of [
    ['HEAD / HTTP/1.1\r\nHo', true],
    ['HEAD ', true],
    ['HEAD', false],
    ['HEADS /', false],
    ['head /', false],
  ] as const) {
    const content = isHead ? 'no content' : 'content';
    it(`${JSON.stringify(sent)} and the end of the stream: ${content}`, async () => {
      const world = echo();
      const client = world.open();
      // The method of the request before it is not that of what is refused.
      await client.ask(get('/'));
      client.send(sent);
      client.finish();
      const whole = refusal('400 Bad Request');
      assert.equal(await client.read(), isHead ? headOf(whole) : whole);
      await world.end();
    });
  }

  it('a stream that ends in the middle of a head is answered', async () => {
    const world = echo();
    const client = world.open();
    client.send('GET / HTTP/1.1\r\nHo');
    client.finish();
    assert.equal(await client.read(), refusal('400 Bad Request'));
    assert.equal(client.isClosed, true, 'there is nothing to wait for');
    assert.match(world.debugLines[0] ?? '', /incomplete message: 400$/);
    await world.end();
  });

  it('a stream that ends in a head over two blocks is answered', async () => {
    const world = new ConnectionWorld((_request, response) => response.text('no'), {
      blockBytes: 64,
    });
    const client = world.open();
    client.send('GET /0123456789 HTTP/1.1\r\nHo');
    client.finish();
    assert.equal(await client.read(), refusal('400 Bad Request'));
    await world.end();
  });

  it('what arrives after the answer is thrown away', async () => {
    const world = echo();
    const client = world.open();
    await client.ask('?\r\n\r\n');
    for (let count = 0; count < 100; count++) client.send(get('/again'));
    assert.equal(client.news(), '');
    assert.equal(world.counters.requests, 0);
    assert.equal(world.slab.freeCount, world.slab.blockCount);
    await world.end();
  });

  it('is not logged when nobody wants to know', async () => {
    const world = echo();
    Object.assign(world.context, { debugEnabled: false });
    const client = world.open();
    await client.ask('?\r\n\r\n');
    assert.deepEqual(world.debugLines, []);
    await world.end();
  });
});

describe('the address of a client', () => {
  it('is asked once, and kept when the client is gone', async () => {
    const seen: string[] = [];
    const later: (() => void)[] = [];
    const world = new ConnectionWorld(async (request, response) => {
      seen.push(`${request.remoteAddress}:${request.remotePort}`);
      await new Promise<void>((resolve) => later.push(resolve));
      seen.push(`${request.remoteAddress}:${request.remotePort}`);
      response.text('x');
    });
    const client = world.open();
    client.send(get('/'));
    await world.rest();
    client.breakOff();
    later[0]?.();
    await world.rest();
    assert.deepEqual(seen, Array(2).fill(`192.0.2.1:${1000 + client.slot}`));
    await world.end();
  });

  it('is nobody when it was never asked while the client was there', async () => {
    const seen: unknown[] = [];
    const later: (() => void)[] = [];
    const world = new ConnectionWorld(async (request, response) => {
      await new Promise<void>((resolve) => later.push(resolve));
      seen.push(request.remoteAddress, request.remotePort);
      response.text('x');
    });
    const client = world.open();
    client.send(get('/'));
    await world.rest();
    client.breakOff();
    later[0]?.();
    await world.rest();
    assert.deepEqual(seen, ['', 0]);
    assert.equal(world.counters.lateWrites, 1);
    await world.end();
  });
});

describe('the clocks', () => {
  it('of an answer that comes between turns are as of then', async () => {
    let response: Response | null = null;
    let summary: unknown = null;
    const world = new ConnectionWorld(async (_request, later) => {
      response = later;
      later.afterSend((given) => {
        summary = given;
      });
      await new Promise(() => {});
    });
    const client = world.open();
    client.send(get('/'));
    await world.rest();
    world.driver.nowMs += 250;
    world.driver.wallMs += 61_000;
    (response as Response | null)?.text('x');
    assert.equal(await client.read(), answer('x').replace(DATE, DATE.replace(':00:00', ':01:01')));
    assert.deepEqual(summary, { status: 200, bytes: 1, durationMs: 250, complete: true });
    await world.end();
  });
});
