// The head parser: valid and invalid heads unsplit, byte by byte and at every split, and its
// limits.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fault, faultText } from '../../src/http/fault.ts';
import { Field } from '../../src/http/fields.ts';
import { Head, TargetForm } from '../../src/http/head.ts';
import { Method } from '../../src/http/method.ts';
import { parseHead } from '../../src/http/parse-head.ts';
import { bytesOf, everySplit } from '../../testing/splits.ts';
import { LIMITS, type Parts, parse } from './fixtures/split-head.ts';

function assertGood(text: string, expected: Partial<Parts>, limits = LIMITS): void {
  for (const splits of everySplit(text.length)) {
    const { result, parts } = parse(text, splits, limits);
    assert.equal(result, text.length, `${JSON.stringify(text)} at ${splits}: ${faultText(result)}`);
    assert.ok(parts !== null);
    for (const key of Object.keys(expected) as (keyof Parts)[]) {
      assert.deepEqual(parts[key], expected[key], `${key} of ${JSON.stringify(text)} at ${splits}`);
    }
  }
  // The bytes after the head belong to the next request.
  assert.equal(parse(`${text}GET / HTTP/1.1\r\n`, [], limits).result, text.length);
}

/** `text` ends with the offending byte: the fault is known then, and not before. */
function assertBad(text: string, fault: number, limits = LIMITS): void {
  for (const rest of ['', 'x', '\n', ' HTTP/1.1\r\nHost: a\r\n\r\n']) {
    const stream = text + rest;
    for (const splits of everySplit(stream.length)) {
      const { result } = parse(stream, splits, limits);
      const where = `${JSON.stringify(stream)} at ${splits}: ${faultText(result)}`;
      assert.equal(result, fault, where);
    }
  }
  const bytewise = everySplit(text.length)[1];
  assert.equal(parse(text, bytewise, limits).at, text.length, `${JSON.stringify(text)} when`);
  assert.equal(parse(text.slice(0, -1), [], limits).result, 0, `${JSON.stringify(text)} before`);
}

