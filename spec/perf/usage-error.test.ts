// Every command of package.json: what it says of wrong arguments.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};
/** Speaks as `vibing serve` does, whose flags it takes. */
const OTHERS = ['serve'];

/** Compiled scripts by their commands; several commands of a script are one. */
const commands: ReadonlyMap<string, string> = new Map(
  Object.entries(scripts).flatMap(([name, text]) => {
    const script = /^node \.ci\/start\.mjs (\S+)\.ts\b/.exec(text)?.[1];
    return script === undefined || OTHERS.includes(name) ? [] : [[script, name]];
  }),
);

describe('commands', { timeout: 120_000 }, () => {
  it('are those of this project', () => {
    assert.ok(commands.size >= 25, String(commands.size));
  });

  for (const [script, name] of commands) {
    it(`npm run ${name} refuses with one line`, () => {
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
