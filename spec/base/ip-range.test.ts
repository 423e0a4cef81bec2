// IP addresses as bytes and ranges of them, against Node's own lists of addresses.

import assert from 'node:assert/strict';
import { BlockList, isIP } from 'node:net';
import { test } from 'node:test';
import {
  ipBytes,
  ipRange,
  isInRanges,
  isTrusted,
  networkOf,
  trustedPeers,
} from '../../src/base/ip-range.ts';
import { Random } from '../../testing/random.ts';

const SEED = Number(process.env['VIBING_SEED'] ?? Date.now() % 2 ** 31);

test('addresses in all their spellings', () => {
  const cases: readonly (readonly [string, string | null])[] = [
    ['192.0.2.1', 'c0000201'],
    ['255.255.255.255', 'ffffffff'],
    ['::', '00'.repeat(16)],
    ['::1', `${'00'.repeat(15)}01`],
    ['1::', `0001${'00'.repeat(14)}`],
    ['2001:db8::a:b', '20010db80000000000000000000a000b'],
    ['2001:DB8:0:0:0:0:A:B', '20010db80000000000000000000a000b'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['::ffff:192.0.2.1', 'c0000201'],
    ['::ffff:c000:201', 'c0000201'],
    ['0:0:0:0:0:ffff:c000:201', 'c0000201'],
    ['::192.0.2.1', '000000000000000000000000c0000201'],
    ['64:ff9b::192.0.2.1', '0064ff9b0000000000000000c0000201'],
    ['fe80::1%eth0', 'fe800000000000000000000000000001'],
    ['', null],
    ['192.0.2', null],
    ['192.0.2.1.', null],
    ['192.0.2.01', null],
    ['256.0.0.1', null],
    [':::', null],
    ['1:2:3:4:5:6:7:8:9', null],
    ['::g', null],
    ['a.test', null],
  ];
  for (const [text, hex] of cases) {
    const bytes = ipBytes(text);
    assert.equal(bytes === null ? null : Buffer.from(bytes).toString('hex'), hex, text);
  }
});

test('ranges that are no ranges', () => {
  for (const text of [
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '10.0.0.0/ 8',
    '/8',
    '::/129',
    '::ffff:10.0.0.0/95',
    'fe80::%eth0/64',
    '10.*',
    '10.0.0.0-10.0.0.9',
  ]) {
    assert.equal(ipRange(text), null, text);
  }
});

/** An address near others, so that prefixes matter. */
function randomAddress(random: Random): string {
  const byte = () => random.pick([0, 1, 10, 127, 128, 192, 255]);
  const ipv4 = `${byte()}.${byte()}.${byte()}.${byte()}`;
  if (random.once(2)) return random.once(4) ? `::ffff:${ipv4}` : ipv4;
  const group = () => random.pick(['0', '1', '2001', 'db8', '8000', 'ffff']);
  const groups = Array.from({ length: 8 }, group);
  return random.once(3) ? `${groups[0]}::${groups[7]}` : groups.join(':');
}

/** An IPv4 address that is written as an IPv6 one in full. */
const LONG_MAPPED = /^(?:0:){5}ffff:/;

test(`ranges contain the same addresses as Node's, seed ${SEED}`, () => {
  const random = new Random(SEED);
  let inside = 0;
  for (let run = 0; run < 4_000; run++) {
    const address = randomAddress(random);
    const net = random.once(3) ? address : randomAddress(random);
    if (net.startsWith('::ffff:') || isIP(net) === 0) continue;
    // Rarely drawn; Node takes these for IPv6 addresses.
    if (LONG_MAPPED.test(net) || LONG_MAPPED.test(address)) continue;
    const bits = random.below((isIP(net) === 4 ? 32 : 128) + 1);
    const list = new BlockList();
    list.addSubnet(net, bits, isIP(net) === 4 ? 'ipv4' : 'ipv6');
    const plain = address.replace(/^::ffff:/, '');
    // Node's IPv6 ranges contain IPv4 addresses as well.
    const expected =
      isIP(net) === isIP(plain) && list.check(plain, isIP(plain) === 4 ? 'ipv4' : 'ipv6');
    const range = ipRange(`${net}/${bits}`);
    const bytes = ipBytes(address);
    assert.ok(range !== null && bytes !== null);
    assert.equal(isInRanges([range], bytes), expected, `${address} in ${net}/${bits}`);
    if (expected) inside += 1;
  }
  assert.ok(inside > 100, 'some are inside');
});

test('the network of an address', () => {
  for (const [address, network] of [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
  ]) {
    assert.equal(networkOf(address), network);
  }
});

test('trusted peers', () => {
  const trusted = trustedPeers(['10.0.0.0/8', '::1', 'unix']);
  assert.ok(typeof trusted !== 'string');
  for (const [address, isUnix, expected] of [
    ['10.1.2.3', false, true],
    ['::ffff:10.1.2.3', false, true],
    ['11.0.0.1', false, false],
    ['::1', false, true],
    ['::2', false, false],
    ['', true, true],
    ['', false, false],
    ['a.test', false, false],
  ] as const) {
    assert.equal(isTrusted(trusted, address, isUnix), expected, address);
  }
  const without = trustedPeers(['10.0.0.0/8']);
  assert.ok(typeof without !== 'string');
  assert.equal(isTrusted(without, '', true), false);
  for (const [text, message] of [
    ['10.0.0.1/8', /bits beyond its prefix/],
    ['2001:db8::1/64', /bits beyond its prefix/],
    ['10.0.0.128/24', /bits beyond its prefix/],
    ['10', /is not an address/],
    ['loopback', /is not an address/],
    [5, /is not an address/],
  ] as const) {
    assert.match(String(trustedPeers([text])), message);
  }
  assert.ok(typeof trustedPeers(['10.0.0.128/25', '0.0.0.0/0', '::/0']) !== 'string');
});
