// Hot: runs for every completion. Measured by perf/micro/driver.ts.
// One socket of the portable driver: turns the events of a node:net socket into completions. An
// event only queues a completion; no code of the layers above runs in it.

import type { Socket } from 'node:net';
import { assert } from '../../base/assert.ts';
import { ERRNO, faultOf } from '../../base/errno.ts';
import type { Slab } from '../../base/slab.ts';
import { Op, type Peer } from '../driver.ts';
import type { NetProbe } from './probe.ts';
import type { NetQueue } from './queue.ts';
import type { NetTable } from './table.ts';

/**
 * The state of an operation: not in flight, started, or its completion queued. For the caller it is
 * in flight until poll() reports it.
 */
export const Flight = { Idle: 0, Started: 1, Queued: 2 } as const;
export type Flight = (typeof Flight)[keyof typeof Flight];

/** The most that one send passes to Node, which reports a write only when all of it has left. */
const SEND_BYTES_MAX = 128 * 1024;

/** Parts that all sockets of a driver share. */
export interface NetShared {
  readonly slab: Slab;
  readonly queue: NetQueue;
  /** Sockets whose receive has bytes and no free block, the longest waiting first. */
  readonly starved: Set<NetSocket>;
  /** The slab calls it when a block is released. */
  readonly blockReleased: () => void;
  readonly probe: NetProbe;
  readonly table: NetTable;
}

const NO_BYTES = Buffer.alloc(0);

export class NetSocket {
  readonly shared: NetShared;
  readonly socket: Socket;
  readonly isUnix: boolean;
  /** -1 until the socket is adopted. */
  slot = -1;
  connecting: Flight = Flight.Idle;
  receiving: Flight = Flight.Idle;
  sending: Flight = Flight.Idle;
  watching: Flight = Flight.Idle;
  /** Bytes of the send in flight. */
  sendBytes = 0;
  /** The last reading of the table that this socket used. */
  tableReading = 0;
  /** Received bytes from restStart on, for the next RECEIVE; reading pauses meanwhile. */
  rest: Buffer | null = null;
  restStart = 0;
  paused = true;
  /** The peer ended its stream. */
  ended = false;
  /** Minus the errno that broke the socket, 0 while it works. */
  fault = 0;
  /** shutdownSend() was called; it waits for the send in flight. */
  shutdownAsked = false;
  aborted = false;
  /** An abort() waits for the half close in progress; the reset then closes the socket. */
  resetPending = false;
  closeAsked = false;
  /** Node has closed the descriptor. */
  isClosed = false;
  readonly sent: (error?: Error | null) => void;

  /** `socket` is paused: nothing is read before the first receive(). */
  constructor(shared: NetShared, socket: Socket, isUnix: boolean) {
    this.shared = shared;
    this.socket = socket;
    this.isUnix = isUnix;
    this.sent = (error) => this.onSent(error);
    socket.on('data', (chunk: Buffer) => this.onData(chunk));
    socket.on('end', () => this.onEnd());
    socket.on('error', (error: Error) => this.onError(error));
    socket.on('close', () => this.onClose());
  }

  /** poll() reported the completion of `op`. */
  endFlight(op: number): void {
    switch (op) {
      case Op.Receive:
        this.receiving = Flight.Idle;
        break;
      case Op.Send:
        this.sending = Flight.Idle;
        break;
      case Op.Connect:
        this.connecting = Flight.Idle;
        break;
      default:
        assert(op === Op.Watch, 'a completion belongs to an operation of the socket');
        this.watching = Flight.Idle;
    }
  }

  receive(): void {
    assert(this.receiving === Flight.Idle, 'one receive is in flight per socket');
    assert(!this.closeAsked, 'a closing socket receives nothing');
    this.receiving = Flight.Started;
    if (this.rest !== null) {
      this.deliver(this.rest, this.restStart, false);
    } else if (this.fault !== 0) {
      this.receiveDone(this.fault, -1);
    } else if (this.ended) {
      this.receiveDone(0, -1);
    } else if (this.paused) {
      this.paused = false;
      this.socket.resume();
    }
  }

