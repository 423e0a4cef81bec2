// The docstrings of the options of createServer in the package, which come from the table of
// configuration keys.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LIMITS } from '../../src/base/limits.ts';
import { KEYS } from '../../src/server/config/keys.ts';
import { ROOT } from '../../testing/child-program.ts';

const TYPES = join(ROOT, 'dist', 'types');

test('every option has a docstring, limits with their default and unit', () => {
  const declared = ['server', 'static']
    .map((name) => readFileSync(join(TYPES, `${name}.d.ts`), 'utf8'))
    .join('\n');
  for (const { option } of KEYS) {
    const member = new RegExp(`(/\\*\\*(?:[^*]|\\*(?!/))*\\*/)\\n +readonly ${option}\\?:`);
    const [, comment] = member.exec(declared) ?? [];
    assert.ok(comment !== undefined, `${option} has a docstring`);
    assert.doesNotMatch(comment.replaceAll(/`[^`]*`/g, ''), /\w_\w/, 'names of other options');
    if (!(option in LIMITS)) continue;
    const { default: value, unit } = LIMITS[option as keyof typeof LIMITS];
    const wanted = `Default ${value.toLocaleString('en')}${unit === 'count' ? '' : ` ${unit}`}.`;
    assert.ok(comment.includes(wanted), `${option}: ${wanted} in ${comment}`);
  }
});
