// Responses as bytes on connections in memory: at once, prepared and in chunks, their framing,
// their memory, and how long their handlers wait for room.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Handler } from '../../src/exchange/handler.ts';
import { prepare } from '../../src/exchange/prepared.ts';
import type { Response } from '../../src/exchange/response.ts';
import {
  ConnectionFixture,
  DATE,
  type FixtureOptions,
  Gate,
  get,
  respond,
  responseOf,
} from '../../testing/connection-fixture.ts';

const CLOSE = 'Connection: close';
const KEEP = 'Connection: keep-alive';
const OLD = 'GET / HTTP/1.0\r\n\r\n';
const OLD_KEEP = `GET / HTTP/1.0\r\n${KEEP}\r\n\r\n`;
const HEAD = 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n';

/** The response to one request on a connection of its own. */
async function got(sent: string, handler: Handler, options: FixtureOptions = {}): Promise<string> {
  const fixture = new ConnectionFixture(handler, options);
  const text = await fixture.open().ask(sent);
  await fixture.end();
  return text;
}

/** A response with these lines after the date, and content. */
function lines(status: string, fields: readonly string[], content = ''): string {
  return `${[`HTTP/1.1 ${status}`, DATE, ...fields].join('\r\n')}\r\n\r\n${content}`;
}

const TEXT = 'Content-Type: text/plain; charset=utf-8';
const BYTES = 'Content-Type: application/octet-stream';
const CHUNKED = 'Transfer-Encoding: chunked';

