// Request bodies on connections in memory: reading, skipping, bodies that are too long or
// malformed, and 100 (Continue). Slow ones are in slow-bodies.test.ts.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Handler } from '../../src/exchange/handler.ts';
import { HttpError } from '../../src/exchange/http-error.ts';
import type { Request } from '../../src/exchange/request.ts';
import type { Response } from '../../src/exchange/response.ts';
import {
  ConnectionFixture,
  type FixtureOptions,
  Gate,
  get,
  post,
  postChunked,
  respond,
  responseOf,
} from '../../testing/connection-fixture.ts';

const CLOSE = 'Connection: close';
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const EXPECT = 'Expect: 100-continue';

/** Responds with the text of the body. */
const echoBody: Handler = async (request, response) => {
  response.text(`${request.target}:${await request.text()}`);
};

/** Responds with the text of the body, which it reads in chunks. */
const echoChunks: Handler = async (request, response) => {
  let text = '';
  for await (const chunk of request.body) text += Buffer.from(chunk).toString();
  response.text(text);
};

/** Responds at once and reads nothing. */
const careless: Handler = (request, response) => response.text(request.target);

/** The same, and closes the connection. */
const closing: Handler = (request, response) => {
  response.header('Connection', 'close').text(request.target);
};

function echo(options: FixtureOptions = {}): ConnectionFixture {
  return new ConnectionFixture(echoBody, options);
}

describe('a body', () => {
  it('arrives with its head, and the next request after it', async () => {
    const fixture = echo();
    const client = fixture.open();
    const text = await client.ask(post('/a', 5, 'hello') + get('/b'));
    assert.equal(text, respond('/a:hello') + respond('/b:'));
    await fixture.end();
  });

  it('arrives byte by byte', async () => {
    const fixture = echo();
    const client = fixture.open();
    for (const byte of post('/a', 5, 'hello')) client.send(byte);
    await fixture.rest();
    assert.equal(await client.read(), respond('/a:hello'));
    await fixture.end();
  });

  it('that arrives unread is received a block ahead and no further', async () => {
    const gate = new Gate();
    const fixture = new ConnectionFixture(async (request, response) => {
      await gate.opened;
      response.text(String((await request.bytes()).length));
    });
    const client = fixture.open();
    client.send(post('/', 100_000));
    await fixture.rest();
    const bytes = Buffer.alloc(100_000, 'x');
    const taken = client.give(bytes);
    assert.ok(taken < 5_000, `${taken} bytes are received`);
    assert.equal(client.socket.receiving, false);
    gate.open();
    await fixture.rest();
    client.send(bytes.subarray(taken));
    await fixture.rest();
    assert.equal(await client.read(), respond('100000'));
    await fixture.end();
  });

  it('is read chunk by chunk, and the handler may keep the chunks', async () => {
    const chunks: Uint8Array[] = [];
    const fixture = new ConnectionFixture(async (request, response) => {
      for await (const chunk of request.body) chunks.push(chunk);
      response.text('done');
    });
    const client = fixture.open();
    client.send(postChunked('/', '3\r\nabc\r\n'));
    await fixture.rest();
    client.send('2\r\nde\r\n');
    await fixture.rest();
    assert.equal(await client.ask('0\r\n\r\n'), respond('done'));
    assert.deepEqual(
      chunks.map((chunk) => Buffer.from(chunk).toString()),
      ['abc', 'de'],
    );
    await fixture.end();
  });

  it('in chunks brings its trailers', async () => {
    let trailers: unknown = null;
    const fixture = new ConnectionFixture(async (request, response) => {
      const text = await request.text();
      trailers = request.trailers();
      response.text(text);
    });
    const client = fixture.open();
    const text = await client.ask(postChunked('/', '3\r\nabc\r\n0\r\nSum: 6\r\n\r\n'));
    assert.equal(text, respond('abc'));
    assert.deepEqual(trailers, [['sum', '6']]);
    await fixture.end();
  });

  it('has trailers only when it was chunked, and only at its end', async () => {
    const trailers: unknown[] = [];
    const fixture = new ConnectionFixture(async (request, response) => {
      trailers.push(request.trailers());
      await request.bytes();
      trailers.push(request.trailers());
      response.text('x');
    });
    const client = fixture.open();
    await client.ask(postChunked('/', '0\r\nA: b\r\n\r\n'));
    await client.ask(post('/', 3, 'abc'));
    await client.ask(get('/'));
    assert.deepEqual(trailers, [[], [['a', 'b']], [], [], [], []]);
    await fixture.end();
  });

  it('may be read on after the response, and the connection persists', async () => {
    const texts: string[] = [];
    const fixture = new ConnectionFixture((request, response) => {
      void request.text().then((text) => texts.push(text));
      response.text(request.target);
    });
    const client = fixture.open();
    assert.equal(await client.ask(post('/a', 600_000, 'x'.repeat(1_000))), respond('/a'));
    client.send('x'.repeat(599_000));
    assert.equal(await client.ask(get('/b')), respond('/b'));
    assert.deepEqual(
      texts.map((text) => text.length),
      [600_000, 0],
    );
    await fixture.end();
  });

  it('longer than body_bytes_max is 413, and skipped', async () => {
    const fixture = echo({ limits: { bodyBytesMax: 4 } });
    const client = fixture.open();
    const text = await client.ask(post('/a', 5, 'hello') + get('/b'));
    assert.equal(text, responseOf('413 Content Too Large', 'Content Too Large\n') + respond('/b:'));
    await fixture.end();
  });

  it('cannot be read after the response', async () => {
    const kept: Request[] = [];
    const errors: unknown[] = [];
    const fixture = new ConnectionFixture(async (request, response) => {
      kept.push(request);
      response.text('x');
      // The connection reads the next request by now.
      await new Promise((resolve) => setImmediate(resolve));
      await request.bytes().catch((error: unknown) => errors.push(error));
      assert.deepEqual(request.trailers(), []);
    });
    const client = fixture.open();
    await client.ask(get('/a'));
    await fixture.rest();
    assert.match(String(errors[0]), /the body cannot be read any more: this request is over/);
    assert.equal(kept.length, 1);
    await fixture.end();
  });
});

