// The table that the portable driver reads from /proc/net, with texts as Linux writes them.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { it, mock } from 'node:test';
import { type NetName, NetTable } from '../../../src/driver/net/table.ts';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt\n';
const REST = ':00000007 01:00000014 00000000     0        0 1151 1 00000000 100 0 0 10 0\n';
const INET =
  `${HEAD}   0: 0100007F:1F90 00000000:0000 0A 00000000${REST}` +
  ` 110: 0100007F:1F90 0200000A:C350 06 00000009${REST}` +
  ` 111: 0100007F:1F90 0200000A:C350 01 0000002A${REST}` +
  `1112: 0100007F:1F90 0200000A:C351 04 0012D687${REST}` +
  `1113: 0100007F:1F90 0200000A:C350 06 00000008${REST}`;
const INET6 =
  `${HEAD}   0: B80D0120000000000000000001000000:1F90 ` +
  `B80D0120000000000000000002000000:C350 01 00000003${REST}` +
  `   1: 0000000000000000FFFF00000100007F:1F90 ` +
  `0000000000000000FFFF00000200000A:C352 01 00000004${REST}`;

const local = { localAddress: '127.0.0.1', localPort: 0x1f90 };
const one: NetName = { ...local, remoteAddress: '10.0.0.2', remotePort: 0xc350 };

class Fixture {
  inet = INET;
  reads: string[] = [];
  nowMs = 0;
  readMs = 0;
  readonly table: NetTable = new NetTable(
    (path) => {
      this.reads.push(path);
      this.nowMs += this.readMs;
      return path === '/proc/net/tcp' ? this.inet : path === '/proc/net/tcp6' ? INET6 : '';
    },
    () => this.nowMs,
  );
}

it('finds connections by both addresses', () => {
  const { table } = new Fixture();
  assert.equal(table.unacknowledged(one, 0).bytes, 42);
  assert.equal(table.unacknowledged({ ...one, remotePort: 0xc351 }, 0).bytes, 0x12d687);
  const six = { localAddress: '2001:db8::1', localPort: 8080, remoteAddress: '2001:db8::2' };
  assert.equal(table.unacknowledged({ ...six, remotePort: 0xc350 }, 0).bytes, 3);
  assert.equal(
    table.unacknowledged({ ...six, remoteAddress: '2001:db8::2%eth0', remotePort: 0xc350 }, 0)
      .bytes,
    3,
  );
  const mapped = { localAddress: '::ffff:127.0.0.1', localPort: 8080, remotePort: 0xc352 };
  assert.equal(table.unacknowledged({ ...mapped, remoteAddress: '::ffff:10.0.0.2' }, 0).bytes, 4);
});

it('does not find others', () => {
  const { table } = new Fixture();
  assert.equal(table.unacknowledged({ ...one, remotePort: 1 }, 0).bytes, -1);
  assert.equal(table.unacknowledged({ ...one, localPort: 1 }, 0).bytes, -1);
  assert.equal(table.unacknowledged({}, 0).bytes, -1);
  assert.equal(table.unacknowledged({ ...one, remoteAddress: 'nonsense' }, 0).bytes, -1);
  const without = new NetTable(() => '');
  assert.equal(without.unacknowledged(one, 0).bytes, -1);
});

it('reads once for calls at the same time, and again after a socket used the reading', () => {
  const fixture = new Fixture();
  const { table } = fixture;
  const first = table.unacknowledged(one, 0);
  const other = table.unacknowledged({ ...one, remotePort: 0xc351 }, 0);
  assert.equal(other.reading, first.reading);
  assert.equal(fixture.reads.length, 1);
  fixture.inet = INET.replace('0000002A', '00000029');
  const second = table.unacknowledged(one, first.reading);
  assert.deepEqual([second.bytes, second.reading], [41, first.reading + 1]);
  assert.equal(
    table.unacknowledged({ ...one, remotePort: 0xc351 }, other.reading).reading,
    second.reading,
  );
  assert.equal(fixture.reads.length, 2);
});

it('reads again after a while, which is longer when reading takes longer', () => {
  const fixture = new Fixture();
  const { table } = fixture;
  table.unacknowledged(one, 0);
  fixture.nowMs += 10;
  fixture.readMs = 30;
  assert.equal(table.unacknowledged(one, 0).reading, 2);
  fixture.nowMs += 500;
  assert.equal(table.unacknowledged(one, 0).reading, 2);
  fixture.nowMs += 101;
  assert.equal(table.unacknowledged(one, 0).reading, 3);
});

it('reads no long table again for each socket that has used a reading', () => {
  const fixture = new Fixture();
  const { table } = fixture;
  fixture.readMs = 101;
  const first = table.unacknowledged(one, 0);
  fixture.nowMs += 1_000;
  const second = table.unacknowledged(one, first.reading);
  assert.deepEqual(second, { bytes: -1, reading: first.reading });
  const other = table.unacknowledged({ ...one, remotePort: 0xc351 }, 0);
  assert.deepEqual(other, { bytes: 0x12d687, reading: first.reading }, 'one that has not');
  assert.equal(fixture.reads.length, 1);
  fixture.nowMs += 1_021;
  fixture.readMs = 1;
  const third = table.unacknowledged(one, second.reading);
  assert.deepEqual([third.bytes, third.reading, fixture.reads.length], [42, 2, 2]);
  assert.equal(table.unacknowledged(one, third.reading).reading, 3, 'it is short now');
});

it('knows nothing where there is no table', () => {
  const read = mock.method(fs, 'readFileSync', () => {
    throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
  });
  syncBuiltinESMExports();
  try {
    assert.equal(new NetTable().unacknowledged(one, 0).bytes, -1);
    assert.deepEqual(read.mock.calls[0].arguments, ['/proc/net/tcp', 'latin1']);
  } finally {
    mock.restoreAll();
    syncBuiltinESMExports();
  }
});

it('reads the real table', { skip: process.platform !== 'linux' }, () => {
  assert.equal(
    new NetTable().unacknowledged({ ...one, localPort: 1, remotePort: 1 }, 0).reading,
    1,
  );
});
