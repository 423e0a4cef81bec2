// The options of serveStatic: invalid ones throw with one line that says what is allowed.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StaticOptions } from '../../src/static/options.ts';
import { settingsFrom } from '../../src/static/options.ts';
import { acceptsHtml } from '../../src/static/pages.ts';
import { serveStatic } from '../../src/static/serve-static.ts';

const INVALID: readonly (readonly [options: object, message: RegExp])[] = [
  [{ indx: 'x' }, /no option "indx"; did you mean index\?/],
  [{ index: '' }, /index is the name of a file, .* given ""/],
  [{ index: 'a/b.html' }, /index is the name/],
  [{ index: [] }, /index is the name/],
  [{ index: ['index.html', 7] }, /index is the name/],
  [{ index: '.index' }, /index ".index" begins with a dot: set dotfiles: true/],
  [{ index: ['a', '.b'] }, /index ".b" begins with a dot/],
  [{ spa: '' }, /spa is true, false, or the path of a page/],
  [{ spa: '../app.html' }, /spa is/],
  [{ spa: '/app.html' }, /spa is/],
  [{ spa: 'x/.app.html' }, /spa "x\/.app.html" begins with a dot/],
  [{ notFound: true }, /notFound is the path of a page/],
  [{ notFound: '.404.html' }, /notFound ".404.html" begins with a dot/],
  [{ listing: 1 }, /listing is true or false/],
  [{ precompressed: 'br' }, /precompressed is true or false/],
  [{ dotfiles: 'allow' }, /dotfiles is true or false/],
  [{ symlinks: true }, /symlinks is one of 'inside', 'none', 'all'/],
  [{ extensions: 'html' }, /extensions is a list/],
  [{ extensions: ['.html'] }, /extensions is a list/],
  [{ extensions: ['a/b'] }, /extensions is a list/],
  [{ cacheControl: true }, /cacheControl is false, the value/],
  [{ cacheControl: '' }, /cacheControl is/],
  [{ cacheControl: 'a\r\nb: c' }, /cacheControl is/],
  [{ cacheControl: { '': 'x' } }, /cacheControl is/],
  [{ cacheControl: { '*.css': true } }, /cacheControl is/],
  [{ headers: { 'X-Name': 'value' } }, /headers is an object of fields by pattern/],
  [{ headers: { '*': { 'X Name': 'value' } } }, /headers is/],
  [{ headers: { '*': { 'X-Name': 'a\nb' } } }, /headers is/],
  [{ headers: { '*': { 'Content-Length': '7' } } }, /headers is/],
  [{ headers: { '*': { ETag: '"x"' } } }, /headers is/],
  [{ headers: [] }, /headers is/],
  [{ mimeTypes: { '.x': 'text/x' } }, /mimeTypes is an object of media types/],
  [{ mimeTypes: { x: 'text' } }, /mimeTypes is/],
  [{ mimeTypes: { x: 'text/x\r\n' } }, /mimeTypes is/],
  [{ cacheBytesMax: -1 }, /cacheBytesMax is a whole number of bytes/],
];

/** What a message says about the entry that is wrong. */
const ENTRIES: readonly (readonly [options: object, wrong: string])[] = [
  [{ index: ['index.html', 'a/b'] }, '"a/b": it is not the name of a file'],
  [{ extensions: ['html', '.htm'] }, '".htm": it is not an extension without its dot'],
  [{ cacheControl: { '*.css': true } }, '"*.css": true is not the value of a field'],
  [{ cacheControl: { '': 'x' } }, '"": it is not a pattern of paths'],
  [{ headers: { '*': { 'Content-Length': '7' } } }, '"*": "Content-Length": the server sets'],
  [{ headers: { '*': { ETag: '"x"' } } }, '"*": "ETag": it follows from the file'],
  [{ headers: { '*': { 'X Name': 'a' } } }, '"*": "X Name": a field name must be an HTTP token'],
  [{ headers: { '*': { A: 'ok', B: 7 } } }, '"*": "B": 7 is not the value of a field'],
  [{ headers: { '*': { B: ' ' } } }, '"*": "B": the value is empty'],
  [{ headers: { '*': { B: 'a\nb' } } }, '"*": "B": the value has a control character'],
  [{ headers: { 'X-Name': 'value' } }, '"X-Name": "value" is not an object of fields'],
  [{ mimeTypes: { '.x': 'text/x' } }, '".x": it is not an extension without its dot'],
  [{ mimeTypes: { y: 'text/y', x: 'text' } }, '"x": "text" is not a media type'],
];

