// Repeated short texts are cached with their heads: every response equals the first, byte for byte.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import {
  type Client,
  ConnectionFixture,
  DATE,
  get,
  respond,
  responseOf,
} from '../../testing/connection-fixture.ts';
import { seeded } from '../../testing/splits.ts';

/** More than it takes to be cached. */
const OFTEN = 20;

it('texts in any order, with any status, and to HEAD', async () => {
  let text = '';
  let status = 200;
  const fixture = new ConnectionFixture((_request, response) => response.status(status).text(text));
  const client = fixture.open();
  const often = async (line: string, code: number, given: string): Promise<void> => {
    status = code;
    text = given;
    for (let times = 0; times < OFTEN; times++) {
      assert.equal(await client.ask(get('/')), responseOf(line, given), `${code} ${given}`);
    }
  };
  await often('200 OK', 200, 'same');
  await often('200 OK', 200, 'else');
  await often('200 OK', 200, '');
  await often('404 Not Found', 404, 'else');
  await often('200 OK', 200, 'longer than before');
  await often('404 Not Found', 404, 'else');
  const whole = responseOf('404 Not Found', 'else');
  const toHead = await client.ask('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.equal(toHead, whole.slice(0, -'else'.length));
  await often('404 Not Found', 404, 'else');
  const last = await client.ask(get('/', 'Connection: close'));
  assert.equal(last, responseOf('404 Not Found', 'else', 'Connection: close'));
  await fixture.end();
});

it('two texts in turn, and a field of some responses', async () => {
  let turn = 0;
  const fixture = new ConnectionFixture((_request, response) => {
    turn += 1;
    if (turn % 3 === 0) response.header('X-Turn', turn);
    response.text(turn % 2 === 0 ? 'even' : 'uneven');
  });
  const client = fixture.open();
  for (let times = 1; times <= 3 * OFTEN; times++) {
    const got = await client.ask(get('/'));
    const text = times % 2 === 0 ? 'even' : 'uneven';
    assert.ok(got.endsWith(`\r\n\r\n${text}`), got);
    assert.equal(got.includes(`X-Turn: ${times}\r\n`), times % 3 === 0, got);
    assert.match(got, new RegExp(`^Content-Length: ${text.length}\r$`, 'm'));
  }
  await fixture.end();
});

it('are counted like others, and without the last of their fields', async () => {
  const bytes: number[] = [];
  let isLong = true;
  const fixture = new ConnectionFixture((_request, response) => {
    response.afterSend((summary) => bytes.push(summary.bytes));
    response.header('Content-Type', 'text/x').header('X-A', '1');
    if (isLong) response.header('X-B', '2');
    response.send(isLong ? 'long' : 'short');
  });
  const client = fixture.open();
  for (isLong of [true, false, true]) {
    const fields = `Content-Type: text/x\r\nX-A: 1\r\n${isLong ? 'X-B: 2\r\n' : ''}`;
    const content = isLong ? 'Content-Length: 4\r\n\r\nlong' : 'Content-Length: 5\r\n\r\nshort';
    for (let times = 0; times < OFTEN; times++) {
      assert.equal(await client.ask(get('/')), `HTTP/1.1 200 OK\r\n${DATE}\r\n${fields}${content}`);
    }
  }
  const [long, short] = [4, 5].map((length) => Array<number>(OFTEN).fill(length));
  assert.deepEqual(bytes, [...long, ...short, ...long]);
  await fixture.end();
});

it('the date advances', async () => {
  const fixture = new ConnectionFixture((_request, response) => response.text('same'));
  const client = fixture.open();
  const { wallMs } = fixture.driver;
  for (let seconds = 0; seconds < 5; seconds++) {
    fixture.driver.wallMs = wallMs + seconds * 1000;
    const date = DATE.replace('12:00:00', `12:00:0${seconds}`);
    for (let times = 0; times < OFTEN; times++) {
      assert.equal(await client.ask(get('/')), respond('same').replace(DATE, date));
    }
  }
  await fixture.end();
});

it('texts beyond ASCII, and in a pipeline', async () => {
  const fixture = new ConnectionFixture((request, response) =>
    response.text(request.path === '/umlaut' ? 'grüße' : 'gruesse'),
  );
  const client = fixture.open();
  const umlaut = Buffer.from(respond('grüße')).toString('latin1');
  for (let times = 0; times < OFTEN; times++) {
    const got = await client.ask(get('/').repeat(3) + get('/umlaut') + get('/'));
    const plain = respond('gruesse');
    assert.equal(got, plain.repeat(3) + umlaut + plain);
  }
  await fixture.end();
});

it('a head is not taken for a longer or shorter one', async () => {
  let fields: readonly string[] = [];
  const fixture = new ConnectionFixture((_request, response) => {
    for (const name of fields) response.header(name, 'x');
    response.status(200).send(Buffer.alloc(0), 'text/a');
  });
  const client = fixture.open();
  // Content-Type is the first field.
  const lists = [['Content-Type', 'A', 'B'], ['Content-Type', 'A'], ['Content-Type'], []];
  for (const order of [lists, [...lists].reverse()]) {
    for (const list of order) {
      fields = list;
      for (let times = 0; times < OFTEN; times++) {
        const got = await client.ask(get('/'));
        const lines = got.split('\r\n').filter((line) => /^(?:A|B): /.test(line));
        assert.deepEqual(
          lines,
          list.slice(1).map((name) => `${name}: x`),
        );
      }
    }
  }
  await fixture.end();
});

it('heads of any fields, in any order, are those that a new server sends', async (context) => {
  interface Reply {
    readonly status: number;
    readonly fields: readonly (readonly [string, string])[];
    readonly content: string | Uint8Array;
    readonly isHead: boolean;
    readonly seconds: number;
  }
  // Content-Type comes first or last.
  const type = ['content-type', 'text/plain; charset=utf-8'] as const;
  const values = ['1', '2', '12', 'a'.repeat(600)];
  const others = ['x-a', 'X-A', 'X-B'].flatMap((name) => values.map((value) => [name, value]));
  const date = ['date', 'Thu, 01 Jan 1970 00:00:00 GMT'] as const;
  const pairs = fc.constantFrom(type, date, ...(others as [string, string][]));
  const content = fc.constantFrom('', 'a', 'b', 'ü', 'x'.repeat(300), Buffer.from('a'));
  const reply: fc.Arbitrary<Reply> = fc.record({
    status: fc.constantFrom(200, 201, 204, 304, 404),
    fields: fc.array(pairs, { maxLength: 3 }),
    content,
    isHead: fc.boolean(),
    seconds: fc.nat(2),
  });
  const serve = (next: () => Reply): ConnectionFixture =>
    new ConnectionFixture((_request, response) => {
      const { status, fields, content } = next();
      for (const [name, value] of fields) response.appendHeader(name, value);
      response.status(status).send(content);
    });
  const ask = (fixture: ConnectionFixture, client: Client, reply: Reply): Promise<string> => {
    fixture.driver.wallMs = Date.UTC(2024, 1, 29, 12, 0, reply.seconds);
    return client.ask(`${reply.isHead ? 'HEAD' : 'GET'} / HTTP/1.1\r\nHost: a\r\n\r\n`);
  };
  // Two, and others that differ from the first in one member, each several times in a row.
  const few = fc
    .tuple(reply, reply)
    .map(([one, other]) => [
      ...[one, { ...one, fields: other.fields }, { ...one, status: other.status }],
      { ...one, fields: one.fields.map(([name, value]) => [name.toUpperCase(), value] as const) },
      ...[{ ...one, fields: one.fields.slice(0, -1) }, { ...one, isHead: !one.isHead }, other],
    ]);
  const replies = fc
    .tuple(few, fc.array(fc.nat(27), { minLength: 1, maxLength: 16 }))
    .map(([few, order]) => order.flatMap((at) => Array(1 + (at >> 2)).fill(few[at % few.length])));
  const property = fc.asyncProperty(replies, async (all: Reply[]) => {
    let now = all[0];
    const fixture = serve(() => now);
    const client = fixture.open();
    for (const one of all) {
      now = one;
      const fresh = serve(() => one);
      assert.equal(await ask(fixture, client, one), await ask(fresh, fresh.open(), one));
      await fresh.end();
    }
    await fixture.end();
  });
  await fc.assert(property, seeded(context, 60));
});
