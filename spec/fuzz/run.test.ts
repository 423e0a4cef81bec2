// npm run fuzz as a command: its arguments, a short run, and the replay of a finding.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseFuzzArguments, TARGETS, USAGE } from '../../fuzz/commands/arguments.ts';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { slowTests } from '../../testing/slow-tests.ts';

const slowTest = slowTests();

leaveOutOfCoverage();

const SCRIPT = fileURLToPath(new URL('../../fuzz/commands/fuzz.js', import.meta.url));
const PROOF = fileURLToPath(new URL('../../fuzz/commands/proof.js', import.meta.url));

interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly errors: string;
}

function run(script: string, ...given: string[]): Ended {
  const options = { encoding: 'utf8', timeout: 120_000 } as const;
  const ended = spawnSync(process.execPath, [script, ...given], options);
  return { status: ended.status, out: ended.stdout, errors: ended.stderr };
}

/** The fuzzer of a copy of the project that accepts any byte as the CR after chunk data. */
function brokenCopy(folder: string): string {
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  cpSync(join(root, 'build'), join(folder, 'build'), {
    recursive: true,
    filter: (path) => !path.endsWith('.map') && !path.endsWith('mirrors'),
  });
  for (const name of ['package.json', 'node_modules']) {
    symlinkSync(join(root, name), join(folder, name));
  }
  const file = join(folder, 'build/src/http/chunked.js');
  const code = readFileSync(file, 'utf8');
  const broken = code.replace(
    /if \(bytes\[p\] !== CR\)(\s+return this\.fail\(p, faultAfterData)/,
    'if (false)$1',
  );
  assert.notEqual(broken, code, 'the mistake is injected');
  writeFileSync(file, broken);
  return join(folder, 'build/fuzz/commands/fuzz.js');
}

describe('arguments of npm run fuzz', () => {
  it('have defaults', () => {
    assert.deepEqual(parseFuzzArguments(['--seed', '1']), {
      targets: TARGETS,
      seconds: 60,
      seed: 1,
      executions: 0,
      keeps: false,
      replay: '',
      help: false,
    });
  });

  it('have a random seed by default', () => {
    const seeds = [0, 1, 2].map(() => {
      const given = parseFuzzArguments([]);
      assert.ok(typeof given !== 'string');
      return given.seed;
    });
    assert.ok(new Set(seeds).size > 1, seeds.join(' '));
  });

  it('are parsed', () => {
    const given = parseFuzzArguments(['--target', 'config,head', '--seconds=5', '--seed', '7']);
    assert.ok(typeof given !== 'string');
    assert.deepEqual([given.targets, given.seconds, given.seed], [['head', 'config'], 5, 7]);
  });

  it('are rejected with one line', () => {
    const wrong: [string[], RegExp][] = [
      [['--seconds', '0'], /^--seconds takes a whole number from 1 to/],
      [['--seconds', '1.5'], /^--seconds takes/],
      [['--seed', '-1'], /./],
      [['--seed', '4294967296'], /^--seed takes/],
      [['--executions', '0'], /^--executions takes/],
      [['--target', 'heads'], /^--target takes names of .*not 'heads'$/],
      [['--replay', ''], /^--replay takes a file$/],
      [['--seconds', '5', '--executions', '9'], /^--seconds and --executions exclude each/],
      [['--fast'], /--fast/],
      [['head'], /head/],
    ];
    for (const [given, problem] of wrong) {
      const result = parseFuzzArguments(given);
      assert.ok(typeof result === 'string', given.join(' '));
      assert.match(result, problem);
      assert.ok(!result.includes('\n'));
    }
  });

  it('are listed in the help', () => {
    const { status, out } = run(SCRIPT, '--help');
    assert.deepEqual([status, out], [0, `${USAGE}\n`]);
    for (const name of ['target', 'seconds', 'executions', 'seed', 'keep', 'replay', 'help']) {
      assert.ok(USAGE.includes(`--${name} `), name);
    }
  });

  it('exit with 2 for a usage error', () => {
    const { status, out, errors } = run(SCRIPT, '--seconds', 'x');
    assert.deepEqual([status, out, errors.trim().split('\n').length], [2, '', 1]);
    assert.equal(run(SCRIPT, '--replay', join(tmpdir(), 'head', 'none')).status, 2);
    assert.equal(run(PROOF, '--help').status, 0);
    assert.equal(run(PROOF, 'x').status, 2);
  });
});

describe('npm run fuzz', () => {
  slowTest('runs targets and prints their figures', () => {
    const { status, out } = run(
      SCRIPT,
      '--target',
      'chunked',
      '--executions',
      '3000',
      '--seed',
      '1',
    );
    assert.equal(status, 0, out);
    assert.match(out, /^chunked: [\d,]+ executions in [\d.]+ s, .* seed 1$/m);
  });

  slowTest('exits with 1 for a finding, writes it, and replays it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
    try {
      const broken = brokenCopy(folder);
      const { status, out } = run(broken, '--target', 'chunked', '--seconds', '100');
      assert.equal(status, 1, out);
      assert.match(out, /^chunked: FOUND after \d+ executions$/m);
      const file = /^repeat with: npm run fuzz -- --replay (.+)$/m.exec(out)?.[1];
      assert.ok(file !== undefined, out);
      const again = run(broken, '--replay', file);
      assert.equal(again.status, 1, again.out);
      assert.doesNotMatch(again.out, /no finding/);
      const sound = run(SCRIPT, '--replay', file);
      assert.equal(sound.status, 0, sound.out);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  slowTest('runs one input', () => {
    const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
    try {
      mkdirSync(join(folder, 'head'));
      const file = join(folder, 'head', 'input');
      writeFileSync(file, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      const { status, out } = run(SCRIPT, '--replay', file);
      assert.equal(status, 0, out);
      assert.match(out, /^head: no finding$/m);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
