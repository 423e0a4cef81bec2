// Runs one group of micro-benchmarks in a process of its own and prints its figures as one line of
// JSON. In one process for all, the types that shared code gets from one group would slow the next.
//
//   node build/perf/bench/run-group.js GROUP MILLISECONDS

import { GROUPS } from './groups.ts';
import { measureCases } from './measure.ts';

const [name = '', ms = ''] = process.argv.slice(2);
const group = GROUPS.find((one) => one.name === name);
if (group === undefined) throw new Error(`no group '${name}'`);
const results = await measureCases(name, await group.cases(), Number(ms));
process.stdout.write(`${JSON.stringify(results)}\n`, () => {
  // The driver group leaves sockets open, which would keep the process alive.
  process.exit();
});
