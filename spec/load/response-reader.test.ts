// The reader of responses: each response at once, byte by byte and split at every byte, with and
// without a remembered head.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeadMemory } from '../../src/load/head-memory.ts';
import { ResponseFault, responseFaultText } from '../../src/load/response-fault.ts';
import { type RequestKind, ResponseReader } from '../../src/load/response-reader.ts';

interface Read {
  readonly status: number;
  readonly closes: boolean;
  readonly isAsExpected: boolean;
}

interface Outcome {
  readonly responses: readonly Read[];
  /** A fault, 0, or 'more' when a response is incomplete at the end of the bytes. */
  readonly end: number | 'more';
}

const kindOf = (isHead = false, expected: string | null = null): RequestKind => ({
  isHead,
  memory: new HeadMemory(),
  expected: expected === null ? null : Buffer.from(expected),
});

/** Reads responses from segments, as a connection does; with `ends` the stream then ends. */
function readSegments(segments: readonly Buffer[], kind: RequestKind, ends = false): Outcome {
  const reader = new ResponseReader();
  const responses: Read[] = [];
  reader.begin(kind);
  const take = (): void => {
    responses.push({
      status: reader.status,
      closes: reader.closes,
      isAsExpected: reader.isAsExpected,
    });
    reader.begin(kind);
  };
  for (const segment of segments) {
    // In the middle of a larger memory, as blocks are.
    const memory = Buffer.concat([Buffer.from('xyz'), segment, Buffer.from('\r\n\r\n')]);
    const bytes = new Uint8Array(memory);
    const view = new DataView(bytes.buffer);
    let at = 3;
    while (at < 3 + segment.length) {
      at = reader.read(bytes, view, at, 3 + segment.length);
      if (at < 0) return { responses, end: at };
      assert.ok(at <= 3 + segment.length, 'nothing after the segment is read');
      if (reader.isComplete) take();
    }
  }
  if (ends && reader.isBegun && reader.end()) take();
  return { responses, end: reader.isBegun ? 'more' : 0 };
}

function splitsOf(text: string): Buffer[][] {
  const whole = Buffer.from(text, 'latin1');
  const splits: Buffer[][] = [[whole], [...whole].map((byte) => Buffer.from([byte]))];
  for (let at = 1; at < whole.length; at++)
    splits.push([whole.subarray(0, at), whole.subarray(at)]);
  return splits;
}

/** The outcome, which all ways to split the text share. */
function read(text: string, kind: () => RequestKind = kindOf, ends = false): Outcome {
  const [first, ...others] = splitsOf(text).map((segments) => readSegments(segments, kind(), ends));
  for (const other of others) assert.deepEqual(other, first, JSON.stringify(text));
  // Again with a remembered head.
  const memory = kind();
  readSegments([Buffer.from(text, 'latin1')], memory, ends);
  for (const segments of splitsOf(text)) {
    assert.deepEqual(readSegments(segments, memory, ends), first, `again: ${JSON.stringify(text)}`);
  }
  return first;
}

const ok = (status = 200, closes = false): Read => ({ status, closes, isAsExpected: true });
const whole = (...responses: Read[]): Outcome => ({ responses, end: 0 });
const lines = (...all: string[]): string => all.join('\r\n');

