// Authorities: valid and invalid hosts, with a port and without.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isAuthority, isAuthorityWithPort } from '../../src/http/authority.ts';
import { bytesOf } from '../../testing/splits.ts';

function check(test: typeof isAuthority, text: string): boolean {
  return test(bytesOf(`[${text}]:1`), 1, 1 + text.length);
}

const HOSTS = [
  '[::0.0.0.0]',
  '[::255.255.255.255]',
  '[::9.10.99.100]',
  '[::ffff:200.19.9.249]',
  '[1:2:3:4:5:6:0.9.90.199]',
  '%00',
  'a%0F%f0b',
  'a',
  'example.com',
  'example.com.',
  '127.0.0.1',
  '999.1.1.1',
  "-._~!$&'()*+,;=",
  'a%20b',
  '%C3%a9.example',
  '[::]',
  '[::1]',
  '[1::]',
  '[1:2:3:4:5:6:7:8]',
  '[1:2:3:4:5:6:7::]',
  '[::2:3:4:5:6:7:8]',
  '[1::8]',
  '[2001:DB8:0:ff::42]',
  '[::1.2.3.4]',
  '[::ffff:255.255.255.255]',
  '[1:2:3:4:5:6:1.2.3.4]',
];

const NO_HOSTS = [
  '',
  'a b',
  'a/b',
  'a?b',
  'a#b',
  'a@b',
  'u:p@b',
  'a\\b',
  'a"b',
  'a\0',
  'a\x80',
  'a%',
  'a%2',
  'a%2g',
  'a[b]',
  '[',
  '[]',
  '[::1',
  '::1',
  '[:]',
  '[:::]',
  '[1:]',
  '[:1]',
  '[1::2::3]',
  '[1:2:3:4:5:6:7]',
  '[1:2:3:4:5:6:7:8:9]',
  '[1:2:3:4:5:6:7:8::]',
  '[::1:2:3:4:5:6:7:8]',
  '[12345::]',
  '[g::]',
  '[fe80::1%25eth0]',
  '[v1.a]',
  '[1.2.3.4]',
  '[::1..2.3]',
  '[::.1.2.3]',
  '[::1.2.3.]',
  '[::1.2.3.1234]',
  '[::1234.1.2.3]',
  '[::00.1.2.3]',
  '[::1.2.3.00]',
  '[::1.02.3.4]',
  '[::1.2.3:4]',
  '[::1a.2.3.4]',
  '[::1.2.3]',
  '[::1.2.3.4.5]',
  '[::1.2.3.256]',
  '[::1.2.3.04]',
  '[::1.2.3.a]',
  '[1.2.3.4::]',
  '[::1:2:3:4:5:6:1.2.3.4]',
  '[1:2:3:4:5:6:7:1.2.3.4]',
  '[::1]a',
];

const PORTS = [':0', ':9', ':99', ':80', ':65535', ':000080'];
const NO_PORTS = [
  ':a',
  ':65536',
  ':99999999999',
  ':-1',
  ':+1',
  ': 80',
  ':80 ',
  ':8:0',
  '::',
  ':80/',
];

it('accepts hosts, with a port and without', () => {
  for (const host of HOSTS) {
    assert.equal(check(isAuthority, host), true, host);
    assert.equal(check(isAuthority, `${host}:`), true, host);
    assert.equal(check(isAuthorityWithPort, host), false, host);
    assert.equal(check(isAuthorityWithPort, `${host}:`), false, host);
    for (const port of PORTS) {
      assert.equal(check(isAuthority, host + port), true, host + port);
      assert.equal(check(isAuthorityWithPort, host + port), true, host + port);
    }
    for (const port of NO_PORTS) {
      assert.equal(check(isAuthority, host + port), false, host + port);
      assert.equal(check(isAuthorityWithPort, host + port), false, host + port);
    }
  }
});

it('rejects invalid hosts', () => {
  for (const host of NO_HOSTS) {
    for (const port of ['', ...PORTS]) {
      assert.equal(check(isAuthority, host + port), false, host + port);
      assert.equal(check(isAuthorityWithPort, host + port), false, host + port);
    }
  }
});
