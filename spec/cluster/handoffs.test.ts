// On `net` the primary sends each client to a worker. A client that was sent to a worker which dies
// before it confirms goes to another one, or is closed; the primary keeps no descriptor of it.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { RawClient } from '../../testing/raw-client.ts';
import { slowTests } from '../../testing/slow-tests.ts';
import { chosenDrivers, eventually } from '../../testing/with-server.ts';
import { ask, pidsOf, withWorkers } from '../behaviour/fixtures/workers.ts';

leaveOutOfCoverage();

const slowTest = slowTests();

const NEEDS_PROC = {
  timeout: 60_000,
  skip:
    process.platform === 'linux' && chosenDrivers().includes('net') ? false : 'needs net and /proc',
};
const CLIENTS = 4;

function descriptorsOf(pid: number | undefined): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

slowTest(
  'a client of a worker that dies before it confirms is served by another one',
  NEEDS_PROC,
  () =>
    withWorkers('net', async (port, child) => {
      const [victim, survivor] = await pidsOf(port, 2);
      const before = descriptorsOf(child.process.pid);
      // A stopped process confirms nothing.
      process.kill(victim, 'SIGSTOP');
      const asked = Array.from({ length: CLIENTS }, () => ask(port));
      // The survivor serves all but the one that was sent to the victim.
      let served = 0;
      for (const pid of asked) void pid.then(() => (served += 1));
      await eventually('all but one are served', () => served === CLIENTS - 1);
      process.kill(victim, 'SIGKILL');
      for (const pid of await Promise.all(asked)) assert.equal(pid, survivor);
      await pidsOf(port, 2);
      await eventually('no descriptor stays', () => descriptorsOf(child.process.pid) <= before);
    }),
);

slowTest('when no other worker is left, the client is closed', NEEDS_PROC, () =>
  withWorkers('net', async (port, child) => {
    const pids = await pidsOf(port, 2);
    const before = descriptorsOf(child.process.pid);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    const clients = [await RawClient.open(port), await RawClient.open(port)];
    await eventually('both were sent to workers', () => {
      return descriptorsOf(child.process.pid) >= before + clients.length;
    });
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    for (const client of clients) await client.ending().catch(() => {});
    // The port is closed until a worker listens.
    for (let isUp = false; !isUp; ) {
      isUp = await ask(port).then(
        () => true,
        () => false,
      );
    }
    await pidsOf(port, 2);
    await eventually('no descriptor stays', () => descriptorsOf(child.process.pid) <= before);
  }),
);