describe('a response at once', () => {
  for (const length of [0, 1, 255, 256, 257, 700, 16_383, 16_384, 16_385, 20_000]) {
    it(`of ${length} characters`, async () => {
      const text = 'abcdefghij'.repeat(length / 10 + 1).slice(0, length);
      const handler: Handler = (_request, response) => response.text(text);
      assert.equal(
        await got(get('/'), handler),
        respond(text),
        'in blocks shorter than the response',
      );
      assert.equal(await got(get('/'), handler, { blockBytes: 17_408 }), respond(text));
    });
  }

  it('with characters beyond ASCII is UTF-8, and its length counts bytes', async () => {
    const text = 'grüße';
    const handler: Handler = (_request, response) => response.text(text);
    const bytes = Buffer.from(text).toString('latin1');
    const expected = lines('200 OK', [TEXT, 'Content-Length: 7'], bytes);
    assert.equal(await got(get('/'), handler), expected);
    assert.equal(await got(HEAD, handler), lines('200 OK', [TEXT, 'Content-Length: 7']));
  });

  it('of bytes', async () => {
    const handler: Handler = (_request, response) => response.send(new Uint8Array([0, 255, 10]));
    const expected = lines('200 OK', [BYTES, 'Content-Length: 3'], '\0\xff\n');
    assert.equal(await got(get('/'), handler), expected);
  });

  it('is sent with its head in one send, up to 16 KiB of content', async () => {
    for (const [length, sends] of [
      [100, 1],
      [16_384, 1],
      [16_385, 2],
    ] as const) {
      const fixture = new ConnectionFixture(
        (_request, response) => response.send(new Uint8Array(length)),
        { blockBytes: 17_408 },
      );
      const client = fixture.open();
      client.send(get('/'));
      let count = 0;
      while (client.socket.send !== null) {
        assert.equal(client.socket.send.more, count + 1 < sends, 'whether more follows');
        client.take();
        count += 1;
      }
      assert.equal(count, sends, `${length} bytes`);
      await fixture.end();
    }
  });

  it('to HEAD is only its head', async () => {
    const handler: Handler = (_request, response) => response.text('hello');
    assert.equal(await got(HEAD, handler), lines('200 OK', [TEXT, 'Content-Length: 5']));
    const long: Handler = (_request, response) => response.text('x'.repeat(20_000));
    assert.equal(await got(HEAD, long), lines('200 OK', [TEXT, 'Content-Length: 20000']));
  });

  it('to HEAD may have the length of the one to GET', async () => {
    const handler: Handler = (_request, response) => {
      response.header('Content-Length', 1234).empty(200);
    };
    assert.equal(await got(HEAD, handler), lines('200 OK', ['Content-Length: 1234']));
  });

  it('without content has a length of 0, but for 204 and 304', async () => {
    const empty =
      (status: number): Handler =>
      (_request, response) =>
        response.empty(status);
    assert.equal(await got(get('/'), empty(200)), lines('200 OK', ['Content-Length: 0']));
    assert.equal(await got(get('/'), empty(404)), lines('404 Not Found', ['Content-Length: 0']));
    assert.equal(await got(get('/'), empty(204)), lines('204 No Content', []));
    assert.equal(await got(get('/'), empty(304)), lines('304 Not Modified', []));
  });

  it('with a field larger than a block has memory of its own', async () => {
    const value = 'v'.repeat(2_000);
    const handler: Handler = (_request, response) => response.header('X', value).text('hello');
    const expected = lines('200 OK', [`X: ${value}`, TEXT, 'Content-Length: 5'], 'hello');
    assert.equal(await got(get('/'), handler), expected);
  });

  it('has memory of its own when blocks are short', async () => {
    const handler: Handler = (_request, response) => response.text('hello');
    const fixture = new ConnectionFixture(handler, { blocks: 16 });
    const client = fixture.open();
    const held: number[] = [];
    while (fixture.slab.freeCount > 2) held.push(fixture.slab.acquire());
    assert.equal(await client.ask(get('/')), respond('hello'));
    for (const block of held) fixture.slab.release(block);
    await fixture.end();
  });

  it('without fields of a template', async () => {
    // Another field, a given Date, no type: no common head fits.
    const cases: [Handler, string][] = [
      [
        (_request, response) => response.header('A', 'b').text('x'),
        lines('200 OK', ['A: b', TEXT, 'Content-Length: 1'], 'x'),
      ],
      [
        (_request, response) => response.header('Content-Language', 'en').empty(200),
        lines('200 OK', ['Content-Language: en', 'Content-Length: 0']),
      ],
      [
        (_request, response) => response.header('Date', 'today').text('x'),
        `HTTP/1.1 200 OK\r\nDate: today\r\n${TEXT}\r\nContent-Length: 1\r\n\r\nx`,
      ],
    ];
    for (const [handler, expected] of cases) assert.equal(await got(get('/'), handler), expected);
  });
});

describe('common heads', () => {
  it('are distinct for each status and type, however many there are', async () => {
    const fixture = new ConnectionFixture((request, response) => {
      const [, status = '200', type = ''] = request.path.split('/');
      response.status(Number(status)).header('Content-Type', type).send('x');
    });
    const client = fixture.open();
    for (let round = 0; round < 3; round++) {
      for (const status of ['200 OK', '404 Not Found']) {
        for (let type = 0; type < 7 + round; type++) {
          const text = await client.ask(get(`/${status.slice(0, 3)}/t${type}`));
          assert.equal(text, lines(status, [`Content-Type: t${type}`, 'Content-Length: 1'], 'x'));
        }
      }
    }
    await fixture.end();
  });

  it('are not for responses with another field, without one, or without a length', async () => {
    const handlers: Handler[] = [
      (_request, response) => response.text('one'),
      (_request, response) => response.header('Content-Type', 't').header('A', 'b').send('two'),
      (_request, response) => response.empty(200),
      (_request, response) => response.status(204).text(''),
      (_request, response) => response.header('Connection', 'close').text('last'),
    ];
    let next = 0;
    const fixture = new ConnectionFixture((request, response) =>
      handlers[next++]?.(request, response),
    );
    const client = fixture.open();
    assert.equal(await client.ask(get('/')), respond('one'));
    const two = ['Content-Type: t', 'A: b', 'Content-Length: 3'];
    assert.equal(await client.ask(get('/')), lines('200 OK', two, 'two'));
    assert.equal(await client.ask(get('/')), lines('200 OK', ['Content-Length: 0']));
    assert.equal(await client.ask(get('/')), lines('204 No Content', [TEXT]));
    assert.equal(await client.ask(get('/')), respond('last', CLOSE));
    await fixture.end();
  });

  it('have the date of each response', async () => {
    const fixture = new ConnectionFixture((_request, response) => response.text('x'));
    const client = fixture.open();
    const noon = fixture.driver.wallMs;
    for (const [ms, time] of [
      [0, '12:00:00'],
      [999, '12:00:00'],
      [1_000, '12:00:01'],
      [59_999, '12:00:59'],
      [-1, '11:59:59'],
      [0, '12:00:00'],
    ] as const) {
      fixture.driver.wallMs = noon + ms;
      assert.equal(await client.ask(get('/')), respond('x').replace('12:00:00', time));
    }
    await fixture.end();
  });
});