describe('an unread body', () => {
  it('is skipped when it is short, and the connection persists', async () => {
    const fixture = new ConnectionFixture(careless, { limits: { discardBytesMax: 10 } });
    const client = fixture.open();
    assert.equal(await client.ask(post('/a', 10, '0123456789')), respond('/a'));
    assert.equal(await client.ask(get('/b')), respond('/b'));
    await fixture.end();
  });

  it('is skipped when it arrives after the response', async () => {
    const fixture = new ConnectionFixture(careless, { limits: { discardBytesMax: 10 } });
    const client = fixture.open();
    assert.equal(await client.ask(post('/a', 10)), respond('/a'));
    assert.equal(
      fixture.slab.freeCount,
      fixture.slab.blockCount,
      'the head holds no block meanwhile',
    );
    client.send('01234');
    assert.equal(await client.ask(`56789${get('/b')}`), respond('/b'));
    await fixture.end();
  });

  for (const [why, handler, sent] of [
    ['the client wants that', careless, post('/a', 10, '01', CLOSE)],
    ['the handler wants that', closing, post('/a', 10, '01')],
    ['HTTP/1.0 does not keep it', careless, post('/a', 10, '01').replace('1.1', '1.0')],
    ['the client wants that, with chunks', careless, postChunked('/a', '5\r\n01', CLOSE)],
  ] as const) {
    it(`is not awaited where the connection closes because ${why}`, async () => {
      const fixture = new ConnectionFixture(handler);
      const client = fixture.open();
      assert.equal(await client.ask(sent), respond('/a', CLOSE));
      assert.equal(client.isShut, true);
      client.send('234');
      assert.equal(client.isReset, false, 'the rest is received, so that no reset is sent');
      await fixture.end();
    });
  }

  it('closes the connection when its announced length is long', async () => {
    const fixture = new ConnectionFixture(careless, { limits: { discardBytesMax: 10 } });
    const client = fixture.open();
    assert.equal(await client.ask(post('/a', 11, '0123456789a')), respond('/a', CLOSE));
    assert.equal(client.isShut, true);
    await fixture.end();
  });

  for (const begun of ['write', 'stream', 'events'] as const) {
    it(`closes the connection when it is long: the head says so (${begun})`, async () => {
      const fixture = new ConnectionFixture(
        async (_request, response) => {
          if (begun === 'events') response.events().close();
          else if (begun === 'stream') await response.stream(['a']);
          else await response.write('a');
          if (begun === 'write') response.end();
        },
        { limits: { discardBytesMax: 10 } },
      );
      for (const [bytes, closes] of [
        [10, false],
        [11, true],
      ] as const) {
        const client = fixture.open();
        const text = await client.ask(post('/', bytes, '0123456789a'.slice(0, bytes)));
        assert.equal(text.includes(`${CLOSE}\r\n`), closes, text);
        await fixture.rest();
        assert.equal(client.isShut, closes);
        client.finish();
      }
      await fixture.end();
    });
  }

  for (const [how, read] of [
    [
      'stops',
      async (request: Request) => {
        for await (const _chunk of request.body) break;
      },
    ],
    ['fails', async (request: Request) => void (await request.bytes().catch(() => {}))],
  ] as const) {
    it(`closes the connection when its reader ${how} and a stream begins`, async () => {
      const fixture = new ConnectionFixture(
        async (request, response) => {
          await read(request);
          await response.stream(['a']);
        },
        { limits: { bodyBytesMax: 15, discardBytesMax: 10 } },
      );
      const client = fixture.open();
      client.send(post('/', 40, '0123456789'));
      await fixture.rest();
      assert.ok((await client.read()).includes(CLOSE));
      assert.equal(client.isShut, true);
      await fixture.end();
    });
  }

  it('may still be read after a head with Connection: close', async () => {
    const fixture = new ConnectionFixture(
      async (request, response) => {
        void response.write('early ');
        response.end(await request.text());
      },
      { limits: { discardBytesMax: 10 } },
    );
    const client = fixture.open();
    client.send(post('/', 20, '0123456789'));
    await fixture.rest();
    assert.ok((await client.read()).includes(CLOSE), 'the handler had not read the body');
    assert.ok((await client.ask('abcdefghij')).includes('14\r\n0123456789abcdefghij\r\n0\r\n'));
    assert.equal(client.isShut, true);
    await fixture.end();
  });

  it('does not cause Connection: close while the handler reads it chunk by chunk', async () => {
    const fixture = new ConnectionFixture(
      async (request, response) => {
        for await (const chunk of request.body) await response.write(chunk);
        response.end();
      },
      { limits: { discardBytesMax: 10 } },
    );
    const client = fixture.open();
    const first = await client.ask(post('/', 40, '0123456789'));
    assert.ok(!first.includes(CLOSE), first);
    assert.ok((await client.ask('x'.repeat(30))).endsWith('0\r\n\r\n'));
    assert.equal(client.isShut, false);
    await fixture.end();
  });

  it('closes the connection when its chunks turn out to be long', async () => {
    const fixture = new ConnectionFixture(careless, { limits: { discardBytesMax: 10 } });
    const client = fixture.open();
    assert.equal(await client.ask(postChunked('/a', '5\r\n01234\r\n')), respond('/a'));
    client.send('5\r\n01234\r\n');
    assert.equal(client.isShut, false, 'ten bytes are not too many');
    client.send('1\r\n0\r\n');
    assert.equal(client.isShut, true);
    assert.equal(client.news(), '', 'the response was sent, nothing follows');
    await fixture.end();
  });

  it('is skipped when its reader stops half way', async () => {
    const fixture = new ConnectionFixture(async (request, response) => {
      for await (const chunk of request.body) {
        response.text(`${chunk.length}`);
        return;
      }
      response.text('no body');
    });
    const client = fixture.open();
    assert.equal(await client.ask(post('/a', 10, '01234')), respond('5'));
    assert.equal(await client.ask(`56789${get('/b')}`), respond('no body'));
    await fixture.end();
  });

  it('rejects with 413 when too much is discarded for its reader', async () => {
    const errors: HttpError[] = [];
    const fixture = new ConnectionFixture(
      async (request, response) => {
        await request.bytes().catch((error: HttpError) => errors.push(error));
        await new Promise((resolve) => setImmediate(resolve));
        response.status(413).text('no');
      },
      { limits: { bodyBytesMax: 4, discardBytesMax: 8 } },
    );
    const client = fixture.open();
    client.send(postChunked('/', '6\r\n012345\r\n6\r\n012345\r\n'));
    await fixture.rest();
    assert.equal(await client.read(), responseOf('413 Content Too Large', 'no', CLOSE));
    assert.equal(errors[0]?.status, 413);
    assert.equal(client.isShut, true);
    await fixture.end();
  });

  it('that is malformed after the response closes the connection, without another', async () => {
    const fixture = new ConnectionFixture(careless);
    const client = fixture.open();
    assert.equal(await client.ask(postChunked('/a', '5\r\n012')), respond('/a'));
    assert.equal(await client.ask('34broken'), '');
    assert.equal(client.isShut, true);
    assert.equal(fixture.counters.faults, 1);
    assert.match(fixture.debugLines[0] ?? '', /bad chunk$/);
    await fixture.end();
  });

  it('that ends in the middle closes the connection', async () => {
    const fixture = new ConnectionFixture(careless);
    const client = fixture.open();
    assert.equal(await client.ask(post('/a', 10, '012')), respond('/a'));
    client.finish();
    assert.equal(client.isClosed, true);
    assert.equal(client.isReset, false);
    assert.equal(fixture.counters.faults, 1);
    await fixture.end();
  });
});