describe('valid responses', () => {
  it('by length', () => {
    const response = lines('HTTP/1.1 200 OK', 'Content-Length: 5', '', 'hello');
    assert.deepEqual(read(response), whole(ok()));
    assert.deepEqual(read(response + response + response), whole(ok(), ok(), ok()));
    assert.deepEqual(read(lines('HTTP/1.1 404 ', 'content-length:0  ', '', '')), whole(ok(404)));
    assert.deepEqual(read(lines('HTTP/1.1 200', 'CONTENT-LENGTH:\t3\t', '', 'abc')), whole(ok()));
  });

  it('by chunks, with extensions and trailers', () => {
    const head = lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', '');
    const next = lines('HTTP/1.1 201 Created', 'Content-Length: 0', '', '');
    for (const body of [
      lines('0', '', ''),
      lines('5', 'hello', '0', '', ''),
      lines('5;a=b;c="d e"', 'hello', '00a', '0123456789', '0', 'Trailer: x', 'B:', '', ''),
      lines('A ;x', '0123456789', '0', '', ''),
    ]) {
      assert.deepEqual(read(head + body), whole(ok()), body);
      assert.deepEqual(read(head + body + next), whole(ok(), ok(201)), body);
    }
    const gzip = lines('HTTP/1.1 200 OK', 'transfer-encoding: gzip , CHUNKED', '', '0', '', '');
    assert.deepEqual(read(gzip), whole(ok()));
    const split = lines(
      'HTTP/1.1 200 OK',
      'TE: a',
      'Transfer-Encoding: x',
      'Transfer-Encoding: chunked',
    );
    assert.deepEqual(read(lines(split, '', '0', '', '')), whole(ok()));
  });

  it('by the end of the stream', () => {
    const response = lines('HTTP/1.1 200 OK', 'A: b', '', 'all that comes');
    assert.deepEqual(read(response, kindOf, true), whole(ok(200, true)));
    assert.equal(read(response).end, 'more');
    const coding = lines('HTTP/1.1 200 OK', 'Transfer-Encoding: gzip', '', 'x');
    assert.deepEqual(read(coding, kindOf, true), whole(ok(200, true)));
  });

  it('without a body, whatever their heads say', () => {
    const next = lines('HTTP/1.1 200 OK', 'Content-Length: 1', '', 'x');
    for (const status of [204, 304]) {
      const response = lines(`HTTP/1.1 ${status} None`, 'Content-Length: 10', '', '');
      assert.deepEqual(read(response + next), whole(ok(status), ok()));
    }
    for (const field of ['Content-Length: 10', 'Transfer-Encoding: chunked', 'A: b']) {
      const response = lines('HTTP/1.1 200 OK', field, '', '');
      assert.deepEqual(
        read(response + response, () => kindOf(true)),
        whole(ok(), ok()),
      );
    }
  });

  it('after interim responses', () => {
    const interim = lines(
      'HTTP/1.1 100 Continue',
      '',
      'HTTP/1.1 103 Early Hints',
      'Link: a',
      '',
      '',
    );
    const response = lines('HTTP/1.1 200 OK', 'Content-Length: 2', '', 'ab');
    assert.deepEqual(read(interim + response + interim + response), whole(ok(), ok()));
  });

  it('say whether their connection ends', () => {
    const closes = (...fields: string[]): boolean => {
      const { responses, end } = read(lines(...fields, 'Content-Length: 0', '', ''));
      assert.equal(end, 0);
      return responses[0].closes;
    };
    assert.equal(closes('HTTP/1.1 200 OK', 'Connection: close'), true);
    assert.equal(closes('HTTP/1.1 200 OK', 'connection: a, Close ,b'), true);
    assert.equal(closes('HTTP/1.1 200 OK', 'Connection: closed'), false);
    assert.equal(closes('HTTP/1.1 200 OK', 'Connection: not close'), false);
    assert.equal(closes('HTTP/1.1 200 OK', 'Connection: clo se'), false);
    assert.equal(closes('HTTP/1.1 200 OK', 'Connection: clo\tse'), false);
    assert.equal(closes('HTTP/1.1 200 OK', 'Connection: \t , ,close \t'), true);
    assert.equal(closes('HTTP/1.1 200 OK', 'Connection: clos'), false);
    assert.equal(closes('HTTP/1.1 200 OK', 'Connection: chunked'), false);
    assert.equal(closes('HTTP/1.1 200 OK', 'Connection: close', 'Connection: a'), true);
    assert.equal(closes('HTTP/1.1 200 OK', 'Connectio: close'), false);
    assert.equal(closes('HTTP/1.1 200 OK', 'Connection: keep-alive'), false);
    assert.equal(closes('HTTP/1.1 200 OK', 'X-Connection: close'), false);
    assert.equal(closes('HTTP/1.0 200 OK'), true);
    assert.equal(closes('HTTP/1.0 200 OK', 'Connection: Keep-Alive'), false);
    assert.equal(closes('HTTP/1.0 200 OK', 'Connection: keep-alive, close'), true);
  });

  it('with every allowed byte in fields', () => {
    const response = lines(
      'HTTP/1.1 200 \tr\xe9ason',
      'A:',
      'B: \x80\xff\t ~',
      'Content-Length: 0',
    );
    assert.deepEqual(read(lines(response, '', '')), whole(ok()));
  });
});

