// npm run perf:report: writes the page of all results again, without measuring.

import { writeReport } from '../report/write.ts';
import { NO_THRESHOLDS, runCommand } from '../runner/run-command.ts';

const SECONDS_MAX = 60;

await runCommand({
  name: 'perf:report',
  about: 'Writes reports/index.html from reports/results.jsonl: a page that needs no network.',
  programs: null,
  numbers: {},
  lists: {},
  exitCodes: 'Exit codes: 0 when the page was written, 1 when not, 2 when the arguments are wrong.',
  isSilent: () => true,
  secondsMax: () => SECONDS_MAX,
  run: async () => {
    console.log(writeReport());
    return NO_THRESHOLDS;
  },
});
