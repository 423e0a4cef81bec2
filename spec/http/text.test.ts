// Comparisons of bytes with words in any case, and strings from bytes.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { asciiBytes, equalsWord, latin1, shortUtf8, utf8 } from '../../src/http/text.ts';
import { bytesOf } from '../../testing/splits.ts';

function equals(text: string, word: string): boolean {
  const bytes = bytesOf(`<${text}>`);
  return equalsWord(bytes, 1, 1 + text.length, asciiBytes(word));
}

it('a word is equal in any case', () => {
  const word = 'abcdefghijklmnopqrstuvwxyz-0123456789';
  for (const text of [word, word.toUpperCase(), 'AbCdEfGhIjKlMnOpQrStUvWxYz-0123456789']) {
    assert.equal(equals(text, word), true, text);
  }
  assert.equal(equals('', ''), true);
});

it('no other byte equals one of a word', () => {
  for (const character of 'az-09') {
    const same = [character, character.toUpperCase()];
    for (let code = 0; code < 256; code++) {
      const text = String.fromCharCode(code);
      assert.equal(equals(text, character), same.includes(text), `${code} for ${character}`);
    }
  }
});

it('a shorter or longer span is not equal', () => {
  for (const text of ['', 'clos', 'closee', 'close ', ' close', 'cloze']) {
    assert.equal(equals(text, 'close'), false, text);
  }
});

it('bytes become one character each, or UTF-8', () => {
  const bytes = Buffer.from('<grüße>');
  assert.equal(latin1(bytes, 1, bytes.length - 1), 'grÃ¼Ã\x9fe');
  assert.equal(utf8(bytes, 1, bytes.length - 1), 'grüße');
  assert.equal(utf8(new Uint8Array([0xff]), 0, 1), '\ufffd');
  assert.deepEqual(asciiBytes('Az~'), new Uint8Array([65, 122, 126]));
});

it('short texts are those that Node decodes', () => {
  for (const text of ['', ...'a\0~', 'é', 'aé', '\ufeffa', 'abcdefghijklmno']) {
    for (let length = 0; length <= 16; length++) {
      const bytes = Buffer.from(`<${text.repeat(16).slice(0, length)}>`);
      const expected = utf8(bytes, 1, bytes.length - 1);
      assert.equal(shortUtf8(bytes, 1, bytes.length - 1), expected);
    }
  }
  assert.equal(shortUtf8(new Uint8Array([0x61, 0xff]), 0, 2), 'a\ufffd');
});
