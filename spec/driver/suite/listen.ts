// Driver cases: listening, accepting clients, connecting, addresses.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type NetConnectOpts, type Server } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ERRNO } from '../../../src/base/errno.ts';
import { Op } from '../../../src/driver/driver.ts';
import type { Case } from './case.ts';
import { Client } from './client.ts';
import { Fixture, until } from './fixture.ts';

const { ENOENT, ENAMETOOLONG } = ERRNO;

const isWindows = process.platform === 'win32';
const isLinux = process.platform === 'linux';
const hasLoopback6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);

export const listenCases: readonly Case[] = [
  {
    name: 'port 0 results in the port that clients reach',
    async run({ fixture }) {
      const port = await fixture.listen();
      assert.ok(port > 0 && port < 65_536, `port ${port}`);
      await roundTrip(fixture, port);
    },
  },
  {
    name: 'an address in use fails, and another listen may follow',
    async run({ fixture }) {
      const { server, port } = await plainServer();
      try {
        assert.equal(await fixture.listen({ host: '127.0.0.1', port }), -ERRNO.EADDRINUSE);
      } finally {
        server.close();
      }
      await roundTrip(fixture, await fixture.listen());
    },
  },
  {
    name: 'an address of another machine fails',
    async run({ fixture }) {
      const result = await fixture.listen({ host: '192.0.2.1', port: 0 });
      assert.equal(result, -ERRNO.EADDRNOTAVAIL);
    },
  },
  {
    name: 'a host that is no literal address fails',
    async run({ fixture }) {
      const result = await fixture.listen({ host: 'not an address', port: 0 });
      assert.equal(result, -ERRNO.EINVAL);
    },
  },
  {
    name: 'a refused client is closed, an adopted one is served',
    async run({ fixture }) {
      const port = await fixture.listen();
      const refused = await Client.open(port);
      fixture.driver.refuse(await fixture.acceptHandle());
      await refused.isGone();
      await roundTrip(fixture, port);
    },
  },
  {
    name: 'more clients connect in sequence than the backlog holds',
    options: { backlog: 4 },
    async run({ fixture }) {
      const port = await fixture.listen();
      for (let count = 0; count < 12; count++) {
        if (count % 2 === 0) {
          await roundTrip(fixture, port);
        } else {
          const client = await Client.open(port);
          fixture.driver.refuse(await fixture.acceptHandle());
          await client.isGone();
        }
      }
    },
  },
  {
    name: 'bytes that came before adoption are received after it',
    async run({ fixture }) {
      const port = await fixture.listen();
      const client = await Client.open(port);
      client.socket.write('early');
      const handle = await fixture.acceptHandle();
      await fence(fixture, port);
      const slot = fixture.adopt(handle);
      assert.equal(String(await fixture.readAll(slot, 5)), 'early');
    },
  },
  {
    name: 'a client that closes before adoption does no harm',
    async run({ fixture }) {
      const port = await fixture.listen();
      const client = await Client.open(port);
      const handle = await fixture.acceptHandle();
      client.socket.resetAndDestroy();
      await fence(fixture, port);
      const slot = fixture.adopt(handle);
      const result = await fixture.read(slot);
      assert.ok(typeof result === 'number' && result <= 0, `a fault or the end, not ${result}`);
      await fixture.close(slot);
    },
  },
  {
    name: 'setAccepting(false) accepts no clients, setAccepting(true) accepts those that waited',
    async run({ fixture }) {
      const port = await fixture.listen();
      const first = await Client.open(port);
      const slot = await fixture.accept();
      fixture.driver.setAccepting(false);
      const clients = [await Client.open(port), await Client.open(port), await Client.open(port)];
      // Several exchanges on the first connection: enough turns for a wrong ACCEPT.
      for (const text of ['one', 'two', 'three', 'four']) {
        first.socket.write(text);
        assert.equal(String(await fixture.readAll(slot, text.length)), text);
      }
      assert.equal(fixture.completionCount(Op.Accept, -1), 0, 'no ACCEPT while not accepting');
      fixture.pause();
      while (fixture.step() > 0) {}
      assert.equal(fixture.sleep(), true, 'waiting clients do not keep the driver awake');
      const wakesBefore = fixture.wakes;
      fixture.driver.setAccepting(true);
      await until('wake()', () => fixture.wakes > wakesBefore);
      fixture.run();
      for (const client of clients) {
        const late = await fixture.accept();
        await fixture.write(late, 'hello');
        await client.hasBytes(5);
      }
    },
  },
  {
    name: 'unlisten stops accepting and does not touch connections',
    async run({ fixture }) {
      const port = await fixture.listen();
      const client = await Client.open(port);
      const slot = await fixture.accept();
      await fixture.unlisten();
      await assert.rejects(Client.open(port), /ECONNREFUSED/);
      client.socket.write('still here');
      assert.equal(String(await fixture.readAll(slot, 10)), 'still here');
    },
  },
  {
    name: 'unlisten loses no waiting client: each is reported or closed',
    options: { completions: 4 },
    async run({ fixture }) {
      const port = await fixture.listen();
      fixture.pause();
      const clients: Client[] = [];
      for (let count = 0; count < 5; count++) clients.push(await Client.open(port));
      fixture.run();
      await fixture.unlisten();
      while (fixture.completionCount(Op.Accept, -1) > 0)
        fixture.driver.refuse(await fixture.acceptHandle());
      for (const client of clients) await client.isGone();
    },
  },
  {
    name: "unlisten accepts clients in the kernel's queue, also while not accepting",
    async run({ fixture }) {
      const port = await fixture.listen();
      fixture.driver.setAccepting(false);
      const clients = [await Client.open(port), await Client.open(port)];
      await fixture.unlisten();
      for (const client of clients) {
        const slot = await fixture.accept();
        await fixture.write(slot, 'hello');
        await client.hasBytes(5);
      }
      await roundTrip(fixture, await fixture.listen());
    },
  },
  {
    name: 'unlisten resets none of many clients that connect again and again',
    async run({ fixture }) {
      const port = await fixture.listen();
      const clients = Array.from({ length: 12 }, () => connectAgain(port));
      let served = 0;
      const serve = async (handle: number): Promise<void> => {
        const slot = fixture.adopt(handle);
        await fixture.write(slot, 'x');
        served += 1;
        await fixture.close(slot);
      };
      const accept = (): void => {
        for (const { result } of fixture.takeCompletions(Op.Accept, -1)) void serve(result);
      };
      await until('each was served', () => {
        accept();
        return served > clients.length;
      });
      let isEnded = false;
      const ended = fixture.unlisten().then(() => (isEnded = true));
      await until('UNLISTEN', () => {
        accept();
        return isEnded;
      });
      accept();
      await ended;
      // Then the port refuses each, and none was reset before.
      assert.deepEqual(
        new Set(await Promise.all(clients)),
        new Set(['ECONNREFUSED before the connection']),
      );
    },
  },
  {
    name: 'connect reaches a server, and bytes go both ways',
    async run({ fixture }) {
      const { server, port } = await plainServer((text) => text.toUpperCase());
      const slot = fixture.connect({ host: '127.0.0.1', port });
      assert.equal((await fixture.wait(Op.Connect, slot)).result, 0);
      assert.deepEqual(fixture.peer(slot), { address: '127.0.0.1', port });
      await fixture.write(slot, 'shout');
      assert.equal(String(await fixture.readAll(slot, 5)), 'SHOUT');
      await fixture.close(slot);
      server.close();
    },
  },
  {
    name: 'connect to a closed port is refused, and the slot is closed and used again',
    async run({ fixture }) {
      const { server, port } = await plainServer();
      await new Promise((resolve) => server.close(resolve));
      for (let round = 0; round < 3; round++) {
        const slot = fixture.connect({ host: '127.0.0.1', port });
        assert.equal((await fixture.wait(Op.Connect, slot)).result, -ERRNO.ECONNREFUSED);
        await fixture.close(slot);
      }
    },
  },
  {
    name: 'connect uses the given local address',
    needs: isLinux ? null : 'only Linux has all of 127.0.0.0/8',
    async run({ fixture }) {
      const { server, port } = await plainServer((_text, from) => from);
      for (const from of ['127.0.0.3', '127.0.0.1']) {
        const slot = fixture.connect({ host: '127.0.0.1', port, from });
        assert.equal((await fixture.wait(Op.Connect, slot)).result, 0);
        await fixture.write(slot, 'who am I');
        assert.equal(String(await fixture.readAll(slot, from.length)), from);
        await fixture.close(slot);
      }
      server.close();
    },
  },
  {
    name: 'connect from an address of another machine fails, and the slot is used again',
    async run({ fixture }) {
      const { server, port } = await plainServer((text) => text);
      for (const from of ['192.0.2.1', undefined]) {
        const slot = fixture.connect({ host: '127.0.0.1', port, ...(from && { from }) });
        const wanted = from === undefined ? 0 : -ERRNO.EADDRNOTAVAIL;
        assert.equal((await fixture.wait(Op.Connect, slot)).result, wanted);
        await fixture.close(slot);
      }
      server.close();
    },
  },
  {
    name: 'abort cancels a connect',
    async run({ fixture }) {
      const { server, port } = await plainServer();
      const slot = fixture.connect({ host: '127.0.0.1', port });
      fixture.abort(slot);
      const { result } = await fixture.wait(Op.Connect, slot);
      assert.ok(result === 0 || result === -ERRNO.ECANCELED, `connect completed with ${result}`);
      await fixture.close(slot);
      server.close();
    },
  },
  {
    name: 'bytes of a server that ends at once are received in full',
    async run({ fixture }) {
      let hasEnded = false;
      const server = createServer((socket) => {
        socket.end('bye', () => {
          hasEnded = true;
        });
        socket.on('error', () => {});
      });
      server.listen(0, '127.0.0.1');
      await until('the server listens', () => server.listening);
      const address = server.address();
      assert.ok(address !== null && typeof address !== 'string');
      fixture.pause();
      const slot = fixture.connect({ host: '127.0.0.1', port: address.port });
      // A ring submits operations with the next poll.
      if (fixture.driver.name === 'uring') fixture.step();
      await until('the server is done before the next turn', () => hasEnded);
      fixture.run();
      assert.equal((await fixture.wait(Op.Connect, slot)).result, 0);
      assert.equal(String(await fixture.readAll(slot, 3)), 'bye');
      assert.equal(await fixture.read(slot), 0);
      await fixture.close(slot);
      server.close();
    },
  },
  {
    name: 'peer is the client',
    async run({ fixture }) {
      const client = await Client.open(await fixture.listen());
      const slot = await fixture.accept();
      const expected = { address: '127.0.0.1', port: client.socket.localPort };
      assert.deepEqual(fixture.peer(slot), expected);
    },
  },
  {
    name: 'IPv6: listen, peer and connect on ::1',
    needs: hasLoopback6 ? null : 'this machine has no ::1',
    async run({ fixture }) {
      const port = await fixture.listen({ host: '::1', port: 0 });
      const client = await Client.open({ host: '::1', port });
      const slot = await fixture.accept();
      assert.deepEqual(fixture.peer(slot), { address: '::1', port: client.socket.localPort });
      const ours = fixture.connect({ host: '::1', port });
      assert.equal((await fixture.wait(Op.Connect, ours)).result, 0);
      assert.deepEqual(fixture.peer(ours), { address: '::1', port });
      const theirs = await fixture.accept();
      await fixture.write(ours, 'six');
      assert.equal(String(await fixture.readAll(theirs, 3)), 'six');
    },
  },
  {
    name: 'an IPv4 client of an IPv6 listener has a plain IPv4 address',
    needs: hasLoopback6 ? null : 'this machine has no ::1',
    async run({ fixture }) {
      const port = await fixture.listen({ host: '::', port: 0 });
      const client = await Client.open(port);
      const slot = await fixture.accept();
      const expected = { address: '127.0.0.1', port: client.socket.localPort };
      assert.deepEqual(fixture.peer(slot), expected);
    },
  },
  {
    name: 'a unix socket has its mode, no port and no peer, and unlisten removes its file',
    needs: isWindows ? 'Windows has named pipes instead' : null,
    run: ({ fixture }) =>
      inTempDirectory(async (path) => {
        assert.equal(await fixture.listen({ path, mode: 0o600 }), 0);
        assert.equal(statSync(path).mode & 0o777, 0o600);
        await roundTrip(fixture, { path });
        const slot = fixture.connect({ path });
        assert.equal((await fixture.wait(Op.Connect, slot)).result, 0);
        assert.deepEqual(fixture.peer(await fixture.accept()), { address: '', port: 0 });
        await fixture.unlisten();
        assert.equal(existsSync(path), false, 'the file is removed');
      }),
  },
  {
    name: 'the socket file of a dead server is replaced, that of a running one is not',
    needs: isWindows ? 'Windows has named pipes instead' : null,
    run: ({ fixture, make }) =>
      inTempDirectory(async (path) => {
        await leaveStaleSocket(path);
        assert.equal(await fixture.listen({ path, mode: 0o660 }), 0);
        const second = new Fixture(make);
        assert.equal(await second.listen({ path }), -ERRNO.EADDRINUSE);
        await second.end();
        // The probe of the second is a client of the first, closed at once.
        while (fixture.completionCount(Op.Accept, -1) > 0)
          fixture.driver.refuse(await fixture.acceptHandle());
        await roundTrip(fixture, { path });
      }),
  },
  {
    name: 'a path that is too long, or whose folder is missing, fails',
    needs: isWindows ? 'Windows has named pipes instead' : null,
    run: ({ fixture }) =>
      inTempDirectory(async (path) => {
        const tooLong = await fixture.listen({ path: path.padEnd(200, 'x') });
        assert.ok(tooLong === -ERRNO.EINVAL || tooLong === -ENAMETOOLONG, `${tooLong}`);
        // Node reports EACCES here, as Windows does.
        const missing = await fixture.listen({ path: join(path, 'below') });
        assert.ok(missing === -ENOENT || missing === -ERRNO.EACCES, `${missing}`);
        assert.equal(await fixture.listen({ path }), 0);
      }),
  },
  {
    name: 'a file that is no socket is kept',
    needs: isWindows ? 'Windows has named pipes instead' : null,
    run: ({ fixture }) =>
      inTempDirectory(async (path) => {
        writeFileSync(path, 'precious');
        assert.equal(await fixture.listen({ path }), -ERRNO.EADDRINUSE);
        assert.equal(existsSync(path), true);
      }),
  },
];

