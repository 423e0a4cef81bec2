// Makes the page of all results again: npm run perf:report. It measures nothing.

import { parseGiven, usage } from '../../testing/arguments.ts';
import { refuse } from '../../testing/usage-error.ts';
import { writeReport } from '../report/write.ts';

const SHAPE = {
  name: 'perf:report',
  about: 'Makes reports/index.html from reports/results.jsonl: a page that needs no network.',
  numbers: {},
  lists: {},
} as const;

const given = parseGiven(SHAPE, process.argv.slice(2));
if (typeof given === 'string') {
  process.exitCode = refuse(given);
} else if (given.help) {
  console.log(usage(SHAPE));
} else {
  console.log(writeReport());
}
