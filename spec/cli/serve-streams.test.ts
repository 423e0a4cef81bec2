// `vibing serve` whose standard output or error cannot be written: it serves, and exits at SIGTERM.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RawClient } from '../../testing/raw-client.ts';
import { eventually, wait } from '../../testing/with-server.ts';
import { Pipe } from '../behaviour/fixtures/log-process.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const FOLDER = mkdtempSync(join(tmpdir(), 'vibing-streams-'));
let sockets = 0;
const ENDS_MS_MAX = 30_000;
const skip = existsSync('/dev/full') ? false : 'there is no /dev/full';

after(() => rmSync(FOLDER, { recursive: true, force: true }));

/** The socket file exists a moment before the server listens. */
async function opened(socket: string): Promise<RawClient> {
  for (let tries = 0; tries < 100; tries++) {
    const client = await RawClient.open(socket).catch(() => wait(20));
    if (client !== undefined) return client;
  }
  return RawClient.open(socket);
}

/** Serves some bad requests; returns the exit code. */
async function served(out: number, error: number): Promise<number> {
  sockets += 1;
  const socket = join(FOLDER, `socket-${sockets}`);
  const args = [MAIN, 'serve', FOLDER, '--socket', socket, '--log-level', 'debug'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', out, error] });
  const exit = once(child, 'exit');
  try {
    const isUp = () => existsSync(socket) || child.exitCode !== null;
    await eventually('the server listens', isUp);
    for (let round = 0; round < 20; round++) {
      const client = await opened(socket);
      const response = await client.ask('BAD\r\n\r\n');
      assert.equal(response.status, 400);
      client.reset();
    }
    const beganMs = performance.now();
    child.kill('SIGTERM');
    const [code] = await exit;
    assert.ok(performance.now() - beganMs < ENDS_MS_MAX);
    return code;
  } finally {
    child.kill('SIGKILL');
  }
}

describe('vibing serve', { skip, timeout: 60_000 }, () => {
  test('on pipes that are full', async () => {
    const [out, error] = [new Pipe(), new Pipe()];
    out.fill();
    error.fill();
    assert.equal(await served(out.writer, error.writer), 0);
  });

  test('on pipes whose readers are gone', async () => {
    const [out, error] = [new Pipe(), new Pipe()];
    out.closeReader();
    error.closeReader();
    assert.equal(await served(out.writer, error.writer), 0);
  });

  test('on a full device', async () => {
    const full = openSync('/dev/full', 'w');
    assert.equal(await served(full, full), 0);
    closeSync(full);
  });

  test('prints why it cannot serve, also to a late reader', async () => {
    const error = new Pipe();
    error.fill();
    const args = [MAIN, 'serve', FOLDER, '--socket', join(FOLDER, 'no', 'socket')];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', error.writer] });
    closeSync(error.writer);
    const exit = once(child, 'exit');
    const timer = setInterval(() => error.read(), 300);
    assert.deepEqual(await exit, [1, null]);
    clearInterval(timer);
    error.read();
    assert.match(
      error.text.trim(),
      /^vibing: cannot listen on .*socket: no such folder; create it \(ENOENT\)/,
    );
  });
});
