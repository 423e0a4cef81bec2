// The two ends of a connection in memory: the server's, which a driver calls, and the client's.
// What one end does, the other sees at once. The client's end resolves promises, so that code of a
// client never runs within a call of the driver.

import { assert } from '../../base/assert.ts';
import { Changes } from '../../base/changes.ts';
import { ERRNO } from '../../base/errno.ts';
import type { Slab } from '../../base/slab.ts';
import { Op, type Peer } from '../driver.ts';
import { MemoryPipe } from './pipe.ts';

/** What the sockets of a driver share. */
export interface MemoryShared {
  readonly slab: Slab;
  /** Receives that wait for a free block, in their order. */
  readonly starved: Set<MemorySocket>;
  /** The next poll() reports this completion. */
  complete(op: number, slot: number, result: number, block: number): void;
}

/** Bytes of a region that are sent as far as the client has room. */
interface PendingSend {
  readonly memory: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export class MemorySocket {
  slot = -1;
  readonly peer: Peer;
  readonly client: MemoryClient;
  readonly #shared: MemoryShared;
  /** From the client, and to it. */
  readonly #input = new MemoryPipe();
  readonly #output = new MemoryPipe();
  /** The client has reset the connection. */
  #broken = false;
  #receiving = false;
  #watching = false;
  #send: PendingSend | null = null;

  constructor(shared: MemoryShared, peer: Peer) {
    this.#shared = shared;
    this.peer = peer;
    this.client = new MemoryClient(this.#input, this.#output, {
      arrived: () => this.#arrived(),
      taken: () => this.#trySend(),
      broken: () => this.#break(),
    });
  }

  #complete(op: number, result: number, block = -1): void {
    this.#shared.complete(op, this.slot, result, block);
  }

  receive(): void {
    assert(!this.#receiving, 'one receive is in flight');
    this.#receiving = true;
    this.#arrived();
  }

  /** Completes the receive in flight, if there is something for it. */
  #arrived(): void {
    if (!this.#receiving) return;
    const { slab, starved } = this.#shared;
    if (this.#input.bytes > 0) {
      const block = slab.acquire();
      if (block < 0) {
        starved.add(this);
        return;
      }
      this.#receiving = false;
      const bytes = this.#input.readInto(slab.bytes, slab.start(block), slab.blockBytes);
      this.#complete(Op.Receive, bytes, block);
      this.client.change();
    } else if (this.#broken || this.#input.ended) {
      this.#receiving = false;
      this.#complete(Op.Receive, this.#broken ? -ERRNO.ECONNRESET : 0);
    }
  }

  /** A block is free. */
  retry(): void {
    this.#arrived();
  }

  send(memory: Uint8Array, start: number, end: number): void {
    assert(this.#send === null, 'one send is in flight');
    assert(!this.#output.ended, 'nothing is sent after the end of the stream');
    this.#send = { memory, start, end };
    this.#trySend();
  }

  /** Completes the send in flight, as far as the client has room. */
  #trySend(): void {
    const send = this.#send;
    if (send === null) return;
    const { memory, start, end } = send;
    const { room } = this.#output;
    if (this.#broken) {
      this.#endSend(-ERRNO.ECONNRESET);
    } else if (room > 0) {
      const bytes = Math.min(room, end - start);
      // The region may change as soon as the send has completed.
      this.#output.write(memory.slice(start, start + bytes));
      this.#endSend(bytes);
      this.client.change();
    }
  }

  #endSend(result: number): void {
    this.#send = null;
    this.#complete(Op.Send, result);
  }

  watch(): void {
    assert(!this.#watching, 'one watch is in flight');
    if (this.#broken) this.#complete(Op.Watch, -ERRNO.ECONNRESET);
    else this.#watching = true;
  }

  /** The client resets the connection: what is in flight completes. */
  #break(): void {
    this.#broken = true;
    this.#arrived();
    this.#trySend();
    if (this.#watching) {
      this.#watching = false;
      this.#complete(Op.Watch, -ERRNO.ECONNRESET);
    }
  }

  unacknowledged(): number {
    const { bytes, ended } = this.#output;
    return ended && bytes > 0 ? bytes + 1 : bytes;
  }

  shutdownSend(): void {
    assert(this.#send === null, 'no send is in flight');
    this.#output.ended = true;
    this.client.change();
  }

  abort(reset: boolean): void {
    if (reset) this.client.breakByServer();
    if (this.#receiving) this.#complete(Op.Receive, -ERRNO.ECANCELED);
    if (this.#send !== null) this.#endSend(-ERRNO.ECANCELED);
    if (this.#watching) this.#complete(Op.Watch, -ERRNO.ECANCELED);
    this.#receiving = false;
    this.#watching = false;
  }

  close(): void {
    const isQuiet = !this.#receiving && this.#send === null && !this.#watching;
    assert(isQuiet, 'nothing is in flight');
    this.client.closeByServer();
    this.#complete(Op.Close, 0);
  }

  /** The server does not serve this client. */
  refuse(): void {
    this.client.breakByServer();
  }
}

/** What the client's end calls at the server's. */
interface ServerEnd {
  arrived(): void;
  taken(): void;
  broken(): void;
}

export class MemoryClient {
  /** To the server, and from it. */
  readonly #input: MemoryPipe;
  readonly #output: MemoryPipe;
  readonly #server: ServerEnd;
  /** Either end has reset the connection: what was sent before can still be read. */
  isReset = false;
  /** The server has closed its end: what is written reaches nothing. */
  isClosed = false;
  readonly #changes = new Changes();

  constructor(input: MemoryPipe, output: MemoryPipe, server: ServerEnd) {
    this.#input = input;
    this.#output = output;
    this.#server = server;
  }

  /** False when write() should wait for changed(). */
  get hasRoom(): boolean {
    return this.#input.room > 0;
  }

  /** True while the server reads what is written. */
  get isOpen(): boolean {
    return !this.isReset && !this.isClosed && !this.#input.ended;
  }

  /** No byte follows those that read() returns. */
  get isEnded(): boolean {
    return this.#output.ended || this.isReset;
  }

  /** Takes the memory of `bytes`. */
  write(bytes: Uint8Array): void {
    if (!this.isOpen || bytes.length === 0) return;
    this.#input.write(bytes);
    this.#server.arrived();
  }

  /** Half close: nothing more is written. */
  end(): void {
    if (this.#input.ended) return;
    this.#input.ended = true;
    this.#server.arrived();
    this.change();
  }

  reset(): void {
    if (this.isReset || this.isClosed) return;
    this.isReset = true;
    this.#server.broken();
    this.change();
  }

  /** The next bytes; null when there are none now, or no more. */
  read(): Uint8Array | null {
    const chunk = this.#output.read();
    if (chunk !== null) this.#server.taken();
    return chunk;
  }

  /** Resolves when there is something to read, more room, or the end. */
  changed(): Promise<void> {
    return this.#changes.next();
  }

  change(): void {
    this.#changes.happened();
  }

  breakByServer(): void {
    this.isReset = true;
    this.isClosed = true;
    this.change();
  }

  closeByServer(): void {
    this.#output.ended = true;
    this.isClosed = true;
    this.change();
  }
}
