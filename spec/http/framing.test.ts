// Where a body ends and whether a connection persists: the request-smuggling rules, one by one.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Fault, faultText } from '../../src/http/fault.ts';
import { BodyKind, Framing, frame } from '../../src/http/framing.ts';
import { Head } from '../../src/http/head.ts';
import { parseHead } from '../../src/http/parse-head.ts';
import { bytesOf, mutated, seeded } from '../../testing/splits.ts';

const LIMITS = { headBytesMax: 16_384, targetBytesMax: 8_192, fieldsMax: 20 };
const framing = new Framing();

/** Calls frame() for a request with these fields, at some offset in its memory. */
function frameOf(lines: readonly string[], version = '1.1'): number {
  const text = `GET / HTTP/${version}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
  const bytes = bytesOf(`xyz${text}`);
  const head = new Head(LIMITS.fieldsMax);
  assert.equal(parseHead(bytes, 3, bytes.length, head, LIMITS), text.length, text);
  return frame(bytes, 3, head, framing);
}

/** The same for HTTP/1.1 with a valid Host. */
function withHost(...lines: string[]): number {
  return frameOf(['Host: a', ...lines]);
}

function assertFault(found: number, expected: number, what: string): void {
  assert.equal(found, expected, `${JSON.stringify(what)}: ${faultText(found)}`);
}

describe('frame: length', () => {
  it('is 0 without a Content-Length, and with 0', () => {
    for (const lines of [[], ['Content-Length: 0'], ['Content-Length: 000']]) {
      assert.equal(withHost(...lines), 0);
      assert.equal(framing.kind, BodyKind.None);
      assert.equal(framing.length, 0);
    }
  });

  const lengths: [string, number][] = [
    ['5', 5],
    ['05', 5],
    ['4294967296', 4_294_967_296],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    [`${'0'.repeat(400)}7`, 7],
  ];
  for (const [value, length] of lengths) {
    it(`is ${value.slice(0, 20)}`, () => {
      assert.equal(withHost(`Content-Length:\t${value} `), 0);
      assert.equal(framing.kind, BodyKind.Length);
      assert.equal(framing.length, length);
      assert.equal(frameOf([`content-length: ${value}`], '1.0'), 0);
      assert.equal(framing.length, length);
    });
  }

  const bad = [
    '',
    '+5',
    '-5',
    '5 5',
    '5,5',
    '5, 5',
    '5,',
    ',5',
    '0x5',
    '5.0',
    '5e0',
    '5;a',
    '"5"',
    '5\x80',
    'a',
  ];
  for (const value of bad) {
    it(`is never ${JSON.stringify(value)}`, () => {
      assertFault(withHost(`Content-Length: ${value}`), Fault.BadContentLength, value);
    });
  }

  it('is rejected above the largest exact number', () => {
    for (const value of [
      '9007199254740992',
      '9007199254740993',
      '18446744073709551616',
      '9'.repeat(400),
    ]) {
      assertFault(withHost(`Content-Length: ${value}`), Fault.BodyTooLarge, value);
    }
    assertFault(withHost(`Content-Length: ${'9'.repeat(400)}x`), Fault.BadContentLength, 'x');
  });

  it('must not occur twice', () => {
    const line = 'Content-Length: 5';
    assertFault(withHost(line, line), Fault.BadContentLength, 'twice');
    assertFault(withHost(line, 'X: y', 'content-length: 6'), Fault.BadContentLength, 'two');
  });
});

describe('frame: transfer codings', () => {
  it('accepts chunked in any case', () => {
    for (const value of ['chunked', 'CHUNKED', 'Chunked', ' \tchunked\t ']) {
      assert.equal(withHost(`Transfer-Encoding: ${value}`), 0);
      assert.equal(framing.kind, BodyKind.Chunked);
      assert.equal(framing.length, 0);
    }
  });

  const values: [string[], number][] = [
    [['gzip, chunked'], Fault.UnknownTransferCoding],
    [['gzip,deflate ,chunked'], Fault.UnknownTransferCoding],
    [['gzip', 'chunked'], Fault.UnknownTransferCoding],
    [['identity'], Fault.BadTransferEncoding],
    [['gzip'], Fault.BadTransferEncoding],
    [['xchunked'], Fault.BadTransferEncoding],
    [['chunkedx'], Fault.BadTransferEncoding],
    [['foo'], Fault.BadTransferEncoding],
    [['gzip, deflate'], Fault.BadTransferEncoding],
    [['gzip', 'deflate'], Fault.BadTransferEncoding],
    [['chunked, chunked'], Fault.BadTransferEncoding],
    [['chunked', 'chunked'], Fault.BadTransferEncoding],
    [['chunked, gzip'], Fault.BadTransferEncoding],
    [['chunked, gzip, chunked'], Fault.BadTransferEncoding],
    [['gzip, chunked, chunked'], Fault.BadTransferEncoding],
    [['chunked', 'identity'], Fault.BadTransferEncoding],
    [[''], Fault.BadTransferEncoding],
    [['', 'chunked'], Fault.BadTransferEncoding],
    [['chunked', ''], Fault.BadTransferEncoding],
    [['chunked,'], Fault.BadTransferEncoding],
    [[',chunked'], Fault.BadTransferEncoding],
    [[', ,'], Fault.BadTransferEncoding],
    [['chunked;q=1'], Fault.BadTransferEncoding],
    [['chunked; a'], Fault.BadTransferEncoding],
    [['gzip;q=1, chunked'], Fault.BadTransferEncoding],
    [['"chunked"'], Fault.BadTransferEncoding],
    [['chunked chunked'], Fault.BadTransferEncoding],
    [['chun ked'], Fault.BadTransferEncoding],
    [['chunked\x80'], Fault.BadTransferEncoding],
    [['\xa0chunked'], Fault.BadTransferEncoding],
  ];
  for (const [lines, fault] of values) {
    it(`rejects ${JSON.stringify(lines)}`, () => {
      const fields = lines.map((value) => `Transfer-Encoding: ${value}`);
      assertFault(withHost(...fields), fault, lines.join('|'));
      for (const order of [0, fields.length]) {
        const both = fields.toSpliced(order, 0, 'Content-Length: 5');
        assertFault(withHost(...both), Fault.ConflictingFraming, both.join('|'));
      }
    });
  }

  it('rejects a length in addition, and HTTP/1.0', () => {
    const chunked = 'Transfer-Encoding: chunked';
    assertFault(withHost(chunked, 'Content-Length: 0'), Fault.ConflictingFraming, 'both');
    assertFault(withHost('Content-Length: 5', chunked), Fault.ConflictingFraming, 'both');
    assertFault(frameOf([chunked], '1.0'), Fault.BadTransferEncoding, '1.0');
    assertFault(frameOf([chunked, 'Host: a'], '1.0'), Fault.BadTransferEncoding, '1.0');
  });
});

describe('frame: Host', () => {
  it('occurs once in HTTP/1.1, at most once in HTTP/1.0', () => {
    assertFault(frameOf([]), Fault.MissingHost, 'none');
    assertFault(frameOf(['X-Host: a', 'Hosts: b']), Fault.MissingHost, 'none');
    assertFault(frameOf(['Host: a', 'Host: a']), Fault.BadHost, 'two');
    assertFault(frameOf(['Host:', 'Host:']), Fault.BadHost, 'two');
    assert.equal(frameOf([], '1.0'), 0);
    assert.equal(frameOf(['Host: a'], '1.0'), 0);
    assertFault(frameOf(['Host: a', 'Host: a'], '1.0'), Fault.BadHost, 'two');
  });

  it('is empty or a host and a port', () => {
    for (const value of [
      '',
      'a',
      'a,b',
      'a:80',
      'a:',
      '127.0.0.1:8080',
      '[::1]',
      '[::1]:80',
      'a%20',
    ]) {
      assert.equal(frameOf([`Host: ${value}`]), 0, value);
    }
    for (const value of [
      'a b',
      'a/',
      'u@a',
      'a:b',
      'a:65536',
      ':80',
      'http://a',
      '[::1',
      'a%2',
      '\xe9',
    ]) {
      assertFault(frameOf([`Host: ${value}`]), Fault.BadHost, value);
      assertFault(frameOf([`Host: ${value}`], '1.0'), Fault.BadHost, value);
    }
  });
});

describe('frame: the connection', () => {
  const cases: [string, string[], boolean][] = [
    ['1.1', [], true],
    ['1.0', [], false],
    ['1.1', ['close'], false],
    ['1.1', ['CLOSE'], false],
    ['1.1', ['keep-alive'], true],
    ['1.1', ['keep-alive, close'], false],
    ['1.1', ['close', 'keep-alive'], false],
    ['1.1', ['x ,\tClose\t, y'], false],
    ['1.1', ['closed'], true],
    ['1.1', ['"close"'], true],
    ['1.1', [', ,'], true],
    ['1.1', [''], true],
    ['1.0', ['keep-alive'], true],
    ['1.0', ['Keep-Alive'], true],
    ['1.0', ['x', 'y,keep-alive'], true],
    ['1.0', ['keep-alive', 'close'], false],
    ['1.0', ['keep-alives'], false],
  ];
  for (const [version, values, keepAlive] of cases) {
    it(`HTTP/${version} ${JSON.stringify(values)} ${keepAlive ? 'persists' : 'closes'}`, () => {
      const lines = ['Host: a', ...values.map((value) => `Connection: ${value}`)];
      assert.equal(frameOf(lines, version), 0);
      assert.equal(framing.keepAlive, keepAlive);
    });
  }

  it('requests an upgrade with both fields, in HTTP/1.1', () => {
    const both = ['Host: a', 'Connection: keep-alive, Upgrade', 'Upgrade: websocket'];
    assert.equal(frameOf(both), 0);
    assert.equal(framing.upgrade, true);
    for (const [lines, version] of [
      [both, '1.0'],
      [both.slice(0, 2), '1.1'],
      [both.toSpliced(1, 1), '1.1'],
    ] as const) {
      assert.equal(frameOf(lines, version), 0);
      assert.equal(framing.upgrade, false);
    }
  });

  it('accepts trailers when TE lists them, in HTTP/1.1', () => {
    assert.equal(withHost('TE: gzip;q=0.5, Trailers'), 0);
    assert.equal(framing.trailersAccepted, true);
    assert.equal(withHost('TE: gzip'), 0);
    assert.equal(framing.trailersAccepted, false);
    assert.equal(frameOf(['TE: trailers'], '1.0'), 0);
    assert.equal(framing.trailersAccepted, false);
  });
});

describe('frame: expectations', () => {
  it('apply when the request has a body', () => {
    for (const value of ['100-continue', '100-Continue', '100-CONTINUE']) {
      assert.equal(withHost(`Expect: ${value}`, 'Content-Length: 5'), 0);
      assert.equal(framing.expectContinue, true);
      assert.equal(withHost('Transfer-Encoding: chunked', `Expect: ${value}`), 0);
      assert.equal(framing.expectContinue, true);
      assert.equal(withHost(`Expect: ${value}`), 0);
      assert.equal(framing.expectContinue, false);
    }
  });

  it('rejects any other, but not from HTTP/1.0', () => {
    for (const value of ['', '100', '100-continued', '100-continue, x', '200-ok']) {
      const lines = ['Host: a', `Expect: ${value}`, 'Content-Length: 5'];
      assertFault(frameOf(lines), Fault.BadExpectation, value);
      assert.equal(frameOf(lines, '1.0'), 0);
      assert.equal(framing.expectContinue, false);
    }
    assertFault(withHost('Expect: x', 'Expect: 100-continue'), Fault.BadExpectation, 'two');
  });

  it('reports a framing fault before an expectation', () => {
    assertFault(
      withHost('Expect: x', 'Transfer-Encoding: gzip, gzip'),
      Fault.BadTransferEncoding,
      '',
    );
  });
});

describe('frame: properties', () => {
  it('never throws, and has the same result twice', (context) => {
    const text = fc.constantFrom(
      'POST / HTTP/1.1\r\nHost: a:80\r\nContent-Length: 50\r\nConnection: close, x\r\n\r\n',
      'PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: [::1]\r\nExpect: 100-continue\r\n\r\n',
      'GET / HTTP/1.0\r\nConnection: keep-alive\r\nTE: a, trailers\r\nUpgrade: x\r\n\r\n',
    );
    const property = fc.property(mutated(text), (request) => {
      const bytes = bytesOf(request);
      const head = new Head(LIMITS.fieldsMax);
      if (parseHead(bytes, 0, bytes.length, head, LIMITS) <= 0) return;
      const result = frame(bytes, 0, head, framing);
      const first = { ...framing };
      const again = new Framing();
      assert.equal(frame(bytes, 0, head, again), result);
      assert.ok(result <= 0);
      if (result < 0) return;
      assert.deepEqual({ ...again }, first);
      assert.equal(framing.kind === BodyKind.Length, framing.length > 0);
      assert.ok(Number.isSafeInteger(framing.length));
    });
    fc.assert(property, seeded(context, 5_000));
  });
});

it('a framing equals a new one after reset()', () => {
  const framing = new Framing();
  const fresh = { ...framing };
  assert.deepEqual(fresh, {
    kind: BodyKind.None,
    length: 0,
    keepAlive: false,
    expectContinue: false,
    trailersAccepted: false,
    upgrade: false,
  });
  Object.assign(framing, {
    kind: BodyKind.Length,
    length: 5,
    keepAlive: true,
    expectContinue: true,
    trailersAccepted: true,
    upgrade: true,
  });
  framing.reset();
  assert.deepEqual({ ...framing }, fresh);
});
