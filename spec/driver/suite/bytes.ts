// Driver cases: bytes in and out, blocks, regions, many sockets.

import assert from 'node:assert/strict';
import { Op } from '../../../src/driver/driver.ts';
import type { Case } from './case.ts';
import { Client, pair, starve } from './client.ts';
import { type Fixture, REGION, REGION_BYTES, until } from './fixture.ts';

const MIB = 1024 * 1024;

export const byteCases: readonly Case[] = [
  {
    name: 'a receive started early gets the bytes when they come',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      fixture.receive(slot);
      client.socket.write('later');
      assert.equal(String(fixture.take(await fixture.wait(Op.Receive, slot))), 'later');
    },
  },
  {
    name: 'megabytes are received in full and in order, in blocks',
    async run({ fixture, seed }) {
      const { client, slot } = await pair(fixture);
      const bytes = noise(5 * MIB + 123, seed);
      client.socket.write(bytes);
      assert.ok((await fixture.readAll(slot, bytes.length)).equals(bytes));
    },
  },
  {
    name: 'megabytes are sent in full and in order',
    async run({ fixture, seed }) {
      const { client, slot } = await pair(fixture);
      noise(REGION_BYTES, seed).copy(fixture.region);
      for (let round = 0; round < 2; round++) {
        assert.equal(await fixture.sendAll(slot, REGION, 0, REGION_BYTES), 0);
      }
      await client.hasBytes(2 * REGION_BYTES);
      assert.ok(client.bytes.equals(Buffer.concat([fixture.region, fixture.region])));
    },
  },
  {
    name: 'both directions flow at the same time',
    async run({ fixture, seed }) {
      const { client, slot } = await pair(fixture);
      const inward = noise(3 * MIB, seed);
      noise(REGION_BYTES, seed + 1).copy(fixture.region);
      client.socket.write(inward);
      const [received, result] = await Promise.all([
        fixture.readAll(slot, inward.length),
        fixture.sendAll(slot, REGION, 0, REGION_BYTES),
      ]);
      assert.equal(result, 0);
      assert.ok(received.equals(inward));
      await client.hasBytes(REGION_BYTES);
      assert.ok(client.bytes.equals(fixture.region));
    },
  },
  {
    name: 'a received block is sent back without a copy',
    async run({ fixture, seed }) {
      const { client, slot } = await pair(fixture);
      const bytes = noise(MIB, seed);
      client.socket.write(bytes);
      for (let echoed = 0; echoed < bytes.length; ) {
        fixture.receive(slot);
        const { result, block } = await fixture.wait(Op.Receive, slot);
        assert.ok(result > 0);
        const start = fixture.slab.start(block);
        assert.equal(await fixture.sendAll(slot, 0, start, start + result), 0);
        fixture.slab.release(block);
        echoed += result;
      }
      await client.hasBytes(bytes.length);
      assert.ok(client.bytes.equals(bytes));
    },
  },
  {
    name: 'without a receive in flight a client is blocked, not buffered without end',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      // More than the socket buffers of loopback take.
      const bytes = Buffer.alloc(64 * MIB);
      let accepted = false;
      client.socket.write(bytes, () => {
        accepted = true;
      });
      await fixture.readAll(slot, 1);
      await settle();
      assert.equal(accepted, false, 'most of it waits at the client');
      // Receiving again lets it continue.
      let taken = 0;
      while (!accepted) taken += (await fixture.readAll(slot, 1)).length;
      assert.ok(taken > 0);
    },
  },
  {
    name: 'a client that does not read blocks the send, and gets all bytes when it reads',
    async run({ fixture, seed }) {
      const { client, slot } = await pair(fixture);
      noise(REGION_BYTES, seed).copy(fixture.region);
      client.socket.pause();
      const sent = sendRounds(fixture, slot, 16);
      await settle();
      assert.equal(sent.isOver, false, 'the client has not taken it');
      client.socket.resume();
      await sent.over;
      await client.hasBytes(16 * REGION_BYTES);
      for (let round = 0; round < 16; round++) {
        const part = client.bytes.subarray(round * REGION_BYTES, (round + 1) * REGION_BYTES);
        assert.ok(part.equals(fixture.region), `round ${round}`);
      }
    },
  },
  {
    name: 'more: bytes held back are sent with those that follow',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      fixture.region.write('headbody', 'latin1');
      fixture.send(slot, REGION, 0, 4, true);
      assert.equal((await fixture.wait(Op.Send, slot)).result, 4);
      fixture.send(slot, REGION, 4, 8, false);
      assert.equal((await fixture.wait(Op.Send, slot)).result, 4);
      await client.hasBytes(8);
      assert.equal(client.text, 'headbody');
    },
  },
  {
    name: 'regions are mapped and unmapped while others are in use',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      for (let round = 0; round < 10; round++) {
        const bytes = Buffer.from(`round ${round}.`);
        fixture.driver.map(7, bytes);
        assert.equal(await fixture.sendAll(slot, 7, 0, bytes.length), 0);
        fixture.driver.unmap(7);
      }
      await client.hasBytes(80);
      assert.match(client.text, /^round 0\.round 1\..*round 9\.$/);
    },
  },
  {
    name: 'a receive is starved when the slab is empty',
    options: { blockCount: 2 },
    async run({ fixture }) {
      const { client, slot, port } = await pair(fixture);
      const blocks = await starve(fixture, port);
      fixture.receive(slot);
      client.socket.write('patience');
      await settle();
      assert.ok(fixture.isInFlight(Op.Receive, slot), 'no block, no RECEIVE');
      // Released between turns, while the driver may be asleep.
      for (const block of blocks) fixture.slab.release(block);
      assert.equal(String(fixture.take(await fixture.wait(Op.Receive, slot))), 'patience');
    },
  },
  {
    name: 'many sockets share one block',
    options: { blockCount: 1 },
    async run({ fixture, seed }) {
      const port = await fixture.listen();
      const bytes = noise(100_000, seed);
      const streams: Promise<Buffer>[] = [];
      for (let count = 0; count < 8; count++) {
        const client = await Client.open(port);
        client.socket.write(bytes);
        streams.push(fixture.readAll(await fixture.accept(), bytes.length));
      }
      for (const received of await Promise.all(streams)) assert.ok(received.equals(bytes));
    },
  },
  {
    name: 'abort of a starved receive',
    options: { blockCount: 1 },
    async run({ fixture }) {
      const { client, slot, port } = await pair(fixture);
      const blocks = await starve(fixture, port);
      fixture.receive(slot);
      client.socket.write('unread');
      await settle();
      fixture.abort(slot);
      const { result } = await fixture.wait(Op.Receive, slot);
      assert.ok(result < 0);
      await fixture.close(slot);
      for (const block of blocks) fixture.slab.release(block);
    },
  },
  {
    name: '500 sockets at once, with polls of a few completions',
    options: { slots: 512, blockCount: 64, completions: 16 },
    async run({ fixture }) {
      const port = await fixture.listen();
      const clients = await Promise.all(
        Array.from({ length: 500 }, async (_, index) => {
          const client = await Client.open(port);
          client.socket.write(`client ${index}`.padEnd(16));
          return client;
        }),
      );
      const serving: Promise<void>[] = [];
      for (let count = 0; count < 500; count++) serving.push(echo(await fixture.accept()));
      await Promise.all(serving);
      for (const [index, client] of clients.entries()) {
        await client.hasBytes(16);
        assert.equal(client.text.trimEnd(), `client ${index}`);
      }

      async function echo(slot: number): Promise<void> {
        const bytes = await fixture.readAll(slot, 16);
        const start = slot * 16;
        bytes.copy(fixture.region, start);
        assert.equal(await fixture.sendAll(slot, REGION, start, start + 16), 0);
        await fixture.close(slot);
      }
    },
  },
];

interface Sending {
  isOver: boolean;
  over: Promise<void>;
}

function sendRounds(fixture: Fixture, slot: number, rounds: number): Sending {
  const sending: Sending = { isOver: false, over: Promise.resolve() };
  sending.over = (async () => {
    for (let round = 0; round < rounds; round++) {
      assert.equal(await fixture.sendAll(slot, REGION, 0, REGION_BYTES), 0);
    }
    sending.isOver = true;
  })();
  return sending;
}

/** Long enough for an unexpected event on loopback; no test depends on its exact length. */
async function settle(): Promise<void> {
  let rounds = 0;
  await until('fifty rounds', () => {
    rounds += 1;
    return rounds > 50;
  });
}

/** Random bytes from a seed (xorshift32). */
function noise(length: number, seed: number): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed | 1;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return Buffer.from(words.buffer, 0, length);
}
