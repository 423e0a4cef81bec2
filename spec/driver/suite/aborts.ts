// Driver cases: resets by the client and aborts by the server at every point of a connection, and
// the next connection of the slot.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { ERRNO } from '../../../src/base/errno.ts';
import { Op } from '../../../src/driver/driver.ts';
import type { Case } from './case.ts';
import { Client, pair } from './client.ts';
import { assertBroken, type Fixture, REGION, REGION_BYTES, until } from './fixture.ts';

const canceled = -ERRNO.ECANCELED;

/** Brings a connection to a point; returns what is in flight there. */
type Point = (fixture: Fixture, slot: number, client: Client) => Promise<readonly Op[]>;

const POINTS: Readonly<Record<string, Point>> = {
  'with nothing in flight': async () => [],
  'with a receive in flight': async (fixture, slot) => {
    fixture.receive(slot);
    await turns(fixture);
    return [Op.Receive];
  },
  'with a receive just started': async (fixture, slot) => {
    fixture.receive(slot);
    return [Op.Receive];
  },
  'with a watch in flight': async (fixture, slot) => {
    fixture.watch(slot);
    await turns(fixture);
    return [Op.Watch];
  },
  'with a watch in flight and a receive just started': async (fixture, slot) => {
    fixture.watch(slot);
    await turns(fixture);
    fixture.receive(slot);
    return [Op.Watch, Op.Receive];
  },
  'with a send just started': async (fixture, slot) => {
    fixture.send(slot, REGION, 0, 100);
    return [Op.Send];
  },
  'with a send that waits for room, and a receive': async (fixture, slot, client) => {
    client.socket.pause();
    fixture.receive(slot);
    await fillUp(fixture, slot);
    return [Op.Receive, Op.Send];
  },
  'with bytes unread': async (fixture, _slot, client) => {
    client.socket.write('unread');
    await turns(fixture);
    return [];
  },
  'with bytes unread and a receive just started': async (fixture, slot, client) => {
    client.socket.write('unread');
    await turns(fixture);
    fixture.receive(slot);
    return [Op.Receive];
  },
  'after the end of the stream': async (fixture, slot, client) => {
    client.socket.end();
    assert.equal(await fixture.read(slot), 0);
    return [];
  },
  'after shutdownSend, with a receive in flight': async (fixture, slot) => {
    fixture.driver.shutdownSend(slot);
    fixture.receive(slot);
    await turns(fixture);
    return [Op.Receive];
  },
  'after the ends of both directions': async (fixture, slot, client) => {
    client.socket.end();
    assert.equal(await fixture.read(slot), 0);
    fixture.driver.shutdownSend(slot);
    await turns(fixture);
    return [];
  },
};

export const abortCases: readonly Case[] = [
  ...Object.entries(POINTS).flatMap(([point, reach]) =>
    [true, false].map((reset): Case => abortCase(point, reach, reset)),
  ),
  ...Object.entries(POINTS)
    .filter(([point]) => !point.includes('end'))
    .map(([point, reach]): Case => resetCase(point, reach)),
  {
    name: 'abort without reset delivers what was sent',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      await fixture.write(slot, 'last words');
      fixture.receive(slot);
      fixture.abort(slot, false);
      assert.equal((await fixture.wait(Op.Receive, slot)).result, canceled);
      await fixture.close(slot);
      await client.hasEnded();
      assert.equal(client.text, 'last words');
    },
  },
  {
    name: 'a second abort has no effect',
    async run({ fixture }) {
      const { slot } = await pair(fixture);
      fixture.receive(slot);
      await turns(fixture);
      fixture.abort(slot);
      fixture.abort(slot);
      assert.equal((await fixture.wait(Op.Receive, slot)).result, canceled);
      fixture.abort(slot);
      await turns(fixture);
      await fixture.close(slot);
    },
  },
  {
    name: 'a reset by the server at once is reported by the connect or the receive',
    async run({ fixture }) {
      const server = createServer((socket) => socket.resetAndDestroy());
      server.listen(0, '127.0.0.1');
      await until('the server listens', () => server.listening);
      const address = server.address();
      assert.ok(address !== null && typeof address !== 'string');
      for (let round = 0; round < 5; round++) {
        const slot = fixture.connect({ host: '127.0.0.1', port: address.port });
        const { result } = await fixture.wait(Op.Connect, slot);
        if (result === 0) {
          const read = await fixture.read(slot);
          assert.ok(read === 0 || read === -ERRNO.ECONNRESET, `a fault or the end, not ${read}`);
        } else {
          assertBroken(result);
        }
        await fixture.close(slot);
      }
      server.close();
    },
  },
  {
    name: 'sockets that share few slots one after the other keep their bytes apart',
    options: { slots: 3, completions: 16 },
    async run({ fixture, seed }) {
      const port = await fixture.listen();
      let state = seed | 1;
      const below = (end: number): number => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        return (state >>> 16) % end;
      };
      const visit = async (name: string): Promise<void> => {
        const client = await Client.open(port);
        client.socket.write(name);
        const slot = await fixture.accept();
        const heard = String(await fixture.readAll(slot, 8));
        // Clients are accepted in any order: the client says which one it is.
        assert.match(heard, /^visit\d{3}$/);
        fixture.region.write(heard, slot * 8);
        assert.equal(await fixture.sendAll(slot, REGION, slot * 8, slot * 8 + 8), 0);
        if (below(2) === 0) fixture.receive(slot);
        if (below(3) === 0) fixture.send(slot, REGION, REGION_BYTES / 2, REGION_BYTES);
        if (below(3) === 0) client.socket.resetAndDestroy();
        else await client.startsWith(heard);
        if (below(2) === 0) await turns(fixture);
        fixture.abort(slot, below(2) === 0);
        if (fixture.isInFlight(Op.Send, slot)) await fixture.wait(Op.Send, slot);
        if (fixture.isInFlight(Op.Receive, slot))
          fixture.take(await fixture.wait(Op.Receive, slot));
        // Unclaimed completions are claimed here, so that the next visitor does not get them.
        fixture.takeCompletions(Op.Send, slot);
        for (const completion of fixture.takeCompletions(Op.Receive, slot))
          fixture.take(completion);
        await fixture.close(slot);
        client.socket.destroy();
      };
      for (let count = 0; count < 40; count++) await visit(`visit${100 + count}`);
    },
  },
];

