// The chunked decoder: valid and invalid bodies unsplit, byte by byte and at every split, and its
// properties.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ChunkEvent, ChunkedDecoder, type ChunkedLimits } from '../../src/http/chunked.ts';
import { Fault, faultText } from '../../src/http/fault.ts';
import { bytesOf, everySplit, mutated, place, seeded, splitsWithin } from '../../testing/splits.ts';

const LIMITS: ChunkedLimits = { chunkExtensionBytesMax: 64, trailerBytesMax: 512, fieldsMax: 4 };

interface Outcome {
  /** ChunkEvent.Done, ChunkEvent.NeedMore or a Fault. */
  readonly result: number;
  /** How many bytes were received when the result was known. */
  readonly at: number;
  /** How many bytes of the text were consumed. */
  readonly used: number;
  readonly content: string;
  readonly trailers: readonly (readonly [string, string])[];
}

/** Decodes in segments, each in its own memory. */
function decode(
  text: string,
  splits: readonly number[] = [],
  limits = LIMITS,
  decoder = new ChunkedDecoder(),
): Outcome {
  const source = bytesOf(text);
  let content = '';
  let used = 0;
  const outcome = (result: number, at: number): Outcome => ({
    result,
    at,
    used,
    content,
    trailers: Array.from({ length: decoder.trailerCount }, (_, index) => [
      decoder.trailerName(index),
      decoder.trailerValue(index),
    ]),
  });
  let turn = splits.length + text.length;
  let from = 0;
  for (const split of [...splits, text.length]) {
    turn += 1;
    const { bytes, start, end } = place(source, from, split, turn);
    let position = start;
    let result: number;
    do {
      result = decoder.next(bytes, position, end, limits);
      assert.ok(decoder.position >= position && decoder.position <= end);
      position = decoder.position;
      if (result === ChunkEvent.Data) {
        assert.ok(decoder.dataStart < decoder.dataEnd);
        assert.equal(decoder.dataEnd, position);
        content += Buffer.from(bytes.subarray(decoder.dataStart, decoder.dataEnd)).toString(
          'latin1',
        );
      }
    } while (result === ChunkEvent.Data);
    used = from + position - start;
    if (result !== ChunkEvent.NeedMore) return outcome(result, split);
    assert.equal(position, end, 'all bytes are consumed when more are needed');
    from = split;
  }
  return outcome(ChunkEvent.NeedMore, text.length);
}

function assertGood(
  text: string,
  content: string,
  limits = LIMITS,
  trailers: [string, string][] = [],
): void {
  for (const rest of ['', 'GET / HTTP/1.1\r\n\r\n', '\r\n\r\n']) {
    const stream = text + rest;
    for (const splits of everySplit(stream.length)) {
      const outcome = decode(stream, splits, limits);
      const where = `${JSON.stringify(stream)} at ${splits}: ${faultText(outcome.result)}`;
      assert.equal(outcome.result, ChunkEvent.Done, where);
      assert.equal(outcome.used, text.length, where);
      assert.equal(outcome.content, content, where);
      assert.deepEqual(outcome.trailers, trailers, where);
    }
  }
}

/** `text` ends with the offending byte: the fault is known then, and not before. */
function assertBad(text: string, fault: number, limits = LIMITS): void {
  for (const rest of ['', 'x', '\n', '\r\n\r\n']) {
    const stream = text + rest;
    for (const splits of everySplit(stream.length)) {
      const { result } = decode(stream, splits, limits);
      assert.equal(result, fault, `${JSON.stringify(stream)} at ${splits}: ${faultText(result)}`);
    }
  }
  assert.equal(decode(text, everySplit(text.length)[1], limits).at, text.length);
  assert.equal(
    decode(text.slice(0, -1), [], limits).result,
    ChunkEvent.NeedMore,
    JSON.stringify(text),
  );
}

