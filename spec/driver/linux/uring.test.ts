// The uring driver against the suite of all drivers.

import { it } from 'node:test';
import { UringDriver } from '../../../src/driver/linux/uring.ts';
import { uringProblem } from '../../../src/driver/linux/uring-problem.ts';
import { isChosen, runDriverCases } from '../suite/cases.ts';

const isNamed = (process.env['VIBING_DRIVERS'] ?? '') !== '';
const problem = isChosen('uring') ? uringProblem() : null;

if (problem !== null) {
  // It need not run on other systems than Linux, but must where VIBING_DRIVERS is set.
  const isFailure = isNamed || process.platform === 'linux';
  it('uring runs here', isFailure ? {} : { skip: problem }, () => {
    throw new Error(problem);
  });
} else if (isChosen('uring')) {
  runDriverCases({ name: 'uring', make: (options) => new UringDriver(options) });
}
