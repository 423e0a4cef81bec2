// Text made safe for logs, with every code unit.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LOG_ENTRY_CHARACTERS_MAX } from '../../src/base/fixed-limits.ts';
import { escaped, logEntry, logText, safeJson } from '../../src/base/log-text.ts';

const RANGES = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0x061c, 0x061c],
  [0x200e, 0x200f],
  [0x2028, 0x202e],
  [0x2066, 0x2069],
  [0xd800, 0xdfff],
] as const;

function isUnsafe(code: number): boolean {
  return RANGES.some(([from, to]) => code >= from && code <= to);
}

const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map(String.fromCharCode) });

describe('logText()', () => {
  it('shows every unsafe character by its number and leaves all others', () => {
    for (let code = 0; code < 0x10000; code++) {
      const character = String.fromCharCode(code);
      const number = code.toString(16);
      const shown = code < 256 ? `\\x${number.padStart(2, '0')}` : `\\u${number.padStart(4, '0')}`;
      assert.equal(logText(`a${character}b`), `a${isUnsafe(code) ? shown : character}b`, number);
    }
    assert.equal(logText('\u{1f600}\u{10ffff}'), '\u{1f600}\u{10ffff}');
    assert.equal(logText('\ude00\ud83d'), '\\ude00\\ud83d');
    assert.equal(escaped('"'), '\\x22');
  });
});

describe('logEntry()', () => {
  it('indents what follows a line end', () => {
    assert.equal(logEntry('one'), 'one');
    assert.equal(logEntry('one\ntwo\r\n\n    at x\n'), 'one\n  two\\x0d\n  \n      at x\n  ');
  });

  it('consists of safe lines, all but the first indented', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const [, ...others] = logEntry(text).split('\n');
        for (const line of others) assert.ok(line.startsWith('  '));
        for (const character of logEntry(text).replaceAll('\n', '')) {
          assert.ok(character.length === 2 || !isUnsafe(character.charCodeAt(0)));
        }
      }),
    );
  });

  it('is truncated when it is very long', () => {
    const most = 'x'.repeat(LOG_ENTRY_CHARACTERS_MAX);
    assert.equal(logEntry(most), most);
    assert.equal(logEntry(`${most}12345`), `${most} ... (5 more characters)`);
  });
});

describe('safeJson()', () => {
  it('parses to the same value, and holds nothing unsafe', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        for (const indent of [undefined, 2]) {
          const json = safeJson({ [text]: [text, 1] }, indent);
          assert.deepEqual(JSON.parse(json), { [text]: [text, 1] });
          const line = indent === undefined ? json : json.replaceAll('\n', '');
          assert.equal(logText(line), line);
        }
      }),
    );
    assert.equal(safeJson('\u0085\u2028\u001b'), '"\\u0085\\u2028\\u001b"');
  });
});
