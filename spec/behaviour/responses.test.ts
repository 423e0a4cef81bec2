// What a handler can respond with, and what it cannot: every kind of content with its type and
// length, and no value that would become a field or a second response.

import assert from 'node:assert/strict';
import { type Prepared, prepare } from '../../src/exchange/prepared.ts';
import type { Response } from '../../src/exchange/response.ts';
import type { Server } from '../../src/server/server.ts';
import { get, request } from '../../testing/raw-client.ts';
import type { RawResponse } from '../../testing/raw-response.ts';
import { type DriverName, onEachDriver, withServer } from '../../testing/with-server.ts';

/** The response of one handler to GET, followed by a second response on the connection. */
async function responseOf(
  driver: DriverName,
  handler: (response: Response) => void | Promise<void>,
  bytes: string = get('/'),
): Promise<RawResponse> {
  let response: RawResponse | undefined;
  const routes = (server: Server) => {
    server.get('/', (_request, response) => handler(response));
    server.get('/next', (_request, response) => response.text('next'));
  };
  await withServer(driver, {}, routes, async ({ open }) => {
    const client = await open();
    response = await client.ask(bytes);
    assert.equal((await client.ask(get('/next'))).text, 'next', 'the connection still works');
  });
  assert.ok(response !== undefined);
  return response;
}

/** What a call within a handler throws. */
async function thrownBy(
  driver: DriverName,
  call: (response: Response) => unknown,
): Promise<unknown> {
  let thrown: unknown = null;
  await responseOf(driver, (response) => {
    try {
      call(response);
    } catch (error) {
      thrown = error;
    }
    if (!response.sent) response.text('fallback');
  });
  return thrown;
}

const TEXT = 'text/plain; charset=utf-8';
const HTML = 'text/html; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';
const BYTES = 'application/octet-stream';
const EURO = 'h\u00e9llo \u20ac \u{1f600}';

interface Case {
  readonly what: string;
  readonly response: (response: Response) => void;
  readonly type: string | undefined;
  readonly text: string;
}

const CASES: readonly Case[] = [
  { what: 'text()', response: (r) => r.text('hello'), type: TEXT, text: 'hello' },
  { what: 'text() of nothing', response: (r) => r.text(''), type: TEXT, text: '' },
  { what: 'html()', response: (r) => r.html('<p>'), type: HTML, text: '<p>' },
  { what: 'send() of text', response: (r) => r.send('hello'), type: TEXT, text: 'hello' },
  {
    what: 'send() with a type',
    response: (r) => r.send('a,b', 'text/csv'),
    type: 'text/csv',
    text: 'a,b',
  },
  { what: 'send() of bytes', response: (r) => r.send(Buffer.from('ab')), type: BYTES, text: 'ab' },
  {
    what: 'send() of part of a buffer',
    response: (r) => r.send(Buffer.from('abcdef').subarray(2, 4)),
    type: BYTES,
    text: 'cd',
  },
  {
    what: 'json() of an object',
    response: (r) => r.json({ a: EURO }),
    type: JSON_TYPE,
    text: `{"a":"${EURO}"}`,
  },
  { what: 'json() of null', response: (r) => r.json(null), type: JSON_TYPE, text: 'null' },
  { what: 'json() of false', response: (r) => r.json(false), type: JSON_TYPE, text: 'false' },
  { what: 'other than ASCII', response: (r) => r.text(EURO), type: TEXT, text: EURO },
  { what: 'Latin-1', response: (r) => r.text('\u00ff\u0080'), type: TEXT, text: '\u00ff\u0080' },
  {
    what: 'half a surrogate pair',
    response: (r) => r.text('a\ud800b'),
    type: TEXT,
    text: 'a\ufffdb',
  },
  {
    what: 'a type set before',
    response: (r) => r.header('content-type', 'text/x').text('a'),
    type: 'text/x',
    text: 'a',
  },
  { what: 'end() alone', response: (r) => r.end('hello'), type: undefined, text: 'hello' },
  { what: 'end() of nothing', response: (r) => r.end(), type: undefined, text: '' },
];

const SIZES = [255, 256, 257, 8_191, 8_192, 8_193, 17_000, 65_536, 1_000_003];

