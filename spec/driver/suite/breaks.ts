// Driver cases: what a driver reports of its peers while nothing is received from them: that the
// connection broke, and how many bytes are not acknowledged.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AssertionFault } from '../../../src/base/assert.ts';
import { ERRNO } from '../../../src/base/errno.ts';
import { Op } from '../../../src/driver/driver.ts';
import { fillUp, turns } from './aborts.ts';
import type { Case } from './case.ts';
import { Client, pair } from './client.ts';
import { assertBroken, type Fixture, REGION, until } from './fixture.ts';

const isLinux = process.platform === 'linux';

export const breakCases: readonly Case[] = [
  {
    name: 'a watch reports a reset, with nothing else in flight',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      fixture.watch(slot);
      await turns(fixture);
      assert.ok(fixture.isInFlight(Op.Watch, slot), 'no reset yet');
      client.socket.resetAndDestroy();
      assertBroken((await fixture.wait(Op.Watch, slot)).result);
      await fixture.close(slot);
    },
  },
  {
    name: 'a watch reports a reset after bytes that are not read',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      client.socket.write('unread');
      await turns(fixture);
      fixture.watch(slot);
      await turns(fixture);
      assert.ok(fixture.isInFlight(Op.Watch, slot), 'bytes are no break');
      client.socket.write('more');
      await turns(fixture);
      client.socket.resetAndDestroy();
      assertBroken((await fixture.wait(Op.Watch, slot)).result);
      await fixture.close(slot);
    },
  },
  {
    name: 'a watch after the reset reports it, and again',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      client.socket.resetAndDestroy();
      await until('the client is closed', () => client.closed);
      await turns(fixture);
      for (let round = 0; round < 3; round++) {
        fixture.watch(slot);
        assertBroken((await fixture.wait(Op.Watch, slot)).result);
      }
      await fixture.close(slot);
    },
  },
  {
    name: 'a watch does not report an end, but a later reset',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      fixture.watch(slot);
      client.socket.end('last words');
      // Longer than the interval of a driver that has to probe.
      await new Promise((resolve) => setTimeout(resolve, 700));
      assert.ok(fixture.isInFlight(Op.Watch, slot), 'an end is no break');
      await fixture.write(slot, 'output');
      await client.hasBytes(6);
      assert.equal(String(await fixture.readAll(slot, 10)), 'last words');
      assert.equal(await fixture.read(slot), 0);
      assert.ok(fixture.isInFlight(Op.Watch, slot));
      client.socket.resetAndDestroy();
      assertBroken((await fixture.wait(Op.Watch, slot)).result);
      await fixture.close(slot);
    },
  },
  {
    name: 'a watch stays in flight next to receives and sends',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      fixture.watch(slot);
      for (let round = 0; round < 5; round++) {
        client.socket.write(`round ${round}`);
        assert.equal(String(await fixture.readAll(slot, 7)), `round ${round}`);
        await fixture.write(slot, 'output');
      }
      await client.hasBytes(30);
      assert.ok(fixture.isInFlight(Op.Watch, slot));
      fixture.receive(slot);
      client.socket.resetAndDestroy();
      assertBroken((await fixture.wait(Op.Watch, slot)).result);
      const { result } = await fixture.wait(Op.Receive, slot);
      if (result !== 0) assertBroken(result);
      await fixture.close(slot);
    },
  },
  {
    name: 'a watch on a unix socket reports that the client closed',
    needs: process.platform === 'win32' ? 'no unix sockets' : null,
    async run({ fixture }) {
      await withUnix(fixture, async (client, slot) => {
        client.socket.write('unread');
        await turns(fixture);
        fixture.watch(slot);
        client.socket.destroy();
        assertBroken((await fixture.wait(Op.Watch, slot)).result);
        await fixture.close(slot);
      });
    },
  },
  {
    name: 'a slot used again gets no completion of the earlier watch',
    options: { slots: 1 },
    async run({ fixture }) {
      const port = await fixture.listen();
      for (let round = 0; round < 10; round++) {
        const client = await Client.open(port);
        const slot = await fixture.accept();
        fixture.watch(slot);
        if (round % 2 === 0) client.socket.resetAndDestroy();
        if (round % 3 === 0) await turns(fixture);
        fixture.abort(slot);
        const { result } = await fixture.wait(Op.Watch, slot);
        if (result !== -ERRNO.ECANCELED) assertBroken(result);
        await fixture.close(slot);
        client.socket.destroy();
      }
      const client = await Client.open(port);
      const slot = await fixture.accept();
      fixture.watch(slot);
      await turns(fixture);
      assert.ok(fixture.isInFlight(Op.Watch, slot), 'no completion of the earlier socket');
      client.socket.write('fresh');
      assert.equal(String(await fixture.readAll(slot, 5)), 'fresh');
    },
  },
  {
    name: 'many are watched, and only the watches of broken ones complete',
    async run({ fixture }) {
      const port = await fixture.listen();
      const clients: Client[] = [];
      const slots: number[] = [];
      for (let index = 0; index < 50; index++) {
        clients.push(await Client.open(port));
        slots.push(await fixture.accept());
        fixture.watch(slots[index]);
      }
      for (let index = 0; index < 50; index += 2) clients[index].socket.resetAndDestroy();
      for (let index = 0; index < 50; index += 2) {
        assertBroken((await fixture.wait(Op.Watch, slots[index])).result);
      }
      for (let index = 1; index < 50; index += 2) {
        assert.ok(fixture.isInFlight(Op.Watch, slots[index]));
      }
    },
  },
  {
    name: 'a second watch in flight and a close during a watch are assertions',
    async run({ fixture }) {
      const { slot } = await pair(fixture);
      fixture.watch(slot);
      assert.throws(() => fixture.driver.watch(slot), AssertionFault);
      assert.throws(() => fixture.driver.close(slot), AssertionFault);
    },
  },
  {
    name: 'bytes that a client does not read are unacknowledged, and fewer when it reads',
    needs: isLinux ? null : 'known on Linux only',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      client.socket.pause();
      await fillUp(fixture, slot);
      // The client's system acknowledges what it has room for, a little later.
      let before = 0;
      await until('the count stays while nothing is read', () => {
        const last = before;
        before = fixture.driver.unacknowledged(slot);
        return before > 0 && before === last;
      });
      client.socket.resume();
      await until('progress', () => fixture.driver.unacknowledged(slot) !== before);
    },
  },
  {
    name: 'when all is acknowledged the count is 0, the end of the stream included',
    needs: isLinux ? null : 'known on Linux only',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      await fixture.write(slot, 'all there is');
      await client.hasBytes(12);
      await until('an acknowledgement', () => fixture.driver.unacknowledged(slot) === 0);
      fixture.driver.shutdownSend(slot);
      await client.hasEnded();
      await until('an acknowledgement', () => fixture.driver.unacknowledged(slot) === 0);
    },
  },
  {
    name: 'unacknowledged bytes are known over IPv6 too',
    needs: isLinux ? null : 'known on Linux only',
    async run({ fixture }) {
      const port = await fixture.listen({ host: '::1', port: 0 });
      if (port < 0) return;
      const client = await Client.open({ host: '::1', port });
      const slot = await fixture.accept();
      await fixture.write(slot, 'six');
      await client.hasBytes(3);
      await until('an acknowledgement', () => fixture.driver.unacknowledged(slot) === 0);
    },
  },
  {
    name: 'of a unix socket unread bytes are known, or nothing',
    needs: isLinux ? null : 'known on Linux only',
    async run({ fixture }) {
      await withUnix(fixture, async (client, slot) => {
        client.socket.pause();
        fixture.send(slot, REGION, 0, 1000);
        assert.equal((await fixture.wait(Op.Send, slot)).result, 1000);
        const bytes = fixture.driver.unacknowledged(slot);
        if (fixture.driver.name === 'net') {
          assert.equal(bytes, -1, 'unknown to Node');
          return;
        }
        client.socket.resume();
        await client.hasBytes(1000);
        await until('it was read', () => fixture.driver.unacknowledged(slot) === 0);
      });
    },
  },
];

async function withUnix(
  fixture: Fixture,
  run: (client: Client, slot: number) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'vibing-breaks-'));
  try {
    const path = join(folder, 'socket');
    await fixture.listen({ path });
    const client = await Client.open({ path });
    await run(client, await fixture.accept());
  } finally {
    rmSync(folder, { recursive: true });
  }
}
