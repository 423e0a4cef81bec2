// The uring driver against the suite of all drivers.

import { it } from 'node:test';
import { UringDriver } from '../../../src/driver/linux/uring.ts';
import { uringProblem } from '../../../src/driver/linux/uring-problem.ts';
import { isChosen, runDriverCases } from '../suite/cases.ts';

const isAsked = (process.env['VIBING_DRIVERS'] ?? '') !== '';
const problem = isChosen('uring') ? uringProblem() : null;

if (problem !== null) {
  // Elsewhere than on Linux it need not run; where it was asked for by name, it must.
  const isFailure = isAsked || process.platform === 'linux';
  it('uring runs here', isFailure ? {} : { skip: problem }, () => {
    throw new Error(problem);
  });
} else if (isChosen('uring')) {
  runDriverCases({ name: 'uring', make: (options) => new UringDriver(options) });
}
