// The Linux drivers on their scripted kernels behind one interface, with a hook before every system
// call and every access of memory that the kernel shares: there the test can let something happen,
// or fail the call.

import { ERRNO } from '../../../src/base/errno.ts';
import { Slab } from '../../../src/base/slab.ts';
import type { Driver, DriverOptions } from '../../../src/driver/driver.ts';
import { EpollDriver } from '../../../src/driver/linux/epoll.ts';
import { EPOLL_CTL_DEL } from '../../../src/driver/linux/layout.ts';
import { UringDriver } from '../../../src/driver/linux/uring.ts';
import { ScriptedFiles } from './files.ts';
import { ScriptedRing, type ScriptedSocket as UringSocket } from './ring.ts';
import { makeSocket, plainCalls } from './ring-fixture.ts';
import { type ScriptedSocket as EpollSocket, ScriptedSyscalls } from './syscalls.ts';

export type DriverName = 'epoll' | 'uring';

/** A file that both kernels have, larger than the room of a socket. */
export const FILE_FD = 900;
export const FILE_BYTES = 100;

export interface LinuxFixtureOptions {
  readonly slots: number;
  readonly blockCount: number;
}

/** The other end of a connection. */
export interface PeerEnd {
  write(text: string): void;
  end(): void;
  reset(): void;
  /** Makes room for what the driver sends. */
  take(): void;
  /** A connect() in progress succeeds. */
  connected(): void;
  readonly isClosed: boolean;
  readonly isConnecting: boolean;
  /** A receive would report the end or an error. */
  readonly hasEnd: boolean;
  readonly isReset: boolean;
  readonly hasInput: boolean;
  readonly hasRoom: boolean;
}

export class Hooks {
  /** Called before each call, with its number. */
  before: (call: string, index: number) => void = () => {};
  /** The result in place of the call's, or null. */
  result: (call: string, index: number) => number | null = () => null;
  /** The calls so far, by name. */
  readonly calls: string[] = [];

  /** Null when the call is made. */
  enter(call: string): number | null {
    const index = this.calls.push(call) - 1;
    this.before(call, index);
    return this.result(call, index);
  }
}

export interface LinuxFixture {
  readonly driver: Driver;
  readonly slab: Slab;
  /** A connected socket: its handle and its peer. */
  accepted(): { readonly handle: number; readonly peer: PeerEnd };
  /** The peer of the newest connect(). */
  connecting(): PeerEnd | null;
  /** A client arrives at the listener. */
  client(): void;
  /** Clients in the kernel's queue. */
  readonly waitingCount: number;
  peerOf(handle: number): PeerEnd;
  /** A round of Node's loop. */
  round(): void;
  /** What is still open or mapped. */
  readonly leftOver: readonly string[];
}

/** Descriptors that a failed close() closes all the same. */
const ALWAYS_CLOSES: readonly string[] = ['close', 'unmapMemory'];

/** Not system calls. */
const SILENT: readonly string[] = ['addressOf', 'constructor'];

function hooked<T extends object>(target: T, hooks: Hooks): T {
  return new Proxy(target, {
    get: (object, name) => {
      const value = Reflect.get(object, name, object) as unknown;
      if (typeof value !== 'function') return value;
      if (SILENT.includes(String(name))) return value.bind(object);
      return (...args: unknown[]): unknown => {
        const result = hooks.enter(nameOf(String(name), args));
        if (result === null) return value.apply(object, args);
        // The descriptor becomes a socket of the kernel, whose connection fails.
        if (name === 'connect' && object instanceof ScriptedSyscalls) {
          object.script('connect', result);
          return value.apply(object, args);
        }
        if (ALWAYS_CLOSES.includes(String(name))) value.apply(object, args);
        if (name === 'watchOnLoop') throw new Error('the loop takes no descriptor');
        return result;
      };
    },
  });
}

/** Removing from an epoll does not fail as adding to it does. */
function nameOf(call: string, args: readonly unknown[]): string {
  return call === 'epollControl' && args[1] === EPOLL_CTL_DEL ? 'epollRemove' : call;
}

let current: Hooks | null = null;
const { load, store } = Atomics;

