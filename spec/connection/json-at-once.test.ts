// Bodies of JSON that have arrived when the handler reads them, and those that have not: the value,
// the errors and the requests behind them are the same.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
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

/** Responds with the value, and with what a second read reports. */
function echo(options: FixtureOptions = {}, pauses = 0): ConnectionFixture {
  return new ConnectionFixture(async (request, response) => {
    if (request.method === 'GET') {
      response.text('next');
      return;
    }
    for (let round = 0; round < pauses; round++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const value = await request.json();
    const again = await request.json().catch((error: Error) => error.message);
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

describe('a body of JSON', () => {
  for (const pauses of [0, 1, 3]) {
    test(`cut anywhere, read after ${pauses} rounds: the same, and what follows`, async () => {
      const fixture = echo({}, pauses);
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

  test('that is refused: 400 or 413, and the connection continues', async () => {
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

  test('does not change when the memory that it arrived in is used again', async () => {
    const values: unknown[] = [];
    const fixture = new ConnectionFixture(
      async (request, response) => {
        values.push(await request.json());
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
      assert.deepEqual(value, { index, text: String(index).repeat(50) });
    });
    assert.equal(values.length, 50);
    await fixture.end();
  });
});
