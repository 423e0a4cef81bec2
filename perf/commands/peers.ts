// npm run perf:peers: the server versus other servers.

import { PEER_SCENARIOS, PEERS } from '../catalog/peers.ts';
import { peerMarkdown, peerThresholds } from '../experiments/peer-table.ts';
import { measurePeers } from '../experiments/peers.ts';
import { readResults } from '../measure/results.ts';
import { writeReadme } from '../report/readme.ts';
import { writeReport } from '../report/write.ts';
import { NO_THRESHOLDS, runCommand } from '../runner/run-command.ts';

const START_SECONDS = 20;
const HAS_OTHER_FOLDER = process.env['VIBING_REPORTS'] !== undefined;

await runCommand({
  name: 'perf:peers',
  about:
    'Measures the server on both of its Linux drivers next to other servers and a floor of bare\n' +
    'system calls, in the same scenarios, windows in turn on the same core. Appends to\n' +
    'reports/results.jsonl, writes reports/index.html and the same figures into README.md.',
  programs: ['prlimit'],
  numbers: {
    rounds: { default: 5, max: 99, what: 'windows of each' },
    seconds: { default: 1, max: 60, what: 'length of a window' },
  },
  lists: {
    only: { values: PEERS, what: 'servers' },
    scenarios: { values: PEER_SCENARIOS, what: 'scenarios' },
  },
  secondsMax: ({ numbers: { rounds, seconds }, lists }) =>
    START_SECONDS * lists.only.length +
    lists.scenarios.length * lists.only.length * (rounds + 2) * (seconds + 2),
  run: async ({ numbers, lists }) => {
    const tables = await measurePeers(lists.only, lists.scenarios, numbers);
    console.log(`${peerMarkdown(tables)}\n\n${writeReport()}`);
    // README.md belongs to the results of this folder, not to those of another one.
    if (!HAS_OTHER_FOLDER) console.log(writeReadme(readResults().lines));
    const thresholds = tables.flatMap((table) => peerThresholds(table));
    return thresholds.length === 0 ? NO_THRESHOLDS : thresholds;
  },
});