/** While `run` runs, accesses of shared memory are hooked, too. */
export function withHookedMemory<T>(hooks: Hooks, run: () => T): T {
  const atomics = Atomics as { load: unknown; store: unknown };
  atomics.load = (words: Int32Array, at: number): number => {
    current?.enter('load');
    return load(words, at);
  };
  atomics.store = (words: Int32Array, at: number, value: number): number => {
    current?.enter('store');
    return store(words, at, value);
  };
  current = hooks;
  try {
    return run();
  } finally {
    current = null;
    atomics.load = load;
    atomics.store = store;
  }
}

/** Throws what the driver's constructor throws; whatFailedLeftOver() has what it left open. */
export function makeLinuxFixture(
  name: DriverName,
  hooks: Hooks,
  options: LinuxFixtureOptions,
): LinuxFixture {
  return name === 'epoll' ? new EpollFixture(hooks, options) : new UringFixture(hooks, options);
}

let leftOverOfFailed: readonly string[] = [];

/** What the last driver whose constructor threw left open. */
export function whatFailedLeftOver(): readonly string[] {
  return leftOverOfFailed;
}

function optionsOf(slab: Slab, { slots }: LinuxFixtureOptions): DriverOptions {
  return { slab, slots, backlog: 8 };
}

class EpollFixture implements LinuxFixture {
  readonly driver: Driver;
  readonly slab: Slab;
  readonly #kernel = new ScriptedSyscalls();
  readonly #clients = new Map<number, EpollSocket>();

