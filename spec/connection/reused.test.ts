// What connections use again equals what is new: pooled and cleared records are compared field by
// field after a random use, and a connection serves its next client as a new one does.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FreeStack } from '../../src/base/free-stack.ts';
import { Ring } from '../../src/base/ring.ts';
import { Slab } from '../../src/base/slab.ts';
import { DETACHED } from '../../src/connection/detached.ts';
import { ReceiveBuffer } from '../../src/connection/receive-buffer.ts';
import { RequestBody } from '../../src/connection/request-body.ts';
import { Span, SpanPool } from '../../src/connection/span.ts';
import { ConnectionState } from '../../src/connection/state.ts';
import { Exchange } from '../../src/exchange/exchange.ts';
import { ChunkedDecoder } from '../../src/http/chunked.ts';
import { BodyKind, Framing } from '../../src/http/framing.ts';
import { Head } from '../../src/http/head.ts';
import { ResponseFields } from '../../src/http/response-fields.ts';
import { Trailers } from '../../src/http/trailers.ts';
import { Match } from '../../src/route/match.ts';
import { beginInvocation, Invocation } from '../../src/server/invocation.ts';
import {
  type Client,
  ConnectionFixture,
  get,
  post,
  postChunked,
} from '../../testing/connection-fixture.ts';
import { Random } from '../../testing/random.ts';
import { checkReused, REUSED_SEED, type Reused, scramble } from '../../testing/reused.ts';
import { assertSameState } from '../../testing/same-state.ts';
import { fakeServices } from '../exchange/fixtures/exchanges.ts';

const SERVICES = fakeServices();
const SLAB = new Slab(64, 16);
const LIMITS = {
  streamBytesMax: 5_000,
  chunkExtensionBytesMax: 10,
  trailerBytesMax: 100,
  fieldsMax: 3,
};
const CHUNKS = '5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nX-One: 1\r\nX-Two: 2\r\n\r\n';

/** The parser fills them up to a count that is 0 again. */
const COUNTED = ['offsets', 'names'];
/** The memory that was parsed last: the next request compares it with its own. */
const VIEWS = ['viewedBytes', 'view'];

function framingOf(random: Random): Framing {
  const framing = new Framing();
  framing.kind = random.pick([BodyKind.Length, BodyKind.Chunked]);
  framing.length = framing.kind === BodyKind.Length ? random.between(0, 6_000) : 0;
  framing.expectContinue = random.once(2);
  return framing;
}

function useBody(body: RequestBody, random: Random): void {
  const framing = framingOf(random);
  body.begin(framing);
  body.beginWait(random.between(1, 100));
  body.waited(random.between(100, 200));
  body.beginWait(random.between(200, 300));
  const ways = [
    () => body.readChunk(),
    () => body.readAll(random.between(0, 8_000)),
    () => void body.discard(),
  ];
  void random
    .pick(ways)()
    ?.catch(() => {});
  const sent =
    framing.kind === BodyKind.Chunked ? CHUNKS : 'x'.repeat(Math.min(framing.length, 2_000));
  const bytes = Buffer.from(random.once(4) ? 'x\r\n' : sent);
  for (let at = 0; at < bytes.length && body.wanted; ) {
    at += body.feed(bytes, at, Math.min(bytes.length, at + random.size(500)));
  }
  if (!body.isOver) body.truncate(new Error('the connection ended'));
  body.beginWait(random.between(300, 400));
}

function useReceiveBuffer(buffer: ReceiveBuffer, random: Random): void {
  for (let count = random.between(1, 20); count > 0; count--) {
    if (buffer.hasRoom) buffer.add(SLAB.acquire(), random.between(1, SLAB.blockBytes));
    if (random.once(5)) buffer.spill();
    if (random.once(2)) buffer.consume(random.below(buffer.end - buffer.start + 1));
    if (random.once(3)) buffer.join();
    if (random.once(5)) buffer.trim();
  }
  // It ends with spilled bytes, or with a block and another one behind it.
  if (random.once(2)) return;
  buffer.clear();
  for (let count = 0; count < 2; count++) buffer.add(SLAB.acquire(), SLAB.blockBytes);
}