describe('a prepared response', () => {
  const plain = prepare(200, { 'X-A': 'b' }, 'hello');
  const send =
    (prepared: ReturnType<typeof prepare>, before: (response: Response) => void = () => {}) =>
    (_request: unknown, response: Response): void => {
      before(response);
      response.prepared(prepared);
    };
  const fields = ['X-A: b', TEXT, 'Content-Length: 5'];

  it('is sent as it is, with the current date', async () => {
    const fixture = new ConnectionFixture(send(plain));
    const client = fixture.open();
    assert.equal(await client.ask(get('/')), lines('200 OK', fields, 'hello'));
    fixture.driver.wallMs += 3_000;
    const later = lines('200 OK', fields, 'hello').replace('12:00:00', '12:00:03');
    assert.equal(await client.ask(get('/')), later);
    await fixture.end();
  });

  it('counts its content and reports its status', async () => {
    let summary: unknown = null;
    const handler: Handler = (_request, response) => {
      response.afterSend((given) => {
        summary = given;
      });
      response.prepared(prepare(404, {}, 'none'));
    };
    await got(get('/'), handler);
    assert.deepEqual(summary, { status: 404, bytes: 4, durationMs: 0, complete: true });
  });

  it('with a given date keeps it', async () => {
    const own = prepare(200, { Date: 'today' }, 'x');
    const text = await got(get('/'), send(own));
    assert.equal(text, `HTTP/1.1 200 OK\r\nDate: today\r\n${TEXT}\r\nContent-Length: 1\r\n\r\nx`);
  });

  it('is encoded anew for HEAD, another field, HTTP/1.0 and the last response', async () => {
    assert.equal(await got(HEAD, send(plain)), lines('200 OK', fields));
    assert.equal(await got(OLD, send(plain)), lines('200 OK', [...fields, CLOSE], 'hello'));
    assert.equal(await got(OLD_KEEP, send(plain)), lines('200 OK', [...fields, KEEP], 'hello'));
    const last = await got(get('/', CLOSE), send(plain));
    assert.equal(last, lines('200 OK', [...fields, CLOSE], 'hello'));
    const more = await got(
      get('/'),
      send(plain, (response) => response.header('X-B', 'c')),
    );
    assert.equal(more, lines('200 OK', ['X-B: c', ...fields], 'hello'));
  });

  it('larger than a block is encoded anew, too', async () => {
    const text = 'x'.repeat(3_000);
    const type = [TEXT, 'Content-Length: 3000'];
    assert.equal(await got(get('/'), send(prepare(200, {}, text))), lines('200 OK', type, text));
  });
});

