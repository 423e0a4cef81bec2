// The portable driver against the suite of all drivers.

import { NetDriver } from '../../src/driver/net.ts';
import { isChosen, runDriverCases } from './cases.ts';
import { alsoSkips } from './cases-also.ts';

if (isChosen('net')) {
  runDriverCases({ name: 'net', make: (options) => new NetDriver(options), skip: alsoSkips });
}