describe('parseHead: request lines', () => {
  const good: [string, Partial<Parts>][] = [
    [
      'GET / HTTP/1.1',
      { method: 'GET', methodNumber: Method.GET, minor: 1, path: '/', query: null },
    ],
    ['GET / HTTP/1.0', { minor: 0 }],
    ['\r\nPOST /a HTTP/1.1', { method: 'POST', methodNumber: Method.POST, path: '/a' }],
    ['get / HTTP/1.1', { method: 'get', methodNumber: Method.Other }],
    ["M-SEARCH!#$%&'*+.^_`|~0 / HTTP/1.1", { methodNumber: Method.Other }],
    [`${'A'.repeat(32)} / HTTP/1.1`, { method: 'A'.repeat(32), methodNumber: Method.Other }],
    ['GET /a/b?c=d HTTP/1.1', { path: '/a/b', query: 'c=d', plainPath: 1 }],
    ['GET /a? HTTP/1.1', { path: '/a', query: '' }],
    ['GET /? HTTP/1.1', { path: '/', query: '' }],
    ['GET /a?b?c%zz/../ HTTP/1.1', { path: '/a', query: 'b?c%zz/../', plainPath: 1 }],
    ['GET //a HTTP/1.1', { path: '//a', plainPath: 0 }],
    ['GET /a//b HTTP/1.1', { path: '/a//b', plainPath: 0 }],
    ['GET /a/b/?c//d HTTP/1.1', { path: '/a/b/', plainPath: 1 }],
    ['GET /%41 HTTP/1.1', { path: '/%41', plainPath: 0 }],
    ['GET /. HTTP/1.1', { plainPath: 0 }],
    ['GET /.. HTTP/1.1', { plainPath: 0 }],
    ['GET /a/./b HTTP/1.1', { plainPath: 0 }],
    ['GET /a/../b HTTP/1.1', { plainPath: 0 }],
    ['GET /a/..?x HTTP/1.1', { plainPath: 0, path: '/a/..', query: 'x' }],
    ['GET /a/.b HTTP/1.1', { plainPath: 1 }],
    ['GET /a/..b HTTP/1.1', { plainPath: 1 }],
    ['GET /a/b. HTTP/1.1', { plainPath: 1 }],
    ['GET /a/... HTTP/1.1', { plainPath: 1 }],
    ['GET /a.b/c..d HTTP/1.1', { plainPath: 1 }],
    ["GET /-._~:[]@!$&'()*+,;={}|\\^` HTTP/1.1", { plainPath: 1 }],
    ['OPTIONS * HTTP/1.1', { target: '*', form: TargetForm.Asterisk, path: '', query: null }],
    ['OPTIONS / HTTP/1.1', { form: TargetForm.Origin, methodNumber: Method.OPTIONS }],
    ['CONNECT a.b:443 HTTP/1.1', { target: 'a.b:443', form: TargetForm.Authority, path: '' }],
    ['CONNECT [::1]:1 HTTP/1.1', { form: TargetForm.Authority, plainPath: 1, query: null }],
    ['GET http://a HTTP/1.1', { form: TargetForm.Absolute, path: '', query: null, plainPath: 1 }],
    ['GET http://a?b HTTP/1.1', { form: TargetForm.Absolute, path: '', query: 'b' }],
    ['GET HTTPS://a.b:80/c/d?e HTTP/1.1', { path: '/c/d', query: 'e', plainPath: 1 }],
    ['GET hTTp://[2001:db8::1]:/c/../d HTTP/1.1', { path: '/c/../d', plainPath: 0 }],
    ['GET http://a/c//d HTTP/1.1', { path: '/c//d', plainPath: 0 }],
    ['GET http://a%20b/./c?d HTTP/1.1', { path: '/./c', query: 'd', plainPath: 0 }],
  ];
  for (const [line, expected] of good) {
    it(`accepts ${JSON.stringify(line)}`, () => {
      assertGood(`${line}\r\n\r\n`, { ...expected, fields: [] });
      assertGood(`${line}\r\nHost: a\r\nX: y\r\n\r\n`, {
        ...expected,
        fields: [
          ['host', 'a'],
          ['x', 'y'],
        ],
      });
    });
  }

  const bad: [string, number][] = [
    ['\n', Fault.BareLineFeed],
    ['\rG', Fault.BareCarriageReturn],
    ['\r\n\r', Fault.BadRequestLine],
    ['\r\n\n', Fault.BareLineFeed],
    [' ', Fault.BadRequestLine],
    ['\x16', Fault.BadRequestLine],
    ['G\0', Fault.BadRequestLine],
    ['G\x80', Fault.BadRequestLine],
    ['GET\t', Fault.BadRequestLine],
    ['GET\r', Fault.BadRequestLine],
    ['GET\n', Fault.BareLineFeed],
    ['G(', Fault.BadRequestLine],
    ['A'.repeat(33), Fault.MethodTooLong],
    [`${'A'.repeat(32)}(`, Fault.BadRequestLine],
    ['GET  ', Fault.BadRequestLine],
    ['GET \t', Fault.BadTarget],
    ['GET \r', Fault.BadRequestLine],
    ['GET a', Fault.BadTarget],
    ['GET *', Fault.BadTarget],
    ['GET ?', Fault.BadTarget],
    ['get *', Fault.BadTarget],
    ['OPTIONS ** ', Fault.BadTarget],
    ['OPTIONS *? ', Fault.BadTarget],
    ['GET /\r', Fault.BadRequestLine],
    ['GET /\n', Fault.BareLineFeed],
    ['GET /\t', Fault.BadTarget],
    ['GET /a"', Fault.BadTarget],
    ['GET /a<', Fault.BadTarget],
    ['GET /a>', Fault.BadTarget],
    ['GET /a#', Fault.BadTarget],
    ['GET /a?b#', Fault.BadTarget],
    ['GET /\x7f', Fault.BadTarget],
    ['GET /\x80', Fault.BadTarget],
    ['GET /\xc3', Fault.BadTarget],
    ['GET /\0', Fault.BadTarget],
    ['GET h ', Fault.BadTarget],
    ['GET http:// ', Fault.BadTarget],
    ['GET http:/// ', Fault.BadTarget],
    ['GET http:///a ', Fault.BadTarget],
    ['GET http://?a ', Fault.BadTarget],
    ['GET http://:80/ ', Fault.BadTarget],
    ['GET http:/a ', Fault.BadTarget],
    ['GET http:a ', Fault.BadTarget],
    ['GET http://u@a/ ', Fault.BadTarget],
    ['GET http://a:b/ ', Fault.BadTarget],
    ['GET http://a:65536/ ', Fault.BadTarget],
    ['GET httpx://a/ ', Fault.BadTarget],
    ['GET f', Fault.BadTarget],
    ['CONNECT / ', Fault.BadTarget],
    ['CONNECT  ', Fault.BadTarget],
    ['CONNECT * ', Fault.BadTarget],
    ['CONNECT a ', Fault.BadTarget],
    ['CONNECT a: ', Fault.BadTarget],
    ['CONNECT :80 ', Fault.BadTarget],
    ['CONNECT a:80/ ', Fault.BadTarget],
    ['CONNECT http://a:80 ', Fault.BadTarget],
    ['GET /  ', Fault.BadVersion],
    ['GET / \r', Fault.BadVersion],
    ['GET / \n', Fault.BareLineFeed],
    ['GET / h', Fault.BadVersion],
    ['GET / HTTPS', Fault.BadVersion],
    ['GET / HTTP/a', Fault.BadVersion],
    ['GET / HTTP/1\r', Fault.BadVersion],
    ['GET / HTTP/1,', Fault.BadVersion],
    ['GET / HTTP/1.\r', Fault.BadVersion],
    ['GET / HTTP/1.10', Fault.BadVersion],
    ['GET / HTTP/1.1 ', Fault.BadVersion],
    ['GET / HTTP/1.1\n', Fault.BareLineFeed],
    ['GET / HTTP/1.1\r\r', Fault.BareCarriageReturn],
    ['GET / HTTP/1.2\r\n', Fault.UnsupportedVersion],
    ['GET / HTTP/0.9\r\n', Fault.UnsupportedVersion],
    ['GET / HTTP/2.0\r\n', Fault.UnsupportedVersion],
    ['PRI / HTTP/3.1\r\n', Fault.UnsupportedVersion],
    ['PRI *', Fault.BadTarget],
  ];
  for (const [text, fault] of bad) {
    it(`rejects ${JSON.stringify(text)}`, () => assertBad(text, fault));
  }
});

