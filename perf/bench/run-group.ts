// Runs one group of micro-benchmarks in a process of its own and prints its figures as one line of
// JSON. In one process, the types that one group feeds shared code would slow the next down.
//
//   node build/perf/bench/run-group.js GROUP MILLISECONDS

import { GROUPS } from './groups.ts';
import { measureCases } from './measure.ts';

const [name = '', ms = ''] = process.argv.slice(2);
const group = GROUPS.find((one) => one.name === name);
if (group === undefined) throw new Error(`no group '${name}'`);
const results = await measureCases(name, await group.cases(), Number(ms));
process.stdout.write(`${JSON.stringify(results)}\n`, () => {
  // Sockets of the group of drivers are still open; the measurement is over.
  process.exit();
});
