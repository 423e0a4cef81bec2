// Driver cases: how connections end, and the contract between driver and reactor.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { AssertionFault } from '../../../src/base/assert.ts';
import { ERRNO } from '../../../src/base/errno.ts';
import { Op } from '../../../src/driver/driver.ts';
import type { Case } from './case.ts';
import { Client, pair } from './client.ts';
import { assertBroken, Fixture, REGION, REGION_BYTES, until } from './fixture.ts';

const isLinux = process.platform === 'linux';

export const endCases: readonly Case[] = [
  {
    name: 'the end of the stream is 0 at each receive, and sending continues after it',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      client.socket.end('last words');
      assert.equal(String(await fixture.readAll(slot, 10)), 'last words');
      assert.equal(await fixture.read(slot), 0);
      assert.equal(await fixture.read(slot), 0);
      await fixture.write(slot, 'output');
      await client.hasBytes(6);
      assert.equal(client.text, 'output');
      assert.equal(client.ended, false);
    },
  },
  {
    name: 'close is an end of stream for a client whose bytes were all read',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      await fixture.write(slot, 'bye');
      await fixture.close(slot);
      await client.hasEnded();
      assert.equal(client.text, 'bye');
    },
  },
  {
    name: 'shutdownSend is an end of stream for the client, and receiving continues',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      await fixture.write(slot, 'all there is');
      fixture.receive(slot);
      fixture.driver.shutdownSend(slot);
      await client.hasEnded();
      assert.equal(client.text, 'all there is');
      client.socket.write('thanks');
      assert.equal(String(fixture.take(await fixture.wait(Op.Receive, slot))), 'thanks');
      client.socket.end();
      assert.equal(await fixture.read(slot), 0);
      await fixture.close(slot);
    },
  },
  {
    name: 'abort after shutdownSend completes, and so does close',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      fixture.receive(slot);
      fixture.driver.shutdownSend(slot);
      fixture.abort(slot);
      assert.equal((await fixture.wait(Op.Receive, slot)).result, -ERRNO.ECANCELED);
      await fixture.close(slot);
      await client.isGone();
    },
  },
  {
    name: 'a reset during a receive breaks it',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      fixture.receive(slot);
      client.socket.resetAndDestroy();
      assert.equal((await fixture.wait(Op.Receive, slot)).result, -ERRNO.ECONNRESET);
      await fixture.close(slot);
    },
  },
  {
    name: 'a reset during a send breaks it',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      client.socket.pause();
      const sent = sendUntilBroken(fixture, slot);
      await until('bytes at the client', () => client.socket.bytesRead > 0);
      client.socket.resetAndDestroy();
      assertBroken(await sent);
      await fixture.close(slot);
    },
  },
  {
    name: 'a reset while nothing is in flight is reported by the next operations',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      client.socket.resetAndDestroy();
      await until('the client is closed', () => client.closed);
      const received = await fixture.read(slot);
      assert.equal(received, -ERRNO.ECONNRESET);
      fixture.send(slot, REGION, 0, 10);
      assertBroken((await fixture.wait(Op.Send, slot)).result);
      await fixture.close(slot);
    },
  },
  {
    name: 'a reset breaks a receive and a send, each once',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      client.socket.pause();
      fixture.receive(slot);
      const sent = sendUntilBroken(fixture, slot);
      await until('bytes at the client', () => client.socket.bytesRead > 0);
      client.socket.resetAndDestroy();
      const [{ result }, sendResult] = await Promise.all([fixture.wait(Op.Receive, slot), sent]);
      assertBroken(sendResult);
      // The kernel reports its error once: when the send got it, the receive sees the end.
      if (result !== 0) assertBroken(result);
      await fixture.close(slot);
    },
  },
  {
    name: 'abort cancels what is in flight, and the client sees a reset',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      client.socket.pause();
      fixture.receive(slot);
      const sent = sendUntilBroken(fixture, slot);
      await untilStuck(fixture, slot);
      fixture.abort(slot);
      assert.equal((await fixture.wait(Op.Receive, slot)).result, -ERRNO.ECANCELED);
      assert.equal(await sent, -ERRNO.ECANCELED);
      await fixture.close(slot);
      await client.cannotWrite();
    },
  },
  {
    name: 'abort with nothing in flight has no completion, and the close resets',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      fixture.abort(slot);
      await fixture.close(slot);
      await client.wasReset();
    },
  },
  {
    name: 'a result from before the abort stays the same',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      fixture.pause();
      fixture.region.write('sent');
      fixture.send(slot, REGION, 0, 4);
      // The next poll() at the latest submits the send.
      fixture.step();
      await client.hasBytes(4);
      fixture.abort(slot);
      fixture.run();
      const { result } = await fixture.wait(Op.Send, slot);
      assert.ok(result === 4 || result === -ERRNO.ECANCELED, `send completed with ${result}`);
      await fixture.close(slot);
    },
  },
  {
    name: 'a slot used again gets no completion of its earlier socket',
    options: { slots: 1 },
    async run({ fixture }) {
      const port = await fixture.listen();
      for (let round = 0; round < 20; round++) {
        const client = await Client.open(port);
        const slot = await fixture.accept();
        assert.equal(slot, 0);
        fixture.receive(slot);
        client.socket.write(`round ${round}`);
        const text = String(fixture.take(await fixture.wait(Op.Receive, slot)));
        assert.equal(text, `round ${round}`);
        if (round % 3 === 0) client.socket.resetAndDestroy();
        if (round % 3 === 1) client.socket.write('too late');
        fixture.receive(slot);
        fixture.abort(slot);
        fixture.take(await fixture.wait(Op.Receive, slot));
        await fixture.close(slot);
        client.socket.destroy();
      }
    },
  },
  {
    name: 'a second receive, a second send and a close with operations in flight are assertions',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      client.socket.pause();
      fixture.receive(slot);
      assert.throws(() => fixture.driver.receive(slot), AssertionFault);
      assert.throws(() => fixture.driver.close(slot), AssertionFault);
      const sent = sendUntilBroken(fixture, slot);
      await untilStuck(fixture, slot);
      assert.throws(() => fixture.driver.send(slot, REGION, 0, 1, false), AssertionFault);
      fixture.abort(slot);
      await sent;
    },
  },
  {
    name: 'sleep returns false while completions wait, and after it wake comes once',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      fixture.pause();
      fixture.receive(slot);
      while (fixture.step() > 0) {}
      assert.equal(fixture.sleep(), true, 'nothing waits');
      const wakesBefore = fixture.wakes;
      client.socket.write('one');
      await until('wake()', () => fixture.wakes > wakesBefore);
      client.socket.write('two');
      await until('a completion', () => fixture.step() > 0);
      assert.equal(String(fixture.take(await fixture.wait(Op.Receive, slot))).slice(0, 3), 'one');
      assert.equal(fixture.wakes, wakesBefore + 1, 'one wake() for one sleep()');
      fixture.send(slot, REGION, 0, 5);
      // Either a completion is left, or the completion of the send wakes.
      const asleep = fixture.sleep();
      if (asleep) await until('wake()', () => fixture.wakes > wakesBefore + 1);
      fixture.run();
      await client.hasBytes(5);
      assert.equal((await fixture.wait(Op.Send, slot)).result, 5);
    },
  },
  {
    name: 'a poll without a wake ends the sleep',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      fixture.pause();
      fixture.receive(slot);
      while (fixture.step() > 0) {}
      assert.equal(fixture.sleep(), true);
      fixture.step();
      const wakesBefore = fixture.wakes;
      client.socket.write('quiet');
      await until('a completion', () => fixture.step() > 0);
      assert.equal(fixture.wakes, wakesBefore, 'no wake() without sleep()');
      fixture.run();
      assert.equal(String(fixture.take(await fixture.wait(Op.Receive, slot))), 'quiet');
    },
  },
  {
    name: 'a call during sleep wakes, or its completion does',
    async run({ fixture }) {
      const { client, slot } = await pair(fixture);
      client.socket.end();
      assert.equal(await fixture.read(slot), 0);
      // The loop sleeps now; each of these calls comes from outside a turn.
      for (let round = 0; round < 5; round++) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        assert.equal(await fixture.read(slot), 0);
        await fixture.write(slot, 'x');
      }
      await client.hasBytes(5);
    },
  },
  {
    name: 'no descriptor is left over',
    needs: isLinux ? null : 'descriptors are counted in /proc',
    async run({ make }) {
      await useMuch(make);
      const before = descriptorCount();
      for (let round = 0; round < 3; round++) await useMuch(make);
      await until('as few descriptors as before', () => descriptorCount() <= before);
    },
  },
];