describe('parseHead: fields', () => {
  const good: [string, [string, string]][] = [
    ['Host: a', ['host', 'a']],
    ['hOsT:a', ['host', 'a']],
    ['Content-LENGTH: 5', ['content-length', '5']],
    ['X-Unknown_Name: 5', ['x-unknown_name', '5']],
    ['a:', ['a', '']],
    ['a: \t ', ['a', '']],
    ['a: \t b \t c \t ', ['a', 'b \t c']],
    ['a: :', ['a', ':']],
    ['a: \x80\xff', ['a', '\x80\xff']],
    ['a: \xff~\xff~', ['a', '\xff~\xff~']],
    ['a: tab\tin the middle of it', ['a', 'tab\tin the middle of it']],
    ["!#$%&'*+-.^_`|~09azAZ: x", ["!#$%&'*+-.^_`|~09azaz", 'x']],
    [`${'n'.repeat(40)}: x`, ['n'.repeat(40), 'x']],
    [`a: ${'v'.repeat(50)}`, ['a', 'v'.repeat(50)]],
    ['TE: x', ['te', 'x']],
    ['DNT: 1', ['dnt', '1']],
    ['Access-Control-Request-Headers: x', ['access-control-request-headers', 'x']],
  ];
  for (const [line, field] of good) {
    it(`accepts ${JSON.stringify(line)}`, () => {
      assertGood(`GET / HTTP/1.1\r\n${line}\r\n\r\n`, { fields: [field] });
    });
  }

  it('accepts every byte that a value may contain at every place of a word', () => {
    for (let code = 0; code < 256; code++) {
      const allowed = code === 9 || (code >= 0x20 && code !== 0x7f);
      for (let before = 0; before < 9; before++) {
        const start = `GET / HTTP/1.1\r\na:${'x'.repeat(before + 1)}`;
        const text = `${start}${String.fromCharCode(code)}${'\xff'.repeat(9)}\r\n\r\n`;
        const { result } = parse(text, [before + 3]);
        if (allowed) assert.equal(result, text.length);
        else assert.ok(result < 0, `code ${code} after ${before}`);
      }
    }
  });

  it('accepts every byte that a name may contain and no other', () => {
    for (let code = 0; code < 256; code++) {
      const character = String.fromCharCode(code);
      const allowed = /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(character);
      for (const name of [`${character}ab`, `ab${character}`, `conten${character}-length`]) {
        if (character === ':' && name.startsWith('ab')) continue;
        const text = `GET / HTTP/1.1\r\n${name}: x\r\n\r\n`;
        const { result } = parse(text);
        if (allowed) assert.equal(result, text.length);
        else if (character === ':')
          assert.equal(result, name.startsWith(':') ? Fault.BadFieldName : text.length);
        else assert.ok(result < 0, JSON.stringify(name));
      }
    }
  });

  const bad: [string, number][] = [
    [' ', Fault.ObsoleteFold],
    ['\t', Fault.ObsoleteFold],
    ['a: b\r\n ', Fault.ObsoleteFold],
    ['a: b\r\n\t', Fault.ObsoleteFold],
    [':', Fault.BadFieldName],
    ['a ', Fault.BadFieldName],
    ['Host ', Fault.BadFieldName],
    ['a\t', Fault.BadFieldName],
    ['a\r', Fault.BadFieldName],
    ['a\n', Fault.BareLineFeed],
    ['a(', Fault.BadFieldName],
    ['content\r', Fault.BadFieldName],
    ['a\x80', Fault.BadFieldName],
    ['\0', Fault.BadFieldName],
    ['\n', Fault.BareLineFeed],
    ['a: b\n', Fault.BareLineFeed],
    ['a:\n', Fault.BareLineFeed],
    ['a: b\r\r', Fault.BareCarriageReturn],
    ['a: b\rc', Fault.BareCarriageReturn],
    ['a:\rc', Fault.BareCarriageReturn],
    ['a: \0', Fault.BadFieldValue],
    ['a: b\x0b', Fault.BadFieldValue],
    ['a: b\x7f', Fault.BadFieldValue],
    ['a: b\x1f', Fault.BadFieldValue],
    ['a: b\r\n\n', Fault.BareLineFeed],
    ['a: b\r\n\rx', Fault.BareCarriageReturn],
    ['\r\r', Fault.BareCarriageReturn],
  ];
  for (const [text, fault] of bad) {
    it(`rejects ${JSON.stringify(text)}`, () => assertBad(`GET / HTTP/1.1\r\n${text}`, fault));
  }

  it('recognizes known names', () => {
    const text = 'GET / HTTP/1.1\r\nHOST: a\r\ncookie: b\r\nx: c\r\nCookie: d\r\n\r\n';
    const head = new Head(10);
    const bytes = bytesOf(text);
    assert.equal(
      parseHead(bytes, 0, bytes.length, head, { ...LIMITS, fieldsMax: 10 }),
      text.length,
    );
    assert.deepEqual([...head.names.subarray(0, 4)], [Field.Host, Field.Cookie, 0, Field.Cookie]);
    assert.equal(head.find(Field.Cookie), 1);
    assert.equal(head.find(Field.Range), -1);
    assert.equal(head.count(Field.Cookie), 2);
  });
});