describe('invalid responses', () => {
  const wrong: readonly [ResponseFault, ...string[]][] = [
    [ResponseFault.StatusLine, 'HTTP/2.0 200 OK', ''],
    [ResponseFault.StatusLine, 'HTTP/1.2 200 OK', ''],
    [ResponseFault.StatusLine, 'http/1.1 200 OK', ''],
    [ResponseFault.StatusLine, 'HTTP/1.1  200 OK', ''],
    [ResponseFault.StatusLine, 'HTTP/1.1 2000 OK', ''],
    [ResponseFault.StatusLine, 'HTTP/1.1 20 OK', ''],
    [ResponseFault.StatusLine, 'HTTP/1.1 099 OK', ''],
    [ResponseFault.StatusLine, 'HTTP/1.1 200 a\x00b', ''],
    [ResponseFault.StatusLine, '', 'HTTP/1.1 200 OK'],
    [ResponseFault.Field, 'HTTP/1.1 200 OK', 'no colon', ''],
    [ResponseFault.Field, 'HTTP/1.1 200 OK', ': no name', ''],
    [ResponseFault.Field, 'HTTP/1.1 200 OK', 'A : b', ''],
    [ResponseFault.Field, 'HTTP/1.1 200 OK', 'A: b', ' folded', ''],
    [ResponseFault.Field, 'HTTP/1.1 200 OK', 'A: b\x00', ''],
    [ResponseFault.Field, 'HTTP/1.1 200 OK', 'A: b\rc', ''],
    [ResponseFault.Field, 'HTTP/1.1 200 OK', 'A: b\nB: c', ''],
    [ResponseFault.Length, 'HTTP/1.1 200 OK', 'Content-Length: ', ''],
    [ResponseFault.Length, 'HTTP/1.1 200 OK', 'Content-Length: -1', ''],
    [ResponseFault.Length, 'HTTP/1.1 200 OK', 'Content-Length: 1 2', ''],
    [ResponseFault.Length, 'HTTP/1.1 200 OK', 'Content-Length: 5, 5', ''],
    [ResponseFault.Length, 'HTTP/1.1 200 OK', 'Content-Length: 0x5', ''],
    [ResponseFault.Length, 'HTTP/1.1 200 OK', 'Content-Length: 99999999999999999', ''],
    [ResponseFault.Length, 'HTTP/1.1 200 OK', 'Content-Length: 1', 'Content-Length: 1', ''],
    [
      ResponseFault.Both,
      'HTTP/1.1 200 OK',
      'Content-Length: 1',
      'Transfer-Encoding: chunked',
      '',
      '',
    ],
    [ResponseFault.Coding, 'HTTP/1.1 200 OK', 'Transfer-Encoding: chunked, gzip', '', ''],
    [ResponseFault.Coding, 'HTTP/1.1 200 OK', 'Transfer-Encoding: chunked, chunked', '', ''],
    [ResponseFault.Coding, 'HTTP/1.0 200 OK', 'Transfer-Encoding: chunked', '', ''],
    [ResponseFault.Switched, 'HTTP/1.1 101 Switching Protocols', 'Upgrade: a', '', ''],
  ];
  const chunked = lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', '');
  const wrongBodies: readonly [ResponseFault, ...string[]][] = [
    [ResponseFault.Chunk, '', '0'],
    [ResponseFault.Chunk, 'g'],
    [ResponseFault.Chunk, '-1', ''],
    [ResponseFault.Chunk, ';a', ''],
    [ResponseFault.Chunk, '5', 'hello', '', ''],
    [ResponseFault.Chunk, '5', 'hello', ';a', ''],
    [ResponseFault.Chunk, '5', 'hello!', ''],
    [ResponseFault.Chunk, '5', 'hellox\n', ''],
    [ResponseFault.Chunk, '5\nhello', ''],
    [ResponseFault.Chunk, '5;a\x00', ''],
    [ResponseFault.Chunk, 'fffffffffffffffff', ''],
    [ResponseFault.Trailer, '0', 'no colon', ''],
    [ResponseFault.Trailer, '0', ' a: b', ''],
    [ResponseFault.Trailer, '0', 'a: b\x01', ''],
    [ResponseFault.Trailer, '0', '\rx'],
  ];

  it('have their fault, wherever they are split', () => {
    for (const [fault, ...text] of wrong) {
      assert.deepEqual(read(lines(...text)), { responses: [], end: fault }, JSON.stringify(text));
    }
    for (const [fault, ...text] of wrongBodies) {
      const outcome = read(chunked + lines(...text));
      assert.deepEqual(outcome, { responses: [], end: fault }, JSON.stringify(text));
    }
    for (const fault of Object.values(ResponseFault)) assert.match(responseFaultText(fault), /./);
  });

  it('are incomplete when the stream ends early', () => {
    const length = lines('HTTP/1.1 200 OK', 'Content-Length: 5', '', 'hell');
    for (const text of [length, 'HTTP/1.1 200 OK\r\n', `${chunked}5\r\nhello\r\n`]) {
      assert.deepEqual(read(text, kindOf, true), { responses: [], end: 'more' });
    }
  });

  it('include a head that is too long', () => {
    const filler = Buffer.from(`A: ${'x'.repeat(60_000)}\r\n`);
    const start = Buffer.from('HTTP/1.1 200 OK\r\n');
    const segments = [start, ...new Array<Buffer>(5).fill(filler)];
    assert.equal(readSegments(segments, kindOf()).end, ResponseFault.HeadTooLong);
  });
});

