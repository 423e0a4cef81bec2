// Acts as the service manager: a datagram socket for notifications, a listener for activation, and
// the command, started as a manager starts it.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import {
  AF_UNIX,
  MSG_DONTWAIT,
  SO_REUSEADDR,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../../src/driver/linux/layout.ts';
import { abstractAddress, addressFrom, unixAddress } from '../../src/driver/linux/sockaddr.ts';
import { linuxSyscalls, type Syscalls } from '../../src/driver/linux/syscalls.ts';
import { eventually } from '../../testing/with-server.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const DATAGRAM_BYTES_MAX = 4_096;

const found = linuxSyscalls();

/** For tests that need the kernel's calls. */
export const LINUX_ONLY: { readonly skip?: string } =
  typeof found === 'string' ? { skip: found } : {};

export function kernel(): Syscalls {
  assert.ok(typeof found !== 'string');
  return found;
}

/** The socket that NOTIFY_SOCKET names. */
export class Mailbox {
  readonly #fd: number;
  readonly all: string[] = [];

  /** `name` begins with a slash, or with @ for an abstract socket. */
  constructor(name: string) {
    const calls = kernel();
    this.#fd = calls.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const at = name.startsWith('@') ? abstractAddress(name.slice(1)) : unixAddress(name);
    assert.ok(at !== null);
    assert.equal(calls.bind(this.#fd, at.bytes, at.length), 0);
  }

  /** Every message so far. */
  read(): readonly string[] {
    const calls = kernel();
    const bytes = new Uint8Array(DATAGRAM_BYTES_MAX);
    for (;;) {
      const where = calls.addressOf(bytes);
      const length = calls.recv(this.#fd, where, DATAGRAM_BYTES_MAX, MSG_DONTWAIT);
      if (length < 0) return this.all;
      this.all.push(new TextDecoder().decode(bytes.subarray(0, length)));
    }
  }

  async has(pattern: RegExp): Promise<string> {
    const first = () => this.read().find((message) => pattern.test(message));
    await eventually(`a message like ${pattern}`, () => first() !== undefined);
    return first() ?? '';
  }

  close(): void {
    kernel().close(this.#fd);
  }
}

/** A socket as a manager makes it: blocking. Only the children that it is for inherit it. */
export function openSocket(
  where: { readonly port: number } | { readonly path: string },
  options: { readonly type?: number; readonly listening?: boolean } = {},
): number {
  const { type = SOCK_STREAM, listening = true } = options;
  const calls = kernel();
  const at = addressFrom('path' in where ? where : { host: '127.0.0.1', ...where });
  assert.ok(at !== null);
  const fd = calls.socket(at.family, type | SOCK_CLOEXEC, 0);
  calls.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  assert.equal(calls.bind(fd, at.bytes, at.length), 0);
  if (listening) assert.equal(calls.listen(fd, 16), 0);
  return fd;
}

const children = new Set<ChildProcess>();

/** For after(): no process outlives its test. */
export function endAll(): void {
  for (const child of children) child.kill('SIGKILL');
}

export interface ServiceOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Descriptors that become 3, 4, ... */
  readonly sockets?: readonly number[];
  /** Sets LISTEN_PID to the process id of the server. */
  readonly activated?: boolean;
}

/** `vibing serve`, with its output so far and its exit. */
export class ServiceProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  out = '';
  err = '';

  constructor(args: readonly string[], options: ServiceOptions = {}) {
    const { env = {}, sockets = [], activated = false } = options;
    const own = Object.entries(process.env).filter(([name]) => !/^(VIBING|LISTEN)_/.test(name));
    const command = [process.execPath, MAIN, 'serve', ...args];
    const script = activated ? 'LISTEN_PID=$$ exec "$0" "$@"' : 'exec "$0" "$@"';
    this.child = spawn('/bin/sh', ['-c', script, ...command], {
      env: { ...Object.fromEntries(own), ...env },
      stdio: ['ignore', 'pipe', 'pipe', ...sockets],
    });
    children.add(this.child);
    this.child.stdout?.on('data', (chunk) => {
      this.out += chunk;
    });
    this.child.stderr?.on('data', (chunk) => {
      this.err += chunk;
    });
    this.ended = once(this.child, 'close').then(([code]) => {
      children.delete(this.child);
      return code;
    });
  }

  /** Its standard error without the lines in which a primary reports what its workers served. */
  get problems(): string {
    const served = /^vibing info: worker \d+ served \d+ connections, \d+ requests\n/gm;
    return this.err.replace(served, '');
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The address that it prints. */
  async listening(): Promise<string> {
    const address = () => /listening on (\S+)/.exec(this.out)?.[1];
    const settled = () => address() !== undefined || this.child.exitCode !== null;
    await eventually('the server listens', settled);
    const said = address();
    assert.ok(said !== undefined, `it exited: ${this.err}`);
    return said;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal);
    return await this.ended;
  }
}
