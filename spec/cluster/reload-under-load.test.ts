// Rolling reloads under load: every worker is replaced, one after the other, again and again, and
// no request fails, in whatever way a client sends it.

import assert from 'node:assert/strict';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { eventually, onDriversInTurn } from '../../testing/with-server.ts';
import {
  type Asking,
  isAlive,
  pidsOf,
  reload,
  SteadyClient,
  withWorkers,
} from '../behaviour/fixtures/workers.ts';

leaveOutOfCoverage();

const CLIENTS: readonly Asking[] = ['piped', 'kept', 'fresh', 'late', 'late', 'late'];
/** `npm run perf:reload` measures more of them. */
const RELOADS = 3;

onDriversInTurn('reload under load', (add) => {
  add(`no request fails in ${RELOADS} reloads in a row`, async (driver) => {
    await withWorkers(driver, async (port, child) => {
      const before = await pidsOf(port, 2);
      const clients = CLIENTS.map((asking) => new SteadyClient(port, asking));
      const responded = () => {
        for (const { failure } of clients) if (failure !== null) throw failure;
        return clients.every((client) => client.responses > 0);
      };
      for (let count = 0; count < RELOADS; count++) {
        await eventually('the load continues', responded);
        for (const client of clients) client.responses = 0;
        await reload(child);
      }
      await eventually('the old ones have exited', () => ![...before].some(isAlive));
      const after = await pidsOf(port, 2);
      for (const client of clients) client.responses = 0;
      await eventually('the load is still there', responded);
      for (const client of clients) await client.stop();
      for (const pid of before) assert.ok(!after.has(pid), 'both are new');
      for (const { pids } of clients) assert.ok(pids.size > 2, 'several workers served each');
      assert.equal(child.out.match(/\nreloaded/g)?.length, RELOADS);
      assert.doesNotMatch(child.problems, /vibing (error|warn)/);
    });
  });
});
