// Request bodies: what readers get however the bytes are split, when there are too many or they are
// truncated, and that nothing of it affects the next request.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { AssertionFault } from '../../src/base/assert.ts';
import { type BodyLimits, RequestBody, Want } from '../../src/connection/request-body.ts';
import { HttpError } from '../../src/exchange/http-error.ts';
import { Fault } from '../../src/http/fault.ts';
import { BodyKind, Framing } from '../../src/http/framing.ts';
import { bytesOf, seeded, splitsWithin } from '../../testing/splits.ts';

const LIMITS: BodyLimits = {
  streamBytesMax: 10_000,
  chunkExtensionBytesMax: 100,
  trailerBytesMax: 200,
  fieldsMax: 10,
};

function framing(kind: BodyKind, length = 0): Framing {
  return Object.assign(new Framing(), { kind, length });
}

const NONE = framing(BodyKind.None);
const CHUNKED = framing(BodyKind.Chunked);

function lengthOf(bytes: number): Framing {
  return framing(BodyKind.Length, bytes);
}

function started(given: Framing): RequestBody {
  const body = new RequestBody(LIMITS);
  body.begin(given);
  return body;
}

/** Feeds a text as far as it is wanted; returns how much that was. */
function feed(body: RequestBody, text: string | Uint8Array): number {
  const bytes = typeof text === 'string' ? bytesOf(text) : text;
  // Between bytes that do not belong to it.
  const memory = Buffer.concat([bytesOf('<<'), bytes, bytesOf('>>')]);
  return body.feed(memory, 2, 2 + bytes.length);
}

/** Content as chunks of the given sizes. */
function chunked(content: Uint8Array, cuts: readonly number[]): Buffer {
  const parts: Buffer[] = [];
  let from = 0;
  for (const cut of [...cuts, content.length]) {
    const bytes = content.subarray(from, cut);
    if (bytes.length > 0) {
      parts.push(Buffer.from(`${bytes.length.toString(16)};x=y\r\n`), Buffer.from(bytes));
      parts.push(Buffer.from('\r\n'));
    }
    from = cut;
  }
  return Buffer.concat([...parts, Buffer.from('0\r\nA: b\r\nA: c\r\n\r\n')]);
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail('the read does not reject');
}

async function assertStatus(promise: Promise<unknown>, status: number): Promise<void> {
  const error = await rejection(promise);
  assert.ok(error instanceof HttpError, String(error));
  assert.equal(error.status, status);
}

/** A body, its bytes on the wire, and where these are split. */
const sent = fc
  .tuple(fc.uint8Array({ maxLength: 300 }), fc.boolean(), splitsWithin(300), splitsWithin(900))
  .map(([content, isChunked, chunks, cuts]) => {
    const inside = chunks.map((cut) => cut % (content.length + 1)).sort((a, b) => a - b);
    const wire = isChunked ? chunked(content, inside) : Buffer.from(content);
    const segments: Uint8Array[] = [];
    let from = 0;
    for (const cut of [...cuts.filter((one) => one < wire.length), wire.length]) {
      if (cut > from) segments.push(wire.subarray(from, cut));
      from = cut;
    }
    const given =
      isChunked || content.length > 0
        ? framing(isChunked ? 2 : 1, isChunked ? 0 : content.length)
        : NONE;
    return { content: Buffer.from(content), segments, given, isChunked };
  });

