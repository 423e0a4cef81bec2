// A socket of the simulated driver: its operations in flight, when the kernel carries them out, and
// their results. The bytes of a send are read as late as a kernel may read them, so memory that is
// released too early shows in the response.

import { ERRNO } from '../../src/base/errno.ts';
import type { Slab } from '../../src/base/slab.ts';
import { NOT_CACHED, Op } from '../../src/driver/driver.ts';
import type { Completion, SimDriverParts } from './driver-parts.ts';
import type { Link, ServerSide } from './network.ts';
import { ensure } from './violation.ts';

/** What a socket needs of its driver. */
export interface SocketDriver {
  readonly parts: SimDriverParts;
  readonly slab: Slab;
  now(): number;
  region(number: number): Uint8Array;
  acquireBlock(): number;
  waitForBlock(socket: SimSocket): void;
  enqueue(socket: SimSocket): void;
  notify(): void;
  finish(completion: Completion, delayMs: number): void;
}

export interface Send {
  readonly region: number;
  readonly start: number;
  readonly end: number;
  readonly more: boolean;
}

/** A driver that has to probe for resets does so twice a second. */
export const SLOW_WATCH_MS_MAX = 600;

/** The progress of an operation. */
const Step = {
  None: 0,
  /** The next poll tries it. */
  Requested: 1,
  /** The kernel waits for bytes, or for room. */
  Parked: 2,
  /** It continues after a delay. */
  Delayed: 3,
  /** Its completion waits for poll(). */
  Finished: 4,
} as const;
type Step = (typeof Step)[keyof typeof Step];

export class SimSocket implements ServerSide {
  readonly slot: number;
  readonly link: Link;
  readonly adoptedMs: number;
  readonly #driver: SocketDriver;
  #receive: Step = Step.None;
  #send: Step = Step.None;
  #watch: Step = Step.None;
  /** The send in flight, until poll() has returned its completion. */
  send: Send | null = null;
  isShut = false;
  isAborted = false;
  #reset = false;
  /** The peer's reset was reported. */
  #resetReported = false;
  /** The moment of its last completion, for the checks of deadlines. */
  activeMs: number;
  /** `clock.stalledMs` of that moment. */
  activeStalledMs = 0;

  constructor(driver: SocketDriver, slot: number, link: Link) {
    this.#driver = driver;
    this.slot = slot;
    this.link = link;
    this.adoptedMs = driver.now();
    this.activeMs = this.adoptedMs;
    this.activeStalledMs = driver.parts.clock.stalledMs;
    link.serverActiveMs = this.activeMs;
    link.serverSentMs = this.activeMs;
  }

  get receiving(): boolean {
    return this.#receive !== Step.None;
  }

  get sending(): boolean {
    return this.#send !== Step.None;
  }

