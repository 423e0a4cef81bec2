// Requests on one connection: the order of responses, when the next request is read, invalid
// requests, and when the connection persists.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Reading, Writing } from '../../src/connection/state.ts';
import type { Response } from '../../src/exchange/response.ts';
import {
  ConnectionFixture,
  DATE,
  get,
  post,
  respond,
  responseOf,
} from '../../testing/connection-fixture.ts';

const CLOSE = 'Connection: close';
const KEEP = 'Connection: keep-alive';

function errorResponse(status: string, ...lines: string[]): string {
  return responseOf(status, `${status.slice(4)}\n`, ...lines, CLOSE);
}

/** The response to HEAD where another method gets this. */
function headOf(text: string): string {
  return text.slice(0, text.indexOf('\r\n\r\n') + 4);
}

/** Responds to every request with its target. */
function echo(): ConnectionFixture {
  return new ConnectionFixture((request, response) => response.text(request.target));
}

describe('a connection', () => {
  it('waits for the first byte, counts its client, and responds', async () => {
    const fixture = echo();
    const client = fixture.open();
    assert.equal(client.socket.receiving, true);
    assert.equal(fixture.counters.accepted, 1);
    assert.equal(await client.ask(get('/a')), respond('/a'));
    assert.deepEqual(
      [fixture.counters.requests, fixture.counters.responses, fixture.counters.faults],
      [1, 1, 0],
    );
    assert.equal(client.connection.requests, 1);
    assert.equal(client.connection.exchange, null);
    await fixture.end();
  });

  it('persists after a response, and holds no block between requests', async () => {
    const fixture = echo();
    const client = fixture.open();
    for (const target of ['/1', '/2', '/3']) {
      assert.equal(await client.ask(get(target)), respond(target));
      assert.equal(
        fixture.slab.freeCount,
        fixture.slab.blockCount,
        'idle connections hold no memory',
      );
      assert.equal(client.socket.receiving, true);
    }
    assert.equal(client.isShut, false);
    await fixture.end();
  });

  it('reads a head in segments of every size', async () => {
    const whole = get('/split', 'X: y');
    for (let size = 1; size < whole.length; size++) {
      const fixture = echo();
      const client = fixture.open();
      for (let at = 0; at < whole.length; at += size) {
        assert.equal(client.news(), '');
        client.send(whole.slice(at, at + size));
      }
      assert.equal(await client.read(), respond('/split'));
      await fixture.end();
    }
  });

  it('can be opened again after it was released', async () => {
    const fixture = echo();
    const client = fixture.open();
    await client.ask(get('/a', CLOSE));
    client.finish();
    const [connection] = fixture.released;
    assert.ok(connection !== undefined);
    const slot = fixture.reactor.sockets.acquire();
    fixture.driver.adopt(0, slot);
    fixture.reactor.sockets.owners[slot] = connection;
    connection.open(slot);
    assert.deepEqual(
      [connection.state.reading, connection.state.writing, connection.state.receiveEnded],
      [Reading.Head, Writing.Open, false],
    );
    assert.deepEqual([connection.body.continuePending, connection.requests], [false, 0]);
    fixture.driver.deliver(slot, Buffer.from(get('/again')));
    fixture.turn();
    fixture.driver.take(slot);
    fixture.turn();
    assert.equal(fixture.driver.socket(slot).output.toString(), respond('/again'));
    fixture.driver.finish(slot);
    fixture.turn();
    assert.equal(fixture.released.length, 2);
  });
});