/** Connects, reads to the end, connects again, until that fails: how it failed. */
function connectAgain(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let when = 'before the connection';
    socket.on('connect', () => {
      when = 'after it';
      socket.resume();
    });
    socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(`${code} ${when}`));
    socket.on('close', (hadError) => {
      if (!hadError) resolve(connectAgain(port));
    });
  });
}

/** A client is served: five bytes each way. */
async function roundTrip(fixture: Fixture, where: number | NetConnectOpts): Promise<void> {
  const client = await Client.open(where);
  client.socket.write('hello');
  const slot = await fixture.accept();
  assert.equal(String(await fixture.readAll(slot, 5)), 'hello');
  await fixture.write(slot, 'again');
  await client.hasBytes(5);
  assert.equal(client.text, 'again');
  await fixture.close(slot);
  await client.hasEnded();
  client.socket.destroy();
}

/** Waits until earlier actions of clients have reached the kernel and the driver. */
async function fence(fixture: Fixture, port: number): Promise<void> {
  for (let round = 0; round < 2; round++) await roundTrip(fixture, port);
}

interface PlainServer {
  readonly server: Server;
  readonly port: number;
}

async function plainServer(
  respond: (text: string, from: string) => string = String,
): Promise<PlainServer> {
  const server = createServer((socket) => {
    const from = socket.remoteAddress ?? '';
    socket.on('data', (chunk) => socket.write(respond(String(chunk), from)));
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await until('the plain server listens', () => server.listening);
  const address = server.address();
  assert.ok(address !== null && typeof address !== 'string');
  return { server, port: address.port };
}

async function inTempDirectory(run: (path: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'vibing-driver-'));
  try {
    await run(join(directory, 'socket'));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** A process that is killed leaves its socket file behind. */
async function leaveStaleSocket(path: string): Promise<void> {
  const { spawn } = await import('node:child_process');
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)})`;
  const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  await until('the server that will be killed listens', () => existsSync(path));
  child.kill('SIGKILL');
  await exited;
  assert.equal(existsSync(path), true, 'the file outlives its server');
}