function useFields(fields: ResponseFields, random: Random): void {
  for (let count = random.between(1, 20); count > 0; count--) {
    const name = random.pick(['Date', 'Vary', 'X-A', 'X-B']);
    const lower = name.toLowerCase();
    if (random.once(4)) fields.remove(lower);
    else if (random.once(2)) fields.append(name, lower, 'x'.repeat(random.below(9)));
    else fields.set(name, lower, 'y'.repeat(random.below(9)));
  }
  fields.set('Date', 'date', 'today');
}

function useSpans(pool: SpanPool, random: Random): Span[] {
  const held = Array.from({ length: random.between(1, 9) }, () => pool.acquire());
  for (const span of held) scramble(span, random);
  return held;
}

const held = new WeakMap<SpanPool, Span[]>();

const ROWS: readonly Reused<never>[] = [
  row<Head>({
    name: 'Head.reset()',
    make: () => new Head(5),
    use: (head, random) => scramble(head, random),
    clear: (head) => head.reset(),
    kept: [...COUNTED, ...VIEWS],
    constant: ['fieldsMax'],
  }),
  row<Framing>({
    name: 'Framing.reset()',
    make: () => new Framing(),
    use: (framing, random) => scramble(framing, random),
    clear: (framing) => framing.reset(),
  }),
  row<ResponseFields>({
    name: 'ResponseFields.reset()',
    make: () => new ResponseFields(),
    use: useFields,
    clear: (fields) => fields.reset(),
    // Only the first `count` of each are fields.
    kept: ['names', 'lowerNames', 'values'],
  }),
  row<ChunkedDecoder>({
    name: 'ChunkedDecoder.reset()',
    make: () => new ChunkedDecoder(),
    use: (decoder, random) => {
      const bytes = Buffer.from(CHUNKS);
      const end = random.below(bytes.length + 1);
      while (decoder.position < end && decoder.next(bytes, decoder.position, end, LIMITS) > 0);
      const trailers = decoder.trailers;
      scramble(decoder, random);
      decoder.trailers = trailers;
    },
    clear: (decoder) => decoder.reset(),
    // Made with the first trailers: its own reset() is a row.
    kept: ['trailers'],
  }),
  row<Trailers>({
    name: 'Trailers.reset()',
    make: () => new Trailers(),
    use: (trailers, random) => {
      const bytes = Buffer.from('X-One: 1\r\nX-Two: 2\r\n\r\n');
      trailers.read(bytes, 0, random.between(1, bytes.length), LIMITS);
      trailers.complete = true;
    },
    clear: (trailers) => trailers.reset(),
    // Memory that has grown, of which the first `byteCount` bytes are used.
    kept: ['bytes', ...COUNTED, ...VIEWS, 'fieldsMax'],
  }),
  row<Match<string>>({
    name: 'Match.reset()',
    make: () => new Match<string>(),
    use: (match, random) => {
      scramble(match, random);
      match.names = ['id'];
    },
    clear: (match) => match.reset(),
    kept: ['offsets'],
  }),
  row<Exchange>({
    name: 'Exchange.reset()',
    make: () => new Exchange(SERVICES, DETACHED, 5),
    use: (exchange, random) => {
      scramble(exchange, random, ['head', 'parts']);
      useFields(exchange.fields, random);
      exchange.transport = { ...DETACHED };
    },
    clear: (exchange) => exchange.reset(DETACHED),
    kept: [
      // frame() resets it for each request, and beginInvocation() these two.
      ...['framing', 'invocation', 'params'],
      ...COUNTED,
      ...VIEWS,
      ...['lowerNames', 'values'],
    ],
    constant: ['services'],
  }),
  row<Invocation>({
    name: 'Invocation.reset()',
    make: () => {
      const exchange = new Exchange(SERVICES, DETACHED, 5);
      const invocation = new Invocation(exchange);
      exchange.invocation = invocation;
      return invocation;
    },
    use: (invocation, random) => {
      scramble(invocation, random, ['match']);
      invocation.reset();
      scramble(invocation, random, ['match']);
      invocation.match.names = ['id'];
      invocation.steps = [
        { run: (_request, _response, next) => next(), prefix: null, mountBytes: 0 },
      ];
      invocation.errorFields = [{ lower: 'allow', value: 'GET', replaced: [] }];
      invocation.endpoint = (_request, response) => response.empty();
    },
    clear: ({ exchange }) => void beginInvocation(exchange),
    prepare: ({ exchange }) => void beginInvocation(exchange),
    // Functions are not compared: requests show which one runs.
    kept: ['endpoint', 'exchange', 'request', 'response', 'offsets'],
  }),
  row<ConnectionState>({
    name: 'ConnectionState.open()',
    make: () => new ConnectionState(),
    use: (state) => {
      state.peerEnded();
      state.break();
    },
    clear: (state) => state.open(),
  }),
  row<ReceiveBuffer>({
    name: 'ReceiveBuffer.clear()',
    make: () => new ReceiveBuffer(SLAB),
    use: useReceiveBuffer,
    clear: (buffer) => buffer.clear(),
    // They count in memory that it has no more.
    kept: ['#low', '#high', '#nextStart', '#nextEnd'],
    constant: ['#slab'],
  }),
  row<RequestBody>({
    name: 'RequestBody.begin()',
    make: () => new RequestBody(LIMITS),
    use: useBody,
    clear: (body, random) => body.begin(framingOf(random)),
    prepare: (body, random) => body.begin(framingOf(random)),
    // A wait sets when it began, and a read sets its limit. The decoder is a row of its own.
    kept: ['waitsFromMs', '#bytesMax', '#decoder'],
    // No read is pending between two bodies.
    constant: ['#limits', '#resolve', '#reject', '#gathered', '#gatheredBytes'],
  }),
  row<SpanPool>({
    name: 'SpanPool, all spans released',
    make: () => new SpanPool(),
    use: (pool, random) => void held.set(pool, useSpans(pool, random)),
    clear: (pool) => {
      for (const span of held.get(pool) ?? []) {
        span.region = null;
        pool.release(span);
      }
      assert.equal(pool.usedCount, 0);
      const span = pool.acquire();
      // What a new span has, except what its user sets: SendQueue writes all others.
      assertSameState(span, new Span(), { ignored: ['number', 'start', 'end', 'block'] });
    },
    kept: ['#freeBuffers', '#made', '#freeCount'],
  }),
  row<FreeStack>({
    name: 'FreeStack, all numbers released',
    make: () => new FreeStack(8),
    use: (stack, random) => {
      for (let count = random.between(1, 8); count > 0; count--) stack.acquire();
    },
    clear: (stack) => {
      for (let number = 7 - stack.count; number >= 0; number--) stack.release(number);
    },
    constant: ['#numbers'],
  }),
];