describe('a stream', () => {
  const chunks =
    (...some: readonly (string | Uint8Array)[]): Handler =>
    async (_request, response) => {
      for (const chunk of some) await response.write(chunk);
      response.end();
    };

  it('of unknown length is chunked', async () => {
    const text = await got(get('/'), chunks('hello ', new Uint8Array([33]), 'x'.repeat(300)));
    const expected = `6\r\nhello \r\n1\r\n!\r\n12c\r\n${'x'.repeat(300)}\r\n0\r\n\r\n`;
    assert.equal(text, lines('200 OK', [CHUNKED], expected));
  });

  it('an empty chunk is not sent: it would be the last chunk', async () => {
    const text = await got(get('/'), chunks('a', '', new Uint8Array(0), 'b'));
    assert.equal(text, lines('200 OK', [CHUNKED], '1\r\na\r\n1\r\nb\r\n0\r\n\r\n'));
  });

  it('chunks around and beyond 16 KiB', async () => {
    for (const length of [8_192, 16_383, 16_384, 16_385, 50_000]) {
      const text = 'abcdefghij'.repeat(length / 10 + 1).slice(0, length);
      const chunk = `${length.toString(16)}\r\n${text}\r\n`;
      const expected = lines('200 OK', [CHUNKED], `${chunk}2\r\nyz\r\n0\r\n\r\n`);
      for (const blockBytes of [1024, 17_408]) {
        assert.equal(await got(get('/'), chunks(text, 'yz'), { blockBytes }), expected);
      }
    }
  });

  it('of known length is not chunked, and the connection persists', async () => {
    const fixture = new ConnectionFixture(async (_request, response) => {
      response.header('Content-Length', '5');
      await response.write('he');
      response.end('llo');
    });
    const client = fixture.open();
    const expected = lines('200 OK', ['Content-Length: 5'], 'hello');
    assert.equal(await client.ask(get('/')), expected);
    assert.equal(await client.ask(get('/')), expected);
    await fixture.end();
  });

  it('of known length in one large chunk', async () => {
    const text = 'x'.repeat(20_000);
    const handler: Handler = async (_request, response) => {
      response.header('Content-Length', '20000');
      await response.write(text);
      response.end();
    };
    for (const blockBytes of [256, 1024, 17_408]) {
      const expected = lines('200 OK', ['Content-Length: 20000'], text);
      assert.equal(await got(get('/'), handler, { blockBytes }), expected);
    }
  });

  it('for HTTP/1.0 ends with the connection', async () => {
    const text = await got(OLD_KEEP, chunks('hello'));
    assert.equal(text, lines('200 OK', [CLOSE], 'hello'));
  });

  it('for HTTP/1.0 of known length lives', async () => {
    const handler: Handler = async (_request, response) => {
      response.header('Content-Length', '5');
      await response.write('hello');
      response.end();
    };
    const text = await got(OLD_KEEP + OLD_KEEP, handler);
    assert.equal(text, lines('200 OK', ['Content-Length: 5', KEEP], 'hello').repeat(2));
  });

  it('for HEAD is only its head', async () => {
    assert.equal(await got(HEAD, chunks('hello')), lines('200 OK', [CHUNKED]));
    const known: Handler = async (_request, response) => {
      response.header('Content-Length', '5');
      await response.write('hello');
    };
    assert.equal(await got(HEAD, known), lines('200 OK', ['Content-Length: 5']));
  });

  it('with a status without content has none, and the connection persists', async () => {
    const handler: Handler = async (_request, response) => {
      response.status(204);
      await response.write('hello');
      response.end();
    };
    assert.equal(await got(get('/') + get('/'), handler), lines('204 No Content', []).repeat(2));
    assert.equal(await got(OLD_KEEP, handler), lines('204 No Content', [KEEP]));
  });

  it('has trailers for a request with TE: trailers', async () => {
    const handler: Handler = async (_request, response) => {
      await response.write('a');
      response.trailer('Sum', '1').trailer('X-Other', 'two').end();
    };
    const asked = await got(get('/', 'TE: trailers'), handler);
    const end = '0\r\nSum: 1\r\nX-Other: two\r\n\r\n';
    assert.equal(asked, lines('200 OK', [CHUNKED], `1\r\na\r\n${end}`));
    const other = await got(get('/'), handler);
    assert.equal(other, lines('200 OK', [CHUNKED], '1\r\na\r\n0\r\n\r\n'));
    const none = await got(get('/', 'TE: trailers'), chunks('a'));
    assert.equal(none, lines('200 OK', [CHUNKED], '1\r\na\r\n0\r\n\r\n'));
  });

  it('announces the trailers that were set before its head', async () => {
    const handler: Handler = async (_request, response) => {
      response.trailer('Sum', '1').trailer('X-Other', 'two');
      await response.write('a');
      response.trailer('Late', '4').end();
    };
    const end = '0\r\nSum: 1\r\nX-Other: two\r\nLate: 4\r\n\r\n';
    const announced = ['Trailer: Sum, X-Other', CHUNKED];
    const asked = await got(get('/', 'TE: trailers'), handler);
    assert.equal(asked, lines('200 OK', announced, `1\r\na\r\n${end}`));
    assert.equal(
      await got(get('/'), handler),
      lines('200 OK', [CHUNKED], '1\r\na\r\n0\r\n\r\n'),
      'no trailers are sent',
    );
    const whole: Handler = (_request, response) => response.trailer('Sum', '1').text('a');
    assert.equal(await got(get('/', 'TE: trailers'), whole), respond('a'), 'no chunks are sent');
  });

  it('with trailers larger than a block', async () => {
    const value = 'v'.repeat(3_000);
    const handler: Handler = async (_request, response) => {
      await response.write('a');
      response.trailer('Sum', value).end();
    };
    const text = await got(get('/', 'TE: trailers'), handler);
    assert.ok(text.endsWith(`1\r\na\r\n0\r\nSum: ${value}\r\n\r\n`));
  });

  it('when blocks are short has memory of its own', async () => {
    for (const known of [false, true]) {
      const fixture = new ConnectionFixture(
        async (_request, response) => {
          if (known) response.header('Content-Length', '5');
          await response.write('hello');
          response.end();
        },
        { blocks: 16 },
      );
      const client = fixture.open();
      const held: number[] = [];
      while (fixture.slab.freeCount > 2) held.push(fixture.slab.acquire());
      const expected = known
        ? lines('200 OK', ['Content-Length: 5'], 'hello')
        : lines('200 OK', [CHUNKED], '5\r\nhello\r\n0\r\n\r\n');
      assert.equal(await client.ask(get('/')), expected);
      for (const block of held) fixture.slab.release(block);
      await fixture.end();
    }
  });

  it('more than was announced is a reset, and the handler gets the error', async () => {
    const errors: unknown[] = [];
    const fixture = new ConnectionFixture(async (_request, response) => {
      response.header('Content-Length', '5');
      try {
        await response.write('hello!');
      } catch (error) {
        errors.push(error);
      }
    });
    const client = fixture.open();
    client.send(get('/'));
    await fixture.rest();
    assert.match(String(errors[0]), /TypeError: more was written than Content-Length announced/);
    assert.equal(client.isClosed, true);
    assert.equal(client.isReset, true);
    assert.equal(fixture.counters.resets, 1);
    await fixture.end();
  });

  it('more than was announced is logged as an error of the handler', async () => {
    const fixture = new ConnectionFixture(async (_request, response) => {
      response.header('Content-Length', '5');
      await response.write('hello!');
    });
    const client = fixture.open();
    client.send(get('/'));
    await fixture.rest();
    assert.match(fixture.errorLines[0] ?? '', /more was written than Content-Length announced/);
    assert.equal(client.isReset, true);
    await fixture.end();
  });

  it('less than was announced ends early, and the handler gets the error', async () => {
    const fixture = new ConnectionFixture(async (_request, response) => {
      response.header('Content-Length', '5');
      await response.write('hell');
      response.end();
    });
    const client = fixture.open();
    const text = await client.ask(get('/'));
    assert.equal(text, lines('200 OK', ['Content-Length: 5'], 'hell'));
    assert.equal(client.isShut, true, 'the client sees that a byte is missing');
    assert.match(fixture.errorLines[0] ?? '', /ended 1 bytes before its Content-Length/);
    assert.equal(fixture.counters.resets, 1);
    await fixture.end();
  });
});

