// Parsing of addresses in the examples.

import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { formatUrl, parseAddress, urlsOf } from '../../examples/address.ts';

test('valid addresses', () => {
  assert.deepEqual(parseAddress('8081'), { host: '127.0.0.1', port: 8081 });
  assert.deepEqual(parseAddress('0'), { host: '127.0.0.1', port: 0 });
  assert.deepEqual(parseAddress('127.0.0.1:65535'), { host: '127.0.0.1', port: 65_535 });
  assert.deepEqual(parseAddress('localhost:80'), { host: 'localhost', port: 80 });
  assert.deepEqual(parseAddress('[::1]:8081'), { host: '::1', port: 8081 });
});

test('invalid addresses', () => {
  const bad = ['', 'x', ':', ':80', 'x:', '65536', '99999', '-1', '1.5', '127.0.0.1', '::1:80'];
  bad.push('[]:80', 'a b:80', '127.0.0.1:80:80', 'http://127.0.0.1:80', '80 ', '123456');
  for (const text of bad) assert.equal(parseAddress(text), undefined, text);
});

test('a URL puts an IPv6 host in brackets', () => {
  assert.equal(formatUrl('127.0.0.1', 8081), 'http://127.0.0.1:8081/');
  assert.equal(formatUrl('::1', 80), 'http://[::1]:80/');
});

test('all interfaces are the addresses that other devices can open', () => {
  assert.deepEqual(urlsOf('127.0.0.1', 80), ['http://127.0.0.1:80/']);
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outer = all.filter(({ internal }) => !internal);
  for (const [host, first] of [
    ['0.0.0.0', 'http://127.0.0.1:80/'],
    ['::', 'http://[::1]:80/'],
  ]) {
    const [own, ...others] = urlsOf(host, 80);
    assert.equal(own, first);
    const wanted = outer.filter(({ family }) => family === 'IPv4' || host === '::');
    const usable = wanted.filter(({ address }) => !address.startsWith('fe80:'));
    assert.deepEqual(
      others,
      usable.map(({ address }) => formatUrl(address, 80)),
    );
  }
});
