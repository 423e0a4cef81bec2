// The epoll driver against the suite of all drivers.

import { it } from 'node:test';
import { EpollDriver, epollProblem } from '../../../src/driver/linux/epoll.ts';
import { isChosen, runDriverCases } from '../suite/cases.ts';

const isAsked = (process.env['VIBING_DRIVERS'] ?? '') !== '';
const problem = isChosen('epoll') ? epollProblem() : null;

if (problem !== null) {
  // Elsewhere than on Linux it need not run; where it was asked for by name, it must.
  const isFailure = isAsked || process.platform === 'linux';
  it('epoll runs here', isFailure ? {} : { skip: problem }, () => {
    throw new Error(problem);
  });
} else if (isChosen('epoll')) {
  runDriverCases({ name: 'epoll', make: (options) => new EpollDriver(options) });
}
