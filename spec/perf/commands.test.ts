// The commands of perf/ as processes: help, usage errors, and one that measures. Figures of speed
// are not judged.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { perfScript } from '../../perf/measure/child-process.ts';
import { readResults } from '../../perf/measure/results.ts';
import { pairingProblem } from '../../perf/system/prerequisites.ts';
import { epollProblem } from '../../src/driver/linux/epoll.ts';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { FIFTHS, inTurn } from '../../testing/rotation.ts';
import { slowTests } from '../../testing/slow-tests.ts';

leaveOutOfCoverage();

const TIMEOUT_MS = 60_000;
const PACKAGE = fileURLToPath(new URL('../../../package.json', import.meta.url));
const { scripts } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};
/** File names below perf/commands/ by the npm script that starts them. */
const commands = Object.entries(scripts).flatMap(([name, text]) => {
  const file = / perf\/commands\/([\w-]+)\.ts$/.exec(text)?.[1];
  return file === undefined ? [] : [[name, file] as const];
});

describe('commands of perf/', { timeout: 4 * TIMEOUT_MS }, () => {
  it('are one file for each npm script', () => {
    const files = readdirSync(perfScript('commands')).filter((name) => name.endsWith('.js'));
    assert.deepEqual(commands.map(([, file]) => `${file}.js`).sort(), files.sort());
  });

  for (const [name, file] of inTurn(commands, FIFTHS)) {
    it(`npm run ${name} has a help text`, () => {
      const { status, stderr, stdout } = run(file, '--help');
      assert.equal(status, 0, stderr);
      assert.ok(stdout.startsWith(`usage: npm run ${name} -- [option...]`), stdout);
      assert.match(stdout, /\nExit codes: /);
    });
  }

  it('have usage errors of one line', () => {
    const wrong: [string, string[], RegExp][] = [
      ['gate', ['--rounds', '4'], /^--rounds takes a whole number from 5 to 25; /],
      ['gate', ['--margin', '11'], /^--margin takes a whole number from 0 to 10; /],
      ['gate', ['--only', 'helo'], /^--only takes some of hello, .*, turns, not 'helo'; /],
      ['gate', ['--driver', 'iocp'], /^--driver takes one of auto, uring, epoll, net; /],
      ['floor', ['--only', 'helo'], /^--only takes some of hello, .*, not 'helo'; /],
      ['compare', ['main'], /^two commits are needed, as in main~5 main; /],
      ['compare', ['a', 'b', '--windows', '2'], /^--windows takes a whole number from 3 to 99; /],
    ];
    for (const [file, given, problem] of inTurn(wrong)) {
      const { status, stderr, stdout } = run(file, ...given);
      assert.deepEqual([status, stdout], [2, ''], stderr);
      assert.match(stderr, problem);
    }
  });
});

const slowTest = slowTests(FIFTHS);
const problem = pairingProblem(['prlimit']) ?? epollProblem() ?? false;

describe('npm run perf', { timeout: 2 * TIMEOUT_MS, skip: problem }, () => {
  slowTest('measures a scenario, appends its results and writes the page', () => {
    const folder = mkdtempSync(join(tmpdir(), 'vibing-perf-'));
    try {
      const script = perfScript('commands/perf.ts');
      const command = [script, '--quick', '--windows=1', '--scenarios=static-1k'];
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
      // A very busy machine does not reach 10,000 requests/s; then that rate is left out.
      for (const paced of lines.slice(1)) assert.equal(paced.askedRate, 10_000);
      assert.match(readFileSync(join(folder, 'index.html'), 'utf8'), /<h3>static-1k<\/h3>/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function run(file: string, ...args: string[]) {
  const command = [perfScript(`commands/${file}.ts`), ...args];
  return spawnSync(process.execPath, command, { encoding: 'utf8', timeout: TIMEOUT_MS });
}
