// Hot: runs for every operation. Measured by perf/micro/driver.ts.
// The operations that the driver submits to its ring, each with a tag that its completion repeats:
// the kind of operation, the slot, and the generation, which counts the sockets that had the slot.

import { MSG_MORE, MSG_NOSIGNAL } from './layout.ts';
import { control, type IoUring } from './uring-instance.ts';
import {
  HIGH,
  IORING_OP_ASYNC_CANCEL,
  IORING_OP_CONNECT,
  IORING_OP_POLL_ADD,
  IORING_OP_RECV,
  IORING_OP_SEND,
  IOSQE_BUFFER_SELECT,
  IOSQE_CQE_SKIP_SUCCESS,
  RECV_POLL_FIRST,
} from './uring-layout.ts';

/** The kind of operation: the upper byte of a tag's low word, above the slot. */
export const Kind = {
  Receive: 1,
  Send: 2,
  Connect: 3,
  Poll: 4,
  Listener: 5,
  Cancel: 6,
  Hangup: 7,
  /** The socket of a send from a file has room. */
  Room: 8,
} as const;
export const KIND_SHIFT = 24;
export const SLOT_MASK = 0xffffff;
/** Both words of a tag make a number that has to be exact as a double. */
export const GENERATION_MASK = 0xfffff;
/** The group of provided buffers that receives use. */
export const BUFFER_GROUP = 1;

const RECEIVE = control(IORING_OP_RECV, IOSQE_BUFFER_SELECT, 0);
const RECEIVE_LATER = control(IORING_OP_RECV, IOSQE_BUFFER_SELECT, RECV_POLL_FIRST);
const SEND = control(IORING_OP_SEND, 0, 0);
const CONNECT = control(IORING_OP_CONNECT, 0, 0);
const POLL = control(IORING_OP_POLL_ADD, 0, 0);
const CANCEL = control(IORING_OP_ASYNC_CANCEL, IOSQE_CQE_SKIP_SUCCESS, 0);

export class UringEntries {
  readonly #ring: IoUring;

  constructor(ring: IoUring) {
    this.#ring = ring;
  }

  /** With `later` the kernel waits for readiness before it tries to receive. */
  receive(slot: number, generation: number, fd: number, later: boolean): void {
    const operation = later ? RECEIVE_LATER : RECEIVE;
    const tag = (Kind.Receive << KIND_SHIFT) | slot;
    this.#ring.push(operation, fd, 0, 0, 0, 0, tag, generation, BUFFER_GROUP);
  }

  send(
    slot: number,
    generation: number,
    fd: number,
    address: number,
    bytes: number,
    more: boolean,
  ): void {
    const flags = more ? MSG_NOSIGNAL | MSG_MORE : MSG_NOSIGNAL;
    const tag = (Kind.Send << KIND_SHIFT) | slot;
    this.#ring.push(SEND, fd, 0, address, bytes, flags, tag, generation, 0);
  }

  /** The struct at `address` is read when the entry is submitted. */
  connect(slot: number, generation: number, fd: number, address: number, bytes: number): void {
    const tag = (Kind.Connect << KIND_SHIFT) | slot;
    this.#ring.push(CONNECT, fd, bytes, address, 0, 0, tag, generation, 0);
  }

  /** One completion when one of `events` is set, which may be at once. */
  poll(kind: number, slot: number, generation: number, fd: number, events: number): void {
    const tag = (kind << KIND_SHIFT) | slot;
    this.#ring.push(POLL, fd, 0, 0, 0, events, tag, generation, 0);
  }

  /**
   * The operation with this tag completes, mostly with -ECANCELED. To cancel by descriptor the
   * kernel would have to search all that is in flight.
   */
  cancel(kind: number, slot: number, generation: number): void {
    const tag = generation * HIGH + ((kind << KIND_SHIFT) | slot);
    this.#ring.push(CANCEL, -1, 0, tag, 0, 0, Kind.Cancel << KIND_SHIFT, 0, 0);
  }
}
