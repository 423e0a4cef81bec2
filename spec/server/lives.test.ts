// The lives of a server: a listen() that failed leaves nothing, a second life has an end of its
// own, and what is asked for while it closes.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { configFrom } from '../../src/server/config/config.ts';
import { listenError } from '../../src/server/listen-error.ts';
import { addressOf, Server, type ServerParts } from '../../src/server/server.ts';
import { makeServer } from '../../testing/with-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'vibing-lives-'));
after(() => rmSync(folder, { recursive: true }));

/** The code of a failed connect; '' where one succeeds. */
function connectFault(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve('');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'none'));
  });
}

describe('a listen() that failed', () => {
  it('fails again for the same reason, and succeeds when there is none', async (context) => {
    const other = createServer();
    context.after(() => other.close());
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const { server } = makeServer('net', { port });
    const inUse = { code: 'EADDRINUSE', message: /^cannot listen on 127\.0\.0\.1:\d+: address/ };
    for (let count = 0; count < 2; count++) await assert.rejects(server.listen(), inUse);
    await new Promise((resolve) => other.close(resolve));
    assert.equal((await server.listen()).port, port);
    await assert.rejects(server.listen(), /the server is listening already/);
    await server.close();
  });

  it('names what is no directory', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    for (const [staticDir, code] of [
      [file, 'ENOTDIR'],
      [join(folder, 'none'), 'ENOENT'],
    ]) {
      const { server } = makeServer('net', { staticDir });
      await assert.rejects(server.listen(), { code, message: /^static_dir is not a directory: / });
    }
  });

  it('leaves no listener open when what follows it fails', async () => {
    const ports: number[] = [];
    const options = { host: '127.0.0.1', port: 0, metricsPort: 0, driver: 'net' } as const;
    const pools = { connectionsMax: 16, blockCount: 16, logLevel: 'silent' } as const;
    const events: string[] = [];
    const service = {
      begins: () => events.push('begins'),
      listens: ({ metrics = '', port }: { metrics?: string; port: number }) => {
        ports.push(port, Number(metrics.split(':')[1]));
        throw new Error('on purpose');
      },
      ended: () => events.push('ended'),
    };
    const server = new Server({ ...options, ...pools }, {
      launch: () => null,
      inherited: () => null,
      listening: (_server: Server, listen: () => Promise<unknown>) => listen(),
      closed: () => {},
      service,
    } as unknown as ServerParts);
    await assert.rejects(server.listen(), /on purpose/);
    assert.deepEqual(events, ['begins', 'ended']);
    assert.ok(ports.length === 2 && ports.every((port) => port > 0), String(ports));
    for (const port of ports) assert.equal(await connectFault(port), 'ECONNREFUSED');
  });

  it('names an address as a URL has it', () => {
    const text = (options: object): string => listenError(98, configFrom(options)).message;
    assert.match(text({ host: '::1', port: 81 }), /^cannot listen on \[::1\]:81: address already/);
    assert.match(text({ host: 'a.test', port: 81 }), /^cannot listen on a\.test:81: /);
    assert.match(text({ socket: '/x' }), /^cannot listen on \/x: .* \(EADDRINUSE\)$/);
  });
});

it('a second life has an end and a signal of its own', async () => {
  const { server } = makeServer('net', {});
  const ends: string[] = [];
  for (const life of ['first', 'second']) {
    await server.listen();
    const { closing, ended } = server;
    assert.equal(closing.aborted, false, life);
    void ended.then(() => ends.push(life));
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(!ends.includes(life), 'it has not ended yet');
    await server.close();
    assert.equal(await ended, null);
    assert.ok(closing.aborted);
  }
  assert.deepEqual(ends, ['first', 'second']);
});

it('a server that closes does not reload', async () => {
  let closed = (): void => {};
  let reloads = 0;
  const cluster = {
    listen: async () => ({ port: 1, host: 'a', workers: 2, driver: 'net' }),
    failed: new Promise<Error>(() => {}),
    metrics: null,
    reload: async () => {
      reloads += 1;
    },
    close: () => new Promise<void>((resolve) => (closed = resolve)),
  };
  const server = new Server({ logLevel: 'silent' }, {
    launch: () => cluster,
    closed: () => {},
  } as unknown as ServerParts);
  await server.listen();
  await server.reload();
  assert.equal(reloads, 1);
  const closing = server.close();
  await assert.rejects(server.reload(), /^Error: the server cannot reload: it needs workers/);
  closed();
  await new Promise((resolve) => setImmediate(resolve));
  closed();
  await closing;
  assert.equal(reloads, 1);
});

it('the permissions of a socket are part of its address', async () => {
  const socket = './x.sock';
  assert.deepEqual(await addressOf(configFrom({ socket })), { path: socket });
  const address = await addressOf(configFrom({ socket, socketMode: 0o600 }));
  assert.deepEqual(address, { path: socket, mode: 0o600 });
  assert.deepEqual(await addressOf(configFrom({ port: 5 })), { host: '127.0.0.1', port: 5 });
});