  startReceive(): void {
    ensure(this.#receive === Step.None, 'contract', 'one receive is in flight per socket');
    ensure(!this.isAborted, 'contract', 'an aborted socket receives nothing more');
    this.#receive = Step.Requested;
  }

  get watching(): boolean {
    return this.#watch !== Step.None;
  }

  startWatch(): void {
    ensure(this.#watch === Step.None, 'contract', 'one watch is in flight per socket');
    ensure(!this.isAborted, 'contract', 'an aborted socket is not watched');
    this.#watch = Step.Requested;
  }

  startSend(send: Send): void {
    ensure(this.#send === Step.None, 'contract', 'one send is in flight per socket');
    ensure(!this.isAborted && !this.isShut, 'contract', 'nothing is sent after the end');
    this.#send = Step.Requested;
    this.send = send;
  }

  /** The kernel tries the operations in flight: at a poll, or after a change in the network. */
  attempt(): void {
    if (this.isAborted) {
      this.#cancel();
      return;
    }
    const { faults } = this.#driver.parts;
    if (this.#send === Step.Requested) {
      if (faults.hit('slowSend', this.link.lane)) this.#delaySend();
      else this.#trySend();
    }
    if (this.#receive === Step.Requested) {
      if (faults.hit('slowReceive', this.link.lane)) this.#delayReceive();
      else this.#tryReceive();
    }
    if (this.#watch === Step.Requested) this.#tryWatch();
  }

  #delaySend(): void {
    const { schedule, faults } = this.#driver.parts;
    this.#send = Step.Delayed;
    schedule.after(faults.random('slowSend').ms(0, 30), () => {
      if (this.#send === Step.Delayed) this.#trySend();
    });
  }

  #delayReceive(): void {
    const { schedule, faults } = this.#driver.parts;
    this.#receive = Step.Delayed;
    schedule.after(faults.random('slowReceive').ms(0, 30), () => {
      if (this.#receive === Step.Delayed) this.#tryReceive();
    });
  }

  readable(): void {
    if (this.#receive === Step.Parked) this.#tryReceive();
    // A send that waits for room fails after a reset, too.
    if (this.#send === Step.Parked && this.link.up.resetArrived) this.#trySend();
    if (this.#watch === Step.Parked) this.#tryWatch();
  }

  roomAvailable(): void {
    if (this.#send === Step.Parked) this.#trySend();
  }

  // --- Watching ---

  #tryWatch(): void {
    const { faults, schedule } = this.#driver.parts;
    if (!this.link.up.resetArrived) {
      this.#watch = Step.Parked;
    } else if (faults.hit('slowWatch', this.link.lane)) {
      this.#watch = Step.Delayed;
      schedule.after(faults.random('slowWatch').ms(0, SLOW_WATCH_MS_MAX), () => {
        if (this.#watch === Step.Delayed) this.#finishWatch(-ERRNO.ECONNRESET);
      });
    } else {
      this.#finishWatch(-ERRNO.ECONNRESET);
    }
  }

  #finishWatch(result: number): void {
    this.#watch = Step.Finished;
    this.#driver.finish({ op: Op.Watch, slot: this.slot, result, block: -1 }, 0);
  }

  // --- Receiving ---

  #tryReceive(): void {
    const { up } = this.link;
    if (!up.readable) {
      this.#receive = Step.Parked;
      return;
    }
    if (up.arrivedBytes === 0) {
      const isFirst = up.resetArrived && !this.#resetReported;
      this.#resetReported = up.resetArrived;
      this.#finishReceive(isFirst ? -ERRNO.ECONNRESET : 0, -1);
      return;
    }
    const block = this.#driver.acquireBlock();
    if (block < 0) {
      this.#receive = Step.Requested;
      this.#driver.waitForBlock(this);
      this.#driver.notify();
      return;
    }
    this.#fill(block);
  }

  #fill(block: number): void {
    const { slab, parts } = this.#driver;
    const { up, lane } = this.link;
    let most = Math.min(up.arrivedBytes, slab.blockBytes);
    if (most > 1 && parts.faults.hit('shortReceive', lane)) {
      most = parts.faults.random('shortReceive').between(1, most);
    }
    const count = up.readInto(slab.bytes, slab.start(block), most);
    this.#finishReceive(count, block);
  }

  /** Fails a waiting receive, as a keep-alive probe without a reply does. */
  failReceive(): void {
    if (this.#receive !== Step.Parked) return;
    this.link.injected.push('receiveFails');
    this.#finishReceive(-ERRNO.ETIMEDOUT, -1);
  }

  #finishReceive(result: number, block: number): void {
    this.#receive = Step.Finished;
    this.#driver.finish({ op: Op.Receive, slot: this.slot, result, block }, 0);
  }

  // --- Sending ---

  #trySend(): void {
    const { send } = this;
    const { faults } = this.#driver.parts;
    const { link } = this;
    ensure(send !== null, 'contract', 'a send is in flight');
    if (link.up.resetArrived) {
      const result = this.#resetReported ? -ERRNO.EPIPE : -ERRNO.ECONNRESET;
      this.#resetReported = true;
      this.#finishSend(result);
      return;
    }
    if (faults.hit('sendNoBuffers', link.lane)) {
      link.injected.push('sendNoBuffers');
      this.#finishSend(-ERRNO.ENOBUFS);
      return;
    }
    const { room } = link.down;
    if (room === 0) {
      this.#send = Step.Parked;
      return;
    }
    if (send.region < 0 && faults.hit('notCached', link.lane)) {
      this.#finishSend(NOT_CACHED);
      return;
    }
    let most = Math.min(room, send.end - send.start);
    if (most > 1 && faults.hit('shortSend', link.lane)) {
      most = faults.random('shortSend').between(1, most);
    }
    const bytes = this.#driver.region(send.region).subarray(send.start, send.start + most);
    this.#driver.parts.trace.mixBytes(bytes);
    link.down.write(bytes);
    this.#finishSend(most);
  }

  #finishSend(result: number): void {
    this.#send = Step.Finished;
    this.#driver.finish({ op: Op.Send, slot: this.slot, result, block: -1 }, 0);
  }

  /** Poll() returned a completion. */
  delivered(op: number, result: number): void {
    if (op === Op.Watch) {
      this.#watch = Step.None;
      return;
    }
    this.activeMs = this.#driver.now();
    this.activeStalledMs = this.#driver.parts.clock.stalledMs;
    const isOpen = Number.isNaN(this.link.serverEndMs) && !this.isAborted;
    if (result > 0 && isOpen) this.link.noteActive(this.activeMs);
    if (op === Op.Send && result > 0 && isOpen) this.link.serverSentMs = this.activeMs;
    // No connection reads what arrives at an aborted socket.
    if (op === Op.Receive && result > 0 && !this.isAborted) this.link.takenBytes += result;
    if (op === Op.Receive && result > 0 && Number.isNaN(this.link.serverFirstMs)) {
      this.link.serverFirstMs = this.activeMs;
    }
    if (op === Op.Receive) this.#receive = Step.None;
    else {
      this.#send = Step.None;
      this.send = null;
    }
  }

  // --- Ending ---

  shutdown(): void {
    ensure(this.#send === Step.None, 'contract', 'a half close comes after the last send');
    ensure(!this.isShut, 'contract', 'a side is shut once');
    this.isShut = true;
    this.activeMs = this.#driver.now();
    this.activeStalledMs = this.#driver.parts.clock.stalledMs;
    this.link.serverEnd();
  }

  abort(reset: boolean): void {
    this.isAborted = true;
    this.#reset ||= reset;
    this.link.serverDetaches();
    // The kernel cancels with the next poll, and may finish operations until then.
    const steps = [this.#receive, this.#send, this.#watch];
    if (steps.some((step) => this.#isWaiting(step))) this.#driver.enqueue(this);
  }

  #cancel(): void {
    const { faults } = this.#driver.parts;
    if (this.#isWaiting(this.#receive)) {
      if (this.link.up.readable && faults.hit('lateCancel', this.link.lane)) this.#tryReceive();
      if (this.#isWaiting(this.#receive)) this.#finishReceive(-ERRNO.ECANCELED, -1);
    }
    if (this.#isWaiting(this.#send)) {
      if (faults.hit('lateCancel', this.link.lane)) this.#trySend();
      if (this.#isWaiting(this.#send)) this.#finishSend(-ERRNO.ECANCELED);
    }
    if (this.#isWaiting(this.#watch)) this.#finishWatch(-ERRNO.ECANCELED);
  }

  #isWaiting(step: Step): boolean {
    return step !== Step.None && step !== Step.Finished;
  }

  close(): void {
    const isQuiet = !this.receiving && !this.sending && !this.watching;
    ensure(isQuiet, 'contract', 'nothing is in flight at close');
    ensure(this.link.server === this, 'contract', 'a socket is closed once');
    if (this.#reset) this.link.serverReset();
    else this.link.serverClose();
  }
}