onEachDriver('responses', (add) => {
  for (const { what, response, type, text } of CASES) {
    add(`${what}: type, length, content`, async (driver) => {
      const got = await responseOf(driver, response);
      assert.equal(got.status, 200);
      assert.equal(got.framing, 'length');
      assert.equal(got.text, text);
      assert.equal(got.field('content-type'), type);
    });
  }

  add('content of all sizes, plain and with a character that is not ASCII', async (driver) => {
    const routes = (server: Server) => {
      server.get('/:kind/:size', ({ params }, response) => {
        const size = Number(params['size']);
        if (params['kind'] === 'bytes') response.send(Buffer.alloc(size, 'b'));
        else if (params['kind'] === 'ascii') response.text('a'.repeat(size));
        else response.text(`${'a'.repeat(size - 1)}\u20ac`);
      });
    };
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      for (const size of SIZES) {
        const ascii = await client.ask(get(`/ascii/${size}`));
        assert.ok(ascii.text === 'a'.repeat(size), `ascii ${size}`);
        const euro = await client.ask(get(`/euro/${size}`));
        assert.ok(euro.text === `${'a'.repeat(size - 1)}\u20ac`, `euro ${size}`);
        const bytes = await client.ask(get(`/bytes/${size}`));
        assert.ok(bytes.body.equals(Buffer.alloc(size, 'b')), `bytes ${size}`);
      }
    });
  });

  add('empty(): 204, or the status that was set, and no content', async (driver) => {
    const none = await responseOf(driver, (response) => response.empty());
    assert.equal(none.status, 204);
    assert.equal(none.framing, 'none');
    const created = await responseOf(driver, (response) => response.status(201).empty());
    assert.equal(created.status, 201);
    assert.equal(created.field('content-length'), '0');
    const notModified = await responseOf(driver, (response) => response.empty(304));
    assert.equal(notModified.status, 304);
    const reset = await responseOf(driver, (response) => response.empty(205));
    assert.equal(reset.field('content-length'), '0');
  });

  add('redirect(): status and Location, encoded where it must be', async (driver) => {
    for (const [location, code, expected] of [
      ['/x?a=b', undefined, '/x?a=b'],
      ['https://b.test/', 301, 'https://b.test/'],
      ['/a b', 303, '/a%20b'],
      ['/\u00e9/\u20ac', 307, '/%C3%A9/%E2%82%AC'],
      ['/%41', 308, '/%41'],
      ['/x\r\nSet-Cookie: a=b', 302, '/x%0D%0ASet-Cookie:%20a=b'],
      ['/tab\tnul\0', 302, '/tab%09nul%00'],
    ] as const) {
      const response = await responseOf(driver, (response) => response.redirect(location, code));
      assert.equal(response.status, code ?? 302);
      assert.equal(response.field('location'), expected);
      assert.equal(response.field('content-length'), '0');
      assert.equal(response.field('set-cookie'), undefined);
    }
    for (const code of [200, 300, 304, 400]) {
      const thrown = await thrownBy(driver, (response) => response.redirect('/', code));
      assert.ok(thrown instanceof RangeError);
    }
  });

  add('fields: set, replaced, added, read', async (driver) => {
    const response = await responseOf(driver, (response) => {
      response.header('X-A', 'old').header('x-a', 'new').header('X-Number', 7);
      response.appendHeader('Set-Cookie', 'a=1').appendHeader('set-cookie', 'b=2');
      response.appendHeader('Link', 'A').header('Link', 'B');
      assert.equal(response.getHeader('X-A'), 'new');
      assert.equal(response.getHeader('missing'), undefined);
      assert.equal(response.statusCode, 200);
      assert.equal(response.sent, false);
      response.header('X-Latin', 'caf\u00e9').header('X-Empty', '').text('hello');
      assert.equal(response.sent, true);
    });
    assert.equal(response.field('x-a'), 'new');
    assert.equal(response.field('x-number'), '7');
    assert.deepEqual(response.all('set-cookie'), ['a=1', 'b=2']);
    assert.equal(response.field('link'), 'B');
    assert.equal(response.field('x-latin'), 'caf\u00e9');
    assert.equal(response.field('x-empty'), '');
  });

  add('a Date of the handler replaces the default', async (driver) => {
    const own = 'Mon, 01 Jan 2001 00:00:00 GMT';
    const response = await responseOf(driver, (response) => response.header('Date', own).text('x'));
    assert.equal(response.field('date'), own);
  });

  const values = ['a\r\nX: y', 'a\nX: y', 'a\rb', 'a\0b', '\x01', '\x7f', '\u20ac'];
  for (const value of values) {
    add(`no field can hold ${JSON.stringify(value)}`, async (driver) => {
      for (const call of [
        (response: Response) => response.header('X-A', value),
        (response: Response) => response.appendHeader('X-A', value),
        (response: Response) => response.send('x', value),
        (response: Response) => response.trailer('X-A', value),
      ]) {
        assert.ok((await thrownBy(driver, call)) instanceof TypeError, String(call));
      }
    });
  }

  for (const name of ['', 'a b', 'a:', 'a\r\n', 'a\0', '\u00e9', 'a\r\nB: c']) {
    add(`no field is called ${JSON.stringify(name)}`, async (driver) => {
      for (const call of [
        (response: Response) => response.header(name, 'x'),
        (response: Response) => response.appendHeader(name, 'x'),
        (response: Response) => response.getHeader(name),
        (response: Response) => response.trailer(name, 'x'),
      ]) {
        assert.ok((await thrownBy(driver, call)) instanceof TypeError, String(call));
      }
    });
  }

  add('framing is the server\u2019s', async (driver) => {
    for (const [name, value] of [
      ['Transfer-Encoding', 'chunked'],
      ['transfer-encoding', 'identity'],
      ['Connection', 'upgrade'],
      ['Keep-Alive', 'timeout=5'],
      ['Upgrade', 'h2c'],
      ['Trailer', 'X'],
      ['Content-Length', '-1'],
      ['Content-Length', '1, 1'],
      ['Content-Length', ' 1'],
      ['Content-Length', '0x1'],
    ] as const) {
      const thrown = await thrownBy(driver, (response) => response.header(name, value));
      assert.ok(thrown instanceof TypeError, `${name}: ${value}`);
    }
    const appended = await thrownBy(driver, (r) => r.appendHeader('Content-Length', '1'));
    assert.ok(appended instanceof TypeError);
  });

  add('a correct Content-Length may be set, another throws', async (driver) => {
    const response = await responseOf(driver, (r) => r.header('Content-Length', 5).text('hello'));
    assert.equal(response.field('content-length'), '5');
    for (const length of [4, 6]) {
      const wrong = await responseOf(driver, (r) =>
        r.header('Content-Length', length).text('hello'),
      );
      assert.equal(wrong.status, 500);
      assert.equal(wrong.text, 'Internal Server Error\n');
    }
    const bytes = await responseOf(driver, (r) => r.header('Content-Length', 2).text('\u00e9'));
    assert.equal(bytes.text, '\u00e9', 'the length is in bytes, not characters');
  });

  add('content that cannot be sent throws', async (driver) => {
    const calls: ((response: Response) => unknown)[] = [
      (response) => response.json(undefined),
      (response) => response.json(() => {}),
      (response) => response.json(Symbol('x')),
      (response) => response.send(undefined as never),
      (response) => response.send({} as never),
      (response) => response.send(5 as never),
      (response) => response.status(204).text('content'),
      (response) => response.status(304).json({}),
    ];
    for (const call of calls) {
      assert.ok((await thrownBy(driver, call)) instanceof TypeError, String(call));
    }
    for (const code of [0, 99, 100, 101, 199, 600, 1000, 200.5, Number.NaN]) {
      const thrown = await thrownBy(driver, (response) => response.status(code));
      assert.ok(thrown instanceof RangeError, String(code));
    }
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    assert.ok((await thrownBy(driver, (r) => r.json(cycle))) instanceof TypeError);
  });

  add('a status without a reason phrase is sent all the same', async (driver) => {
    for (const code of [299, 399, 418, 499, 599]) {
      const response = await responseOf(driver, (response) => response.status(code).text('x'));
      assert.equal(response.status, code);
    }
  });

  add('many and long fields are sent', async (driver) => {
    const response = await responseOf(driver, (response) => {
      for (let index = 0; index < 200; index++) response.header(`X-${index}`, 'v'.repeat(200));
      response.text('content');
    });
    assert.equal(response.field('x-199'), 'v'.repeat(200));
    assert.equal(response.text, 'content');
  });
});

