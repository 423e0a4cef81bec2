// One connection of a load: what is in flight on it. The crowd moves it.

import { ResponseReader } from './response-reader.ts';

export const ClientState = { Free: 0, Connecting: 1, Open: 2, Closing: 3 } as const;
export type ClientState = (typeof ClientState)[keyof typeof ClientState];

export class Client {
  readonly slot: number;
  readonly reader: ResponseReader = new ResponseReader();
  state: ClientState = ClientState.Free;
  isReceiving = false;
  isSending = false;
  /** Requests that wait for their answers. */
  inFlight = 0;
  /** Where the oldest of them stands in the wheel; without any, the next one to be sent. */
  position: number;
  /** Where the oldest of them stands among the times that requests were due. */
  headIndex = 0;
  /** What of the wheel's bytes is still to be sent. */
  sendAt = 0;
  sendEnd = 0;
  /** Since when nothing came of what it waits for. */
  sinceMs = 0;
  /** When its connecting began. */
  startMs = 0;
  /** No further request: the connection ends with the answer that came. */
  isLast = false;
  hadConnection = false;
  /** Connections in a row, this one included, that brought no response. */
  fruitless = 0;
  /** The last connect came to nothing. */
  hasFailed = false;
  /** The connection waited before it was tried again. */
  isDelayed = false;
  /** Stands among those that can take a request. */
  isQueued = false;
  readonly #depth: number;

  constructor(slot: number, depth: number, position: number) {
    this.slot = slot;
    this.#depth = depth;
    this.position = position;
  }

  /** How many requests it can take now. */
  get capacity(): number {
    if (this.state !== ClientState.Open || this.isSending || this.isLast) return 0;
    return this.#depth - this.inFlight;
  }

  /** Where the time of the next request goes. */
  tailIndex(): number {
    const index = this.headIndex + this.inFlight;
    return index < this.#depth ? index : index - this.#depth;
  }

  /** When each of those in flight was due, the oldest first; `dues` are those of all clients. */
  eachDue(dues: Float64Array, act: (dueMs: number) => void): void {
    const depth = this.#depth;
    for (let index = 0; index < this.inFlight; index++) {
      act(dues[this.slot * depth + ((this.headIndex + index) % depth)]);
    }
  }

  popHead(): void {
    this.inFlight -= 1;
    this.headIndex = this.headIndex + 1 === this.#depth ? 0 : this.headIndex + 1;
  }

  /** A new connection begins with nothing. */
  clear(): void {
    this.inFlight = 0;
    this.headIndex = 0;
    this.sendAt = 0;
    this.sendEnd = 0;
    this.isLast = false;
  }
}