  /**
   * Copies what fits into a block. Without a free block the receive is starved, and reading pauses;
   * also when other receives are starved already, unless this is the `first` of them.
   */
  deliver(chunk: Buffer, start: number, first: boolean): void {
    const slab = this.shared.slab;
    const block = first || this.shared.starved.size === 0 ? slab.acquire() : -1;
    if (block === -1) {
      this.keep(chunk, start);
      this.shared.starved.add(this);
      slab.whenFree = this.shared.blockReleased;
      return;
    }
    const end = Math.min(chunk.length, start + slab.blockBytes);
    const isFull = start === 0 && end === chunk.length;
    slab.bytes.set(isFull ? chunk : chunk.subarray(start, end), slab.start(block));
    if (end < chunk.length) {
      this.keep(chunk, end);
    } else {
      this.rest = null;
    }
    this.receiveDone(end - start, block);
  }

  /** A block was released for this starved receive. */
  retry(): void {
    if (this.rest !== null) this.deliver(this.rest, this.restStart, true);
  }

  keep(chunk: Buffer, start: number): void {
    this.rest = chunk;
    this.restStart = start;
    if (this.paused) return;
    // Node reads until its own buffer is full, so one socket holds a few chunks at most.
    this.paused = true;
    this.socket.pause();
  }

  receiveDone(result: number, block: number): void {
    this.receiving = Flight.Queued;
    this.shared.queue.push(Op.Receive, this.slot, result, block);
  }

  /** `bytes` stay in place until SEND. */
  send(bytes: Buffer): void {
    assert(this.sending === Flight.Idle, 'one send is in flight per socket');
    assert(!this.shutdownAsked && !this.closeAsked, 'nothing is sent after a shutdown');
    this.sending = Flight.Started;
    if (this.fault !== 0) {
      this.sendDone(this.fault);
    } else if (this.socket.destroyed) {
      this.sendDone(-ERRNO.EPIPE);
    } else {
      // At most SEND_BYTES_MAX, so that a slow client's progress shows.
      this.sendBytes = Math.min(bytes.length, SEND_BYTES_MAX);
      const isFull = this.sendBytes === bytes.length;
      this.socket.write(isFull ? bytes : bytes.subarray(0, this.sendBytes), this.sent);
    }
  }

  sendDone(result: number): void {
    this.sending = Flight.Queued;
    this.shared.queue.push(Op.Send, this.slot, result, -1);
    if (this.shutdownAsked) this.endSending();
  }

  watch(): void {
    assert(this.watching === Flight.Idle, 'one watch is in flight per socket');
    assert(!this.closeAsked, 'a closing socket is not watched');
    this.watching = Flight.Started;
    if (this.fault !== 0) this.watchDone(this.fault);
    else if (this.socket.destroyed) this.watchDone(-ERRNO.ECONNRESET);
    else this.shared.probe.add(this);
  }

  /**
   * An empty write sends nothing, and fails when the connection is broken. A send in flight fails
   * by itself, and a socket that is shut down takes no write.
   */
  probe(): void {
    if (this.sending === Flight.Started || this.shutdownAsked || this.socket.destroyed) return;
    this.socket.write(NO_BYTES);
  }

  watchDone(result: number): void {
    this.watching = Flight.Queued;
    this.shared.probe.remove(this);
    this.shared.queue.push(Op.Watch, this.slot, result, -1);
  }

  unacknowledged(): number {
    const { bytes, reading } = this.shared.table.unacknowledged(this.socket, this.tableReading);
    this.tableReading = reading;
    return bytes;
  }

  shutdownSend(): void {
    if (this.shutdownAsked) return;
    this.shutdownAsked = true;
    if (this.sending !== Flight.Started) this.endSending();
  }

