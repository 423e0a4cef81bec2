// The programs in docs/testing.md, docs/fetch.md and docs/getting-started.md run as they are shown.
// The functions of Vitest and Jest that they call are replaced: neither is installed.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ROOT } from '../../testing/child-program.ts';
import { run } from '../../testing/program.ts';

const TIMEOUT_MS = 60_000;

/** What the examples use of other test runners, on those of Node. */
const SHIM = `
  import assert from 'node:assert/strict';
  export { test } from 'node:test';
  export const expect = (found) => ({
    toBe: (wanted) => assert.equal(found, wanted),
  });
`;

/** Prints what the servers of docs/fetch.md respond. */
const FETCH_MAIN = `
  import { server as hono } from './hono.js';
  import { server as plain } from './plain.js';
  const texts = [];
  for (const target of ['/', '/ip']) texts.push(await (await hono.inject(target)).text());
  const sum = await plain.inject({ method: 'POST', target: '/sum/7', json: [1, 2] });
  console.log([...texts, await sum.text()].join('\\n'));
`;

/** The programs of a document, by the name of the file in their first line. */
function programsOf(document: string): Map<string, string> {
  const text = readFileSync(join(ROOT, 'docs', document), 'utf8');
  const programs = new Map<string, string>();
  for (const [, name, program] of text.matchAll(/^```js\n\/\/ (\S+)\n([\s\S]*?)^```$/gm)) {
    programs.set(name, program.replaceAll(/'(vitest|@jest\/globals)'/g, "'./shim.js'"));
  }
  return programs;
}

describe('the programs of the documents', { timeout: TIMEOUT_MS }, () => {
  let folder = '';

  before(() => {
    // Within the package, so that they import it by its name.
    folder = mkdtempSync(join(ROOT, 'build', 'documented-'));
    writeFileSync(join(folder, 'shim.js'), SHIM);
  });

  after(() => rmSync(folder, { recursive: true }));

  function write(programs: ReadonlyMap<string, string>): string[] {
    for (const [name, program] of programs) writeFileSync(join(folder, name), program);
    return [...programs.keys()];
  }

  it('test handlers', async () => {
    const first = write(programsOf('getting-started.md'));
    assert.deepEqual(first, ['server.test.js']);
    const names = write(programsOf('testing.md'));
    const tests = names.filter((name) => name !== 'notes.js');
    assert.deepEqual(tests, [
      'notes.test.js',
      'notes.vitest.js',
      'notes.jest.js',
      'events.test.js',
    ]);
    const main = join(folder, 'all-tests.js');
    // Without this the child would report to the runner of this test.
    const imports = [...first, ...tests].map((name) => `await import('./${name}');`);
    const lines = ['delete process.env.NODE_TEST_CONTEXT;', ...imports];
    writeFileSync(main, lines.join('\n'));
    const { code, out, problems } = await run(main, []);
    assert.equal(code, 0, out + problems);
    assert.match(out, /^\D+ tests 6$/m);
    assert.match(out, /^\D+ pass 6$/m);
  });

  it('serve functions of the Fetch standard', async () => {
    assert.deepEqual(write(programsOf('fetch.md')), ['hono.js', 'plain.js']);
    const main = join(folder, 'fetch-main.js');
    writeFileSync(main, FETCH_MAIN);
    const { code, out, problems } = await run(main, []);
    assert.equal(code, 0, problems);
    assert.equal(out, 'Hello Hono!\n127.0.0.1\n{"id":"7","sum":3}\n');
  });
});
