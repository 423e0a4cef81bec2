// The commands that make documents have --help, and report wrong arguments in one line. What they
// make needs packages of their own, which tests do not install.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../../testing/child-program.ts';
import { documentPaths } from './fixtures/documents.ts';

const COMMANDS = ['docs-api', 'docs-site'];
const SITE = join(ROOT, 'docs', 'packages', 'site');

for (const name of COMMANDS) {
  test(name, () => {
    const script = join(ROOT, '.ci', `${name}.mjs`);
    const run = (...args: readonly string[]) =>
      spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
    const help = run('--help');
    assert.deepEqual([help.status, help.stderr], [0, '']);
    assert.match(help.stdout, new RegExp(`^usage: npm run ${name.replace('-', ':')}`));
    const wrong = run('--wat');
    assert.deepEqual([wrong.status, wrong.stdout], [2, '']);
    assert.match(wrong.stderr, /^unknown argument --wat; [^\n]+\n$/);
  });
}

test('their packages install without scripts and hosts', () => {
  for (const folder of ['site', 'typedoc']) {
    const path = join(ROOT, 'docs', 'packages', folder, 'package-lock.json');
    const { packages } = JSON.parse(readFileSync(path, 'utf8'));
    for (const [name, { resolved }] of Object.entries<{ resolved?: string }>(packages)) {
      assert.equal(resolved, undefined, name);
    }
  }
});

test('the navigation of the site leads to pages', () => {
  const settings = readFileSync(join(SITE, 'config.mjs'), 'utf8');
  const [groups] = /const GROUPS = \{[\s\S]*?^\};/m.exec(settings) ?? [''];
  const named = [...groups.matchAll(/'([\w-]+)'/g)].map(([, name]) => `docs/${name}.md`);
  assert.ok(named.length > 10);
  const pages = documentPaths();
  for (const path of named) assert.ok(pages.includes(path), path);
  const home = readFileSync(join(SITE, 'index.md'), 'utf8');
  const links = [...home.matchAll(/link: \/([\w-]+)/g)];
  assert.ok(links.length >= 5, `${links.length} links`);
  for (const [, link] of links) {
    assert.ok(existsSync(join(ROOT, 'docs', `${link}.md`)), link);
  }
});
