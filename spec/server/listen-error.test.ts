// Errors of listen() in words that say what to do.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ERRNO } from '../../src/base/errno.ts';
import { configFrom } from '../../src/server/config/config.ts';
import { listenError } from '../../src/server/listen-error.ts';

const POSIX = { skip: process.platform === 'win32' ? 'a pipe of Windows is no file' : false };

const root = mkdtempSync(join(tmpdir(), 'vibing-listen-'));
after(() => rmSync(root, { recursive: true }));

test('a file that is no socket is not another server', POSIX, async () => {
  const socket = join(root, 's');
  writeFileSync(socket, 'a file');
  const config = configFrom({ socket });
  assert.equal(
    listenError(ERRNO.EADDRINUSE, config).message,
    `cannot listen on ${socket}: it is a file that is no socket; remove it, or choose another ` +
      'path (EADDRINUSE)',
  );
  rmSync(socket);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const { message } = listenError(ERRNO.EADDRINUSE, config);
  assert.match(message, /address already in use; stop the other server/);
  server.close();
});

test('without permission, the advice is that for a port or for a path', () => {
  const messageFor = (options: object) => listenError(ERRNO.EACCES, configFrom(options)).message;
  assert.equal(
    messageFor({ port: 80 }),
    'cannot listen on 127.0.0.1:80: permission denied; choose a port above 1023 (EACCES)',
  );
  assert.equal(
    messageFor({ socket: '/run/x.sock' }),
    'cannot listen on /run/x.sock: permission denied; choose a folder that this user may write ' +
      'to (EACCES)',
  );
});
