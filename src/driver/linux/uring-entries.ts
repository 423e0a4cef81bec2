// Hot: runs for every operation. Measured by perf/micro/driver.ts. The operations that the driver
// asks of its ring, each under a name that comes back with its completion: what it is, which slot
// it is for, and which of the sockets that had the slot one after the other.

import { control, type IoUring } from './uring-instance.ts';
import { MSG_MORE, MSG_NOSIGNAL } from './layout.ts';
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

/** What a completion belongs to: the upper byte of its low word, above the slot. */
export const Kind = {
  Receive: 1,
  Send: 2,
  Connect: 3,
  Poll: 4,
  Listener: 5,
  Cancel: 6,
  Hangup: 7,
} as const;
export const KIND_SHIFT = 24;
export const SLOT_MASK = 0xffffff;
/** Both words of a name make a number that has to be exact as a double. */
export const GENERATION_MASK = 0xfffff;
/** The group of buffers that receives take from. */
export const GROUP = 1;

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

  /** With `later` the kernel waits for bytes to come before it looks for any. */
  receive(slot: number, generation: number, fd: number, later: boolean): void {
    const operation = later ? RECEIVE_LATER : RECEIVE;
    const tag = (Kind.Receive << KIND_SHIFT) | slot;
    this.#ring.push(operation, fd, 0, 0, 0, 0, tag, generation, GROUP);
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

  /** One completion when one of `events` is so, which may be at once. */
  poll(kind: number, slot: number, generation: number, fd: number, events: number): void {
    const tag = (kind << KIND_SHIFT) | slot;
    this.#ring.push(POLL, fd, 0, 0, 0, events, tag, generation, 0);
  }

  /**
   * What has this name finishes, mostly with -ECANCELED. By its descriptor the kernel would have to
   * look for it among all that is in flight.
   */
  cancel(kind: number, slot: number, generation: number): void {
    const name = generation * HIGH + ((kind << KIND_SHIFT) | slot);
    this.#ring.push(CANCEL, -1, 0, name, 0, 0, Kind.Cancel << KIND_SHIFT, 0, 0);
  }
}