describe('room for more', () => {
  it('is there until more than send_queue_bytes_max waits', async () => {
    const done: number[] = [];
    const fixture = new ConnectionFixture(
      async (_request, response) => {
        for (let count = 1; count <= 4; count++) {
          await response.write('x'.repeat(1_000));
          done.push(count);
        }
        response.end();
      },
      { limits: { sendQueueBytesMax: 2_048 }, blockBytes: 4_096 },
    );
    const client = fixture.open();
    client.send(get('/'));
    await fixture.rest();
    assert.deepEqual(done, [1], 'the second is beyond it');
    client.take(500);
    await fixture.rest();
    assert.deepEqual(done, [1, 2]);
    client.take();
    await fixture.rest();
    assert.deepEqual(done, [1, 2, 3, 4]);
    await client.read();
    await fixture.end();
  });

  it('is there at once for a large chunk: the handler may reuse its memory', async () => {
    const done: string[] = [];
    const chunk = Buffer.alloc(10_000, 'x');
    const fixture = new ConnectionFixture(async (_request, response) => {
      await response.write(chunk);
      done.push('written');
      chunk.fill('y');
      response.end();
    });
    const client = fixture.open();
    client.send(get('/'));
    await fixture.rest();
    assert.deepEqual(done, ['written'], 'nothing of it was sent');
    await client.read();
    const text = client.socket.output.toString();
    assert.ok(text.includes(`2710\r\n${'x'.repeat(10_000)}\r\n0\r\n`), 'nothing of it changed');
    await fixture.end();
  });

  it('is there when the client is gone, and later writes are dropped', async () => {
    const gate = new Gate();
    const done: string[] = [];
    const fixture = new ConnectionFixture(async (_request, response) => {
      await response.write(new Uint8Array(100_000));
      done.push('first');
      await gate.opened;
      await response.write('more');
      response.end();
      done.push('second');
    });
    const client = fixture.open();
    client.send(get('/'));
    await fixture.rest();
    assert.deepEqual(done, []);
    client.breakOff();
    await fixture.rest();
    assert.deepEqual(done, ['first']);
    gate.open();
    await fixture.rest();
    assert.deepEqual(done, ['first', 'second']);
    assert.equal(fixture.counters.lateWrites, 2);
    await fixture.end();
  });
});

