// Each injected bug of the edges still fits the compiled code, and the page lists it.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { patched } from '../../harness/mutants/patch.ts';
import { KINDS } from './bug.ts';
import { BUGS } from './list.ts';
import { fewBugs, pageOf, readPage } from './page.ts';

/** Of the compiled file, in build/spec/injected/. */
const ROOT: string = fileURLToPath(new URL('../../../', import.meta.url));

describe('injected bugs of the edges', () => {
  it('fit the compiled files, and their tests exist', () => {
    for (const bug of BUGS) {
      const source = readFileSync(`${ROOT}build/src/${bug.file}`, 'utf8');
      assert.notEqual(patched(source, bug), source, bug.name);
      for (const test of bug.tests) assert.ok(existsSync(`${ROOT}spec/${test}.test.ts`), test);
    }
  });

  it('are on the page, and a test notices each', () => {
    const page = readFileSync(`${ROOT}spec/injected-bugs.md`, 'utf8');
    for (const { name } of BUGS) assert.ok(page.includes(`| ${name} |`), `on the page: ${name}`);
    const rows = page.match(/^\| [\w/-]+\.js \|/gm) ?? [];
    assert.equal(rows.length, BUGS.length, 'and no other one');
    assert.ok(!page.includes('**nothing**'), 'a test notices each of them');
  });

  it('are of each kind', () => {
    for (const kind of Object.keys(KINDS)) {
      assert.ok(BUGS.filter((bug) => bug.kind === kind).length >= 3, kind);
    }
  });

  it('are few for a commit, always the same, and all have their turn', () => {
    const page = readPage(readFileSync(`${ROOT}spec/injected-bugs.md`, 'utf8'));
    assert.equal(page.size, BUGS.length);
    const chosenFor = (commit: string) => fewBugs(BUGS, page, commit, 8).map(({ name }) => name);
    assert.deepEqual(chosenFor('8f00ba12'), chosenFor('8f00ba12'));
    const seen = new Set<string>();
    for (let commit = 0; commit < 400; commit++) {
      const chosen = chosenFor((commit * 0x9e3779b1).toString(16).padStart(8, '0').slice(-8));
      assert.equal(new Set(chosen).size, 8);
      for (const name of chosen) seen.add(name);
    }
    const slow = BUGS.filter(({ name }) => !seen.has(name));
    for (const { name } of slow) assert.ok((page.get(name)?.seconds ?? 0) > 5, name);
  });

  it('keep their lines on the page', () => {
    const text = readFileSync(`${ROOT}spec/injected-bugs.md`, 'utf8');
    assert.equal(pageOf(BUGS, readPage(text)), text);
  });
});