describe('parseHead: limits', () => {
  const text = 'GET /abc HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n';

  it('rejects a head of more than headBytesMax bytes at the first byte past the limit', () => {
    assertGood(text, { path: '/abc' }, { ...LIMITS, headBytesMax: text.length });
    for (let headBytesMax = 1; headBytesMax < text.length; headBytesMax++) {
      assertBad(text.slice(0, headBytesMax + 1), Fault.HeadTooLarge, { ...LIMITS, headBytesMax });
    }
  });

  it('counts the empty line before the request line', () => {
    const limits = { ...LIMITS, headBytesMax: text.length };
    assertBad(`\r\n${text}`.slice(0, text.length + 1), Fault.HeadTooLarge, limits);
  });

  it('rejects a target of more than targetBytesMax bytes', () => {
    assertGood(text, { path: '/abc' }, { ...LIMITS, targetBytesMax: 4 });
    assertBad('GET /abc', Fault.TargetTooLong, { ...LIMITS, targetBytesMax: 3 });
    assertBad('GET /\0', Fault.TargetTooLong, { ...LIMITS, targetBytesMax: 1 });
    assertBad('GET /a\0', Fault.BadTarget, { ...LIMITS, targetBytesMax: 3 });
  });

  it('rejects more than fieldsMax fields at the first byte of the next one', () => {
    assertGood(text, { path: '/abc' }, { ...LIMITS, fieldsMax: 2 });
    assertBad('GET / HTTP/1.1\r\nA: b\r\nC', Fault.TooManyFields, { ...LIMITS, fieldsMax: 1 });
    assertBad('GET / HTTP/1.1\r\nA: b\r\n ', Fault.ObsoleteFold, { ...LIMITS, fieldsMax: 1 });
  });
});