describe('ChunkedDecoder: chunks', () => {
  const good: [string, string][] = [
    ['0\r\n\r\n', ''],
    ['0000000000000000\r\n\r\n', ''],
    ['5\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n', 'hello!'],
    ['0000000000000005\r\nhello\r\n000\r\n\r\n', 'hello'],
    ['a\r\n0123456789\r\n0\r\n\r\n', '0123456789'],
    ['A\r\n0123456789\r\n0\r\n\r\n', '0123456789'],
    ['1F\r\n0123456789012345678901234567890\r\n0\r\n\r\n', '0123456789012345678901234567890'],
    ['4\r\n\r\n\r\n\r\n0\r\n\r\n', '\r\n\r\n'],
    ['1\r\n\0\r\n1\r\n\xff\r\n0\r\n\r\n', '\0\xff'],
    ['1;a\r\nx\r\n0;b\r\n\r\n', 'x'],
    ['1;a=b;c="d"\r\nx\r\n0\r\n\r\n', 'x'],
    ['1 ; a = b ; c\t=\t"d"\r\nx\r\n0\r\n\r\n', 'x'],
    ['1;a="\\"\\\\ \t;\x80,\\\t"\r\nx\r\n0\r\n\r\n', 'x'],
    ['1;a=""\r\nx\r\n0;a="" ;b\r\n\r\n', 'x'],
    ["1;!#$%&'*+-.^_`|~0=!#$%&'*+-.^_`|~0\r\nx\r\n0\r\n\r\n", 'x'],
  ];
  for (const [text, content] of good) {
    it(`accepts ${JSON.stringify(text)}`, () => assertGood(text, content));
  }

  const bad: [string, number][] = [
    ['\r', Fault.BadChunk],
    ['\n', Fault.BareLineFeed],
    [' ', Fault.BadChunk],
    ['+', Fault.BadChunk],
    ['-', Fault.BadChunk],
    [';', Fault.BadChunk],
    ['g', Fault.BadChunk],
    ['0x', Fault.BadChunk],
    ['5_', Fault.BadChunk],
    ['5.', Fault.BadChunk],
    ['5\x80', Fault.BadChunk],
    ['5\n', Fault.BareLineFeed],
    ['5\rh', Fault.BareCarriageReturn],
    ['5\r\r', Fault.BareCarriageReturn],
    ['5 \r', Fault.BadChunk],
    ['5\t\n', Fault.BareLineFeed],
    ['5 5', Fault.BadChunk],
    ['00000000000000000', Fault.BadChunk],
    ['20000000000000', Fault.BodyTooLarge],
    ['fffffffffffffff', Fault.BodyTooLarge],
    ['5\r\nhellox', Fault.BadChunk],
    ['5\r\nhello\n', Fault.BareLineFeed],
    ['5\r\nhello\rx', Fault.BareCarriageReturn],
    ['5\r\nhello\r\n\r', Fault.BadChunk],
    ['5;\r', Fault.BadChunk],
    ['5;;', Fault.BadChunk],
    ['5;=', Fault.BadChunk],
    ['5; \n', Fault.BareLineFeed],
    ['5;a\n', Fault.BareLineFeed],
    ['5;a\rx', Fault.BareCarriageReturn],
    ['5;a \r', Fault.BadChunk],
    ['5;a b', Fault.BadChunk],
    ['5;a=\r', Fault.BadChunk],
    ['5;a=;', Fault.BadChunk],
    ['5;a==', Fault.BadChunk],
    ['5;a=b\n', Fault.BareLineFeed],
    ['5;a=b\0', Fault.BadChunk],
    ['5;a=b \r', Fault.BadChunk],
    ['5;a=b=', Fault.BadChunk],
    ['5;a=b"', Fault.BadChunk],
    ['5;a="\r', Fault.BadChunk],
    ['5;a="\n', Fault.BareLineFeed],
    ['5;a="\\\r', Fault.BadChunk],
    ['5;a="\\\n', Fault.BareLineFeed],
    ['5;a="\x7f', Fault.BadChunk],
    ['5;a="b"c', Fault.BadChunk],
    ['5;a="b" \r', Fault.BadChunk],
    ['5;\x80', Fault.BadChunk],
    ['0\r\n\rx', Fault.BareCarriageReturn],
    ['0\r\n\n', Fault.BareLineFeed],
  ];
  // The largest size is one less; this one fails at its last digit of 14, a longer one earlier.
  for (const [text, fault] of bad) {
    const shortest = fault === Fault.BodyTooLarge ? text.slice(0, 14) : text;
    it(`rejects ${JSON.stringify(text)}`, () => assertBad(shortest, fault));
  }

  it('accepts the largest exact size', () => {
    const decoder = new ChunkedDecoder();
    const bytes = bytesOf('001fffffffffffff\r\nx');
    assert.equal(decoder.next(bytes, 0, bytes.length, LIMITS), ChunkEvent.Data);
    assert.equal(decoder.remaining, Number.MAX_SAFE_INTEGER - 1);
  });

  it('keeps a fault, and the state Done', () => {
    const decoder = new ChunkedDecoder();
    const bytes = bytesOf('x0\r\n\r\n');
    assert.equal(decoder.next(bytes, 0, bytes.length, LIMITS), Fault.BadChunk);
    assert.equal(decoder.next(bytes, 1, bytes.length, LIMITS), Fault.BadChunk);
    assert.equal(decoder.next(bytes, 1, 1, LIMITS), Fault.BadChunk);
    decoder.reset();
    assert.equal(decoder.next(bytes, 1, bytes.length, LIMITS), ChunkEvent.Done);
    assert.equal(decoder.next(bytes, 3, bytes.length, LIMITS), ChunkEvent.Done);
    assert.equal(decoder.position, 3);
  });

  it('begins each size anew, whatever the extension of the chunk before was', () => {
    for (const extension of [';a=b', ';a', ';a="b"', ';a = b', '']) {
      const first = `1${extension}\r\nx\r\n`;
      for (const size of ['1', '1;b', '1 ; b']) {
        const good = decode(`${first}${size}\r\ny\r\n0\r\n\r\n`);
        assert.deepEqual([good.result, good.content], [ChunkEvent.Done, 'xy'], extension);
      }
      for (const size of ['1x', '1=2', '1"', '1 x', '1x;a=b']) {
        const bad = decode(`${first}${size}\r\ny\r\n0\r\n\r\n`);
        assert.equal(bad.result, Fault.BadChunk, `${extension} ${size}`);
      }
    }
  });

  it('limits the extensions of a body in total', () => {
    const limits = { ...LIMITS, chunkExtensionBytesMax: 6 };
    assertGood('1;a\r\nx\r\n0;a=b\r\n\r\n', 'x', limits);
    assertBad('1;a\r\nx\r\n0;a=bc', Fault.ChunkExtensionsTooLong, limits);
    assertBad('1;a="b\\\\', Fault.ChunkExtensionsTooLong, limits);
    assertBad('1      ;', Fault.ChunkExtensionsTooLong, limits);
    assertBad('1;', Fault.ChunkExtensionsTooLong, { ...LIMITS, chunkExtensionBytesMax: 0 });
  });
});