function abortCase(point: string, reach: Point, reset: boolean): Case {
  return {
    name: `abort ${reset ? 'and reset ' : ''}${point}, and a close`,
    options: { slots: 1 },
    async run({ fixture }) {
      const port = await fixture.listen();
      const client = await Client.open(port);
      const slot = await fixture.accept();
      const inFlight = await reach(fixture, slot, client);
      fixture.abort(slot, reset);
      for (const op of inFlight) {
        const completion = await fixture.wait(op, slot);
        // It may have completed before the abort, but not with a fault.
        assert.ok(
          completion.result === canceled || completion.result > 0,
          `${point}: ${completion.result}`,
        );
        if (op === Op.Receive) fixture.take(completion);
      }
      await fixture.close(slot);
      // The client reads the rest, then sees the end or a reset.
      client.socket.resume();
      await client.isGone();
      await isServed(fixture, port);
    },
  };
}

function resetCase(point: string, reach: Point): Case {
  return {
    name: `a reset by the client ${point}`,
    options: { slots: 1 },
    async run({ fixture }) {
      const port = await fixture.listen();
      const client = await Client.open(port);
      const slot = await fixture.accept();
      const inFlight = await reach(fixture, slot, client);
      client.socket.resetAndDestroy();
      await until('the client is closed', () => client.closed);
      for (const op of inFlight) {
        const completion = await fixture.wait(op, slot);
        // The kernel reports its error once, and bytes may come before it.
        if (op === Op.Receive) fixture.take(completion);
        if (completion.result < 0) assertBroken(completion.result);
      }
      for (let rounds = 0; ; rounds++) {
        const read = await fixture.read(slot);
        if (typeof read === 'number') break;
        assert.ok(rounds < 2, 'no more is read than was written');
      }
      await fixture.close(slot);
      await isServed(fixture, port);
    },
  };
}

/** The next client is served in the same slot, without completions of the earlier socket. */
async function isServed(fixture: Fixture, port: number): Promise<void> {
  const client = await Client.open(port);
  const slot = await fixture.accept();
  assert.equal(slot, 0);
  fixture.receive(slot);
  await turns(fixture);
  assert.ok(fixture.isInFlight(Op.Receive, slot), 'no completion of the earlier socket');
  client.socket.write('next');
  assert.equal(String(fixture.take(await fixture.wait(Op.Receive, slot))), 'next');
  await fixture.write(slot, 'served');
  await client.hasBytes(6);
  assert.equal(client.text, 'served');
  await fixture.close(slot);
}

/** Some rounds of the loop, in which an unexpected event could come. */
export async function turns(fixture: Fixture): Promise<void> {
  assert.ok(fixture.isRunning);
  let rounds = 0;
  await until('ten rounds', () => {
    rounds += 1;
    return rounds > 10;
  });
}

/** Sends until a send stays in flight, as the client reads nothing. */
export async function fillUp(fixture: Fixture, slot: number): Promise<void> {
  let sentBefore = -1;
  let quietRounds = 0;
  let next = 0;
  await until('a send that stays in flight', () => {
    if (!fixture.isInFlight(Op.Send, slot)) {
      for (const { result } of fixture.takeCompletions(Op.Send, slot)) next += result;
      next %= REGION_BYTES;
      fixture.send(slot, REGION, next, REGION_BYTES);
    }
    quietRounds = fixture.sendCount === sentBefore ? quietRounds + 1 : 0;
    sentBefore = fixture.sendCount;
    return quietRounds > 20;
  });
}
