// The options of Node and V8 that worker processes have. In one process: worker-options.test.ts.

import assert from 'node:assert/strict';
import { get, RawClient } from '../../testing/raw-client.ts';
import { onDriversInTurn, oneDriver } from '../../testing/with-server.ts';
import { withWorkers } from '../behaviour/fixtures/workers.ts';
import { withChild } from './fixtures/supervision-fixture.ts';

const OURS = [
  '--min-semi-space-size=10',
  '--max-semi-space-size=10',
  '--initial-old-space-size=64',
];

async function optionsOf(port: number): Promise<string[]> {
  const client = await RawClient.open(port);
  const response = await client.ask(get('/options', 'Connection: close'));
  client.half();
  return JSON.parse(response.text);
}

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