describe('a pipeline', () => {
  it('gets its responses in order and in one send', async () => {
    const fixture = echo();
    const client = fixture.open();
    client.send(get('/1') + get('/2') + get('/3'));
    assert.equal(client.take(), respond('/1') + respond('/2') + respond('/3'));
    await fixture.end();
  });

  it('waits for a later response; none overtakes it', async () => {
    const waiting: Response[] = [];
    const fixture = new ConnectionFixture(async (request, response) => {
      if (request.target === '/slow') {
        waiting.push(response);
        await new Promise(() => {});
      }
      response.text(request.target);
    });
    const client = fixture.open();
    client.send(get('/1') + get('/slow') + get('/3'));
    await fixture.rest();
    assert.equal(await client.read(), respond('/1'));
    assert.equal(fixture.counters.requests, 2, 'the third has not begun');
    waiting[0]?.text('late');
    await fixture.rest();
    assert.equal(await client.read(), respond('late') + respond('/3'));
    await fixture.end();
  });

  it('beyond pipeline_depth_max is read on only when the earlier responses were sent', async () => {
    const fixture = new ConnectionFixture((request, response) => response.text(request.target), {
      limits: { pipelineDepthMax: 2 },
    });
    const client = fixture.open();
    client.send(get('/1') + get('/2') + get('/3') + get('/4') + get('/5'));
    assert.equal(fixture.counters.requests, 2);
    assert.equal(client.take(), respond('/1') + respond('/2'));
    assert.equal(fixture.counters.requests, 4, 'as many again');
    assert.equal(client.take(), respond('/3') + respond('/4'));
    assert.equal(client.take(), respond('/5'));
    assert.equal(fixture.counters.requests, 5);
    await fixture.end();
  });

  it('is not read on while more than send_queue_bytes_max waits to be sent', async () => {
    const text = 'x'.repeat(700);
    const fixture = new ConnectionFixture((_request, response) => response.text(text), {
      limits: { sendQueueBytesMax: 1024 },
      blockBytes: 2048,
    });
    const client = fixture.open();
    client.send(get('/').repeat(6));
    assert.equal(fixture.counters.requests, 2, 'two responses are more than that');
    client.take(100);
    assert.equal(fixture.counters.requests, 2);
    client.take(respond(text).length);
    assert.equal(fixture.counters.requests, 3, 'there was room for one more');
    client.news();
    await client.read();
    assert.equal(client.socket.output.toString(), respond(text).repeat(6));
    await fixture.end();
  });

  it('is received a block ahead and no further', async () => {
    const fixture = new ConnectionFixture(async () => await new Promise(() => {}));
    const client = fixture.open();
    client.send(get('/1'));
    const block = Buffer.alloc(1024, 'G');
    assert.ok(client.give(Buffer.concat(Array(10).fill(block))) <= 2048, 'a block and one more');
    assert.equal(client.socket.receiving, false);
    await fixture.end();
  });
});

