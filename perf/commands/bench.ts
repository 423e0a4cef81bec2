// npm run bench: the micro-benchmarks.

import type { BenchResult } from '../bench/case.ts';
import { groupsNamed } from '../bench/groups.ts';
import { BENCH_GROUPS } from '../bench/positionals.ts';
import { groupMsMax, resultsOf } from '../bench/run-groups.ts';
import { benchTable } from '../bench/table.ts';
import { describeMachine } from '../measure/machine.ts';
import { NO_THRESHOLDS, runCommand } from '../runner/run-command.ts';

await runCommand({
  name: 'bench',
  about:
    'Measures parts of the server by themselves. Times are nanoseconds for one operation: the\n' +
    'best sample, the median, and the quartiles.',
  programs: null,
  numbers: { ms: { default: 300, max: 10_000, what: 'time for each case' } },
  lists: {},
  flags: { json: 'prints one JSON document and nothing else' },
  positionals: BENCH_GROUPS,
  exitCodes:
    'Exit codes: 0 when all was measured, 1 when a run fails, 2 when the arguments are wrong.',
  isSilent: ({ flags }) => flags['json'],
  secondsMax: ({ numbers, positionals }) =>
    (groupsNamed(positionals).length * groupMsMax(numbers.ms)) / 1000,
  run: async ({ numbers, flags, positionals }) => {
    const all: BenchResult[] = [];
    for (const group of groupsNamed(positionals)) {
      const results = await resultsOf(group, numbers.ms);
      all.push(...results);
      if (!flags['json']) console.log(`${group.name}: ${group.what}\n${benchTable(results)}\n`);
    }
    if (flags['json']) {
      const document = { format: 1, ...describeMachine(), msPerCase: numbers.ms, results: all };
      console.log(JSON.stringify(document, null, 2));
    }
    return NO_THRESHOLDS;
  },
});
