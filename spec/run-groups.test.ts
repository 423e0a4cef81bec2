// Which test files share a process: those that change nothing of it, each in one group.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayShare, sharedProcesses } from './run-groups.ts';

const PURE = "import { test } from 'node:test';\nimport { parse } from '../../src/http/a.ts';\n";

test('files that change nothing of the process are in one group each', () => {
  const files = Array.from({ length: 30 }, (_, index) => `build/spec/http/${index}.test.js`);
  const groups = sharedProcesses(files, () => PURE);
  assert.deepEqual(groups.flat(), files);
  assert.ok(groups.length > 1 && groups.length < 6);
});

test('a file that changes the process, or counts what it holds, has one of its own', () => {
  for (const line of [
    "process.env['A'] = 'b';",
    'process.on("exit", () => {});',
    'beforeEach(() => {});',
    "import { mock, test } from 'node:test';",
    "import { spawn } from 'node:child_process';",
    "import { withServer } from '../../testing/with-server.ts';",
    'globalThis.fetch = fake;',
  ]) {
    assert.equal(mayShare('build/spec/http/a.test.js', `${PURE}${line}\n`), false, line);
  }
  const harmless = 'const version = process.versions.node;\n  before(() => {});\n';
  assert.equal(mayShare('build/spec/http/a.test.js', PURE + harmless), true);
});

test('files of folders that start servers and processes have their own', () => {
  for (const folder of ['cluster', 'browser', 'driver/linux']) {
    assert.equal(mayShare(`build/spec/${folder}/a.test.js`, PURE), false);
  }
});