describe('responses in a row', () => {
  it('of all kinds, on one connection, received byte by byte', async () => {
    const prepared = prepare(200, {}, 'ready');
    const fixture = new ConnectionFixture(async (request, response) => {
      switch (request.path) {
        case '/short':
          response.text('short');
          break;
        case '/long':
          response.text('l'.repeat(2_000));
          break;
        case '/ready':
          response.prepared(prepared);
          break;
        case '/none':
          response.empty();
          break;
        default:
          await response.write('one');
          response.end('two');
      }
    });
    const client = fixture.open();
    client.send(
      ['/short', '/long', '/ready', '/none', '/stream', '/short'].map((t) => get(t)).join(''),
    );
    await fixture.rest();
    while (client.socket.send !== null) {
      client.take(1);
      await Promise.resolve();
    }
    await fixture.rest();
    await client.read();
    assert.equal(
      client.socket.output.toString(),
      respond('short') +
        respond('l'.repeat(2_000)) +
        respond('ready') +
        lines('204 No Content', []) +
        lines('200 OK', [CHUNKED], '3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n') +
        respond('short'),
    );
    assert.equal(fixture.counters.responses, 6);
    await fixture.end();
  });

  it('a response of a status and text', async () => {
    const handler: Handler = (_request, response) => response.status(418).text('tea');
    assert.equal(await got(get('/'), handler), responseOf("418 I'm a teapot", 'tea'));
  });
});