describe('an expected body', () => {
  const by = (body: string): readonly string[] => [
    lines('HTTP/1.1 200 OK', `Content-Length: ${body.length}`, '', body),
    lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', body.length.toString(16), body) +
      lines('', '0', '', ''),
  ];

  it('equals the body', () => {
    for (const text of by('hello')) {
      assert.deepEqual(
        read(text, () => kindOf(false, 'hello')),
        whole(ok()),
      );
    }
    const close = lines('HTTP/1.1 200 OK', '', 'hello');
    assert.deepEqual(
      read(close, () => kindOf(false, 'hello'), true),
      whole(ok(200, true)),
    );
    const none = lines('HTTP/1.1 200 OK', 'Content-Length: 0', '', '');
    assert.deepEqual(
      read(none, () => kindOf(false, '')),
      whole(ok()),
    );
  });

  it('differs from the body, or is shorter or longer', () => {
    for (const body of ['hallo', 'hell', 'hello!', 'h']) {
      for (const text of by(body)) {
        const { responses, end } = read(text + text, () => kindOf(false, 'hello'));
        assert.equal(end, 0);
        assert.deepEqual(
          responses.map((one) => one.isAsExpected),
          [false, false],
          body,
        );
      }
    }
    const none = lines('HTTP/1.1 200 OK', 'Content-Length: 0', '', '');
    assert.equal(read(none, () => kindOf(false, 'x')).responses[0].isAsExpected, false);
  });
});

