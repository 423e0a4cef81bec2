// The cached authority: recognized when it is the same, and nothing else is accepted for it.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isAuthority, isCachedAuthority } from '../../src/http/authority.ts';

/** Places the bytes within a larger buffer, which is itself a part of a larger one. */
const MEMORY = new Uint8Array(new ArrayBuffer(300), 7, 280);
const VIEW = new DataView(MEMORY.buffer, MEMORY.byteOffset, MEMORY.byteLength);

/** The result with the cache and without, which must be equal. */
function verdict(text: string, at = 3): boolean {
  MEMORY.fill(0x41);
  MEMORY.set(Buffer.from(text, 'latin1'), at);
  const to = at + text.length;
  const cached = isCachedAuthority(MEMORY, VIEW, at, to);
  assert.equal(cached, isAuthority(MEMORY, at, to), JSON.stringify(text));
  return cached;
}

it('a byte that differs from the cached authority is checked, at any place', () => {
  for (const host of ['a', 'ab:1', '127.0.0.1:8080', '[::1]:80', 'x'.repeat(64), 'y'.repeat(65)]) {
    for (let index = 0; index < host.length; index++) {
      for (const byte of [' ', '\0', '@', '/', 'b', '\xff']) {
        assert.equal(verdict(host), true);
        assert.equal(verdict(host, 10 + (index % 4)), true, 'again, at another place in memory');
        verdict(host.slice(0, index) + byte + host.slice(index + 1));
      }
    }
  }
});

it('a shorter and a longer authority are not equal to it', () => {
  assert.equal(verdict('example.org:80'), true);
  assert.equal(verdict('example.org:8'), true);
  assert.equal(verdict('example.org:80'), true);
  assert.equal(verdict('example.org:80 '), false);
  assert.equal(verdict('example.org:80'), true);
  assert.equal(verdict(''), false);
  assert.equal(verdict('example.org:80'), true);
});
