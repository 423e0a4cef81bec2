// Makes the page of all results again: npm run perf:report. It measures nothing.

import { parseGiven, usage } from '../arguments.ts';
import { writeReport } from './write.ts';

const SHAPE = {
  name: 'perf:report',
  about: 'Makes reports/index.html from reports/results.jsonl: a page that needs no network.',
  numbers: {},
  lists: {},
} as const;

const given = parseGiven(SHAPE, process.argv.slice(2));
if (typeof given === 'string') {
  console.error(`${given}\n\n${usage(SHAPE)}`);
  process.exitCode = 2;
} else if (given.help) {
  console.log(usage(SHAPE));
} else {
  console.log(writeReport());
}