/** All ways for a connection to begin and end, with a driver of their own. */
async function useMuch(make: ConstructorParameters<typeof Fixture>[0]): Promise<void> {
  const fixture = new Fixture(make);
  const port = await fixture.listen();
  const clients: Client[] = [];
  for (let index = 0; index < 12; index++) {
    const client = await Client.open(port);
    clients.push(client);
    const handle = await fixture.acceptHandle();
    if (index % 4 === 0) {
      fixture.driver.refuse(handle);
      continue;
    }
    const slot = fixture.adopt(handle);
    if (index % 4 === 1) await fixture.close(slot);
    if (index % 4 === 2) fixture.receive(slot);
  }
  const ours = fixture.connect({ host: '127.0.0.1', port });
  await fixture.wait(Op.Connect, ours);
  fixture.driver.setAccepting(false);
  clients.push(await Client.open(port));
  await fixture.end();
  for (const client of clients) client.socket.destroy();
  await until('the clients are closed', () => clients.every((client) => client.closed));
}

function descriptorCount(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Sends the region repeatedly; returns the -errno that ends it. */
async function sendUntilBroken(fixture: Fixture, slot: number): Promise<number> {
  for (;;) {
    const result = await fixture.sendAll(slot, REGION, 0, REGION_BYTES);
    if (result < 0) return result;
  }
}

/** Fills the buffers to a client that does not read: a send stays in flight. */
async function untilStuck(fixture: Fixture, slot: number): Promise<void> {
  let quietRounds = 0;
  let countBefore = -1;
  await until('a send that stays in flight', () => {
    const isSame = fixture.sendCount === countBefore && fixture.isInFlight(Op.Send, slot);
    quietRounds = isSame ? quietRounds + 1 : 0;
    countBefore = fixture.sendCount;
    return quietRounds > 20;
  });
}
