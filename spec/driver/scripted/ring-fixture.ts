// The uring driver on a scripted kernel, turn by turn: actions of peers, calls of the driver, its
// completions. Everything happens when the test says so; the end checks that nothing is left over.

import assert from 'node:assert/strict';
import { ERRNO } from '../../../src/base/errno.ts';
import { Slab } from '../../../src/base/slab.ts';
import { Completions } from '../../../src/driver/driver.ts';
import { EPOLLERR, EPOLLHUP } from '../../../src/driver/linux/layout.ts';
import type { Syscalls } from '../../../src/driver/linux/syscalls.ts';
import { UringDriver } from '../../../src/driver/linux/uring.ts';
import type { RingSizes } from '../../../src/driver/linux/uring-instance.ts';
import { ScriptedFiles } from './files.ts';
import { ScriptedRing, type ScriptedSocket } from './ring.ts';

export const REGION = 1;
export const REGION_BYTES = 4096;

export interface Completion {
  readonly op: number;
  readonly slot: number;
  readonly result: number;
  readonly block: number;
}

export interface RingFixtureOptions {
  readonly slots?: number;
  readonly blockCount?: number;
  /** Entries of a poll(). */
  readonly capacity?: number;
  readonly sizes?: RingSizes;
  /** The kernel makes its completion queue this large. */
  readonly completionCount?: number;
}

export class RingFixture {
  readonly kernel: ScriptedRing;
  readonly slab: Slab;
  readonly driver: UringDriver;
  readonly out: Completions;
  readonly region: Buffer = Buffer.alloc(REGION_BYTES);
  wakes: boolean[] = [];

  constructor(options: RingFixtureOptions = {}) {
    const slots = options.slots ?? 8;
    this.kernel = new ScriptedRing(options.completionCount);
    this.slab = new Slab(64, options.blockCount ?? 32);
    this.out = new Completions(options.capacity ?? 64);
    const driverOptions = { slab: this.slab, slots, backlog: 8 };
    const calls = plainCalls(this.kernel);
    this.driver = new UringDriver(driverOptions, calls, this.kernel, options.sizes);
    this.driver.map(REGION, this.region);
    this.driver.wake = (fromLoop) => this.wakes.push(fromLoop);
  }

  /** A connected socket in a slot. */
  adopt(slot: number): ScriptedSocket {
    const socket = makeSocket(this.kernel);
    this.driver.adopt(socket.fd, slot);
    return socket;
  }

  write(socket: ScriptedSocket, bytes: Uint8Array | string): void {
    socket.input = Buffer.concat([socket.input, Buffer.from(bytes)]);
    this.kernel.changed(socket.fd);
  }

  end(socket: ScriptedSocket): void {
    socket.ended = true;
    this.kernel.changed(socket.fd);
  }

  reset(socket: ScriptedSocket, error: number): void {
    this.kernel.reset(socket, error);
  }

  /** The peer reads: the send buffer has so many bytes of room more. */
  drain(socket: ScriptedSocket, bytes: number): void {
    socket.room += bytes;
    this.kernel.changed(socket.fd);
  }

  poll(): Completion[] {
    const wakesBefore = this.wakes.length;
    const count = this.driver.poll(this.out);
    assert.equal(this.wakes.length, wakesBefore, 'poll() does not call wake()');
    return Array.from({ length: count }, (_, index) => ({
      op: this.out.op[index],
      slot: this.out.slot[index],
      result: this.out.result[index],
      block: this.out.block[index],
    }));
  }

  /** Polls until the driver has nothing more to do and sleeps; it is awake after that. */
  settle(): Completion[] {
    const all: Completion[] = [];
    for (let turn = 0; turn < 10_000; turn++) {
      const finished = this.poll();
      all.push(...finished);
      if (finished.length === 0 && this.driver.sleep()) {
        assert.ok(this.kernel.isQuiet, 'a driver that sleeps has reaped everything');
        assert.deepEqual(this.poll(), [], 'a driver that sleeps has no completions');
        return all;
      }
    }
    return assert.fail('the driver does not sleep');
  }

  /** The only completion, as describe() shows it. */
  single(finished: readonly Completion[]): string {
    assert.equal(finished.length, 1, JSON.stringify(finished));
    return this.describe(finished[0]);
  }

