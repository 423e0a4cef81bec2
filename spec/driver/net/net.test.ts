// The portable driver against the suite of all drivers.

import { NetDriver } from '../../../src/driver/net/net.ts';
import { isChosen, runDriverCases } from '../suite/cases.ts';
import { alsoSkips } from '../suite/second-listener.ts';

if (isChosen('net')) {
  runDriverCases({ name: 'net', make: (options) => new NetDriver(options), skip: alsoSkips });
}
