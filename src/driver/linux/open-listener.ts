// Opens a listening socket: TCP, unix, or one that was inherited.

import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { ERRNO, faultOf } from '../../base/errno.ts';
import { KEEP_ALIVE_PROBE_SECONDS } from '../../base/fixed-limits.ts';
import type { Address } from '../driver.ts';
import { withMode } from '../socket-file.ts';
import {
  AF_INET6,
  F_GETFL,
  F_SETFD,
  F_SETFL,
  FD_CLOEXEC,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  O_NONBLOCK,
  SO_KEEPALIVE,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCKADDR_BYTES,
  SOL_SOCKET,
  STREAM_SOCKET,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
} from './layout.ts';
import { peerFrom, type SocketAddress, socketAddress, unixAddress } from './sockaddr.ts';
import type { Syscalls } from './syscalls.ts';

/** A listening descriptor, or -errno. */
export function openListener(calls: Syscalls, address: Address, backlog: number): number {
  if ('fd' in address) return listenOn(calls, address.fd, backlog);
  if ('path' in address) return openUnix(calls, address.path, address.mode, backlog);
  const target = socketAddress(address.host, address.port);
  if (target === null) return -ERRNO.EINVAL;
  const fd = calls.socket(target.family, STREAM_SOCKET, 0);
  if (fd < 0) return fd;
  calls.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (address.reusePort === true) calls.setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  setClientOptions(calls, fd);
  if (target.family === AF_INET6) calls.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  return bindAndListen(calls, fd, target, backlog);
}

/** Sets the flags and options of a listener that another process opened as for our own. */
export function prepareInherited(calls: Syscalls, fd: number): void {
  calls.fcntl(fd, F_SETFD, FD_CLOEXEC);
  calls.fcntl(fd, F_SETFL, Math.max(0, calls.fcntl(fd, F_GETFL, 0)) | O_NONBLOCK);
  setClientOptions(calls, fd);
}

/**
 * Accepted sockets inherit these options, which saves calls for each. They have no effect on a unix
 * socket.
 */
function setClientOptions(calls: Syscalls, fd: number): void {
  calls.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  calls.setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  calls.setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEP_ALIVE_PROBE_SECONDS);
  calls.setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  calls.setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, 6);
}

/** The port of a listener, 0 for a unix socket. */
export function listenerPort(calls: Syscalls, fd: number): number {
  const name = new Uint8Array(SOCKADDR_BYTES);
  const length = calls.getsockname(fd, name);
  return length < 0 ? 0 : peerFrom(name).port;
}

function bindAndListen(
  calls: Syscalls,
  fd: number,
  target: SocketAddress,
  backlog: number,
): number {
  const bound = calls.bind(fd, target.bytes, target.length);
  if (bound < 0) {
    calls.close(fd);
    return bound;
  }
  return listenOn(calls, fd, backlog);
}

function listenOn(calls: Syscalls, fd: number, backlog: number): number {
  const status = calls.listen(fd, backlog);
  if (status === 0) return fd;
  calls.close(fd);
  return status;
}

/** The file never has more permissions than `mode`, and has all of them before listen(). */
function openUnix(
  calls: Syscalls,
  path: string,
  mode: number | undefined,
  backlog: number,
): number {
  const target = unixAddress(path);
  if (target === null) return -ERRNO.EINVAL;
  const fd = calls.socket(target.family, STREAM_SOCKET, 0);
  if (fd < 0) return fd;
  const bind = () => withMode(mode, () => calls.bind(fd, target.bytes, target.length));
  let bound = bind();
  if (bound === -ERRNO.EADDRINUSE && removeStale(calls, target, path)) bound = bind();
  if (bound < 0) {
    calls.close(fd);
    return bound;
  }
  const permitted = mode === undefined ? 0 : setMode(path, mode);
  if (permitted < 0) {
    calls.close(fd);
    unlinkIfThere(path);
    return permitted;
  }
  const listener = listenOn(calls, fd, backlog);
  if (listener < 0) unlinkIfThere(path);
  return listener;
}

/** 0, or -errno. */
function setMode(path: string, mode: number): number {
  try {
    chmodSync(path, mode);
    return 0;
  } catch (error) {
    return faultOf(error, ERRNO.EPERM);
  }
}

/** Removes a socket file whose server is gone. False when a server accepts, or it is no socket. */
function removeStale(calls: Syscalls, target: SocketAddress, path: string): boolean {
  const probe = calls.socket(target.family, STREAM_SOCKET, 0);
  if (probe < 0) return false;
  const status = calls.connect(probe, target.bytes, target.length);
  calls.close(probe);
  if (status !== -ERRNO.ECONNREFUSED) return false;
  try {
    if (!lstatSync(path).isSocket()) return false;
    unlinkSync(path);
    return true;
  } catch {
    return false;
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was removed already, or this process may no longer write to the folder.
  }
}