describe('a message names the entry that is wrong', () => {
  for (const [options, wrong] of ENTRIES) {
    it(wrong, () => {
      assert.throws(
        () => serveStatic('.', options),
        (error: Error) => error.message.includes(`(${wrong}`),
      );
    });
  }
});

describe('invalid options', () => {
  for (const [options, message] of INVALID) {
    it(JSON.stringify(options), () => {
      assert.throws(() => serveStatic('.', options), { name: 'TypeError', message });
    });
  }
});

it('without options the settings are the defaults', () => {
  assert.deepEqual(settingsFrom({}), {
    listing: false,
    index: ['index.html'],
    dotfiles: false,
    precompressed: false,
    spa: null,
    notFound: null,
    cacheControl: {},
    headers: {},
    extensions: [],
    symlinks: 'inside',
    mimeTypes: {},
    cacheBytesMax: 32 * 1024 * 1024,
    cacheEntryBytesMax: 64 * 1024,
  });
});

it('valid options, and their defaults', () => {
  const options: StaticOptions = {
    index: ['index.html', 'index.htm'],
    spa: true,
    notFound: 'errors/404.html',
    extensions: ['html'],
    cacheControl: { '*.css': 'no-store', '**': false },
    headers: { 'assets/**': { 'X-Name': 'value' } },
    mimeTypes: { 'tar.zst': 'application/zstd' },
    symlinks: 'none',
  };
  const settings = settingsFrom(options);
  assert.deepEqual(settings.spa, ['index.html']);
  assert.deepEqual(settings.notFound, ['errors', '404.html']);
  const none = settingsFrom({ cacheBytesMax: 0, cacheEntryBytesMax: 0 });
  assert.deepEqual([none.cacheBytesMax, none.cacheEntryBytesMax], [0, 0], 'nothing is kept');
  assert.deepEqual(settingsFrom({}).index, ['index.html']);
  assert.deepEqual(settingsFrom({ index: 'a', spa: 'b/c.html' }).spa, ['b', 'c.html']);
  assert.deepEqual(settingsFrom({ index: ['app.html', 'a'], spa: true }).spa, ['app.html']);
  assert.equal(settingsFrom({ index: '.a', dotfiles: true }).index[0], '.a');
  assert.equal(settingsFrom({ listing: undefined }).listing, false);
});

it('lists that the program changes later are those of the call', () => {
  const [index, extensions] = [['index.html'], ['html']];
  const settings = settingsFrom({ index, extensions });
  index.push('b.html');
  extensions.push('txt');
  assert.deepEqual([settings.index, settings.extensions], [['index.html'], ['html']]);
});

describe('HTML is accepted', () => {
  for (const [accept, expected] of [
    [undefined, true],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', true],
    ['*/*', true],
    ['TEXT/HTML', true],
    ['text/*;q=0.1', true],
    ['application/json', false],
    ['application/json, */*;q=0', false],
    ['text/html;q=0, */*', false],
    ['text/html;level=1;q=0', false],
    ['image/avif, image/webp', false],
    ['', false],
    ['text/html;q=x', false],
    ['*/*;q=0, text/*;q=0, text/html', true],
  ] as const) {
    it(`${expected} by ${accept}`, () => assert.equal(acceptsHtml(accept), expected));
  }
});