onEachDriver('prepared responses', (add) => {
  const cookies = prepare(
    201,
    [
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
      ['X-Number', 7],
    ],
    'prepared \u20ac',
  );

  add('are sent as they are, with a Date', async (driver) => {
    const response = await responseOf(driver, (response) => response.prepared(cookies));
    assert.equal(response.status, 201);
    assert.equal(response.text, 'prepared \u20ac');
    assert.equal(response.field('content-type'), TEXT);
    assert.deepEqual(response.all('set-cookie'), ['a=1', 'b=2']);
    assert.equal(response.field('x-number'), '7');
    const date = response.field('date') ?? '';
    assert.equal(new Date(Date.parse(date)).toUTCString(), date);
  });

  add('to HEAD, to HTTP/1.0 and with Connection: close', async (driver) => {
    const routes = (server: Server) => {
      server.get('/', (_request, response) => response.prepared(cookies));
    };
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const head = await client.ask(request('HEAD', '/'));
      assert.equal(head.status, 201);
      assert.equal(head.field('content-length'), '12');
      assert.deepEqual(head.all('set-cookie'), ['a=1', 'b=2']);
      const keep = await client.ask('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
      assert.equal(keep.field('connection'), 'keep-alive');
      assert.equal(keep.text, 'prepared \u20ac');
      const close = await client.ask(get('/', 'Connection: close'));
      assert.equal(close.field('connection'), 'close');
      assert.deepEqual(close.all('set-cookie'), ['a=1', 'b=2']);
      await client.endsCleanly();
    });
  });

  add('with fields that were set before, and through beforeSend', async (driver) => {
    const response = await responseOf(driver, (response) => {
      response.header('X-Own', 'yes').header('X-Number', 8);
      response.prepared(cookies);
    });
    assert.equal(response.status, 201);
    assert.equal(response.field('x-own'), 'yes');
    assert.equal(response.field('x-number'), '8');
    assert.deepEqual(response.all('set-cookie'), ['a=1', 'b=2']);
    assert.equal(response.text, 'prepared \u20ac');
    const changed = await responseOf(driver, (response) => {
      response.beforeSend((outgoing) => {
        outgoing.content = 'changed';
        outgoing.setHeader('X-Number', '9');
      });
      response.prepared(cookies);
    });
    assert.equal(changed.text, 'changed');
    assert.equal(changed.field('x-number'), '9');
  });

  add('of all sizes, again and again', async (driver) => {
    const responses = new Map<string, Prepared>();
    for (const size of [0, ...SIZES]) {
      responses.set(String(size), prepare(200, {}, Buffer.alloc(size, 'p')));
    }
    const routes = (server: Server) => {
      server.get('/:size', ({ params }, response) => {
        const made = responses.get(params['size'] ?? '');
        if (made !== undefined) response.prepared(made);
      });
    };
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      for (let round = 0; round < 3; round++) {
        for (const size of responses.keys()) {
          const response = await client.ask(get(`/${size}`));
          assert.ok(response.body.equals(Buffer.alloc(Number(size), 'p')), size);
        }
      }
    });
  });

  add('copy what they were made from', async (driver) => {
    const body = Buffer.from('before');
    const headers = { 'X-A': 'before' };
    const made = prepare(200, headers, body);
    body.fill('x');
    headers['X-A'] = 'after';
    const got = await responseOf(driver, (response) => response.prepared(made));
    assert.equal(got.text, 'before');
    assert.equal(got.field('x-a'), 'before');
  });

  add('cannot be made of what no response may contain', async () => {
    assert.throws(() => prepare(99), RangeError);
    assert.throws(() => prepare(100), RangeError);
    assert.throws(() => prepare(600), RangeError);
    assert.throws(() => prepare(204, {}, 'x'), TypeError);
    assert.throws(() => prepare(304, {}, 'x'), TypeError);
    assert.throws(() => prepare(200, { 'a b': 'x' }), TypeError);
    assert.throws(() => prepare(200, { A: 'x\r\nB: c' }), TypeError);
    assert.throws(() => prepare(200, { A: '\0' }), TypeError);
    for (const name of [
      'Content-Length',
      'transfer-encoding',
      'Connection',
      'Trailer',
      'Upgrade',
    ]) {
      assert.throws(() => prepare(200, { [name]: '1' }), TypeError, name);
    }
    assert.doesNotThrow(() => prepare(204));
  });

  add('without content: 204 and 304', async (driver) => {
    const none = await responseOf(driver, (response) => response.prepared(prepare(204)));
    assert.equal(none.status, 204);
    const tagged = prepare(304, { ETag: '"a"' });
    const not = await responseOf(driver, (response) => response.prepared(tagged));
    assert.equal(not.field('etag'), '"a"');
  });
});
