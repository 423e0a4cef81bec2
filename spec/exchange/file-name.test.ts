// File names from clients: no path, no control characters, nothing special to a file system.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { FILE_NAME_BYTES_MAX } from '../../src/base/fixed-limits.ts';
import { safeFileName } from '../../src/exchange/file-name.ts';

describe('safeFileName()', () => {
  test('a long name takes no more time than its length', () => {
    // With work for each pair of dots the test would not end.
    const name = safeFileName(`a${'.'.repeat(300_000)}x`);
    assert.ok(Buffer.byteLength(name) <= FILE_NAME_BYTES_MAX);
    assert.equal(safeFileName('a. . .'), 'a_');
    assert.equal(safeFileName(`b${' .'.repeat(2_000)}`), 'b_');
  });

  for (const [sent, safe] of [
    ['', ''],
    ['photo.jpg', 'photo.jpg'],
    ['Übersicht 2026 (1).pdf', 'Übersicht 2026 (1).pdf'],
    ['../../etc/passwd', 'passwd'],
    ['/etc/passwd', 'passwd'],
    ['C:\\Users\\Ada\\photo.jpg', 'photo.jpg'],
    ['..\\..\\x', 'x'],
    ['a/b\\c/d', 'd'],
    ['/', '_'],
    ['a/', '_'],
    ['.', '_'],
    ['..', '__'],
    ['...', '__'],
    ['../..', '__'],
    ['.htaccess', '_htaccess'],
    ['a. . ', 'a_'],
    [' a ', 'a'],
    [' ', '_'],
    ['a\0.txt', 'a_.txt'],
    ['a\r\nb', 'a__b'],
    ['a\u202egpj.exe', 'a_gpj.exe'],
    ['a:b<c>d"e|f?g*h', 'a_b_c_d_e_f_g_h'],
    ['\ud800x', '_x'],
    ['con', '_con'],
    ['NUL.txt', '_NUL.txt'],
    ['com1.tar.gz', '_com1.tar.gz'],
    ['AUX .txt', '_AUX .txt'],
    ['COM\u00b9', '_COM\u00b9'],
    ['conin$', '_conin$'],
    ['console.log', 'console.log'],
    ['a.', 'a_'],
  ]) {
    test(`${JSON.stringify(sent)} is ${JSON.stringify(safe)}`, () => {
      assert.equal(safeFileName(sent), safe);
    });
  }

  test('is short, with its extension', () => {
    const extension = safeFileName(`${'x'.repeat(1000)}.jpeg`);
    assert.equal(extension, `${'x'.repeat(FILE_NAME_BYTES_MAX - 5)}.jpeg`);
    assert.equal(safeFileName('x'.repeat(1000)).length, FILE_NAME_BYTES_MAX);
    const wide = safeFileName(`${'😀'.repeat(1000)}.png`);
    assert.ok(Buffer.byteLength(wide) <= FILE_NAME_BYTES_MAX, wide);
    assert.match(wide, /^😀{62}\.png$/u);
    assert.equal(safeFileName(`a.${'x'.repeat(1000)}`).length, FILE_NAME_BYTES_MAX);
  });

  test('of any text is safe, and the same again', () => {
    const unit = fc.oneof(fc.constantFrom('.', '/', '\\', ' ', '\0', ':', 'a'), fc.string());
    fc.assert(
      fc.property(fc.array(unit), (units) => {
        const sent = units.join('');
        const name = safeFileName(sent);
        assert.ok(!/[/\\:<>"|?*\p{Cc}\p{Cs}]/u.test(name), name);
        assert.ok(!name.startsWith('.') && !/[. ]$/.test(name), name);
        assert.equal(name === '', sent === '');
        assert.equal(safeFileName(name), name);
      }),
    );
  });
});