  endSending(): void {
    if (!this.aborted && !this.socket.destroyed) this.socket.end();
  }

  /**
   * Without `reset` the kernel still delivers what it has, after the destroy() of close().
   */
  abort(reset: boolean): void {
    if (this.aborted) return;
    this.aborted = true;
    this.shared.starved.delete(this);
    this.rest = null;
    if (this.fault === 0) this.fault = -ERRNO.ECANCELED;
    this.cancel(-ERRNO.ECANCELED);
    if (!reset) return;
    if (this.socket.writableEnded && !this.socket.writableFinished) {
      // A handle cannot be reset during its half close, which ends soon: nothing is left to be
      // written.
      this.resetPending = true;
      this.socket.once('finish', () => this.reset());
    } else {
      this.reset();
    }
  }

  reset(): void {
    if (this.socket.destroyed) return;
    // Only TCP has resets; and Node would wait for the connection before it resets it.
    if (this.isUnix || this.socket.connecting) {
      this.socket.destroy();
    } else {
      this.socket.resetAndDestroy();
    }
  }

  /** Completes what is in flight; later events of Node find nothing in flight. */
  cancel(result: number): void {
    if (this.connecting === Flight.Started) this.connectDone(result);
    if (this.receiving === Flight.Started && this.rest === null) this.receiveDone(result, -1);
    if (this.sending === Flight.Started) this.sendDone(result);
    if (this.watching === Flight.Started) this.watchDone(result);
  }

  close(): void {
    assert(!this.closeAsked, 'a socket is closed once');
    const flights = this.connecting + this.receiving + this.sending + this.watching;
    assert(flights === Flight.Idle, 'nothing is in flight when a socket is closed');
    this.closeAsked = true;
    this.rest = null;
    if (this.isClosed) {
      this.shared.queue.push(Op.Close, this.slot, 0, -1);
    } else if (!this.resetPending) {
      this.socket.destroy();
    }
  }

  peer(): Peer {
    const address = this.socket.remoteAddress ?? '';
    const isMapped = address.startsWith('::ffff:') && address.includes('.');
    return {
      address: isMapped ? address.slice('::ffff:'.length) : address,
      port: this.socket.remotePort ?? 0,
    };
  }

  startConnect(): void {
    this.connecting = Flight.Started;
    this.socket.once('connect', () => this.onConnect());
  }

  connectDone(result: number): void {
    this.connecting = Flight.Queued;
    this.shared.queue.push(Op.Connect, this.slot, result, -1);
  }

  onConnect(): void {
    if (this.connecting === Flight.Started) this.connectDone(0);
  }

  onData(chunk: Buffer): void {
    if (this.aborted || this.closeAsked) return;
    assert(this.rest === null, 'a paused socket emits no bytes');
    if (this.receiving === Flight.Started) {
      this.deliver(chunk, 0, false);
    } else {
      this.keep(chunk, 0);
    }
  }

  onEnd(): void {
    this.ended = true;
    if (this.receiving === Flight.Started && this.rest === null) this.receiveDone(0, -1);
  }

  onError(error: Error): void {
    if (this.fault === 0) this.fault = faultOf(error, ERRNO.ECONNRESET);
    this.cancel(this.fault);
  }

  onSent(error?: Error | null): void {
    if (this.sending !== Flight.Started) return;
    if (error === null || error === undefined) {
      this.sendDone(this.sendBytes);
    } else {
      this.sendDone(this.fault !== 0 ? this.fault : faultOf(error, ERRNO.ECONNRESET));
    }
  }

  onClose(): void {
    this.isClosed = true;
    if (this.closeAsked) {
      this.shared.queue.push(Op.Close, this.slot, 0, -1);
      return;
    }
    // Node also closes by itself, once both directions have ended.
    if (this.fault === 0 && !this.ended) this.fault = -ERRNO.ECONNRESET;
    if (this.fault !== 0) this.cancel(this.fault);
  }
}