describe('persistence', () => {
  it('closes when the client says close, and the response says so', async () => {
    const fixture = echo();
    const client = fixture.open();
    assert.equal(await client.ask(get('/a', CLOSE) + get('/b')), respond('/a', CLOSE));
    assert.equal(fixture.counters.requests, 1, 'bytes after close are not read as a request');
    assert.equal(client.isShut, true);
    client.finish();
    assert.equal(client.isClosed, true);
    assert.equal(client.isReset, false);
    await fixture.end();
  });

  it('closes when the handler says close', async () => {
    const fixture = new ConnectionFixture((_request, response) => {
      response.header('Connection', 'close').text('x');
    });
    const client = fixture.open();
    assert.equal(await client.ask(get('/') + get('/')), respond('x', CLOSE));
    assert.equal(client.isShut, true);
    await fixture.end();
  });

  it('of HTTP/1.0 is asked for and granted', async () => {
    const fixture = echo();
    const client = fixture.open();
    const request = `GET /a HTTP/1.0\r\n${KEEP}\r\n\r\n`;
    assert.equal(await client.ask(request), respond('/a', KEEP));
    assert.equal(await client.ask('GET /b HTTP/1.0\r\n\r\n'), respond('/b', CLOSE));
    assert.equal(client.isShut, true);
    await fixture.end();
  });

  it('closes with request number requests_per_connection_max', async () => {
    const fixture = new ConnectionFixture((request, response) => response.text(request.target), {
      limits: { requestsPerConnectionMax: 2 },
    });
    const client = fixture.open();
    assert.equal(await client.ask(get('/1')), respond('/1'));
    assert.equal(await client.ask(get('/2') + get('/3')), respond('/2', CLOSE));
    assert.equal(client.isShut, true);
    await fixture.end();
  });

  it('the end of the stream between two requests closes, without a response', async () => {
    const fixture = echo();
    const client = fixture.open();
    await client.ask(get('/a'));
    client.finish();
    assert.equal(client.isClosed, true);
    assert.equal(client.news(), '');
    assert.equal(client.isReset, false);
    assert.deepEqual([fixture.counters.faults, fixture.counters.resets], [0, 0]);
    await fixture.end();
  });

  it('an end of the stream after requests lets them get responses', async () => {
    const fixture = echo();
    const client = fixture.open();
    client.send(get('/1') + get('/2'));
    client.finish();
    assert.equal(client.isClosed, false);
    assert.equal(await client.read(), respond('/1') + respond('/2'));
    assert.equal(client.isClosed, true);
    assert.equal(client.isReset, false);
    await fixture.end();
  });

  it('an end of the stream while a handler runs lets it respond', async () => {
    let response: Response | null = null;
    const fixture = new ConnectionFixture(async (_request, later) => {
      response = later;
      await new Promise(() => {});
    });
    const client = fixture.open();
    client.send(get('/'));
    client.finish();
    await fixture.rest();
    assert.equal(client.isClosed, false);
    (response as Response | null)?.text('late');
    await fixture.rest();
    assert.equal(await client.read(), respond('late'));
    assert.equal(client.isClosed, true);
    await fixture.end();
  });
});

describe('an invalid request', () => {
  it('gets its response after the earlier ones, and closes the connection', async () => {
    const fixture = echo();
    const client = fixture.open();
    const text = await client.ask(`${get('/1')}what is this\r\n\r\n${get('/2')}`);
    assert.equal(text, respond('/1') + errorResponse('400 Bad Request'));
    assert.equal(client.isShut, true);
    assert.equal(fixture.counters.faults, 1);
    assert.deepEqual(fixture.debugLines, [`192.0.2.1:${1000 + client.slot} bad target: 400`]);
    client.finish();
    assert.equal(client.isClosed, true);
    await fixture.end();
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
      const fixture = new ConnectionFixture((_request, response) => response.text('no'), {
        limits: { targetBytesMax: 256, headBytesMax: 512, fieldsMax: 3, streamBytesMax: 4096 },
      });
      const client = fixture.open();
      assert.equal(await client.ask(text), errorResponse(status));
      assert.equal(fixture.counters.responses, 0);
      assert.equal(fixture.counters.faults, 1);
      assert.equal(client.isShut, true);
      const headClient = fixture.open();
      const head = text.replace(/^\w+/, 'HEAD');
      assert.equal(
        await headClient.ask(head),
        headOf(errorResponse(status)),
        'a HEAD gets no content',
      );
      assert.equal(headClient.isShut, true);
      await fixture.end();
    });
  }

  it('is not affected by the request before it', async () => {
    // The invalid head is HTTP/1.0: the response is not.
    const fixture = echo();
    const client = fixture.open();
    const bad = 'GET / HTTP/1.0\r\nContent-Length: 1, 2\r\nTE: trailers\r\n\r\n';
    assert.equal(await client.ask(bad), errorResponse('400 Bad Request'));
    await fixture.end();
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
      const fixture = echo();
      const client = fixture.open();
      // The method of the request before it is not that of the invalid one.
      await client.ask(get('/'));
      client.send(sent);
      client.finish();
      const whole = errorResponse('400 Bad Request');
      assert.equal(await client.read(), isHead ? headOf(whole) : whole);
      await fixture.end();
    });
  }

  it('a stream that ends in the middle of a head gets a response', async () => {
    const fixture = echo();
    const client = fixture.open();
    client.send('GET / HTTP/1.1\r\nHo');
    client.finish();
    assert.equal(await client.read(), errorResponse('400 Bad Request'));
    assert.equal(client.isClosed, true, 'there is nothing to wait for');
    assert.match(fixture.debugLines[0] ?? '', /incomplete message: 400$/);
    await fixture.end();
  });

  it('a stream that ends in a head over two blocks gets a response', async () => {
    const fixture = new ConnectionFixture((_request, response) => response.text('no'), {
      blockBytes: 64,
    });
    const client = fixture.open();
    client.send('GET /0123456789 HTTP/1.1\r\nHo');
    client.finish();
    assert.equal(await client.read(), errorResponse('400 Bad Request'));
    await fixture.end();
  });

  it('bytes that arrive after the response are discarded', async () => {
    const fixture = echo();
    const client = fixture.open();
    await client.ask('?\r\n\r\n');
    for (let count = 0; count < 100; count++) client.send(get('/again'));
    assert.equal(client.news(), '');
    assert.equal(fixture.counters.requests, 0);
    assert.equal(fixture.slab.freeCount, fixture.slab.blockCount);
    await fixture.end();
  });

  it('is not logged without the debug level', async () => {
    const fixture = echo();
    Object.assign(fixture.context, { debugEnabled: false });
    const client = fixture.open();
    await client.ask('?\r\n\r\n');
    assert.deepEqual(fixture.debugLines, []);
    await fixture.end();
  });
});

