// The loader rejects invalid files, the notation is reversible, and a wrong expectation is
// detected: without these the cases would prove nothing.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Fault } from '../../src/http/fault.ts';
import { seeded } from '../../testing/splits.ts';
import type { Case, Expected, Message } from './case.ts';
import { agrees, difference } from './difference.ts';
import { allCases, casesOf, rejectDuplicates } from './load.ts';
import { decode, encode, Malformed } from './notation.ts';
import { MessageReader } from './read-messages.ts';
import { alone, pipelined, splitsOf } from './streams.ts';

const REQUEST = [
  'POST /a HTTP/1.1\\r\\n',
  'Host: a\\r\\n',
  'Content-Length: 2\\r\\n',
  '\\r\\n',
  'hi',
];
const EXPECT = [
  'accept: POST /a HTTP/1.1',
  'path: /a',
  'field: host: a',
  'field: content-length: 2',
  'body: hi',
  'rfc: 9112 §6.3 "If a valid Content-Length header field…"',
];
const FAULT = ['fault: BadTarget 400', 'rfc: 9112 §3.2 "Recipients of an invalid request-line"'];

/** A file with one case. */
function file(request: readonly string[], expect: readonly string[], name = 'one'): string {
  const blocks = ['```request', ...request, '```', '', '```expect', ...expect, '```'];
  return ['# Title', '', 'About it.', '', `## ${name}`, '', ...blocks, ''].join('\n');
}

function only(text: string): Case {
  const [one, ...more] = casesOf('spec/cases/x.md', text);
  assert.equal(more.length, 0);
  return one;
}

/** The file is rejected at this line of it, with this reason. */
function assertRejected(text: string, line: number, reason: RegExp): void {
  assert.throws(
    () => casesOf('spec/cases/x.md', text),
    (error) => {
      assert.ok(error instanceof Malformed, String(error));
      assert.match(error.message, new RegExp(`^spec/cases/x\\.md:${line}: `));
      assert.match(error.problem, reason);
      return true;
    },
  );
}

const REQUEST_LINE = 8;
const EXPECT_LINE = REQUEST_LINE + REQUEST.length + 3;