describe('a body', () => {
  it('read at once is what was sent, however it is split', async (context) => {
    const property = fc.asyncProperty(sent, async ({ content, segments, given, isChunked }) => {
      const body = started(given);
      const reading = body.readAll(300);
      for (const segment of segments) assert.equal(feed(body, segment), segment.length);
      assert.ok(body.ended);
      assert.deepEqual(await reading, content);
      assert.equal(body.receivedBytes, content.length);
      assert.equal(body.owedBytes, 0);
      const trailers = [
        ['a', 'b'],
        ['a', 'c'],
      ];
      assert.deepEqual(body.trailers(), isChunked ? trailers : []);
    });
    await fc.assert(property, seeded(context, 400));
  });

  it('read in chunks is what was sent, and stops without a reader', async (context) => {
    const property = fc.asyncProperty(sent, async ({ content, segments, given }) => {
      const body = started(given);
      const got: Buffer[] = [];
      const left = [...segments];
      for (;;) {
        const reading = body.readChunk();
        while (body.wanted && left.length > 0) {
          const taken = feed(body, left[0]);
          left[0] = left[0].subarray(taken);
          if (left[0].length === 0) left.shift();
        }
        const chunk = await reading;
        if (chunk === null) break;
        assert.ok(chunk.length > 0);
        assert.equal(body.wanted, false, 'one chunk was read');
        got.push(chunk);
      }
      assert.deepEqual(Buffer.concat(got), content);
      assert.equal(left.length, 0);
    });
    await fc.assert(property, seeded(context, 400));
  });

  it('that is not wanted is counted and discarded', (context) => {
    const property = fc.property(sent, ({ content, segments, given }) => {
      const body = started(given);
      body.discard();
      for (const segment of segments) feed(body, segment);
      assert.ok(body.ended);
      assert.equal(body.discardedBytes, content.length);
    });
    fc.assert(property, seeded(context, 200));
  });

  it('chunks are copies', async () => {
    const body = started(lengthOf(8));
    const memory = Buffer.from('12345678');
    const first = body.readChunk();
    body.feed(memory, 0, 4);
    const chunk = await first;
    memory.fill('x');
    assert.equal(chunk?.toString(), '1234');
    const second = body.readChunk();
    body.feed(Buffer.from('5678'), 0, 4);
    assert.equal((await second)?.toString(), '5678');
    assert.equal(chunk?.toString(), '1234');
    assert.equal(await body.readChunk(), null);
  });

  it('consumes nothing beyond its end', async () => {
    const body = started(lengthOf(3));
    const reading = body.readAll(10);
    assert.equal(feed(body, 'abcGET /'), 3);
    assert.equal((await reading).toString(), 'abc');
    const chunks = started(CHUNKED);
    const all = chunks.readAll(10);
    assert.equal(feed(chunks, '3\r\nabc\r\n0\r\n\r\nGET /'), 13);
    assert.equal((await all).toString(), 'abc');
  });

  it('without bytes has ended before it begins', async () => {
    for (const given of [NONE, lengthOf(0)]) {
      const body = started(given);
      assert.ok(body.ended && !body.wanted);
      assert.equal(body.owedBytes, 0);
      assert.equal((await body.readAll(0)).length, 0);
      assert.equal(await body.readChunk(), null);
    }
  });

  it('reports the remaining bytes, as far as they are known', () => {
    const body = started(lengthOf(10));
    assert.equal(body.owedBytes, 10);
    body.discard();
    feed(body, 'abc');
    assert.equal(body.owedBytes, 7);
    assert.equal(started(CHUNKED).owedBytes, Number.POSITIVE_INFINITY);
  });

  it('can be read at once when all of it has arrived, and nothing was read', () => {
    const body = started(lengthOf(5));
    assert.deepEqual([body.arrived(5, 5), body.arrived(9, 9)], [5, 5]);
    assert.deepEqual([body.arrived(4, 9), body.arrived(9, 4)], [-1, -1]);
    const begun = started(lengthOf(5));
    void begun.readAll(9);
    assert.equal(begun.arrived(5, 9), -1);
    feed(begun, 'ab');
    assert.equal(begun.arrived(3, 9), -1);
    assert.equal(started(CHUNKED).arrived(5, 9), -1);
  });

  it('has one reader at a time, and is fed only when it is wanted', async () => {
    const body = started(lengthOf(4));
    assert.equal(body.readPending, false);
    assert.throws(() => feed(body, 'ab'), AssertionFault);
    const reading = body.readAll(10);
    assert.ok(body.readPending && body.wanted);
    assert.equal(body.want, Want.All);
    assert.ok((await rejection(body.readChunk())) instanceof TypeError);
    body.discard();
    feed(body, 'abcd');
    assert.equal((await reading).toString(), 'abcd');
  });

  it('memory grows with the received, not with the announced bytes', async () => {
    const before = process.memoryUsage().arrayBuffers;
    const bodies = Array.from({ length: 100 }, () => {
      const body = new RequestBody({ ...LIMITS, streamBytesMax: 2 ** 40 });
      body.begin(lengthOf(2 ** 32));
      body.readAll(2 ** 32).catch(() => {});
      feed(body, 'some');
      return body;
    });
    const grownBytes = process.memoryUsage().arrayBuffers - before;
    assert.ok(grownBytes < 8 * 1024 * 1024, `${bodies.length} bodies took ${grownBytes} bytes`);
  });
});