describe('ChunkedDecoder: trailers', () => {
  it('parses them by the rules of the head', () => {
    assertGood('0\r\nA: b\r\n\r\n', '', LIMITS, [['a', 'b']]);
    assertGood('1\r\nx\r\n0;e\r\nX-Sum:  c d \t\r\nETAG:\r\n\r\n', 'x', LIMITS, [
      ['x-sum', 'c d'],
      ['etag', ''],
    ]);
  });

  const bad: [string, number][] = [
    [' ', Fault.ObsoleteFold],
    [':', Fault.BadFieldName],
    ['a ', Fault.BadFieldName],
    ['a: \0', Fault.BadFieldValue],
    ['a: b\n', Fault.BareLineFeed],
    ['a: b\r\r', Fault.BareCarriageReturn],
    ['a: b\r\n\t', Fault.ObsoleteFold],
    ['a: b\r\n\rx', Fault.BareCarriageReturn],
    ['a:\r\nb:\r\nc:\r\nd:\r\ne', Fault.TooManyFields],
    ['Content-Length: 5\r\n\r\n', Fault.ForbiddenTrailer],
    ['a: b\r\ntransfer-encoding: chunked\r\n\r\n', Fault.ForbiddenTrailer],
    ['HOST: a\r\nx: y\r\n\r\n', Fault.ForbiddenTrailer],
    ['authorization: a\r\n\r\n', Fault.ForbiddenTrailer],
  ];
  for (const [text, fault] of bad) {
    it(`rejects ${JSON.stringify(text)}`, () => assertBad(`0\r\n${text}`, fault));
  }

  it('limits their bytes', () => {
    const trailers = 'a: bcd\r\n\r\n';
    const exact = { ...LIMITS, trailerBytesMax: trailers.length };
    assertGood(`0\r\n${trailers}`, '', exact, [['a', 'bcd']]);
    for (let trailerBytesMax = 1; trailerBytesMax < trailers.length; trailerBytesMax++) {
      const text = `0\r\n${trailers.slice(0, trailerBytesMax + 1)}`;
      assertBad(text, Fault.TrailersTooLarge, { ...LIMITS, trailerBytesMax });
    }
    const long = 'v'.repeat(400);
    assertGood(`0\r\na:${long}\r\n\r\n`, '', LIMITS, [['a', long]]);
  });

  it('resets them for the next body', () => {
    const decoder = new ChunkedDecoder();
    assert.equal(decoder.trailerCount, 0);
    assert.equal(decoder.trailerName(0), '');
    assert.equal(decoder.trailerValue(0), '');
    assert.deepEqual(decode('0\r\na: b\r\n\r\n', [3, 4], LIMITS, decoder).trailers, [['a', 'b']]);
    decoder.reset();
    assert.deepEqual(decode('0\r\n\r\n', [], LIMITS, decoder).trailers, []);
    decoder.reset();
    const wider = { ...LIMITS, fieldsMax: 8 };
    assert.deepEqual(decode('0\r\nc: d\r\n\r\n', [5], wider, decoder).trailers, [['c', 'd']]);
  });
});

