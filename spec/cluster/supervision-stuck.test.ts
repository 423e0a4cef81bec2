// A handler that loops for ever, with real processes: its worker is killed and replaced, and the
// other one serves meanwhile. When exactly, in virtual time: stuck-workers.test.ts.

import assert from 'node:assert/strict';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { get } from '../../testing/raw-client.ts';
import { eventually, onDriversInTurn, oneDriver } from '../../testing/with-server.ts';
import { ask, pidsOf, withWorkers } from '../behaviour/fixtures/workers.ts';
import { connections, inFolder } from './fixtures/supervision-fixture.ts';

leaveOutOfCoverage();

/** Long enough that a worker of a loaded machine answers in it. */
const WORKER_TIMEOUT_MS = 2_000;

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
            // The kernel gives each worker about half of them.
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
            const killed = new RegExp(
              `^vibing error: worker \\d \\(pid ${victim}\\) is killed and replaced: its event loop ` +
                `has been blocked for ${WORKER_TIMEOUT_MS} ms \\(worker_timeout_ms\\); look for .*\n` +
                'vibing error: worker \\d exited \\(SIGKILL\\); the next start is at once$',
              'm',
            );
            await eventually('it is reported', () => killed.test(child.problems));
            const fresh = await pidsOf(port, 2);
            assert.ok(fresh.has(survivor) && !fresh.has(victim));
            assert.equal(child.problems.match(/is killed/g)?.length, 1, child.problems);
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
