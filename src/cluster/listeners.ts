// The listening sockets of a cluster. The primary makes and holds them, one a worker, and hands
// them down at fork: a worker that is replaced leaves its clients in a queue that does not go away.
// For a unix socket there is one for all.

import type { Address } from '../driver/driver.ts';
import { listenerPort, openListener, removeSocket } from '../driver/linux/open-listener.ts';
import type { Syscalls } from '../driver/linux/syscalls.ts';

export interface Listeners {
  readonly port: number;
  /** Every listener once: one a worker, or one for all. */
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
  // Two servers with SO_REUSEPORT would share a port without a word, so one without it asks first.
  const probe = openListener(calls, address, backlog);
  if (probe < 0) return probe;
  const port = listenerPort(calls, probe);
  calls.close(probe);
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
  return {
    port: listenerPort(calls, fd),
    fds: [fd],
    close: () => {
      calls.close(fd);
      if ('path' in address) removeSocket(address.path);
    },
  };
}
