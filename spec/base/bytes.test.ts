// Writing into bytes: each writer against Node's own encoders, and within its bounds.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import {
  CHARACTER_BYTES_MAX,
  copyBytes,
  decimalDigits,
  isAscii,
  writeAscii,
  writeDecimal,
  writeHex,
  writeLatin1,
} from '../../src/base/bytes.ts';
import { seeded } from '../../testing/splits.ts';

const MARK = 0xee;

/** Returns what `write` wrote at position 3; fails when it wrote anywhere else. */
function written(room: number, write: (target: Buffer, at: number) => number): Buffer {
  const target = Buffer.alloc(room + 6, MARK);
  const end = write(target, 3);
  assert.ok(end >= 3 && end <= room + 3, `ends at ${end}, with room for ${room}`);
  const around = Buffer.concat([target.subarray(0, 3), target.subarray(end)]);
  assert.ok(
    around.every((byte) => byte === MARK),
    'only the bytes up to its result are written',
  );
  return target.subarray(3, end);
}

const latin1 = fc.string({ unit: fc.nat({ max: 255 }).map((code) => String.fromCharCode(code)) });
const wholeNumber = fc.oneof(
  fc.nat({ max: 1200 }),
  fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  fc.integer({ min: 0, max: 15 }).map((exponent) => 10 ** exponent),
  fc.integer({ min: 1, max: 15 }).map((exponent) => 10 ** exponent - 1),
);

it('copies bytes of every length, short and long', () => {
  for (const length of [0, 1, 63, 64, 65, 66, 1000]) {
    const source = Buffer.from(Array.from({ length }, (_, index) => index % 251));
    const copy = written(length, (target, at) => copyBytes(target, at, source));
    assert.ok(copy.equals(source), `${length} bytes`);
  }
});

it('writes Latin-1 as Buffer does', (context) => {
  const property = fc.property(latin1, (text) => {
    const bytes = written(text.length, (target, at) => writeLatin1(target, at, text));
    assert.equal(bytes.toString('latin1'), text);
  });
  fc.assert(property, seeded(context, 300));
});

it('writes whole numbers as String and toString(16) do', (context) => {
  const property = fc.property(wholeNumber, (value) => {
    const decimal = written(20, (target, at) => writeDecimal(target, at, value));
    assert.equal(decimal.toString(), String(value));
    assert.equal(decimalDigits(value), String(value).length);
    const hex = written(20, (target, at) => writeHex(target, at, value));
    assert.equal(hex.toString(), value.toString(16));
  });
  fc.assert(property, seeded(context, 1000));
});

it('writes ASCII, and rejects other characters', (context) => {
  assert.equal(isAscii(''), true);
  assert.equal(isAscii('\0 ~\x7f'), true);
  for (const odd of ['\x80', 'é', '€', '😀', '\ud800']) {
    assert.equal(isAscii(`a${odd}`), false);
    assert.equal(writeAscii(Buffer.alloc(10), 0, `a${odd}`), -1);
  }
  const ascii = fc.string({ unit: 'binary-ascii', maxLength: 120 });
  const property = fc.property(ascii, (text) => {
    const room = text.length + CHARACTER_BYTES_MAX;
    const bytes = written(room, (target, at) => writeAscii(target, at, text));
    assert.equal(bytes.toString('latin1'), text);
    assert.equal(isAscii(text), true);
  });
  fc.assert(property, seeded(context, 300));
});

it('rejects characters of any length at any place, and writes no further', (context) => {
  const odd = fc.constantFrom('\x80', 'é', '€', '😀', '\ud800', '\udc00', '\uffff');
  const parts = fc.array(fc.oneof(odd, fc.string({ unit: 'binary-ascii' })), { maxLength: 60 });
  const property = fc.property(parts, fc.nat(60), (texts, before) => {
    const text = 'x'.repeat(before) + texts.join('');
    const room = text.length + CHARACTER_BYTES_MAX;
    const target = Buffer.alloc(room + 16, 0xee);
    const end = writeAscii(target, 5, text);
    assert.equal(end, isAscii(text) ? 5 + text.length : -1);
    assert.ok(target.subarray(5 + room).every((byte) => byte === 0xee));
    assert.ok(target.subarray(0, 5).every((byte) => byte === 0xee));
  });
  fc.assert(property, seeded(context, 1000));
});
