// A handler that loops for ever, with real processes: its worker is killed and replaced, and the
// other one serves meanwhile; one that is busy is not. When exactly, in virtual time:
// stuck-workers.test.ts.

import assert from 'node:assert/strict';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { get } from '../../testing/raw-client.ts';
import { eventually, onDriversInTurn, oneDriver } from '../../testing/with-server.ts';
import { ask, pidsOf, withWorkers } from '../behaviour/fixtures/workers.ts';
import { connections, inFolder } from './fixtures/supervision-fixture.ts';

leaveOutOfCoverage();

/** Long enough that a worker of a loaded machine responds in it. */
const WORKER_TIMEOUT_MS = 2_000;

/** The lines that report the end of a worker. */
function killLine(pid: number): RegExp {
  const killed = `worker \\d \\(pid ${pid}\\) is killed and replaced`;
  const why = `its event loop has been blocked for ${WORKER_TIMEOUT_MS} ms \\(worker_timeout_ms\\)`;
  const exited = 'vibing error: worker \\d exited \\(SIGKILL\\); the next start is at once';
  return new RegExp(`^vibing error: ${killed}: ${why}; look for .*\n${exited}$`, 'm');
}

onDriversInTurn(
  'a worker whose handler loops for ever',
  (add) => {
    add('is killed and replaced while the other one serves', (driver) =>
      inFolder((folder) =>
        withWorkers(
          driver,
          async (port, child) => {
            const clients = await connections(port, 2);
            const [victim, survivor] = clients.keys();
            await clients.get(victim)?.send(get('/hang'));
            await eventually('its handler runs', () => child.out.includes('hanging'));
            // Each worker gets about half of them.
            const connected = Array.from({ length: 20 }, () => ask(port));
            let isOver = false;
            const ended = clients
              .get(victim)
              ?.ending()
              .then(() => {
                isOver = true;
              });
            while (!isOver) {
              const response = await clients.get(survivor)?.ask(get('/after/20'));
              assert.equal(Number(response?.text), survivor);
            }
            await ended;
            for (const pid of await Promise.all(connected)) assert.notEqual(pid, victim);
            const fresh = await pidsOf(port, 2);
            assert.ok(fresh.has(survivor) && !fresh.has(victim));
            const killed = killLine(victim);
            await eventually('it is reported', () => killed.test(child.problems));
            assert.equal(child.problems.match(/is killed/g)?.length, 1, child.problems);
          },
          0,
          folder,
          String(WORKER_TIMEOUT_MS),
        ),
      ),
    );
    add('is left alone while it handles many slow requests in a row', (driver) =>
      inFolder((folder) =>
        withWorkers(
          driver,
          async (port, child) => {
            const [[pid, client]] = await connections(port, 1);
            const count = 5;
            // Together they take longer than it may be blocked: in one turn, and in promises.
            const target = `/block/${(0.75 * WORKER_TIMEOUT_MS) / count}`;
            await client.send(`${get(target)}${get(`${target}?later`)}`.repeat(count));
            for (let left = 2 * count; left > 0; left--) {
              assert.equal(Number((await client.nextResponse()).text), pid);
            }
            assert.doesNotMatch(child.problems, /is killed/);
          },
          0,
          folder,
          String(WORKER_TIMEOUT_MS),
        ),
      ),
    );
  },
  oneDriver(),
);
