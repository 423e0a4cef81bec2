// Driver cases: clients from a second listening socket, which another process owns.

import assert from 'node:assert/strict';
import { ERRNO } from '../../../src/base/errno.ts';
import { Op } from '../../../src/driver/driver.ts';
import { listenerPort, openListener } from '../../../src/driver/linux/open-listener.ts';
import { linuxSyscalls, type Syscalls } from '../../../src/driver/linux/syscalls.ts';
import type { Case } from './case.ts';
import { Client } from './client.ts';
import type { Fixture } from './fixture.ts';

const found = linuxSyscalls();
const needs = typeof found === 'string' ? found : null;

/** Rounds of Node's loop, enough for a driver to accept a client that it must not accept. */
const IDLE_ROUNDS = 50;

interface Other {
  readonly calls: Syscalls;
  readonly fd: number;
  readonly port: number;
}

async function withOther(run: (other: Other) => Promise<void>): Promise<void> {
  const calls = linuxSyscalls();
  assert.ok(typeof calls !== 'string');
  const fd = openListener(calls, { host: '127.0.0.1', port: 0 }, 16);
  assert.ok(fd >= 0, `another listener: ${fd}`);
  const port = listenerPort(calls, fd);
  try {
    await run({ calls, fd, port });
  } finally {
    calls.close(fd);
  }
}

/** Serves an inherited listener with a client in its queue, and unlistens. */
async function leavesWithOneWaiting(fixture: Fixture, last: boolean): Promise<Client> {
  const calls = linuxSyscalls();
  assert.ok(typeof calls !== 'string');
  const fd = openListener(calls, { host: '127.0.0.1', port: 0 }, 16);
  const port = await fixture.listen({ fd });
  assert.ok(port > 0);
  fixture.driver.setAccepting(false);
  const client = await Client.open(port);
  await acceptsNone(fixture);
  await fixture.unlisten(last);
  return client;
}

/** The next client is this one: it gets a greeting on its slot. */
async function serves(fixture: Fixture, client: Client): Promise<void> {
  const slot = await fixture.accept();
  await fixture.write(slot, 'hello');
  await client.hasBytes(5);
  await fixture.close(slot);
}

async function acceptsNone(fixture: Fixture): Promise<void> {
  for (let round = 0; round < IDLE_ROUNDS; round++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(fixture.completionCount(Op.Accept, -1), 0, 'no ACCEPT from a listener that is off');
}

export const alsoCases: readonly Case[] = [
  {
    name: 'acceptAlso accepts clients of another listener until it is switched off',
    needs,
    run: ({ fixture }) =>
      withOther(async (other) => {
        const port = await fixture.listen();
        fixture.driver.acceptAlso(other.fd, true);
        fixture.driver.acceptAlso(other.fd, true);
        for (const target of [other.port, port, other.port]) {
          await serves(fixture, await Client.open(target));
        }
        fixture.driver.acceptAlso(other.fd, false);
        fixture.driver.acceptAlso(other.fd, false);
        const waiting = await Client.open(other.port);
        await acceptsNone(fixture);
        await serves(fixture, await Client.open(port));
        fixture.driver.acceptAlso(other.fd, true);
        await serves(fixture, waiting);
      }),
  },
  {
    name: 'acceptAlso wakes a sleeping driver for clients that wait already',
    needs,
    run: ({ fixture }) =>
      withOther(async (other) => {
        await fixture.listen();
        const client = await Client.open(other.port);
        await acceptsNone(fixture);
        fixture.driver.acceptAlso(other.fd, true);
        await serves(fixture, client);
      }),
  },
  {
    name: 'setAccepting() holds for every listener, whichever call came first',
    needs,
    run: ({ fixture }) =>
      withOther((first) =>
        withOther(async (second) => {
          const port = await fixture.listen();
          fixture.driver.acceptAlso(first.fd, true);
          fixture.driver.setAccepting(false);
          fixture.driver.acceptAlso(second.fd, true);
          const ports = [port, first.port, second.port];
          const clients = await Promise.all(ports.map((each) => Client.open(each)));
          await acceptsNone(fixture);
          fixture.driver.setAccepting(true);
          for (let count = 0; count < clients.length; count++) {
            await fixture.write(await fixture.accept(), 'hello');
          }
          for (const client of clients) await client.hasBytes(5);
        }),
      ),
  },
  {
    name: 'unlisten ends acceptAlso and leaves the descriptor open',
    needs,
    run: ({ fixture }) =>
      withOther(async (other) => {
        await fixture.listen();
        fixture.driver.acceptAlso(other.fd, true);
        await fixture.unlisten();
        assert.equal(listenerPort(other.calls, other.fd), other.port, 'it still listens');
        const client = await Client.open(other.port);
        await acceptsNone(fixture);
        // A later listen() starts without it.
        await fixture.listen();
        await acceptsNone(fixture);
        fixture.driver.acceptAlso(other.fd, true);
        await serves(fixture, client);
      }),
  },
  {
    name: 'the last process of an inherited listener accepts waiting clients',
    needs,
    async run({ fixture }) {
      const client = await leavesWithOneWaiting(fixture, true);
      assert.equal(fixture.completionCount(Op.Accept, -1), 1, 'before UNLISTEN');
      await serves(fixture, client);
    },
  },
  {
    name: 'a process that is not the last leaves waiting clients to the others',
    needs,
    async run({ fixture }) {
      const client = await leavesWithOneWaiting(fixture, false);
      assert.equal(fixture.completionCount(Op.Accept, -1), 0);
      client.socket.destroy();
    },
  },
  {
    name: 'a descriptor may be closed as soon as acceptAlso was switched off',
    needs,
    run: ({ fixture }) =>
      withOther(async (kept) => {
        const port = await fixture.listen();
        const fd = openListener(kept.calls, { host: '127.0.0.1', port: 0 }, 16);
        const closedPort = listenerPort(kept.calls, fd);
        fixture.driver.acceptAlso(fd, true);
        await serves(fixture, await Client.open(closedPort));
        fixture.driver.acceptAlso(fd, false);
        assert.equal(kept.calls.close(fd), 0);
        await assert.rejects(Client.open(closedPort), /ECONNREFUSED/);
        await serves(fixture, await Client.open(port));
        assert.equal(
          kept.calls.accept(kept.fd, 0),
          -ERRNO.EAGAIN,
          'the other listener is not affected',
        );
      }),
  },
];

/** Why the portable driver passes none of them. */
export const alsoSkips: Readonly<Record<string, string>> = Object.fromEntries(
  alsoCases.map(({ name }) => [name, 'under node:cluster all workers share one listener']),
);
