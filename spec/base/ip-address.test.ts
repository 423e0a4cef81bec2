// Literal addresses, against isIP() of Node.

import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { ipVersion } from '../../src/base/ip-address.ts';

const TEXTS = [
  '0.0.0.0 255.255.255.255 256.1.1.1 1.2.3 1.2.3.4.5 01.2.3.4 1.2.3.4%eth0 localhost',
  ':: ::1 1:: 1:2:3:4:5:6:7:8 1:2:3:4:5:6:7 1:2:3:4:5:6:7:8:9 1:2:3:4:5:6:7:: ::2:3:4:5:6:7:8',
  '1::3:4:5:6:7:8 1:2:3:4::5:6:7:8 1::2::3 1:::2 : ::: 12345:: g::',
  'FE80::aBcD fe80::1%eth0 fe80::1% ::1.2.3.4 ::ffff:1.2.3.4 1.2.3.4:: ::1.2.3.4:5',
  '1:2:3:4:5:6:1.2.3.4 1:2:3:4:5:6:7:1.2.3.4',
  '::256.1.1.1 [::1] ::1] 127.0.0.1:80 1:2:3:4:5:6::1.2.3.4',
].flatMap((line) => line.split(' '));

for (const text of ['', ' ::1', ...TEXTS]) {
  test(`${JSON.stringify(text)} is of version ${isIP(text)}`, () => {
    assert.equal(ipVersion(text), isIP(text));
  });
}

test('any text of such characters has the version that Node says', () => {
  const part = fc.constantFrom(':', '::', '.', '0', '1', '10', '255', '256', 'a', 'ffff', '%', 'e');
  const mixed = fc.array(part, { maxLength: 20 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.oneof(mixed, fc.ipV4(), fc.ipV6()), (text) => {
      assert.equal(ipVersion(text), isIP(text), text);
    }),
    { numRuns: 5_000 },
  );
});
