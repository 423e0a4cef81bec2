// Which bodies of JSON are refused: what is not UTF-8 or not JSON, what is too deep, and keys that
// could change prototypes, however they are written.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { JSON_DEPTH_MAX } from '../../src/base/fixed-limits.ts';
import { HttpError } from '../../src/exchange/http-error.ts';
import { jsonOf, parseJson } from '../../src/exchange/json-text.ts';

function refusal(text: string): string {
  try {
    parseJson(text);
  } catch (error) {
    assert.ok(error instanceof HttpError && error.status === 400, `${text}: ${error}`);
    return error.message;
  }
  return '';
}

function ofBytes(...bytes: number[]): unknown {
  // The bytes around a body belong to other requests.
  const memory = Uint8Array.from([0x22, ...bytes, 0x22]);
  return jsonOf(memory, 1, memory.length - 1);
}

describe('a body of JSON', () => {
  it('has the value that JSON.parse() returns', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        fc.pre(!text.includes('__proto__'));
        assert.deepEqual(parseJson(text), JSON.parse(text));
        const bytes = Buffer.from(text);
        assert.deepEqual(jsonOf(bytes, 0, bytes.length), JSON.parse(text));
      }),
    );
  });

  it('that is not JSON is 400', () => {
    for (const text of ['', ' ', '{', '[1,]', "{'a':1}", 'undefined', '{"a":1}x', '"\u0000"']) {
      assert.equal(refusal(text), 'the body is not valid JSON', text);
    }
  });

  it('is strict UTF-8, with or without a byte order mark', () => {
    assert.equal(ofBytes(0x22, 0xc3, 0xa9, 0x22), 'é');
    assert.equal(ofBytes(0xef, 0xbb, 0xbf, 0x22, 0xc3, 0xa9, 0x22), 'é');
    assert.equal(ofBytes(0xef, 0xbb, 0xbf, 0x37), 7);
    // The replacement character itself is valid.
    assert.equal(ofBytes(0x22, 0xef, 0xbf, 0xbd, 0x22), '\ufffd');
    assert.equal(ofBytes(0xef, 0xbb, 0xbf, 0x22, 0xef, 0xbf, 0xbd, 0x22), '\ufffd');
    for (const bytes of [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80]]) {
      assert.throws(
        () => ofBytes(0x22, ...bytes, 0x22),
        (error) => error instanceof HttpError && error.message === 'the body is not valid UTF-8',
      );
    }
  });
});

describe('the depth of JSON', () => {
  const deep = (levels: number, open = '[', close = ']', inner = '') =>
    open.repeat(levels) + inner + close.repeat(levels);

  it('is limited, for arrays, objects and both', () => {
    const message = `the body has more than ${JSON_DEPTH_MAX} levels of JSON`;
    for (const [open, close, inner] of [
      ['[', ']', ''],
      ['{"a":', '}', '1'],
      ['[{"a":', '}]', '1'],
      ['[ 1, "]", ', ']', '1'],
      ['["\\"[[", ', ']', '1'],
      ['["\\\\", ', ']', '1'],
      ['["\\\\\\"", ', ']', '1'],
    ]) {
      const levels = JSON_DEPTH_MAX / (open.includes('{"a') && open.startsWith('[') ? 2 : 1);
      assert.equal(refusal(deep(levels, open, close, inner)), '', open);
      assert.equal(refusal(deep(levels + 1, open, close, inner)), message, open);
    }
    assert.equal(refusal(deep(1_000_000)), message);
    assert.equal(refusal('['.repeat(1_000_000)), message);
  });

  it('counts levels, not brackets', () => {
    assert.equal(refusal(`[${'[],{"a":{}},'.repeat(1000)}0]`), '');
    assert.equal(refusal(`["${'['.repeat(1000)}"]`), '');
    assert.equal(refusal(`["${'\\"['.repeat(1000)}"]`), '');
    assert.equal(refusal(`{"${'{'.repeat(1000)}":1}`), '');
    assert.equal(refusal(`["${'\\\\'.repeat(500)}","${'['.repeat(1000)}"]`), '');
    assert.equal(refusal(`${'[]'.repeat(1000)}`), 'the body is not valid JSON');
    assert.equal(refusal(`["${'['.repeat(1000)}`), 'the body is not valid JSON');
  });
});

describe('a key of JSON that could change prototypes', () => {
  const proto = 'the body has the key __proto__, which could change other objects';
  const prototype = 'the body has the key constructor.prototype, which could change other objects';

  it('is 400, however deep and however it is written', () => {
    for (const key of [
      '__proto__',
      '\\u005f_proto__',
      '__pr\\u006fto__',
      '\\u005F\\u005Fproto__',
    ]) {
      for (const text of [
        `{"${key}":{"a":1}}`,
        `{"a":1,"${key}":null}`,
        `[[{"a":{"${key}":1}}]]`,
        `{"a":[1,{"b":{"${key}":[]}}]}`,
        `{"${key}":1,"${key}":2}`,
      ]) {
        assert.equal(refusal(text), proto, text);
      }
    }
    for (const text of [
      '{"constructor":{"prototype":{"a":1}}}',
      '{"constructor":{"prototype":null}}',
      '[{"a":{"constructor":{"x":1,"prototype":1}}}]',
      '{"c\\u006fnstructor":{"prototype":{}}}',
      '{"constructor":{"pr\\u006ftotype":{}}}',
    ]) {
      assert.equal(refusal(text), prototype, text);
    }
  });

  it('is no other use of these words', () => {
    for (const text of [
      '"__proto__"',
      '["__proto__","constructor"]',
      '{"a":"__proto__"}',
      '{"constructor":"prototype"}',
      '{"constructor":{"name":"x"}}',
      '{"constructor":[1]}',
      '{"constructor":null}',
      '{"prototype":{"a":1}}',
      '{"_proto_":1,"__proto":1,"\\u00e9":"\\u0000"}',
    ]) {
      assert.deepEqual(parseJson(text), JSON.parse(text), text);
    }
  });
});
