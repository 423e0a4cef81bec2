// Forwarded by RFC 7239, with its examples, and the X-Forwarded fields.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { forwardedHops, type Hop, xForwardedHops } from '../../src/http/forwarded.ts';

function hop(
  address: string | null,
  port = 0,
  protocol: Hop['protocol'] = null,
  host: string | null = null,
): Hop {
  return { address, port, protocol, host };
}

/** With work for each pair of its characters a test with such a text would not end. */
const LONG = 300_000;

test('a long hop that is malformed is found to be so at once', () => {
  for (const text of [`${':'.repeat(LONG)}g`, `${'1'.repeat(LONG)}g`, `${'[:'.repeat(LONG)}g`]) {
    assert.deepEqual(xForwardedHops(text, undefined, undefined), [null]);
    assert.deepEqual(forwardedHops(`for="${text}"`), [null]);
  }
});

describe('Forwarded', () => {
  test('the examples of RFC 7239 and other valid values', () => {
    const cases: readonly (readonly [string, readonly (Hop | null)[]])[] = [
      ['', []],
      ['for="_gazonk"', [hop(null)]],
      ['For="[2001:db8:cafe::17]:4711"', [hop('2001:db8:cafe::17', 4711)]],
      ['for=192.0.2.60;proto=http;by=203.0.113.43', [hop('192.0.2.60', 0, 'http')]],
      ['for=192.0.2.43, for=198.51.100.17', [hop('192.0.2.43'), hop('198.51.100.17')]],
      ['for=_hidden, for=_SEVKISEK', [hop(null), hop(null)]],
      ['for=192.0.2.43,for="[2001:db8:cafe::17]"', [hop('192.0.2.43'), hop('2001:db8:cafe::17')]],
      [
        'for=192.0.2.43,for="[2001:db8:cafe::17]",for=unknown',
        [hop('192.0.2.43'), hop('2001:db8:cafe::17'), hop(null)],
      ],
      ['for=UNKNOWN', [hop(null)]],
      ['for="192.0.2.43:47011"', [hop('192.0.2.43', 47011)]],
      ['for="192.0.2.43:65535"', [hop('192.0.2.43', 65535)]],
      ['for="192.0.2.43:_port"', [hop('192.0.2.43')]],
      ['for="unknown:80"', [hop(null)]],
      ['proto=HTTPS', [hop(null, 0, 'https')]],
      ['host="a.test:8080";proto=https', [hop(null, 0, 'https', 'a.test:8080')]],
      ['host=a.test', [hop(null, 0, null, 'a.test')]],
      ['for=192.0.2.1;secret="a\\"b, for=10.0.0.1";x=y', [hop('192.0.2.1')]],
      [' , for=192.0.2.1 ,, \t', [hop('192.0.2.1')]],
      ['by="";for=192.0.2.1', [hop('192.0.2.1')]],
    ];
    for (const [value, expected] of cases) assert.deepEqual(forwardedHops(value), expected, value);
  });

  test('a hop with an invalid value is null, and the others are read', () => {
    for (const element of [
      'for=a.test',
      'for="2001:db8::1"',
      'for="[192.0.2.1]"',
      'for="[2001:db8::1%eth0]"',
      'for="192.0.2.1:65536"',
      'for="192.0.2.1:"',
      'for="192.0.2.1:a"',
      'for=256.0.0.1',
      'for=192.0.2.01',
      'for=_',
      'for=""',
      'for=" 192.0.2.1"',
      'proto=ftp',
      'proto=""',
      'host="a b"',
      'host="a.test/path"',
      'host="user@a.test"',
      'host=""',
      'host="a.test, b.test"',
    ]) {
      const hops = forwardedHops(`${element}, for=192.0.2.9`);
      assert.deepEqual(hops, [null, hop('192.0.2.9')], element);
    }
  });

  test('a list that cannot be read is null', () => {
    for (const value of [
      'for',
      'for=',
      '=192.0.2.1',
      '192.0.2.1',
      'for=192.0.2.1:80',
      'for=[2001:db8::1]',
      'for = 192.0.2.1',
      'for=192.0.2.1; proto=http',
      'for=192.0.2.1 ;proto=http',
      'for=192.0.2.1;',
      ';for=192.0.2.1',
      'for=192.0.2.1;;proto=http',
      'for=192.0.2.1 for=192.0.2.2',
      'for="192.0.2.1',
      'for="192.0.2.1"x',
      'for="a\\',
      'for="\x01"',
      'for="\xe9"',
      'for=192.0.2.1;for=192.0.2.2',
      'for=192.0.2.1;FOR=192.0.2.1',
      // A client's open quote must not swallow what a proxy adds.
      'host="x, for=192.0.2.1',
      'for=10.0.0.1;host="x, for="[2001:db8::1]"',
    ]) {
      assert.equal(forwardedHops(value), null, value);
    }
  });
});

describe('X-Forwarded', () => {
  test('addresses with and without ports', () => {
    const value = '192.0.2.1, 192.0.2.2:80,2001:db8::1 , [2001:db8::2],[2001:db8::3]:443,unknown';
    assert.deepEqual(xForwardedHops(value, undefined, undefined), [
      hop('192.0.2.1'),
      hop('192.0.2.2', 80),
      hop('2001:db8::1'),
      hop('2001:db8::2'),
      hop('2001:db8::3', 443),
      hop(null),
    ]);
    for (const bad of [
      'a.test',
      '192.0.2',
      '::1::',
      '[::1',
      '1:2',
      '192.0.2.1 192.0.2.2',
      '"::1"',
    ]) {
      assert.deepEqual(xForwardedHops(`${bad}, 192.0.2.9`, undefined, undefined), [
        null,
        hop('192.0.2.9'),
      ]);
    }
  });

  test('protocols and hosts belong to hops from the end', () => {
    const one = xForwardedHops('192.0.2.1, 192.0.2.2', 'https', 'a.test');
    assert.deepEqual(one, [
      hop('192.0.2.1', 0, 'https', 'a.test'),
      hop('192.0.2.2', 0, 'https', 'a.test'),
    ]);
    const each = xForwardedHops('192.0.2.1, 192.0.2.2', 'HTTPS, http', 'a.test, b.test:80');
    assert.deepEqual(each, [
      hop('192.0.2.1', 0, 'https', 'a.test'),
      hop('192.0.2.2', 0, 'http', 'b.test:80'),
    ]);
    const more = xForwardedHops('192.0.2.2', 'http, https', 'invented.test, b.test');
    assert.deepEqual(more, [hop('192.0.2.2', 0, 'https', 'b.test')]);
    assert.deepEqual(xForwardedHops('192.0.2.2', 'ftp', undefined), [null]);
    assert.deepEqual(xForwardedHops('192.0.2.2', undefined, 'a b'), [null]);
  });

  test('a protocol or a host alone is a hop', () => {
    assert.deepEqual(xForwardedHops(undefined, undefined, undefined), []);
    assert.deepEqual(xForwardedHops('', undefined, undefined), []);
    assert.deepEqual(xForwardedHops(undefined, 'https', undefined), [hop(null, 0, 'https')]);
    assert.deepEqual(xForwardedHops(undefined, undefined, 'a.test'), [
      hop(null, 0, null, 'a.test'),
    ]);
  });
});