  /** A completion as text; its block is released. */
  describe({ op, slot, result, block }: Completion): string {
    if (block < 0) return `${OP_NAMES[op]} ${slot}: ${result}`;
    const text = this.bytesOf(block, result).toString('latin1');
    this.slab.release(block);
    return `${OP_NAMES[op]} ${slot}: '${text}'`;
  }

  bytesOf(block: number, bytes: number): Buffer {
    const start = this.slab.start(block);
    return Buffer.from(this.slab.bytes.subarray(start, start + bytes));
  }

  /** Acquires every free block. */
  starve(): number[] {
    const taken: number[] = [];
    for (let block = this.slab.acquire(); block >= 0; block = this.slab.acquire()) {
      taken.push(block);
    }
    return taken;
  }

  release(blocks: readonly number[]): void {
    for (const block of blocks) this.slab.release(block);
  }

  /** Closes slots in which nothing is in flight, destroys the driver: nothing is left over. */
  finish(...slots: number[]): void {
    for (const slot of slots) {
      this.driver.close(slot);
      assert.equal(this.single(this.settle()), `CLOSE ${slot}: 0`);
    }
    this.driver.destroy();
    assert.deepEqual([...this.kernel.open], [], 'every descriptor is closed');
    assert.equal(this.kernel.memory.mappingCount, 0, 'all memory is unmapped');
    assert.equal(this.slab.freeCount, this.slab.blockCount, 'every block was released');
  }
}

const OP_NAMES: readonly string[] =
  ' LISTEN UNLISTEN ACCEPT CONNECT RECEIVE SEND CLOSE WATCH'.split(' ');

export function makeSocket(kernel: ScriptedRing): ScriptedSocket {
  const socket: ScriptedSocket = {
    fd: kernel.descriptor(),
    input: Buffer.alloc(0),
    ended: false,
    error: 0,
    output: [],
    room: 1_000_000,
    connected: null,
    backlog: [],
    lingersZero: false,
    isReset: false,
    unacknowledged: 0,
    watched: new Map(),
    hungUp: [],
  };
  kernel.sockets.set(socket.fd, socket);
  return socket;
}

/** The system calls that the uring driver makes in addition to those of its ring. */
export function plainCalls(
  kernel: ScriptedRing,
  files: ScriptedFiles = new ScriptedFiles(),
): Syscalls {
  const unused = (): number => assert.fail('the uring driver does not make this call');
  return {
    socket: () => makeSocket(kernel).fd,
    setsockopt: () => 0,
    lingerZero: (fd) => {
      const socket = kernel.sockets.get(fd);
      assert.ok(socket !== undefined);
      socket.lingersZero = true;
      return 0;
    },
    getsockopt: () => 0,
    bind: () => 0,
    connect: unused,
    listen: () => 0,
    getsockname: () => 16,
    getpeername: () => 16,
    accept: (fd) => kernel.sockets.get(fd)?.backlog.shift() ?? -ERRNO.EAGAIN,
    recv: (fd, address, bytes, flags) => kernel.recv(fd, address, bytes, flags),
    send: unused,
    sendsFiles: true,
    sendfile: (fd, file, position, bytes) =>
      kernel.sendFile(fd, files.bytes(file, position, bytes)),
    isCached: (file, position) => files.isCached(file, position),
    cachedPages: (file, position, bytes) => files.cachedPages(file, position, bytes),
    shutdown: () => 0,
    close: (fd) => kernel.close(fd),
    fcntl: () => 0,
    epollCreate: () => makeSocket(kernel).fd,
    epollControl: (epoll, operation, fd, events, tag) =>
      kernel.control(epoll, operation, fd, events, tag),
    epollWait: (epoll, address, eventsMax) => kernel.wait(epoll, address, eventsMax),
    unacknowledged: (fd) => kernel.sockets.get(fd)?.unacknowledged ?? -ERRNO.EBADF,
    broken: (fd) => (kernel.sockets.get(fd)?.isReset ? EPOLLERR | EPOLLHUP : 0),
    addressOf: (bytes) => kernel.addressOf(bytes),
    watchOnLoop: (fd, woken) => kernel.watchOnLoop(fd, woken),
  };
}
