// A log file of several workers: SIGUSR1 to the primary opens it again in each of them.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ChildProgram } from '../../testing/child-program.ts';
import { get, RawClient } from '../../testing/raw-client.ts';
import { eventually } from '../../testing/with-server.ts';

const PROGRAM = fileURLToPath(new URL('programs/log-server.js', import.meta.url));
const LINUX_ONLY = process.platform === 'linux' ? false : 'workers share a listener on Linux';

/** Asks until both workers have responded. */
async function askBoth(port: number, target: string): Promise<number> {
  const seen = new Set<string>();
  let count = 0;
  while (seen.size < 2) {
    const client = await RawClient.open(port);
    seen.add((await client.ask(get(target))).text);
    client.reset();
    count += 1;
    assert.ok(count < 2_000, 'both workers have clients');
  }
  return count;
}

test('after SIGUSR1 all workers write to the new file', { skip: LINUX_ONLY }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vibing-workers-'));
  const path = join(folder, 'access.log');
  const child = new ChildProgram(PROGRAM, [path]);
  try {
    const port = Number((await child.firstLine())['port']);
    const before = await askBoth(port, '/?before');
    // A worker makes the file when it begins to write.
    const lines = (file: string) =>
      existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
    await eventually('all lines', () => lines(path).length === before);
    renameSync(path, `${path}.1`);
    child.process.kill('SIGUSR1');
    // The signal reaches the workers some time later: a round after that is all in the new file.
    let asked = before;
    let last = '';
    const isAll = (count: number) => {
      return lines(path).filter((line) => line === last).length === count;
    };
    for (let round = 0; ; round++) {
      assert.ok(round < 100, 'both workers have opened the new file');
      last = `/?round=${round}`;
      const count = await askBoth(port, last);
      asked += count;
      const written = () => lines(`${path}.1`).length + lines(path).length;
      await eventually('all lines', () => written() === asked);
      if (isAll(count)) break;
    }
    assert.equal(await child.end(), 0, child.problems);
    assert.deepEqual(lines(`${path}.1`).slice(0, before), Array(before).fill('/?before'));
    assert.doesNotMatch(child.problems, /Debugger listening/);
  } finally {
    child.process.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
});
