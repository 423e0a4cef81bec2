// The parser of JSON files: it accepts what JSON.parse accepts, and reports positions of keys and
// errors.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readJson } from '../../../src/server/config/json.ts';

interface Fault {
  readonly text: string;
  readonly line: number;
  readonly column: number;
  readonly says: RegExp;
}

const FAULTS: readonly Fault[] = [
  { text: '', line: 1, column: 1, says: /a value, found the end/ },
  { text: '{', line: 1, column: 2, says: /a key in double quotes, found the end/ },
  { text: '{\n  "a": 1,\n}', line: 3, column: 1, says: /a key in double quotes, found "}"/ },
  { text: '{ "a": 1\n  "b": 2 }', line: 2, column: 3, says: /"," or "}", found "\\""/ },
  { text: '{ "a" 1 }', line: 1, column: 7, says: /":", found "1"/ },
  { text: '{ "a": 080 }', line: 1, column: 9, says: /"," or "}", found "8"/ },
  { text: '{ "a": x }', line: 1, column: 8, says: /a value, found "x"/ },
  { text: "{\r\n 'a': 1 }", line: 2, column: 2, says: /a key in double quotes/ },
  { text: '// no\n{}', line: 1, column: 1, says: /a value, found "\/"/ },
  { text: '{} {}', line: 1, column: 4, says: /the end of the file, found "{"/ },
  { text: '{ "a": "b\n" }', line: 1, column: 8, says: /a string closed on its line/ },
  { text: '{ "a": "\\x" }', line: 1, column: 8, says: /with valid escapes/ },
  { text: '{ "a": [1, ] }', line: 1, column: 12, says: /a value, found "]"/ },
  { text: `${'['.repeat(5_000)}`, line: 1, column: 66, says: /at most 64 levels/ },
  { text: '\u{1f600}', line: 1, column: 1, says: /found "\u{1f600}"/u },
];

for (const { text, line, column, says } of FAULTS) {
  test(`an error in line ${line}, column ${column} of ${JSON.stringify(text.slice(0, 30))}`, () => {
    const json = readJson(text);
    assert.ok(!json.ok);
    assert.deepEqual([json.line, json.column], [line, column]);
    assert.match(json.fault, says);
    assert.ok(!json.fault.includes('\n'));
  });
}

test('keys of the outermost object with their lines', () => {
  const json = readJson('\ufeff{ "a": { "inner": 1 },\n\n "\\u0062": [{ "c": 2 }],\r\n"a": 3 }\n');
  assert.ok(json.ok);
  assert.deepEqual(json.keys, [
    { name: 'a', line: 1 },
    { name: 'b', line: 3 },
    { name: 'a', line: 4 },
  ]);
});

test('it accepts exactly what JSON.parse accepts', () => {
  const scraps = fc.constantFrom(
    '',
    '"',
    ',',
    ':',
    '{',
    '}',
    '[',
    ']',
    '\\',
    '\n',
    '0',
    '-',
    'e',
    ' ',
  );
  const mutated = fc
    .tuple(fc.json({ maxDepth: 4 }), fc.nat(), fc.nat(3), scraps)
    .map(([text, at, drop, scrap]) => {
      const start = at % (text.length + 1);
      return text.slice(0, start) + scrap + text.slice(start + drop);
    });
  let rejected = 0;
  fc.assert(
    fc.property(fc.oneof(fc.json({ maxDepth: 4 }), mutated), (text) => {
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        rejected += 1;
        assert.ok(!readJson(text).ok, text);
        return;
      }
      const json = readJson(text);
      assert.ok(json.ok, text);
      assert.deepEqual(json.value, value);
    }),
    { numRuns: 5_000 },
  );
  assert.ok(rejected > 0, 'some texts were not JSON');
});
