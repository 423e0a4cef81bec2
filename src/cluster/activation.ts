// Socket activation: the service manager opened the listening socket before it started this
// process, and describes it in LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES (sd_listen_fds(3)).

import * as fs from 'node:fs';
import {
  AF_UNIX,
  SO_ACCEPTCONN,
  SO_TYPE,
  SOCK_STREAM,
  SOCKADDR_BYTES,
  SOL_SOCKET,
} from '../driver/linux/layout.ts';
import { prepareInherited } from '../driver/linux/open-listener.ts';
import { peerFrom, unixNameFrom } from '../driver/linux/sockaddr.ts';
import type { Syscalls } from '../driver/linux/syscalls.ts';
import { ServiceError } from './service-error.ts';

export type Environment = Record<string, string | undefined>;

/** A listener that the service manager opened. */
export interface Activated {
  readonly fd: number;
  /** Where it listens, such as 'http://127.0.0.1:8080'; of a unix socket 'unix:/run/x.sock'. */
  readonly address: string;
}

/** The calls on descriptors; tests pass in some of their own. */
export type Descriptors = Pick<typeof fs, 'closeSync' | 'fstatSync'>;

const FIRST_FD = 3;
/** The FileDescriptorName that selects one of several sockets. */
const OUR_NAME = 'vibing';
const VARIABLES = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID'];

/**
 * The listener in `env`, or null. Deletes the variables, so that no child takes the socket for its
 * own. `calls` is null without the foreign function library: then Node checks only that the
 * descriptor is a socket. Throws ServiceError when it is not a listening stream socket.
 */
export function takeActivated(
  env: Environment,
  pid: number,
  calls: Syscalls | null,
  warn: (message: string) => void,
  descriptors: Descriptors = fs,
): Activated | null {
  const given = env['LISTEN_PID'];
  const countText = env['LISTEN_FDS'];
  if (given === undefined || countText === undefined) return null;
  const names = (env['LISTEN_FDNAMES'] ?? '').split(':');
  for (const name of VARIABLES) delete env[name];
  if (given !== String(pid)) {
    warn(`LISTEN_PID is ${given}, this process is ${pid}: its sockets are not used`);
    return null;
  }
  const count = /^[1-9][0-9]{0,3}$/.test(countText) ? Number(countText) : 0;
  if (count === 0) {
    if (countText !== '0') warn(`LISTEN_FDS is not a number: ${JSON.stringify(countText)}`);
    return null;
  }
  const fd = FIRST_FD + ourIndex(names, count);
  if (count > 1) {
    for (let other = FIRST_FD; other < FIRST_FD + count; other++)
      if (other !== fd) closeUnused(descriptors, other);
    warn(`LISTEN_FDS passes ${count} sockets: descriptor ${fd} is used, the others are closed`);
  }
  return calls === null ? plainListener(descriptors, fd) : checkedListener(calls, fd);
}

/** The index of our socket among `count`. */
function ourIndex(names: readonly string[], count: number): number {
  const index = names.indexOf(OUR_NAME);
  return index >= 0 && index < count ? index : 0;
}

function closeUnused({ closeSync }: Descriptors, fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // It was not open.
  }
}

function checkedListener(calls: Syscalls, fd: number): Activated {
  const type = calls.getsockopt(fd, SOL_SOCKET, SO_TYPE);
  if (type < 0) throw unusable(fd, 'not a socket');
  if (type !== SOCK_STREAM) throw unusable(fd, 'not a stream socket');
  if (calls.getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN) !== 1) throw unusable(fd, 'not listening');
  const name = new Uint8Array(SOCKADDR_BYTES);
  const length = calls.getsockname(fd, name);
  const family = new DataView(name.buffer).getUint16(0, true);
  if (family === AF_UNIX) {
    prepareInherited(calls, fd);
    return { fd, address: `unix:${unixNameFrom(name, length)}` };
  }
  const { address, port } = peerFrom(name);
  if (address === '') throw unusable(fd, 'neither TCP nor a unix socket');
  prepareInherited(calls, fd);
  return { fd, address: `http://${address.includes(':') ? `[${address}]` : address}:${port}` };
}

function plainListener({ fstatSync }: Descriptors, fd: number): Activated {
  const stat = (() => {
    try {
      return fstatSync(fd);
    } catch {
      return null;
    }
  })();
  if (stat === null || !stat.isSocket()) throw unusable(fd, 'not a socket');
  return { fd, address: `descriptor ${fd}` };
}

function unusable(fd: number, why: string): ServiceError {
  const message = `LISTEN_FDS: descriptor ${fd} is ${why}; a listening stream socket is needed`;
  return new ServiceError(message, 'EINVAL');
}
