// A driver in a process without free descriptors. The test file runs a second time as that process,
// under a low limit; the clients are in the first.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { ERRNO } from '../../../src/base/errno.ts';
import { Op } from '../../../src/driver/driver.ts';
import type { Case } from './case.ts';
import { Client } from './client.ts';
import { Fixture, type MakeDriver, until } from './fixture.ts';

/** Set in the process without descriptors. */
const VARIABLE = 'VIBING_FEW_DESCRIPTORS';
const DESCRIPTORS = 200;

export const exhaustedCases: readonly Case[] = [
  {
    name: 'without descriptors clients wait or are closed, and are served once there are some',
    needs: process.platform === 'win32' ? 'Windows has no such limit' : null,
    async run() {
      const child = spawn(
        'sh',
        ['-c', `ulimit -n ${DESCRIPTORS} && exec "$0" "$1"`, process.execPath, testFile()],
        {
          env: { PATH: process.env['PATH'], [VARIABLE]: '1' },
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      const exited = new Promise((resolve) => child.once('exit', resolve));
      const said = listenTo(child);
      try {
        await until('the child has no descriptor left', () => said().includes('exhausted'));
        const port = Number(/port (\d+)/.exec(said())?.[1]);
        const early = await Client.open(port);
        early.socket.write('early');
        await until('the child has descriptors', () => said().includes('freed'));
        const late = await Client.open(port);
        late.socket.write('later');
        await late.hasBytes(5);
        assert.equal(late.text, 'ready');
        if (!early.closed && !early.ended) await early.isGone();
        assert.ok(early.text === '' || early.text === 'ready');
        assert.equal(await exited, 0);
      } finally {
        child.kill();
      }
    },
  },
];

function testFile(): string {
  return String(process.argv[1]);
}

function listenTo(child: ChildProcess): () => string {
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    text += String(chunk);
  });
  return () => text;
}

export function isExhausted(): boolean {
  return process.env[VARIABLE] !== undefined;
}

/** The other process: uses up its descriptors, then serves the client that sends 'later'. */
export async function serveExhausted(make: MakeDriver): Promise<void> {
  const fixture = new Fixture(make);
  const port = await fixture.listen();
  const taken: number[] = [];
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'EMFILE');
  }
  process.stdout.write(`port ${port}\nexhausted\n`);
  const slot = fixture.connect({ host: '127.0.0.1', port });
  assert.equal((await fixture.wait(Op.Connect, slot)).result, -ERRNO.EMFILE);
  await fixture.close(slot);
  // Node closes such clients by itself, perhaps without an event.
  let rounds = 0;
  await until('a fault, or time for one', () => {
    rounds += 1;
    return fixture.completionCount(Op.Accept, -1) > 0 || rounds > 500;
  });
  fixture.driver.setAccepting(false);
  for (const { result } of fixture.takeCompletions(Op.Accept, -1))
    assert.equal(result, -ERRNO.EMFILE);
  for (const fd of taken) closeSync(fd);
  fixture.driver.setAccepting(true);
  process.stdout.write('freed\n');
  for (let isLate = false; !isLate; ) {
    const { result } = await fixture.wait(Op.Accept, -1);
    // A fault from before may still come.
    if (result < 0) continue;
    const client = fixture.adopt(result);
    const heard = String(await fixture.readAll(client, 5));
    await fixture.write(client, 'ready');
    await fixture.close(client);
    isLate = heard === 'later';
  }
  await fixture.end();
}
