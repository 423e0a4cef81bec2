// The V8 options of workers: a young generation for a server, unless the program or its user sets
// its size. With real processes: supervision-options.test.ts.

import assert from 'node:assert/strict';
import cluster from 'node:cluster';
import { totalmem } from 'node:os';
import { it, mock } from 'node:test';
import { PROCESS_BYTES_MIN } from '../../src/base/fixed-limits.ts';
import { workerOptions } from '../../src/cluster/worker-options.ts';

const OURS = [
  '--min-semi-space-size=10',
  '--max-semi-space-size=10',
  '--initial-old-space-size=64',
];

/** Runs `body` with execArgv in the settings of node:cluster. */
function withGiven(execArgv: string[] | undefined, body: () => void): void {
  const before = cluster.settings.execArgv;
  if (execArgv === undefined) delete cluster.settings.execArgv;
  else cluster.settings.execArgv = execArgv;
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

it('options of this process are those of its workers, where the program sets none', () => {
  const { execArgv } = process;
  process.execArgv = ['--trace-gc'];
  try {
    withGiven(undefined, () => assert.deepEqual(workerOptions(1), ['--trace-gc', ...OURS]));
    withGiven([], () => assert.deepEqual(workerOptions(1), OURS));
  } finally {
    process.execArgv = execArgv;
  }
});

it('sizes in NODE_OPTIONS are used', (context) => {
  const { NODE_OPTIONS } = process.env;
  context.after(() => {
    if (NODE_OPTIONS === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = NODE_OPTIONS;
  });
  process.env['NODE_OPTIONS'] = '--max-semi-space-size=8';
  withGiven(['--trace-gc'], () => assert.deepEqual(workerOptions(1), ['--trace-gc']));
  delete process.env['NODE_OPTIONS'];
  withGiven(['--trace-gc'], () => assert.deepEqual(workerOptions(1), ['--trace-gc', ...OURS]));
});

it('workers on little memory have the default sizes of V8', () => {
  const count = Math.floor(totalmem() / PROCESS_BYTES_MIN);
  withGiven([], () => {
    // 0 is no limit, and so is more than there is.
    for (const constrained of [0, 2 * totalmem()]) {
      mock.method(process, 'constrainedMemory', () => constrained);
      assert.deepEqual(workerOptions(count), OURS, 'all of the memory for so many');
      assert.deepEqual(workerOptions(count + 1), []);
    }
    mock.method(process, 'constrainedMemory', () => 2 * PROCESS_BYTES_MIN);
    assert.deepEqual(workerOptions(2), OURS, 'the limit of the control groups');
    assert.deepEqual(workerOptions(3), []);
  });
  mock.restoreAll();
});
