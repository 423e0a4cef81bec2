// A process for the tests of the young generation: chooses a driver or does not, makes a few
// megabytes of objects that stay, and prints the bytes of a semi-space.

import { getHeapSpaceStatistics } from 'node:v8';
import { Slab } from '../../../src/base/slab.ts';
import { chooseDriver } from '../../../src/driver/choose.ts';

/** Enough for two growths from the smallest size, when each doubles it. */
const KEPT = 60_000;

if (process.argv[2] === 'serves') {
  chooseDriver('net', { slab: new Slab(1024, 4), slots: 4, backlog: 8 }).driver.destroy();
}
const kept: object[] = [];
for (let index = 0; index < KEPT; index++) kept.push({ index, list: [index, index, index] });

const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
console.log((space?.space_used_size ?? 0) + (space?.space_available_size ?? 0));
process.exitCode = kept.length === KEPT ? 0 : 1;
