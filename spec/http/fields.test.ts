// Field names: recognized from bytes in any case; similar names are not.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Field, fieldName, fieldNumber, recognizeField } from '../../src/http/fields.ts';
import { bytesOf } from '../../testing/splits.ts';

/** Recognizes a name that ends with its memory and begins at an unaligned offset. */
function recognize(text: string): number {
  const bytes = bytesOf(`<${text}`);
  return recognizeField(bytes, new DataView(bytes.buffer), 1, bytes.length);
}

const KNOWN = Object.values(Field).filter((field) => field !== Field.Unknown);

it('names are those of RFC 9110 and other standards', () => {
  assert.equal(fieldName(Field.Unknown), '');
  assert.equal(fieldName(Field.Host), 'host');
  assert.equal(fieldName(Field.TE), 'te');
  assert.equal(fieldName(Field.IfNoneMatch), 'if-none-match');
  assert.equal(fieldName(Field.AccessControlRequestMethod), 'access-control-request-method');
  assert.equal(fieldName(Field.XForwardedFor), 'x-forwarded-for');
  assert.equal(fieldName(Field.XRealIp), 'x-real-ip');
  assert.equal(fieldName(Field.SecChUa), 'sec-ch-ua');
  assert.equal(fieldName(Field.SecWebSocketKey), 'sec-websocket-key');
  for (const field of KNOWN) assert.match(fieldName(field), /^[a-z]+(-[a-z]+)*$/);
});

it('every known name is recognized in any case', () => {
  for (const field of KNOWN) {
    const name = fieldName(field);
    const mixed = name.replace(/./g, (letter, index) =>
      index % 2 ? letter : letter.toUpperCase(),
    );
    assert.equal(fieldNumber(name), field);
    for (const text of [name, name.toUpperCase(), mixed])
      assert.equal(recognize(text), field, text);
  }
});

it('a name with any byte changed is unknown', () => {
  for (const field of KNOWN) {
    const name = fieldName(field);
    for (let index = 0; index < name.length; index++) {
      for (let code = 0; code < 256; code++) {
        const character = String.fromCharCode(code);
        const near = name.slice(0, index) + character + name.slice(index + 1);
        const same = /[A-Za-z]/.test(character) && character.toLowerCase() === name[index];
        // The change may produce another known name.
        const expected = same || character === name[index] ? field : fieldNumber(near);
        assert.equal(recognize(near), expected, JSON.stringify(near));
      }
    }
    assert.equal(recognize(`${name}s`), Field.Unknown);
    assert.equal(recognize(name.slice(1)), Field.Unknown);
  }
});

it('other names are unknown', () => {
  for (const name of ['', 'a', 'x', 'x-custom', 'hos', 'hosts', 'n'.repeat(200)]) {
    assert.equal(recognize(name), Field.Unknown);
    assert.equal(fieldNumber(name), Field.Unknown);
  }
});
