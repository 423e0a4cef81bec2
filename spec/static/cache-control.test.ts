// The Cache-Control that follows from a file's name. A wrong guess would keep an old file for a
// year in caches that nothing can empty.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { defaultCacheControl, IMMUTABLE, REVALIDATED } from '../../src/static/cache-control.ts';

it('pages are revalidated', () => {
  for (const path of ['index.html', 'a/b.htm', 'X.HTML', 'a.xhtml', 'site.webmanifest']) {
    assert.equal(defaultCacheControl(path), REVALIDATED, path);
  }
  assert.equal(defaultCacheControl('page.3f9a1c2b.html'), REVALIDATED);
});

it('names that bundlers write never change', () => {
  for (const path of [
    'app.3f9a1c2b.js',
    'assets/index-BxY12_aZ.css',
    'main.8e0d62a03.chunk.js',
    'runtime~main.0a1b2c3d4e5f60718293.js',
    'app-X7QK3M2A.js',
    'app.3f9a1c2b.js.map',
    'logo.d41d8cd98f00b204e9800998ecf8427e.svg',
    'inter-latin-C-9a1cB2.woff2',
    'polyfills-5NBXUOKA.mjs',
    'style.3f9a1c2b.min.css',
  ]) {
    assert.equal(defaultCacheControl(path), IMMUTABLE, path);
  }
});

it('other names have no field', () => {
  for (const path of [
    'app.js',
    'style.css',
    'jquery-3.7.1.min.js',
    'report-20240101.pdf',
    'photo-20240101.jpg',
    'photo.12345678.png',
    'IMG-20231225-WA0001.jpg',
    'bundle-deadbeef.js',
    'vendor-facade.js',
    'react-dom.production.min.js',
    'angular-animations.js',
    'my-component.js',
    'Roboto-BoldItalic.woff2',
    'app.3f9a1c2.js',
    'index-BxY12_aZ9.css',
    'style.3f9a1c2b.min.chunk.css',
    'app3f9a1c2b.js',
    '3f9a1c2b.js',
    'notes.3f9a1c2b.txt',
    'archive.3f9a1c2b.zip',
    'app-VERSION2.js',
    'SAMPLE01.png',
    '3f9a1c2b/app.js',
    'dir.3f9a1c2b/',
    'q.js',
    '',
  ]) {
    assert.equal(defaultCacheControl(path), null, path);
  }
});
