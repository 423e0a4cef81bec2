// Fixtures of the tests of supervision: folders that make workers fail at their start, a connection
// to each worker, and processes that do not outlive their test.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChildProgram } from '../../testing/child-program.ts';
import { get, RawClient } from '../../testing/raw-client.ts';
import { eventually } from '../../testing/with-server.ts';
import { startProgram } from '../behaviour/fixtures/programs.ts';
import { isAlive } from '../behaviour/fixtures/workers.ts';

export async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'vibing-workers-'));
  try {
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A connection to each worker, by the process id of the worker. */
export async function connections(port: number, count: number): Promise<Map<number, RawClient>> {
  const clients = new Map<number, RawClient>();
  for (let tries = 0; clients.size < count && tries < 400; tries++) {
    const client = await RawClient.open(port);
    const pid = Number((await client.ask(get('/'))).text);
    if (clients.has(pid)) client.half();
    else clients.set(pid, client);
  }
  assert.equal(clients.size, count);
  return clients;
}

/** A process that is killed after the test; `before` is a shell command that runs first. */
export async function withChild(
  args: readonly string[],
  run: (child: ChildProgram) => Promise<void>,
  before = '',
): Promise<void> {
  const child = startProgram('workers-server', args, before);
  try {
    await run(child);
  } finally {
    child.process.kill('SIGKILL');
  }
}

export async function gone(pids: Iterable<number>): Promise<void> {
  await eventually('they have exited', () => ![...pids].some(isAlive));
}