  constructor(hooks: Hooks, options: LinuxFixtureOptions) {
    this.slab = new Slab(64, options.blockCount);
    this.#kernel.files.contents.set(FILE_FD, new Uint8Array(FILE_BYTES));
    try {
      this.driver = new EpollDriver(optionsOf(this.slab, options), hooked(this.#kernel, hooks));
    } catch (error) {
      leftOverOfFailed = this.leftOver;
      throw error;
    }
  }

  accepted(): { handle: number; peer: PeerEnd } {
    const socket = this.#kernel.accepted();
    return { handle: socket.fd, peer: new EpollPeer(socket) };
  }

  connecting(): PeerEnd | null {
    const socket = this.#kernel.newest;
    return socket === null ? null : new EpollPeer(socket);
  }

  client(): void {
    if (this.#kernel.listener === null) return;
    const socket = this.#kernel.client();
    this.#clients.set(this.#clients.size, socket);
  }

  get waitingCount(): number {
    return this.#kernel.listener?.waiting.length ?? 0;
  }

  peerOf(handle: number): PeerEnd {
    for (const socket of this.#clients.values()) {
      if (socket.fd === handle && !socket.isClosed) return new EpollPeer(socket);
    }
    throw new Error(`handle ${handle} is a client`);
  }

  round(): void {
    this.#kernel.round();
  }

  get leftOver(): readonly string[] {
    const { openCount } = this.#kernel;
    return openCount === 0 ? [] : [`${openCount} descriptors`];
  }
}

class EpollPeer implements PeerEnd {
  readonly #socket: EpollSocket;

  constructor(socket: EpollSocket) {
    this.#socket = socket;
  }

  write(text: string): void {
    this.#socket.write(text);
  }

  end(): void {
    this.#socket.end();
  }

  reset(): void {
    this.#socket.reset();
  }

  take(): void {
    this.#socket.take();
  }

  connected(): void {
    this.#socket.connected();
  }

  get isClosed(): boolean {
    return this.#socket.isClosed;
  }

  get isConnecting(): boolean {
    return this.#socket.connecting;
  }

  get hasEnd(): boolean {
    return this.#socket.hasEnd;
  }

  get isReset(): boolean {
    return this.#socket.isReset;
  }

  get hasInput(): boolean {
    return this.#socket.incoming.length > 0;
  }

  get hasRoom(): boolean {
    return !this.#socket.noSpace || this.#socket.isReset;
  }
}

class UringFixture implements LinuxFixture {
  readonly driver: Driver;
  readonly slab: Slab;
  /** Its counters exceed 2 ** 31 after a few operations. */
  readonly #kernel = new ScriptedRing(0, 2 ** 31 - 5);
  /** What socket() made last. */
  #made: UringSocket | null = null;
  /** All that listened, the newest last. */
  readonly #listeners: UringSocket[] = [];

  constructor(hooks: Hooks, options: LinuxFixtureOptions) {
    this.slab = new Slab(64, options.blockCount);
    const files = new ScriptedFiles();
    files.contents.set(FILE_FD, new Uint8Array(FILE_BYTES));
    const plain = plainCalls(this.#kernel, files);
    const listen = plain.listen;
    const calls = hooked(
      {
        ...plain,
        socket: () => {
          this.#made = makeSocket(this.#kernel);
          return this.#made.fd;
        },
        listen: (fd: number, backlog: number) => {
          const listener = this.#kernel.sockets.get(fd);
          if (listener !== undefined) this.#listeners.push(listener);
          return listen(fd, backlog);
        },
      },
      hooks,
    );
    try {
      const rings = hooked(this.#kernel, hooks);
      const sizes = { entries: 8, completions: 16 };
      this.driver = new UringDriver(optionsOf(this.slab, options), calls, rings, sizes);
    } catch (error) {
      leftOverOfFailed = this.leftOver;
      throw error;
    }
  }

  accepted(): { handle: number; peer: PeerEnd } {
    const socket = makeSocket(this.#kernel);
    socket.room = 64;
    return { handle: socket.fd, peer: new UringPeer(this.#kernel, socket) };
  }

  connecting(): PeerEnd | null {
    if (this.#made === null) return null;
    this.#made.room = 64;
    return new UringPeer(this.#kernel, this.#made, true);
  }

  client(): void {
    const listener = this.#listeners.at(-1);
    if (listener === undefined || !this.#kernel.open.has(listener.fd)) return;
    const socket = makeSocket(this.#kernel);
    socket.room = 64;
    listener.backlog.push(socket.fd);
    this.#kernel.changed(listener.fd);
  }

  get waitingCount(): number {
    const listener = this.#listeners.at(-1);
    const isOpen = listener !== undefined && this.#kernel.open.has(listener.fd);
    return isOpen ? listener.backlog.length : 0;
  }

  peerOf(handle: number): PeerEnd {
    const socket = this.#kernel.sockets.get(handle);
    if (socket === undefined) throw new Error(`handle ${handle} is a client`);
    return new UringPeer(this.#kernel, socket);
  }

  round(): void {
    this.#kernel.loop();
  }

  get leftOver(): readonly string[] {
    // The kernel closes the clients of a listener's queue.
    const queued = this.#listeners.flatMap(({ backlog }) => backlog);
    const open = [...this.#kernel.open].filter((fd) => !queued.includes(fd));
    const { mappingCount } = this.#kernel.memory;
    return [
      ...(open.length === 0 ? [] : [`${open.length} descriptors`]),
      ...(mappingCount === 0 ? [] : [`${mappingCount} mappings`]),
    ];
  }
}

class UringPeer implements PeerEnd {
  readonly #kernel: ScriptedRing;
  readonly #socket: UringSocket;
  readonly #connects: boolean;

  constructor(kernel: ScriptedRing, socket: UringSocket, connects = false) {
    this.#kernel = kernel;
    this.#socket = socket;
    this.#connects = connects;
  }

  write(text: string): void {
    this.#socket.input = Buffer.concat([this.#socket.input, Buffer.from(text)]);
    this.#kernel.changed(this.#socket.fd);
  }

  end(): void {
    this.#socket.ended = true;
    this.#kernel.changed(this.#socket.fd);
  }

  reset(): void {
    if (this.isConnecting) this.#socket.connected = -ERRNO.ECONNREFUSED;
    this.#kernel.reset(this.#socket, ERRNO.ECONNRESET);
  }

  take(): void {
    this.#socket.room = 64;
    this.#kernel.changed(this.#socket.fd);
  }

  connected(): void {
    this.#socket.connected = 0;
    this.#kernel.changed(this.#socket.fd);
  }

  get isClosed(): boolean {
    return !this.#kernel.sockets.has(this.#socket.fd);
  }

  get isConnecting(): boolean {
    return this.#connects && this.#socket.connected === null;
  }

  get hasEnd(): boolean {
    return this.#socket.ended || this.#socket.isReset;
  }

  get isReset(): boolean {
    return this.#socket.isReset;
  }

  get hasInput(): boolean {
    return this.#socket.input.length > 0;
  }

  get hasRoom(): boolean {
    return this.#socket.room > 0 || this.#socket.isReset;
  }
}
