// Bodies that have arrived when the handler reads them, and those that have not: the value, the
// errors and the requests behind them are the same.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Request } from '../../src/exchange/request.ts';
import {
  ConnectionFixture,
  type FixtureOptions,
  Gate,
  get,
  post,
  postChunked,
} from '../../testing/connection-fixture.ts';

const VALUE = { name: 'Ada é', list: [1, 2, 3] };
const BODY = Buffer.from(JSON.stringify(VALUE)).toString('latin1');

type Read = (request: Request) => Promise<unknown>;

/** Each of them returns VALUE for BODY. */
const READS: Readonly<Record<'json' | 'text' | 'bytes', Read>> = {
  json: (request) => request.json(),
  text: async (request) => JSON.parse(await request.text()),
  bytes: async (request) => JSON.parse((await request.bytes()).toString()),
};

/** Responds with the value, and with what a second read reports. */
function echo(
  options: FixtureOptions = {},
  pauses = 0,
  read: Read = READS.json,
): ConnectionFixture {
  return new ConnectionFixture(async (request, response) => {
    if (request.method === 'GET') {
      response.text('next');
      return;
    }
    for (let round = 0; round < pauses; round++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const value = await read(request);
    const again = await read(request).catch((error: Error) => error.message);
    response.json({ value, again, target: request.target });
  }, options);
}

const EXPECTED = JSON.stringify({ value: VALUE, again: 'the body was read already', target: '/a' });

function contentOf(output: string): string {
  return Buffer.from(output.slice(output.indexOf('\r\n\r\n') + 4), 'latin1').toString();
}

async function rested(fixture: ConnectionFixture): Promise<void> {
  for (let round = 0; round < 3; round++) await fixture.rest();
}

const READ_AFTER: readonly (readonly [name: keyof typeof READS, pauses: number])[] = [
  ['json', 0],
  ['json', 1],
  ['json', 3],
  ['text', 0],
  ['text', 1],
  ['bytes', 0],
  ['bytes', 1],
];

describe('a body', () => {
  for (const [name, pauses] of READ_AFTER) {
    test(`cut anywhere, ${name}() after ${pauses} rounds: the same, and what follows`, async () => {
      const fixture = echo({}, pauses, READS[name]);
      const client = fixture.open();
      const text = post('/a', BODY.length, BODY);
      for (let cut = text.length - BODY.length - 2; cut <= text.length; cut++) {
        client.send(text.slice(0, cut));
        if (cut % 2 === 0) await fixture.rest();
        client.send(text.slice(cut) + get('/'));
        await rested(fixture);
        const output = await client.read();
        const [first, second, third, ...rest] = output.split('HTTP/1.1 ');
        assert.deepEqual([first, rest], ['', []]);
        assert.equal(contentOf(second), EXPECTED, `cut at ${cut}`);
        assert.match(third, /^200 OK\r\n[\s\S]*\r\n\r\nnext$/);
      }
      await fixture.end();
    });
  }

  test('read later: its memory is released and more is received, before the response', async () => {
    const gate = new Gate();
    const fixture = new ConnectionFixture(async (request, response) => {
      await new Promise((resolve) => setImmediate(resolve));
      await request.json();
      await gate.opened;
      response.text('read');
    });
    const client = fixture.open();
    client.send(post('/a', BODY.length, BODY));
    assert.ok(fixture.slab.freeCount < fixture.slab.blockCount, 'the body waits in a block');
    await rested(fixture);
    assert.equal(fixture.slab.freeCount, fixture.slab.blockCount);
    assert.ok(client.socket.receiving);
    gate.open();
    await rested(fixture);
    assert.match(await client.read(), /\r\n\r\nread$/);
    await fixture.end();
  });

  test('in chunks, and behind 100 (Continue)', async () => {
    const fixture = echo();
    const client = fixture.open();
    const chunked = `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`;
    client.send(postChunked('/a', chunked));
    await rested(fixture);
    assert.equal(contentOf(await client.read()), EXPECTED);
    // The body is there already: no interim response.
    client.send(post('/a', BODY.length, BODY, 'Expect: 100-continue'));
    await rested(fixture);
    assert.match(await client.read(), /^HTTP\/1\.1 200 OK\r\n/);
    client.send(post('/a', BODY.length, '', 'Expect: 100-continue'));
    await rested(fixture);
    assert.match(await client.read(), /^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    client.send(BODY);
    await rested(fixture);
    assert.equal(contentOf(await client.read()), EXPECTED);
    await fixture.end();
  });

  test('of JSON that is refused: 400 or 413, and the connection continues', async () => {
    const fixture = echo({ limits: { bodyBytesMax: 50 } });
    const client = fixture.open();
    const most = `"${'x'.repeat(48)}"`;
    for (const [body, status] of [
      ['{', 400],
      ['"\xff"', 400],
      ['{"__proto__":1}', 400],
      [most, 200],
      [`${most} `, 413],
      ['', 400],
    ] as const) {
      client.send(post('/a', body.length, body) + get('/'));
      await rested(fixture);
      const output = await client.read();
      assert.match(output, new RegExp(`^HTTP/1\\.1 ${status} `), body);
      assert.ok(output.endsWith('\r\n\r\nnext'), body);
    }
    assert.deepEqual(fixture.errorLines, []);
    await fixture.end();
  });

  test('that is refused as text or bytes: 400 or 413, and the connection continues', async () => {
    for (const [name, body, status] of [
      ['text', '\xff', 400],
      ['text', 'x'.repeat(51), 413],
      ['bytes', 'x'.repeat(51), 413],
    ] as const) {
      const fixture = new ConnectionFixture(
        async (request, response) => response.text(String(await request[name]())),
        { limits: { bodyBytesMax: 50 } },
      );
      const client = fixture.open();
      client.send(post('/a', body.length, body) + post('/b', 4, 'next'));
      await rested(fixture);
      const output = await client.read();
      assert.match(output, new RegExp(`^HTTP/1\\.1 ${status} `), name);
      assert.ok(output.endsWith('\r\n\r\nnext'), name);
      await fixture.end();
    }
  });

  for (const name of ['json', 'text', 'bytes'] as const) {
    test(`${name}() does not change when the memory that it arrived in is used again`, async () => {
      const values: unknown[] = [];
      const fixture = new ConnectionFixture(
        async (request, response) => {
          values.push(await request[name]());
          response.empty();
        },
        { blocks: 4 },
      );
      const client = fixture.open();
      for (let index = 0; index < 50; index++) {
        const body = JSON.stringify({ index, text: String(index).repeat(50) });
        client.send(post('/', body.length, body));
        await fixture.rest();
        await client.read();
      }
      values.forEach((value, index) => {
        const given = name === 'json' ? value : JSON.parse(String(value));
        assert.deepEqual(given, { index, text: String(index).repeat(50) });
      });
      assert.equal(values.length, 50);
      await fixture.end();
    });
  }

  test('as bytes or chunks has memory of its own, with nothing of other requests', async () => {
    const memories: string[] = [];
    const fixture = new ConnectionFixture(async (request, response) => {
      const read = async (): Promise<Uint8Array> => {
        if (request.path === '/all') return request.bytes();
        const { value } = await request.body[Symbol.asyncIterator]().next();
        return value ?? new Uint8Array(0);
      };
      const { buffer } = await read();
      memories.push(Buffer.from(buffer).toString('latin1').replace(/\0+$/, ''));
      response.empty();
    });
    const client = fixture.open();
    for (let index = 0; index < 8; index++) {
      const body = `secret ${index}`;
      const path = index % 2 === 0 ? '/all' : '/chunk';
      if (index < 4) client.send(post(path, body.length, body));
      else client.send(postChunked(path, `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`));
      await rested(fixture);
      assert.match(await client.read(), /^HTTP\/1\.1 204 /);
    }
    assert.deepEqual(
      memories,
      ['0', '1', '2', '3', '4', '5', '6', '7'].map((n) => `secret ${n}`),
    );
    await fixture.end();
  });
});