describe('a head that is remembered', () => {
  it('is used only when every byte is the same', () => {
    const memory = kindOf();
    const respond = (length: string, connection: string): Buffer =>
      Buffer.from(
        lines(`HTTP/1.1 200 OK`, `Content-Length: ${length}`, `Connection: ${connection}`, '', ''),
      );
    const one = readSegments([respond('3', 'a'), Buffer.from('abc')], memory);
    assert.deepEqual(one, whole(ok()));
    const two = readSegments([respond('4', 'a'), Buffer.from('abcd')], memory);
    assert.deepEqual(two, whole(ok()));
    assert.deepEqual(readSegments([respond('3', 'a')], memory).end, 'more');
    const closing = readSegments([respond('0', 'close')], memory);
    assert.deepEqual(closing, whole(ok(200, true)));
    assert.deepEqual(readSegments([respond('0', 'clone')], memory), whole(ok()));
  });

  it('is not that of an interim response', () => {
    const memory = kindOf();
    const interim = Buffer.from(lines('HTTP/1.1 100 Continue', '', ''));
    const final = Buffer.from(lines('HTTP/1.1 204 None', '', ''));
    for (let round = 0; round < 3; round++) {
      assert.deepEqual(readSegments([interim, final], memory), whole(ok(204)));
    }
  });

  it('is not one with another last byte, of whatever length it is', () => {
    for (let length = 0; length < 4; length++) {
      const memory = kindOf();
      const head = lines('HTTP/1.1 204 None', `A: ${'b'.repeat(length)}`, '', '');
      assert.deepEqual(readSegments([Buffer.from(head)], memory), whole(ok(204)));
      const other = Buffer.from(`${head.slice(0, -1)}x`);
      assert.deepEqual(readSegments([other], memory), { responses: [], end: ResponseFault.Field });
    }
  });
});

describe('the memory of a head', () => {
  const bytesOf = (text: string): DataView => {
    const bytes = new Uint8Array(Buffer.from(text));
    return new DataView(bytes.buffer);
  };

  it('has room for 2,048 bytes, and needs four', () => {
    const memory = new HeadMemory();
    const view = bytesOf('x'.repeat(2_100));
    for (const [length, isKept] of [
      [3, false],
      [4, true],
      [2_048, true],
      [2_049, false],
    ] as const) {
      assert.equal(memory.keep(view, 10, 10 + length), isKept, `${length}`);
      assert.equal(memory.length, isKept ? length : 0);
      assert.equal(memory.responseBytes, 0);
    }
  });

  it('differs in any byte, wherever it is', () => {
    const text = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG';
    for (let length = 4; length <= text.length; length++) {
      const memory = new HeadMemory();
      const head = text.slice(0, length);
      assert.ok(memory.keep(bytesOf(`__${head}`), 2, 2 + length));
      const isAt = (other: string, end = other.length): boolean =>
        memory.isAt(bytesOf(other), 1, end);
      assert.equal(isAt(`_${head}!`), true);
      assert.equal(isAt(`_${head}`), true, 'at the end');
      assert.equal(isAt(`_${head}`, length), false, 'beyond the end');
      for (let at = 0; at < length; at++) {
        assert.equal(isAt(`_${head.slice(0, at)}#${head.slice(at + 1)}!`), false, `byte ${at}`);
      }
    }
  });

  it('counts whole responses, as many as are asked for', () => {
    const memory = new HeadMemory();
    const one = 'headBODY';
    const view = bytesOf(`_${one.repeat(3)}heaX`);
    memory.keep(view, 1, 5);
    assert.equal(memory.countAt(view, 1, 25, 9), 0, 'the length of the body is not known');
    memory.responseBytes = one.length;
    assert.equal(memory.countAt(view, 1, 25, 9), 3);
    assert.equal(memory.countAt(view, 1, 24, 9), 2);
    assert.equal(memory.countAt(view, 1, 25, 2), 2);
    assert.equal(memory.countAt(view, 1, 29, 9), 3);
    assert.equal(memory.countAt(view, 2, 25, 9), 0);
    memory.forget();
    assert.equal(memory.countAt(view, 1, 25, 9), 0);
  });
});
