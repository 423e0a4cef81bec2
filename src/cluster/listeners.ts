// The listening sockets of a cluster. The primary opens one for each worker (one for all on a unix
// socket), keeps them open, and passes them on at fork: clients that queue at a listener survive
// the replacement of its worker. On `net` workers open them, and the primary only prepares the
// address.

import { lstatSync, unlinkSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { ERRNO } from '../base/errno.ts';
import type { Address } from '../driver/driver.ts';
import { listenerPort, openListener } from '../driver/linux/open-listener.ts';
import type { Syscalls } from '../driver/linux/syscalls.ts';
import { removeSocketFile, socketFileAt } from '../driver/socket-file.ts';

export interface Listeners {
  readonly port: number;
  /** One for each worker, or one for all. */
  readonly fds: readonly number[];
  close(): void;
}

/** The listeners for `count` workers, or -errno. */
export function openListeners(
  calls: Syscalls,
  address: Address,
  count: number,
  backlog: number,
): Listeners | number {
  if (!('host' in address)) return openShared(calls, address, backlog);
  // With SO_REUSEPORT two servers would share a port unnoticed: a listener without it checks first.
  const probe = openListener(calls, address, backlog);
  if (probe < 0) return probe;
  const port = listenerPort(calls, probe);
  calls.close(probe);
  // Each listener would get a port of its own.
  if (port === 0) return -ERRNO.EINVAL;
  const fds: number[] = [];
  const close = () => {
    for (const fd of fds) calls.close(fd);
  };
  for (let index = 0; index < count; index++) {
    const fd = openListener(calls, { host: address.host, port, reusePort: true }, backlog);
    if (fd < 0) {
      close();
      return fd;
    }
    fds.push(fd);
  }
  return { port, fds, close };
}

function openShared(calls: Syscalls, address: Address, backlog: number): Listeners | number {
  const fd = openListener(calls, address, backlog);
  if (fd < 0) return fd;
  const file = 'path' in address ? socketFileAt(address.path) : null;
  return {
    port: listenerPort(calls, fd),
    fds: [fd],
    close: () => {
      calls.close(fd);
      if (file !== null) removeSocketFile(file);
    },
  };
}

export function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const listener = createServer();
    listener.once('error', reject);
    listener.listen(0, host, () => {
      const { port } = listener.address() as AddressInfo;
      listener.close(() => resolve(port));
    });
  });
}

/** Removes `path` if it is a unix socket without a listener, left behind by a dead server. */
export async function removeStaleSocket(path: string): Promise<void> {
  if (!(await isRefused(path))) return;
  try {
    if (lstatSync(path).isSocket()) unlinkSync(path);
  } catch {
    // The listen that follows reports the error.
  }
}

function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.on('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}