/** Rows of different types in one list. */
function row<T extends object>(reused: Reused<T>): Reused<never> {
  return reused as unknown as Reused<never>;
}

describe('a record that was used and cleared equals a new one', () => {
  for (const each of ROWS) test(each.name, () => checkReused(each, REUSED_SEED));

  test('a ring, wherever it begins', () => {
    const random = new Random(REUSED_SEED, 'ring');
    const used = new Ring(16);
    for (let round = 0; round < 1_000; round++) {
      const count = random.between(1, 16);
      for (let item = 0; item < count; item++) used.push(item);
      for (let item = 0; item < count; item++) assert.equal(used.shift(), item);
      assert.equal(used.length, 0);
    }
  });
});

/** Requests that leave as much behind as possible, some of them cut off. */
const TRAFFIC: readonly ((random: Random) => string)[] = [
  () => get('/fields'),
  () => get('/big'),
  () => get('/stream') + get('/fields'),
  () => get('/callbacks'),
  () => post('/echo', 10, '0123456789'),
  () => post('/echo', 10, '01234'),
  () => post('/ignore', 600, 'x'.repeat(600)),
  () => postChunked('/echo', CHUNKS),
  () => postChunked('/echo', '5\r\nhel'),
  () => get('/never'),
  () => get('/fields').slice(0, 30),
  () => '\r\n',
  () => 'nonsense\r\n\r\n',
  (random) => 'GET /fields HTTP/1.1\r\nX: '.padEnd(random.between(30, 700), 'x'),
];

