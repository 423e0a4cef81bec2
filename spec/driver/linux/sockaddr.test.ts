// Socket addresses: their text against that of URL, and the layout of the structs.

import assert from 'node:assert/strict';
import { isIPv6 } from 'node:net';
import { describe, it, test } from 'node:test';
import fc from 'fast-check';
import { AF_INET, AF_INET6, AF_UNIX } from '../../../src/driver/linux/layout.ts';
import {
  abstractAddress,
  peerFrom,
  socketAddress,
  unixAddress,
  unixNameFrom,
} from '../../../src/driver/linux/sockaddr.ts';
import { seeded } from '../../../testing/splits.ts';

const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/** The text of RFC 5952, made by URL; IPv4 clients of IPv6 listeners as IPv4. */
function oracle(text: string): string {
  const plain = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const mapped = MAPPED.exec(plain);
  if (mapped === null) return plain;
  const halves = mapped.slice(1).map((half) => Number.parseInt(half, 16));
  return halves.flatMap((half) => [half >> 8, half & 255]).join('.');
}

function roundTrip(text: string, port = 8080): string {
  const address = socketAddress(text, port);
  assert.ok(address !== null, text);
  const peer = peerFrom(address.bytes.subarray(0, address.length));
  assert.equal(peer.port, port);
  return peer.address;
}

describe('IPv6', () => {
  const texts = [
    '::',
    '::1',
    '1::',
    '2001:db8::1',
    '2001:DB8:0:0:1:0:0:1',
    '1:2:3:4:5:6:7:8',
    '1:0:3:4:5:6:7:8',
    '0:0:3:0:0:0:7:8',
    '0001:0002::0000:ffff',
    'fe80::aBcD',
    '::1.2.3.4',
    '::ffff:1.2.3.4',
    '::ffff:0102:0304',
    '::ffff:0:1.2.3.4',
    '64:ff9b::192.0.2.33',
    '1:2:3:4:5:6:255.255.255.255',
    '1:2:3:4:5:6:7::',
    '::2:3:4:5:6:7:8',
  ];
  for (const text of texts) {
    it(`${text} comes back as ${oracle(text)}`, () => {
      assert.equal(roundTrip(text), oracle(text));
    });
  }

  it('any address comes back as URL writes it', (context) => {
    const group = fc.oneof(
      fc.constantFrom('0', '0000', 'ffff'),
      fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16)),
    );
    const full = fc.array(group, { minLength: 8, maxLength: 8 }).map((groups) => groups.join(':'));
    const property = fc.property(fc.oneof(full, fc.ipV6()), (text) => {
      assert.ok(isIPv6(text));
      assert.equal(roundTrip(text), oracle(text));
      assert.equal(roundTrip(text.toUpperCase()), oracle(text));
    });
    fc.assert(property, seeded(context, 2000));
  });

  it('has the layout that the kernel reads', () => {
    const address = socketAddress('2001:db8::102:304', 0x1f90);
    assert.ok(address !== null);
    assert.equal(address.family, AF_INET6);
    const bytes = Buffer.from(address.bytes.subarray(0, address.length)).toString('hex');
    const [family, port, flow, host, scope] = ['0a00', '1f90', '00000000', '', '00000000'];
    const expected = `${host}20010db8${'00'.repeat(8)}01020304`;
    assert.equal(bytes, family + port + flow + expected + scope);
  });
});

describe('IPv4', () => {
  it('any address comes back as it was', (context) => {
    const property = fc.property(fc.ipV4(), fc.nat({ max: 65_535 }), (text, port) => {
      assert.equal(roundTrip(text, port), text);
    });
    fc.assert(property, seeded(context, 500));
  });

  it('has the layout that the kernel reads', () => {
    const address = socketAddress('127.0.0.1', 80);
    assert.ok(address !== null);
    assert.equal(address.family, AF_INET);
    const bytes = Buffer.from(address.bytes.subarray(0, address.length)).toString('hex');
    assert.equal(bytes, `020000507f000001${'00'.repeat(8)}`);
  });
});

it('other texts than literal addresses are rejected', () => {
  for (const text of ['', 'localhost', '1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', ':', ':::']) {
    assert.equal(socketAddress(text, 1), null, text);
  }
  for (const text of ['1::2::3', '1:2:3:4:5:6:7', '[::1]', 'g::', '::1 ', 'fe80::1%lo']) {
    assert.equal(socketAddress(text, 1), null, text);
  }
});

it('a client of a unix socket, and an empty struct, have no address', () => {
  const unix = unixAddress('/some/where');
  assert.ok(unix !== null);
  assert.deepEqual(peerFrom(unix.bytes), { address: '', port: 0 });
  assert.deepEqual(peerFrom(new Uint8Array(128)), { address: '', port: 0 });
});

describe('unix sockets', () => {
  it('a path lies in the struct, followed by a zero', () => {
    const address = unixAddress('a/é');
    assert.ok(address !== null);
    assert.equal(address.family, AF_UNIX);
    const bytes = Buffer.from(address.bytes.subarray(0, address.length));
    assert.equal(bytes.toString('latin1'), '\x01\0a/\xc3\xa9\0');
  });

  it('a path fits up to 107 bytes', () => {
    assert.equal(unixAddress('x'.repeat(107))?.length, 2 + 107 + 1);
    assert.equal(unixAddress('x'.repeat(108)), null);
    assert.equal(unixAddress('é'.repeat(54)), null);
    assert.equal(unixAddress(''), null);
  });
});

test('an abstract name follows a zero, and none follows it', () => {
  const address = abstractAddress('a/b');
  assert.deepEqual([...(address?.bytes.subarray(2, 7) ?? [])], [0, 97, 47, 98, 0]);
  assert.equal(address?.length, 2 + 1 + 3);
  assert.equal(abstractAddress(''), null);
  assert.equal(abstractAddress('x'.repeat(107)), null);
});

test('the name of a unix socket is read back', () => {
  for (const path of ['/run/x.sock', 'é']) {
    const { bytes, length } = unixAddress(path) ?? assert.fail();
    assert.equal(unixNameFrom(bytes, length), path);
  }
  const { bytes, length } = abstractAddress('x') ?? assert.fail();
  assert.equal(unixNameFrom(bytes, length), '@x');
  assert.equal(unixNameFrom(bytes, 2), '', 'a socket without a name');
});