describe('a malformed body', () => {
  for (const [name, sent, status, text] of [
    ['a bad chunk', postChunked('/', 'x\r\n'), '400 Bad Request', 'bad chunk'],
    ['long extensions', postChunked('/', `1;${'e'.repeat(99)}`), '400 Bad Request', 'chunk ext'],
    [
      'forbidden trailers',
      postChunked('/', '0\r\nHost: b\r\n\r\n'),
      '400 Bad Request',
      'field not allowed in trailers',
    ],
    [
      'long trailers',
      postChunked('/', `0\r\nA: ${'x'.repeat(99)}`),
      '431 Request Header Fields Too Large',
      'trailers too large',
    ],
  ] as const) {
    it(`${name}: the reader gets ${status}, and the connection closes`, async () => {
      const fixture = echo({ limits: { chunkExtensionBytesMax: 64, trailerBytesMax: 64 } });
      const client = fixture.open();
      const got = await client.ask(sent);
      assert.ok(got.startsWith(`HTTP/1.1 ${status}\r\n`), got);
      assert.ok(got.includes(`\r\n${CLOSE}\r\n`), got);
      assert.ok(got.includes(text), got);
      assert.equal(client.isShut, true);
      assert.equal(fixture.counters.faults, 1);
      await fixture.end();
    });
  }

  it('that is longer than stream_bytes_max is 413', async () => {
    const fixture = echo({ limits: { streamBytesMax: 8 } });
    const client = fixture.open();
    const got = await client.ask(postChunked('/', '9\r\n012345678\r\n0\r\n\r\n'));
    assert.equal(got, responseOf('413 Content Too Large', 'body too large\n', CLOSE));
    await fixture.end();
  });

  it('that ends too early is 400 for its reader', async () => {
    const fixture = echo();
    const client = fixture.open();
    client.send(post('/', 10, '012'));
    await fixture.rest();
    client.finish();
    await fixture.rest();
    assert.equal(await client.read(), responseOf('400 Bad Request', 'incomplete message\n', CLOSE));
    assert.equal(client.isClosed, true);
    await fixture.end();
  });

  it('that is malformed before it is read rejects', async () => {
    const gate = new Gate();
    const fixture = new ConnectionFixture(async (request, response) => {
      await gate.opened;
      response.text(await request.text());
    });
    const client = fixture.open();
    client.send(post('/', 10, '012'));
    await fixture.rest();
    client.finish();
    gate.open();
    await fixture.rest();
    assert.match(await client.read(), /^HTTP\/1\.1 400 [\s\S]*incomplete message\n$/);
    await fixture.end();
  });
});