describe('ChunkedDecoder: properties', () => {
  const body = fc
    .tuple(
      fc.array(
        fc.string({
          unit: fc.constantFrom('a', '\r', '\n', '\0', '0'),
          minLength: 1,
          maxLength: 20,
        }),
        {
          maxLength: 5,
        },
      ),
      fc.constantFrom('', ';a', ' ; b = "c\\"d"', ';e=f;g'),
      fc.constantFrom('', 'X: y\r\n', 'X-A: b \r\nZ:\r\n'),
    )
    .map(([chunks, extension, trailers]) => ({
      content: chunks.join(''),
      text: `${chunks
        .map((chunk) => `${chunk.length.toString(16)}${extension}\r\n${chunk}\r\n`)
        .join('')}0${extension}\r\n${trailers}\r\n`,
    }));

  it('decodes the content that was encoded', (context) => {
    const withSplits = body.chain((one) =>
      fc.tuple(fc.constant(one), splitsWithin(one.text.length)),
    );
    const limits = { ...LIMITS, chunkExtensionBytesMax: 1_000 };
    const property = fc.property(withSplits, ([{ text, content }, splits]) => {
      const outcome = decode(text, splits, limits);
      assert.equal(outcome.result, ChunkEvent.Done);
      assert.equal(outcome.used, text.length);
      assert.equal(outcome.content, content);
    });
    fc.assert(property, seeded(context, 2_000));
  });

  it('has the same result for any splits', (context) => {
    const withSplits = mutated(body.map(({ text }) => text)).chain((text) =>
      fc.tuple(fc.constant(text), splitsWithin(text.length)),
    );
    const limited = fc.record({
      chunkExtensionBytesMax: fc.integer({ min: 0, max: 40 }),
      trailerBytesMax: fc.integer({ min: 1, max: 30 }),
      fieldsMax: fc.integer({ min: 1, max: 3 }),
    });
    const property = fc.property(withSplits, limited, ([text, splits], limits) => {
      const unsplit = decode(text, [], limits);
      const segments = decode(text, splits, limits);
      assert.equal(segments.result, unsplit.result);
      assert.equal(segments.content, unsplit.content);
      assert.deepEqual(segments.trailers, unsplit.trailers);
      if (unsplit.result >= 0) assert.equal(segments.used, unsplit.used);
    });
    fc.assert(property, seeded(context, 4_000));
  });
});
