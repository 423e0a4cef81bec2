// The epoll driver against the suite of all drivers.

import { it } from 'node:test';
import { EpollDriver, epollProblem } from '../../../src/driver/linux/epoll.ts';
import { isChosen, runDriverCases } from '../suite/cases.ts';

const isNamed = (process.env['VIBING_DRIVERS'] ?? '') !== '';
const problem = isChosen('epoll') ? epollProblem() : null;

if (problem !== null) {
  // It need not run on other systems than Linux, but must where VIBING_DRIVERS is set.
  const isFailure = isNamed || process.platform === 'linux';
  it('epoll runs here', isFailure ? {} : { skip: problem }, () => {
    throw new Error(problem);
  });
} else if (isChosen('epoll')) {
  runDriverCases({ name: 'epoll', make: (options) => new EpollDriver(options) });
}
