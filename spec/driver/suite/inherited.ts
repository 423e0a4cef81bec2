// A listener that one process opens and another uses, as workers of a cluster do. The test file
// runs a second time as that other process.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:net';
import type { Case } from './case.ts';
import { Client } from './client.ts';
import { Fixture, type MakeDriver, until } from './fixture.ts';

/** Set in the process that inherits: the number of the descriptor. */
const VARIABLE = 'VIBING_INHERITED_FD';
const INHERITED_FD = 3;

export const inheritedCases: readonly Case[] = [
  {
    name: 'an inherited listener serves',
    needs: process.platform === 'win32' ? 'Windows inherits no sockets this way' : null,
    async run() {
      const server = createServer();
      server.listen(0, '127.0.0.1');
      await until('the listener', () => server.listening);
      const address = server.address();
      assert.ok(address !== null && typeof address !== 'string');
      const child = spawn(process.execPath, [String(process.argv[1])], {
        env: { PATH: process.env['PATH'], [VARIABLE]: String(INHERITED_FD) },
        stdio: ['ignore', 'ignore', 'inherit', descriptorOf(server)],
      });
      const exited = new Promise((resolve) => child.once('exit', resolve));
      server.close();
      try {
        const client = await Client.open(address.port);
        client.socket.write(`${address.port}`.padEnd(5));
        await client.hasBytes(5);
        assert.equal(client.text, 'ready');
        assert.equal(await exited, 0);
      } finally {
        child.kill();
      }
    },
  },
];

/** Node has no public way to get the descriptor of a listening socket. */
function descriptorOf(server: Server): number {
  return (server as unknown as { readonly _handle: { readonly fd: number } })._handle.fd;
}

export function isInheriting(): boolean {
  return process.env[VARIABLE] !== undefined;
}

/** The other process: serves one client, which sends the expected port. */
export async function serveInherited(make: MakeDriver): Promise<void> {
  const fixture = new Fixture(make);
  const port = await fixture.listen({ fd: INHERITED_FD });
  const slot = await fixture.accept();
  assert.equal(Number(await fixture.readAll(slot, 5)), port);
  await fixture.write(slot, 'ready');
  await fixture.close(slot);
  await fixture.end();
}