function fixtureWithTraffic(): ConnectionFixture {
  return new ConnectionFixture(
    async (request, response) => {
      response.header('X-A', 'a').appendHeader('X-A', 'b').header('Vary', 'X');
      switch (request.path) {
        case '/big':
          return response.send('x'.repeat(5_000));
        case '/stream':
          await response.write('begun');
          return response.end('done');
        case '/callbacks':
          response.beforeSend(() => {}).afterSend(() => {});
          response.trailer('X-T', 't');
          void request.query.get('x');
          request.signal.addEventListener('abort', () => {});
          return response.text(request.remoteAddress);
        case '/echo':
          return response.send(await request.bytes());
        case '/never':
          return new Promise(() => {});
        default:
          return response.text('x');
      }
    },
    { reuse: true, slots: 2, blocks: 64 },
  );
}

async function useClient(fixture: ConnectionFixture, client: Client, random: Random) {
  for (let count = random.between(1, 5); count > 0 && !client.isClosed; count--) {
    client.give(random.pick(TRAFFIC)(random));
    if (random.once(2)) client.take(random.between(1, 200));
    await fixture.rest();
    if (random.once(2)) await client.read();
    if (random.once(6) && client.socket.receiving) client.finish();
    if (random.once(6)) fixture.pass(random.between(1, 70_000));
  }
  if (!client.isClosed) client.breakOff();
  await fixture.rest();
}

/** They differ by slot and by the connection itself. */
const OWN = [
  ...['slot', '#slot'],
  // The table of sockets is shared, and has another entry for each.
  ...['reactor', 'context', '#reactor', '#slab', '#spans', '#released'],
  // As in the rows above.
  ...['#low', '#high', '#nextStart', '#nextEnd'],
];
/** What a connection without a body keeps of the one before; begin() sets it. */
const BODY = [
  ...['want', 'fault', 'receivedBytes', 'discardedBytes', 'waitedMs', 'waitsFromMs', 'waits'],
  ...['continuePending', '#kind', '#remaining', '#decoder', '#bytesMax', '#failure'],
];

test('a connection that is opened again equals a new one', async (context) => {
  context.diagnostic(`seed ${REUSED_SEED}`);
  const random = new Random(REUSED_SEED, 'connection');
  for (let round = 0; round < 40; round++) {
    const fixture = fixtureWithTraffic();
    const first = fixture.open();
    await useClient(fixture, first, random);
    assert.equal(fixture.released.length, 1, `round ${round}: it has closed`);
    const { connection: used } = fixture.open();
    assert.equal(used, first.connection);
    const { connection: fresh } = fixture.open();
    assert.notEqual(fresh, used);
    assertSameState(used, fresh, { ignored: [...OWN, ...BODY] });
    assert.ok(used.body.isOver && !used.body.wanted, 'no body is read');
  }
});

test('a connection that is opened again serves the same bytes', async (context) => {
  context.diagnostic(`seed ${REUSED_SEED}`);
  const random = new Random(REUSED_SEED, 'serves');
  for (let round = 0; round < 20; round++) {
    const fixture = fixtureWithTraffic();
    await useClient(fixture, fixture.open(), random);
    const [used, fresh] = [fixture.open(), fixture.open()];
    assert.ok(!(fixture.connections[0] === fresh.connection));
    for (let count = 0; count < 4; count++) {
      const bytes = random.pick(TRAFFIC)(random);
      const outputs: string[] = [];
      for (const client of [used, fresh]) {
        client.give(bytes);
        await fixture.rest();
        outputs.push(await client.read());
      }
      assert.equal(outputs[0], outputs[1], `round ${round}, ${JSON.stringify(bytes)}`);
      assert.equal(used.isClosed, fresh.isClosed);
      assert.equal(used.socket.isShut, fresh.socket.isShut);
      assert.equal(armedOf(fixture, used), armedOf(fixture, fresh), 'the same deadline');
      if (used.isClosed || used.socket.isShut) break;
    }
  }
});

function armedOf({ reactor }: ConnectionFixture, client: Client): number {
  return client.isClosed ? -1 : reactor.armed(client.slot);
}

test('a response is the same, whatever was sent before it', async () => {
  const random = new Random(REUSED_SEED, 'responses');
  const used = fixtureWithTraffic();
  const warm = used.open();
  for (let count = 0; count < 300; count++) {
    const bytes = random.pick([get('/fields'), get('/big'), get('/callbacks'), get('/stream')]);
    const fresh = fixtureWithTraffic().open();
    assert.equal(await warm.ask(bytes), await fresh.ask(bytes));
  }
});
