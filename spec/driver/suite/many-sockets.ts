// Driver cases: many sockets at once, polls and slabs that are too small for them, and events
// between a poll and the sleep.

import assert from 'node:assert/strict';
import { Op } from '../../../src/driver/driver.ts';
import type { Case } from './case.ts';
import { Client, pair, starve } from './client.ts';
import { type Fixture, REGION, until } from './fixture.ts';

const ROUNDS = 3;

export const manySocketCases: readonly Case[] = [
  {
    name: '1,000 sockets are all served, and none is far behind',
    options: { slots: 1000, blockCount: 300, backlog: 1024 },
    async run({ fixture }) {
      const port = await fixture.listen();
      const clients: Client[] = [];
      const slots: number[] = [];
      while (clients.length < 1000) {
        const opened = Array.from({ length: 100 }, () => Client.open(port));
        clients.push(...(await Promise.all(opened)));
        while (slots.length < clients.length) slots.push(await fixture.accept());
      }
      fixture.pause();
      for (const client of clients) talk(client);
      const served = new Map<number, number>();
      let leastWhenFirstWasDone = -1;
      const serving = slots.map(async (slot) => {
        for (let round = 1; round <= ROUNDS; round++) {
          await fixture.readAll(slot, 4);
          assert.equal(await fixture.sendAll(slot, REGION, 0, 4), 0);
          served.set(slot, round);
          if (round < ROUNDS || leastWhenFirstWasDone >= 0) continue;
          leastWhenFirstWasDone = Math.min(...slots.map((each) => served.get(each) ?? 0));
        }
      });
      fixture.run();
      await Promise.all(serving);
      for (const client of clients) await client.hasBytes(4 * ROUNDS);
      assert.ok(leastWhenFirstWasDone >= 1, 'each was served once before the first was done');
    },
  },
  {
    name: 'polls of four completions serve all sockets, and accept clients',
    options: { completions: 4, blockCount: 8 },
    async run({ fixture }) {
      const port = await fixture.listen();
      const bytes = Buffer.alloc(300_000, 'abc');
      const busy: Promise<void>[] = [];
      for (let count = 0; count < 8; count++) {
        const client = await Client.open(port);
        client.socket.write(bytes);
        busy.push(upload(await fixture.accept()));
      }
      for (let count = 0; count < 20; count++) {
        const client = await Client.open(port);
        client.socket.write(bytes);
        const slot = await fixture.accept();
        fixture.receive(slot);
        fixture.take(await fixture.wait(Op.Receive, slot));
        await fixture.write(slot, 'welcome');
        await fixture.close(slot);
      }
      await Promise.all(busy);

      async function upload(slot: number): Promise<void> {
        assert.ok((await fixture.readAll(slot, bytes.length)).equals(bytes));
        await fixture.close(slot);
      }
    },
  },
  {
    name: 'starved receives get blocks in turn',
    options: { blockCount: 1, blockBytes: 1024 },
    async run({ fixture }) {
      const port = await fixture.listen();
      const counts = new Map<number, number>();
      const bytes = Buffer.alloc(200 * 1024);
      const streams: Promise<void>[] = [];
      const blocks = await starve(fixture, port);
      for (let count = 0; count < 4; count++) {
        const client = await Client.open(port);
        client.socket.write(bytes);
        const slot = await fixture.accept();
        fixture.receive(slot);
        streams.push(stream(slot));
      }
      await rounds();
      for (const block of blocks) fixture.slab.release(block);
      await Promise.all(streams);

      async function stream(slot: number): Promise<void> {
        for (let left = bytes.length; left > 0; ) {
          const taken = fixture.take(await fixture.wait(Op.Receive, slot));
          assert.ok(typeof taken !== 'number');
          left -= taken.length;
          counts.set(slot, (counts.get(slot) ?? 0) + 1);
          if (counts.get(slot) === 50) {
            const least = Math.min(...[...counts.values()]);
            assert.ok(counts.size === 4 && least >= 10, `${[...counts.values()]} blocks each`);
          }
          if (left > 0) fixture.receive(slot);
        }
      }
    },
  },
  {
    name: 'an end and a reset are reported without a block',
    options: { blockCount: 1 },
    async run({ fixture }) {
      const port = await fixture.listen();
      const blocks = await starve(fixture, port);
      for (const isReset of [false, true]) {
        const client = await Client.open(port);
        const slot = await fixture.accept();
        fixture.receive(slot);
        if (isReset) client.socket.resetAndDestroy();
        else client.socket.end();
        const { result } = await fixture.wait(Op.Receive, slot);
        assert.ok(isReset ? result < 0 : result === 0, `receive completed with ${result}`);
        await fixture.close(slot);
      }
      for (const block of blocks) fixture.slab.release(block);
    },
  },
  {
    name: 'a released block wakes, also when it was released and acquired before the sleep',
    options: { blockCount: 1 },
    async run({ fixture }) {
      const { client, slot, port } = await pair(fixture);
      const [block] = await starve(fixture, port);
      fixture.receive(slot);
      client.socket.write('starved');
      await rounds();
      fixture.pause();
      fixture.step();
      fixture.slab.release(block);
      assert.equal(fixture.slab.acquire(), block);
      // At once, without a poll() that would peek again. False is right if it has something to do.
      await until('sleep', () => fixture.sleep() || fixture.step() < 0);
      const wakesBefore = fixture.wakes;
      fixture.slab.release(block);
      await until('wake()', () => fixture.wakes > wakesBefore);
      fixture.run();
      assert.equal(String(fixture.take(await fixture.wait(Op.Receive, slot))), 'starved');
    },
  },
  {
    name: 'bytes that come between the poll and the sleep wake, or sleep returns false',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      for (let round = 0; round < 10; round++) {
        fixture.receive(slot);
        await rounds();
        fixture.pause();
        while (fixture.step() > 0) {}
        let written = false;
        client.socket.write('now', () => {
          written = true;
        });
        await until('the bytes are with the kernel', () => written);
        await rounds();
        const wakesBefore = fixture.wakes;
        if (fixture.sleep()) await until('wake()', () => fixture.wakes > wakesBefore);
        assert.ok(fixture.wakes <= wakesBefore + 1);
        fixture.run();
        assert.equal(String(fixture.take(await fixture.wait(Op.Receive, slot))), 'now');
      }
    },
  },
  {
    name: 'sends from several regions at once, while others are mapped and unmapped',
    async run({ fixture }) {
      const port = await fixture.listen();
      const sending: Promise<void>[] = [];
      for (let index = 0; index < 6; index++) {
        const client = await Client.open(port);
        sending.push(serve(fixture, await fixture.accept(), client, 10 + index));
      }
      for (let round = 0; round < 20; round++) {
        fixture.driver.map(50 + round, Buffer.alloc(4096, round));
        await rounds(1);
        fixture.driver.unmap(50 + round);
      }
      await Promise.all(sending);
    },
  },
];

/** Sends four bytes again each time they were echoed. */
function talk(client: Client): void {
  let said = 1;
  client.socket.write('ping');
  client.socket.on('data', () => {
    while (said < ROUNDS && client.byteCount >= 4 * said) {
      said += 1;
      client.socket.write('ping');
    }
  });
}

async function serve(
  fixture: Fixture,
  slot: number,
  client: Client,
  region: number,
): Promise<void> {
  const bytes = Buffer.alloc(1_000_003, `region ${region}, `);
  for (let round = 0; round < 3; round++) {
    fixture.driver.map(region, bytes);
    assert.equal(await fixture.sendAll(slot, region, round, bytes.length), 0);
    fixture.driver.unmap(region);
  }
  await client.hasBytes(3 * bytes.length - 3);
  const expected = Buffer.concat([bytes, bytes.subarray(1), bytes.subarray(2)]);
  assert.ok(client.bytes.equals(expected));
}

/** Long enough for an unexpected event; no test depends on its exact length. */
async function rounds(count = 10): Promise<void> {
  let left = count;
  await until(`${count} rounds`, () => {
    left -= 1;
    return left < 0;
  });
}
