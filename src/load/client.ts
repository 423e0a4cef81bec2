// One connection of a load: its state and its requests in flight. ConnectionPool drives it.

import { ResponseReader } from './response-reader.ts';

export const ClientState = { Free: 0, Connecting: 1, Open: 2, Closing: 3 } as const;
export type ClientState = (typeof ClientState)[keyof typeof ClientState];

export class Client {
  readonly slot: number;
  readonly reader: ResponseReader = new ResponseReader();
  state: ClientState = ClientState.Free;
  isReceiving = false;
  isSending = false;
  /** Requests without a response so far. */
  inFlight = 0;
  /**
   * Position in the request sequence of the oldest of them; without any, of the next to be sent.
   */
  position: number;
  /** Index of the oldest of them in this client's part of ConnectionPool.dues. */
  headIndex = 0;
  /** The bytes of the request sequence that are still to be sent. */
  sendAt = 0;
  sendEnd = 0;
  /** The time of the last progress: a connect began, a request was sent, bytes were received. */
  sinceMs = 0;
  /** The time at which its connect began. */
  startMs = 0;
  /** No further request is sent: the connection ends after the response that came. */
  isLast = false;
  hadConnection = false;
  /** Connections in a row, this one included, that brought no response. */
  connectsWithoutResponse = 0;
  /** The last connect failed. */
  connectFailed = false;
  /** The last connect was delayed. */
  isDelayed = false;
  /** It is in the load's queue of connections that can take a request. */
  isQueued = false;
  readonly #depth: number;

  constructor(slot: number, depth: number, position: number) {
    this.slot = slot;
    this.#depth = depth;
    this.position = position;
  }

  /** How many requests can be sent now. */
  get capacity(): number {
    if (this.state !== ClientState.Open || this.isSending || this.isLast) return 0;
    return this.#depth - this.inFlight;
  }

  /** Index of the next request in this client's part of the due times. */
  tailIndex(): number {
    const index = this.headIndex + this.inFlight;
    return index < this.#depth ? index : index - this.#depth;
  }

  /**
   * Calls `act` with the due time of each request in flight, oldest first. `dues`: all clients'.
   */
  eachDue(dues: Float64Array, act: (dueMs: number) => void): void {
    const depth = this.#depth;
    for (let index = 0; index < this.inFlight; index++) {
      act(dues[this.slot * depth + ((this.headIndex + index) % depth)]);
    }
  }

  /** How many of the oldest `most` requests were due at the same time, as those of one send are. */
  dueTogether(dues: Float64Array, most: number): number {
    const from = this.slot * this.#depth + this.headIndex;
    const end = from + Math.min(most, this.#depth - this.headIndex);
    let next = from + 1;
    while (next < end && dues[next] === dues[from]) next += 1;
    return next - from;
  }

  /** The oldest `count` requests have their responses. */
  popHeads(count: number): void {
    this.inFlight -= count;
    const next = this.headIndex + count;
    this.headIndex = next < this.#depth ? next : next - this.#depth;
  }

  /** Resets what belongs to one connection. */
  clear(): void {
    this.inFlight = 0;
    this.headIndex = 0;
    this.sendAt = 0;
    this.sendEnd = 0;
    this.isLast = false;
  }
}
