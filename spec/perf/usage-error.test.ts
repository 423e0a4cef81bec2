// Every command of package.json: its usage error for an unknown option.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { inTurn } from '../../testing/rotation.ts';

leaveOutOfCoverage();

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};
/** Has the usage errors of `vibing serve`, whose flags it takes. */
const OTHERS = ['serve'];

/** The commands by their compiled scripts; several commands of one script count once. */
const commands: ReadonlyMap<string, string> = new Map(
  Object.entries(scripts).flatMap(([name, text]) => {
    const script = /^node \.ci\/start\.mjs (\S+)\.ts\b/.exec(text)?.[1];
    return script === undefined || OTHERS.includes(name) ? [] : [[script, name]];
  }),
);

describe('commands', { timeout: 120_000 }, () => {
  it('are found in package.json', () => {
    assert.ok(commands.size >= 25, String(commands.size));
  });

  for (const [script, name] of inTurn([...commands])) {
    it(`npm run ${name} reports an unknown option in one line`, () => {
      const path = `${ROOT}build/${script}.js`;
      const { status, stdout, stderr } = spawnSync(process.execPath, [path, '--no-such-option'], {
        cwd: ROOT,
        encoding: 'utf8',
        timeout: 60_000,
      });
      assert.deepEqual([status, stdout], [2, ''], stderr);
      assert.match(stderr, /^.*--no-such-option.*; --help lists the options\n$/);
    });
  }
});