describe('the address of a client', () => {
  it('is read once, and kept when the client is gone', async () => {
    const seen: string[] = [];
    const later: (() => void)[] = [];
    const fixture = new ConnectionFixture(async (request, response) => {
      seen.push(`${request.remoteAddress}:${request.remotePort}`);
      await new Promise<void>((resolve) => later.push(resolve));
      seen.push(`${request.remoteAddress}:${request.remotePort}`);
      response.text('x');
    });
    const client = fixture.open();
    client.send(get('/'));
    await fixture.rest();
    client.breakOff();
    later[0]?.();
    await fixture.rest();
    assert.deepEqual(seen, Array(2).fill(`192.0.2.1:${1000 + client.slot}`));
    await fixture.end();
  });

  it('is unknown when it is first read after the client is gone', async () => {
    const seen: unknown[] = [];
    const later: (() => void)[] = [];
    const fixture = new ConnectionFixture(async (request, response) => {
      await new Promise<void>((resolve) => later.push(resolve));
      seen.push(request.remoteAddress, request.remotePort);
      response.text('x');
    });
    const client = fixture.open();
    client.send(get('/'));
    await fixture.rest();
    client.breakOff();
    later[0]?.();
    await fixture.rest();
    assert.deepEqual(seen, ['', 0]);
    assert.equal(fixture.counters.lateWrites, 1);
    await fixture.end();
  });
});

describe('the clocks', () => {
  it('of a response between turns go on since the last turn, which reads both', async () => {
    let response: Response | null = null;
    let summary: unknown = null;
    const fixture = new ConnectionFixture(async (_request, later) => {
      response = later;
      later.afterSend((given) => {
        summary = given;
      });
      await new Promise(() => {});
    });
    const client = fixture.open();
    client.send(get('/'));
    await fixture.rest();
    // The wall clock was set, and then a minute passes without a turn.
    fixture.driver.wallMs += 3_600_000;
    fixture.reactor.turn();
    fixture.driver.nowMs += 61_000;
    (response as Response | null)?.text('x');
    assert.equal(
      await client.read(),
      respond('x').replace(DATE, DATE.replace('12:00:00', '13:01:01')),
    );
    assert.deepEqual(summary, { status: 200, bytes: 1, durationMs: 61_000, complete: true });
    await fixture.end();
  });
});
