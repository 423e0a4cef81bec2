// The V8 options of workers: a young generation for a server, unless the program or its user sets
// its size.

import assert from 'node:assert/strict';
import cluster from 'node:cluster';
import { it } from 'node:test';
import { workerOptions } from '../../src/cluster/worker-options.ts';
import { get, RawClient } from '../../testing/raw-client.ts';
import { onDriversInTurn, oneDriver } from '../../testing/with-server.ts';
import { withWorkers } from '../behaviour/fixtures/workers.ts';
import { withChild } from './fixtures/supervision-fixture.ts';

const OURS = ['--min-semi-space-size=10', '--max-semi-space-size=10'];

async function optionsOf(port: number): Promise<string[]> {
  const client = await RawClient.open(port);
  const response = await client.ask(get('/options', 'Connection: close'));
  client.half();
  return JSON.parse(response.text);
}

/** Runs `body` with execArgv in the settings of node:cluster. */
function withGiven(execArgv: string[], body: () => void): void {
  const before = cluster.settings.execArgv;
  cluster.settings.execArgv = execArgv;
  try {
    body();
  } finally {
    if (before === undefined) delete cluster.settings.execArgv;
    else cluster.settings.execArgv = before;
  }
}

it('options of the program stay, and its sizes are used', () => {
  withGiven(['--trace-gc'], () => {
    assert.deepEqual(workerOptions(1), ['--trace-gc', ...OURS]);
  });
  withGiven(['--max_semi_space_size=64'], () => {
    assert.deepEqual(workerOptions(1), ['--max_semi_space_size=64']);
  });
});

it('options added for one worker are not added again for the next', () => {
  withGiven([], () => {
    const first = workerOptions(1);
    assert.deepEqual(first, OURS);
    withGiven(first, () => assert.deepEqual(workerOptions(1), OURS));
  });
});

it('many workers on little memory have the default sizes of V8', () => {
  withGiven([], () => assert.deepEqual(workerOptions(1e6), []));
});

onDriversInTurn(
  'options of workers',
  (add) => {
    add('a worker has its own young generation and the options of its primary', async (driver) => {
      await withWorkers(driver, async (port) => {
        assert.deepEqual(await optionsOf(port), ['--expose-gc', ...OURS]);
      });
    });

    add('a size in NODE_OPTIONS is used', async (driver) => {
      const before = 'export NODE_OPTIONS=--max-semi-space-size=8';
      await withChild(
        [driver, '0'],
        async (child) => {
          const port = Number((await child.firstLine())['port']);
          assert.deepEqual(await optionsOf(port), ['--expose-gc']);
          assert.equal(await child.end(), 0, child.problems);
        },
        before,
      );
    });
  },
  oneDriver(),
);