describe('100 (Continue)', () => {
  it('is sent when the handler begins to read, and not before', async () => {
    const gate = new Gate();
    const fixture = new ConnectionFixture(async (request, response) => {
      await gate.opened;
      response.text(await request.text());
    });
    const client = fixture.open();
    client.send(post('/', 5, '', EXPECT));
    await fixture.rest();
    assert.equal(client.socket.send, null);
    gate.open();
    await fixture.rest();
    assert.equal(await client.read(), CONTINUE);
    assert.equal(await client.ask('hello'), respond('hello'));
    await fixture.end();
  });

  it('is sent once, however often the handler reads', async () => {
    const fixture = new ConnectionFixture(echoChunks);
    const client = fixture.open();
    client.send(post('/', 4, '', EXPECT));
    await fixture.rest();
    assert.equal(await client.read(), CONTINUE);
    client.send('ab');
    await fixture.rest();
    assert.equal(await client.ask('cd'), respond('abcd'));
    await fixture.end();
  });

  it('is not sent when the body is already arriving', async () => {
    const fixture = echo();
    const client = fixture.open();
    assert.equal(await client.ask(post('/', 5, 'hello', EXPECT)), respond('/:hello'));
    await fixture.end();
  });

  it('is not sent for a body that is empty', async () => {
    const fixture = echo();
    const client = fixture.open();
    assert.equal(await client.ask(post('/', 0, '', EXPECT)), respond('/:'));
    await fixture.end();
  });

  it('is not sent when a part of the body has come, and the rest is waited for', async () => {
    const fixture = new ConnectionFixture(echoChunks);
    const client = fixture.open();
    for (const [sent, rest] of [
      [post('/', 6, 'abc', EXPECT), 'def'],
      [postChunked('/', '3\r\nabc\r\n', EXPECT), '3\r\ndef\r\n0\r\n\r\n'],
    ]) {
      assert.equal(await client.ask(sent), '');
      assert.equal(await client.ask(rest), respond('abcdef'));
    }
    await fixture.end();
  });

  it('is not sent after the head of a response', async () => {
    const fixture = new ConnectionFixture(async (request, response) => {
      void response.write('early ');
      response.end(await request.text());
    });
    const client = fixture.open();
    client.send(post('/', 3, '', EXPECT));
    await fixture.rest();
    const text = await client.read();
    assert.ok(!text.includes('100 Continue'), text);
    assert.ok((await client.ask('abc')).includes('3\r\nabc\r\n'));
    await fixture.end();
  });

  it('a response without it closes the connection: the body may or may not be sent', async () => {
    const fixture = new ConnectionFixture(careless);
    const client = fixture.open();
    assert.equal(await client.ask(post('/a', 5, '', EXPECT)), respond('/a', CLOSE));
    assert.equal(client.isShut, true);
    await fixture.end();
  });

  it('an error instead of it closes the connection', async () => {
    const fixture = new ConnectionFixture(() => {
      throw new HttpError(403);
    });
    const client = fixture.open();
    const text = await client.ask(post('/a', 5, '', EXPECT));
    assert.equal(text, responseOf('403 Forbidden', 'Forbidden\n', CLOSE));
    await fixture.end();
  });
});

describe('the memory of a head', () => {
  it('does not change for a handler that continues', async () => {
    const seen: string[] = [];
    const responses: Response[] = [];
    const fixture = new ConnectionFixture(async (request, response) => {
      responses.push(response);
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(request.target, request.header('x') ?? '', request.path);
      response.text(await request.text());
    });
    const client = fixture.open();
    client.send(post('/kept%20', 300, 'x'.repeat(100), 'X: value'));
    client.send('y'.repeat(200));
    await fixture.rest();
    assert.equal(await client.read(), respond('x'.repeat(100) + 'y'.repeat(200)));
    assert.deepEqual(seen, ['/kept%20', 'value', '/kept ']);
    await fixture.end();
  });
});