describe('too much', () => {
  it('announced is rejected at once, and skipped', async () => {
    const body = started(lengthOf(11));
    await assertStatus(body.readAll(10), 413);
    assert.equal(body.want, Want.Discard);
    assert.equal(feed(body, 'x'.repeat(11)), 11);
    assert.equal(body.discardedBytes, 11);
    assert.ok(body.ended && body.fault === 0);
  });

  it('in chunks is rejected when it exceeds the limit, and the rest skipped', async () => {
    const body = started(CHUNKED);
    const reading = body.readAll(10);
    feed(body, 'a\r\n0123456789\r\n');
    assert.ok(body.readPending);
    feed(body, '1\r\nx\r\n5\r\nabcde\r\n0\r\n\r\n');
    await assertStatus(reading, 413);
    assert.equal(body.discardedBytes, 6);
    assert.ok(body.ended && body.fault === 0);
  });

  it('for any stream is a fault', async () => {
    assert.equal(started(lengthOf(10_001)).fault, Fault.BodyTooLarge);
    assert.equal(started(lengthOf(10_000)).fault, 0);
    const body = started(CHUNKED);
    const reading = body.readAll(1_000_000);
    feed(body, `2710\r\n${'x'.repeat(10_000)}\r\n`);
    assert.equal(body.fault, 0);
    feed(body, '1\r\nx\r\n0\r\n\r\n');
    assert.equal(body.fault, Fault.BodyTooLarge);
    await assertStatus(reading, 413);
    assert.equal(body.wanted, false);
  });
});

describe('a malformed or truncated body', () => {
  it('an invalid chunk is a fault, for a present and a later reader', async () => {
    const body = started(CHUNKED);
    const reading = body.readAll(100);
    feed(body, '3\r\nabc\r\nnonsense\r\n');
    assert.ok(body.fault < 0);
    await assertStatus(reading, 400);
    await assertStatus(body.readChunk(), 400);
    assert.equal(body.wanted, false);
  });

  it('a truncated body is an error, now or later, and the end', async () => {
    const error = new Error('the client closed the connection');
    const body = started(lengthOf(10));
    const reading = body.readAll(100);
    feed(body, 'abc');
    body.truncate(error);
    assert.equal(await rejection(reading), error);
    assert.equal(await rejection(body.readAll(100)), error);
    assert.ok(body.ended && !body.readPending);
    const unread = started(CHUNKED);
    unread.truncate(error);
    assert.equal(await rejection(unread.readChunk()), error);
  });

  it('the first error stays', async () => {
    const body = started(lengthOf(10));
    const first = new Error('first');
    body.fail(first);
    body.truncate(new Error('second'));
    assert.equal(await rejection(body.readChunk()), first);
  });

  it('after the last byte nothing is truncated', async () => {
    const body = started(lengthOf(3));
    const reading = body.readAll(10);
    feed(body, 'abc');
    body.truncate(new Error('too late'));
    assert.equal((await reading).toString(), 'abc');
    assert.equal(await body.readChunk(), null);
  });
});

describe('the next body', () => {
  const ends: readonly (readonly [what: string, end: (body: RequestBody) => void])[] = [
    ['was cut', (body) => body.truncate(new Error('cut'))],
    ['failed', (body) => body.fail(new HttpError(413))],
    ['was discarded', (body) => body.discard()],
    ['was read', (body) => feedAll(body)],
  ];
  const nexts: readonly (readonly [what: string, given: Framing, wire: string, text: string])[] = [
    ['without a body', NONE, '', ''],
    ['of no bytes', lengthOf(0), '', ''],
    ['of some bytes', lengthOf(3), 'abc', 'abc'],
    ['in chunks', CHUNKED, '3\r\nabc\r\n0\r\n\r\n', 'abc'],
  ];

  function feedAll(body: RequestBody): void {
    void body.readAll(100);
    feed(body, 'four');
  }

  for (const [before, end] of ends) {
    for (const [next, given, wire, text] of nexts) {
      it(`${next}, after one that ${before}, is not affected`, async () => {
        const body = started(lengthOf(4));
        end(body);
        body.begin(given);
        assert.equal(body.fault, 0);
        assert.equal(body.discardedBytes, 0);
        const reading = body.readAll(100);
        if (wire !== '') feed(body, wire);
        assert.equal((await reading).toString(), text);
      });
    }
  }
});
