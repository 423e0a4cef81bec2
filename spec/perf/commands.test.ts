// The scripts that measure, as processes: they tell what they take and refuse the rest, and one of
// them measures. No figure of speed is looked at.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pairingProblem, perfScript } from '../../perf/measure/child-process.ts';
import { readResults } from '../../perf/measure/results.ts';
import { epollProblem } from '../../src/driver/linux/epoll.ts';

const SCRIPTS = [
  'perf',
  'report/main',
  'peers',
  'quiet',
  'idle-connections',
  'slow-clients',
  'soak',
  'reload',
  'breakdown',
  'flame',
  'clinic',
];
const TIMEOUT_MS = 60_000;

describe('scripts that measure', { timeout: 4 * TIMEOUT_MS }, () => {
  for (const script of SCRIPTS) {
    it(`${script} helps`, () => {
      const help = run(script, '--help');
      assert.equal(help.status, 0, help.stderr);
      assert.match(help.stdout, /^usage: npm run [\w:]+ -- /);
    });
  }
});

const problem = pairingProblem(['prlimit']) ?? epollProblem() ?? false;

describe('perf', { timeout: 2 * TIMEOUT_MS, skip: problem }, () => {
  it('measures a scenario, writes lines of it and makes the page', () => {
    const folder = mkdtempSync(join(tmpdir(), 'vibing-perf-'));
    try {
      const command = [perfScript('perf.ts'), '--quick', '--windows=1', '--scenarios=static-1k'];
      const { status, stderr, stdout } = spawnSync(process.execPath, command, {
        encoding: 'utf8',
        timeout: TIMEOUT_MS,
        env: { ...process.env, VIBING_REPORTS: folder },
      });
      assert.equal(status, 0, `${stdout}${stderr}`);
      assert.match(stdout, /^static-1k +[\d,]+ +/m);
      const { badLines, lines } = readResults(join(folder, 'results.jsonl'));
      assert.deepEqual(badLines, []);
      const [full] = lines;
      assert.deepEqual([full.scenario, full.load, full.windows], ['static-1k', 'full', 1]);
      assert.ok(full.rate.median > 0);
      assert.ok((full.cpuUs?.median ?? 0) > 0);
      assert.ok((full.floor?.rate.median ?? 0) > 0);
      assert.equal(full.latencyMs['50'] > 0, true);
      // A machine that is very busy cannot give 10,000 requests/s, and then is not asked for it.
      for (const paced of lines.slice(1)) assert.equal(paced.askedRate, 10_000);
      assert.match(readFileSync(join(folder, 'index.html'), 'utf8'), /<h3>static-1k<\/h3>/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function run(script: string, ...args: string[]) {
  const command = [perfScript(`${script}.ts`), ...args];
  return spawnSync(process.execPath, command, { encoding: 'utf8', timeout: TIMEOUT_MS });
}