describe('cases: the loader', () => {
  it('loads a case', () => {
    const one = only(file(REQUEST, EXPECT));
    assert.equal(one.id, 'x#one');
    assert.equal(one.line, 5);
    assert.equal(one.request, 'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi');
    assert.deepEqual(one.expected.end, { kind: 'open' });
    assert.deepEqual(one.expected.messages, [
      {
        method: 'POST',
        target: '/a',
        version: '1.1',
        path: '/a',
        fields: [
          ['host', 'a'],
          ['content-length', '2'],
        ],
        body: 'hi',
        trailers: [],
        status: 200,
        closes: false,
      },
    ]);
    const [{ line, ...rule }] = one.rules;
    const quote = 'If a valid Content-Length header field';
    assert.deepEqual(rule, { rfc: '9112', section: '6.3', quote });
    assert.equal(line, EXPECT_LINE + 5);
  });

  it('loads every kind of expectation', () => {
    const expect = [
      'accept: GET * HTTP/1.0',
      'path: rejected',
      'field: a:',
      'trailer: b: c: d',
      'then: close',
      'limits: fieldsMax=4 headBytesMax=512',
      'choice: there is a reason for everything',
      'rfc: 6585 §5 "The 431 status code"',
      'rfc: 9112 §6 "Request message framing is independent of method semantics."',
    ];
    const one = only(file(['x'], expect));
    const [message] = one.expected.messages;
    assert.equal(message.path, '');
    assert.equal(message.status, 400);
    assert.deepEqual(message.fields, [['a', '']]);
    assert.deepEqual(message.trailers, [['b', 'c: d']]);
    assert.deepEqual(one.expected.end, { kind: 'closed' });
    assert.deepEqual(one.limits, { fieldsMax: 4, headBytesMax: 512 });
    assert.equal(one.choice, 'there is a reason for everything');
    assert.deepEqual(
      one.rules.map(({ section }) => section),
      ['5', '6'],
    );
    const fault = { kind: 'fault', fault: Fault.BadTarget, status: 400 };
    assert.deepEqual(only(file(['x'], FAULT)).expected, { messages: [], end: fault });
  });

  const shapes: readonly (readonly [what: string, text: string, line: number, reason: RegExp])[] = [
    ['no title', 'Title\n\nAbout it.\n', 1, /begin with #/],
    ['no introduction', '# Title\n\n## one\n', 3, /what the file is about/],
    ['no case', '# Title\n\nAbout it.\n', 4, /blank line|no case/],
    ['a bad name', file(REQUEST, EXPECT, 'One'), 5, /small-words/],
    ['no request', '# T\n\nA.\n\n## one\n\n```expect\nx\n```\n', 7, /request is missing/],
    ['an unended block', '# T\n\nA.\n\n## one\n\n```request\nx\n', 7, /no end/],
    ['an empty block', '# T\n\nA.\n\n## one\n\n```request\n```\n', 7, /is empty/],
    ['no expectation', file(REQUEST, []), EXPECT_LINE - 1, /is empty/],
    ['text behind a case', `${file(REQUEST, EXPECT)}more\n`, 23, /blank line/],
    ['another heading', `${file(REQUEST, EXPECT)}\n### deep\n`, 24, /begin with ##/],
    ['a name twice', `${file(REQUEST, EXPECT)}\n${caseOnly(file(['y'], FAULT))}`, 24, /already/],
  ];
  for (const [what, text, line, reason] of shapes) {
    it(`rejects ${what}`, () => assertRejected(text, line, reason));
  }

  const requests: readonly (readonly [text: string, reason: RegExp])[] = [
    ['GET\\q', /no escape/],
    ['GET\\', /no escape/],
    ['GET\\x0', /two digits/],
    ['GET\\xAB', /two digits/],
    ['GET\\x41', /is written A/],
    ['caf\u00e9', /needs an escape/],
    ['a\tb', /needs an escape/],
    ['GET ', /an invisible space/],
    ['', /sends nothing/],
    ['a\\nb', /follows/],
    ['\\{a*0}', /needs text/],
    ['\\{a}', /needs text/],
    ['\\{*3}', /needs text/],
    ['\\{a*3', /needs text/],
    ['\\{\\q*3}', /no escape/],
    ['\\{\\{a*3}*3}', /another one/],
    ['\\{abcdefghij*1000000}', /at most 1000000/],
  ];
  for (const [text, reason] of requests) {
    it(`rejects the request ${JSON.stringify(text)}`, () => {
      assertRejected(file([text], FAULT), REQUEST_LINE, reason);
    });
  }

  const rule = 'rfc: 9112 §3 "A request-line begins…"';
  const expectations: readonly (readonly [lines: readonly string[], at: number, reason: RegExp])[] =
    [
      [['accept GET / HTTP/1.1', rule], 0, /key, colon/],
      [['accept:  GET / HTTP/1.1', rule], 0, /key, colon/],
      [['wish: x', rule], 0, /key wish is unknown/],
      [['field: a: b', rule], 0, /first key must be/],
      [[rule], 0, /first key must be/],
      [['accept: GET / HTTP/2.0', rule], 0, /accept: METHOD/],
      [['accept: GET /', rule], 0, /accept: METHOD/],
      [['accept: GET / HTTP/1.1'], 0, /an rfc line/],
      [['accept: GET / HTTP/1.1', 'body: a', 'field: a: b', rule], 2, /must be before/],
      [['accept: GET / HTTP/1.1', 'body: a', 'body: b', rule], 2, /only once/],
      [['accept: GET / HTTP/1.1', 'field: A: b', rule], 1, /lower case/],
      [['accept: GET / HTTP/1.1', 'field: a:b', rule], 1, /lower case/],
      [['accept: GET / HTTP/1.1', 'trailer: b', rule], 1, /lower case/],
      [['accept: GET / HTTP/1.1', 'path: a', rule], 1, /must begin with/],
      [['accept: GET / HTTP/1.1', 'status: 200', rule], 1, /from 201 to 599/],
      [['accept: GET / HTTP/1.1', 'status: 99', rule], 1, /from 201 to 599/],
      [['accept: GET / HTTP/1.1', 'then: stay', rule], 1, /then: close/],
      [['accept: GET / HTTP/1.1', 'body: \\q', rule], 1, /no escape/],
      [['fault: BadTaste 400', rule], 0, /Name status/],
      [['fault: BadTarget', rule], 0, /is 400/],
      [['fault: BadTarget 404', rule], 0, /is 400/],
      [['fault: BadTarget 400', 'fault: BadChunk 400', rule], 1, /only once/],
      [['fault: BadTarget 400', 'incomplete: 400', rule], 1, /only once/],
      [['fault: BadTarget 400', 'body: a', rule], 1, /must be before/],
      [['incomplete: 408', rule], 0, /must be 400/],
      [['fault: BadTarget 400', 'limits: fieldMax=4', rule], 1, /limits: name=number/],
      [['fault: BadTarget 400', 'limits: fieldsMax=0', rule], 1, /must be from 1/],
      [['fault: BadTarget 400', 'limits: fieldsMax=100', rule], 1, /differ from its default/],
      [['fault: BadTarget 400', 'choice: because', rule], 1, /have a reason/],
      [['fault: BadTarget 400', 'rfc: 9112 3 "A request-line"'], 1, /SECTION/],
      [['fault: BadTarget 400', 'rfc: 9112 §3 A request-line'], 1, /SECTION/],
      [['fault: BadTarget 400', 'rfc: 9112 §3 "too"'], 1, /SECTION/],
      [['fault: BadTarget 400', 'rfc: 9112 §3 "a “quoted” sentence"'], 1, /plain ASCII/],
      [
        ['accept: GET / HTTP/1.1', 'then: close', 'fault: BadTarget 400', rule],
        3,
        /nothing can follow/,
      ],
    ];
  for (const [lines, at, reason] of expectations) {
    it(`rejects the expectation ${JSON.stringify(lines.join(' | '))}`, () => {
      assertRejected(file(REQUEST, lines), EXPECT_LINE + at, reason);
    });
  }

  it('rejects a case with the bytes and limits of another one', () => {
    const first = only(file(REQUEST, EXPECT));
    const second = only(file(REQUEST, EXPECT, 'two'));
    const limited = { ...second, limits: { fieldsMax: 4 } };
    assert.throws(() => rejectDuplicates([first, second]), /sends the same bytes as x#one/);
    rejectDuplicates([first, limited]);
  });
});

/** The text of a file from its case on. */
function caseOnly(text: string): string {
  return text.slice(text.indexOf('## '));
}

describe('cases: the notation', () => {
  it('decodes what it has encoded, for any bytes', (context) => {
    const text = fc.oneof(
      fc.string({ unit: fc.nat({ max: 255 }).map((code) => String.fromCharCode(code)) }),
      fc.tuple(fc.nat({ max: 255 }), fc.nat({ max: 99 })).map(([code, count]) => {
        return String.fromCharCode(code).repeat(count);
      }),
    );
    const property = fc.property(text, (bytes) => {
      assert.deepEqual(decode(encode(bytes)), { bytes });
    });
    fc.assert(property, seeded(context, 1_000));
  });

  it('decodes what it has encoded, for every request of the cases', () => {
    for (const { request } of allCases())
      assert.deepEqual(decode(encode(request)), { bytes: request });
  });
});

describe('cases: a wrong expectation', () => {
  const one = only(file(REQUEST, EXPECT));
  const { messages, end } = one.expected;
  const changed = (part: Partial<Message>): Expected => {
    return { messages: messages.map((message) => ({ ...message, ...part })), end };
  };
  const wrongExpectations: readonly (readonly [string, Expected])[] = [
    ['method', changed({ method: 'PUT' })],
    ['target', changed({ target: '/b' })],
    ['version', changed({ version: '1.0' })],
    ['path', changed({ path: '/b' })],
    [
      'field name',
      changed({
        fields: [
          ['host', 'a'],
          ['content-lengths', '2'],
        ],
      }),
    ],
    [
      'field value',
      changed({
        fields: [
          ['host', 'a'],
          ['content-length', '3'],
        ],
      }),
    ],
    ['fields', changed({ fields: [['host', 'a']] })],
    ['body', changed({ body: 'ho' })],
    ['trailers', changed({ trailers: [['a', 'b']] })],
    ['end', changed({ closes: true })],
    ['further message', { messages: [...messages, ...messages], end }],
    ['missing message', { messages: [], end }],
    ['incomplete', { messages, end: { kind: 'incomplete', status: 400 } }],
    ['fault', { messages, end: { kind: 'fault', fault: Fault.BadChunk, status: 400 } }],
  ];

  it('is not reported for the correct one', () => {
    const reader = new MessageReader({});
    for (const stream of [alone(one), pipelined(one)]) {
      for (const splits of splitsOf(stream)) {
        assert.ok(agrees(stream.expected, reader.read(stream.bytes, splits)), `split at ${splits}`);
      }
    }
  });

  for (const [what, expected] of wrongExpectations) {
    it(`is detected: ${what}`, () => {
      const stream = alone(one);
      const outcome = new MessageReader({}).read(stream.bytes, [7]);
      assert.ok(!agrees(expected, outcome));
      const report = difference(one, 'alone', [7], expected, outcome);
      assert.match(report, /^spec\/cases\/x\.md:5: x#one, alone, split at 7\n/);
      const [wanted, got] = report.slice(report.indexOf('  expected: ')).split('  got:      ');
      assert.notEqual(wanted.slice(12).trim(), got.trim(), report);
    });
  }

  it('is detected for another fault', () => {
    const rejected = only(file(['GET a HTTP/1.1\\r\\n'], FAULT));
    const outcome = new MessageReader({}).read(alone(rejected).bytes, []);
    assert.ok(agrees(rejected.expected, outcome));
    const other = { kind: 'fault', fault: Fault.BadChunk, status: 400 } as const;
    assert.ok(!agrees({ messages: [], end: other }, outcome));
  });

  it('every place of a case is a split, and both ends of it between other requests', () => {
    const stream = pipelined(one);
    const single = splitsOf(stream).filter((splits) => splits.length === 1);
    const places = single.map(([at]) => at);
    const wanted = Array.from({ length: one.request.length + 1 }, (_, at) => stream.from + at);
    assert.deepEqual(places, wanted);
  });
});
