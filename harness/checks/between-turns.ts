// What must hold between any two turns, whatever the faults: pools balance, a connection with bytes
// to send is sending, one that waits has a deadline, and no deadline is late.

import { DRAIN_HEAD_MS } from '../../src/base/fixed-limits.ts';
import { Connection } from '../../src/connection/connection.ts';
import { Draining } from '../../src/connection/context.ts';
import type { SpanPool } from '../../src/connection/span.ts';
import { Reading } from '../../src/connection/state.ts';
import { Phase } from '../../src/exchange/state.ts';
import type { Reactor } from '../../src/reactor/reactor.ts';
import {
  CLOSING,
  EXTRA,
  IN_FLIGHT,
  OPEN,
  RECEIVING,
  SENDING,
  WATCHING,
} from '../../src/reactor/sockets.ts';
import type { Settings } from '../run/settings.ts';
import type { Clock } from '../world/clock.ts';
import type { SimDriver } from '../world/driver.ts';
import { SLOW_WATCH_MS_MAX } from '../world/socket.ts';
import { type CheckName, ensure, Violation } from '../world/violation.ts';

/** Kinds of deadline by their number, as the connection arms them. */
const KINDS = [
  ...['idle', 'head', 'body', 'handler', 'linger', 'write', 'drain', 'deliver'],
  ...['first', 'drain head'],
];
const DELIVERS = 7;

/** Deadlines that are extended all the time may be late by this much. */
const LATE_MS = 160;

/** A handler that has responded continues to read within this time, if it does. */
const READ_ON_MS = 2;

/** Those of a head, a handler and lingering: received bytes do not extend them. */
const FROM_THE_BEGINNING: readonly number[] = [1, 3, 4, 9];

/** A client that acknowledges nothing is reset after this multiple of its timeout, at most. */
const WRITE_PART = 1.25;

/** The connection of a client that sent a reset is closed within this time. */
const RESET_MS = 2 * SLOW_WATCH_MS_MAX + 300;

const READINGS = Object.keys(Reading).map((name) => `Reading.${name}`);
const PHASES = Object.keys(Phase).map((name) => `Phase.${name}`);
const DRAININGS = Object.keys(Draining).map((name) => `Draining.${name}`);

/** Every state of a connection, its response and a closing server that the source lists. */
export const STATES_LISTED: readonly string[] = [...READINGS, ...PHASES, ...DRAININGS];

/** The states of a connection by number: the first ones are those of Reading. */
const DOING = [
  'reads a head',
  'has a handler and a body',
  'awaits its response',
  'stopped',
  'idle',
  'lingers',
  'closing',
];
const IDLE = 4;
const LINGERS = 5;
const CLOSES = 6;
/** Further properties, a bit each. */
const STREAMS = 8;
const SENDS = 16;
const HALF_CLOSED = 32;
const STATE_BITS = 6;

export interface CheckParts {
  readonly driver: SimDriver;
  readonly reactor: Reactor;
  readonly clock: Clock;
  readonly settings: Settings;
  /**
   * Repeats the check after a delay, where a connection may have no deadline until the promises of
   * its handler have run; else null.
   */
  readonly recheck: ((ms: number) => void) | null;
}

export class Checks {
  readonly #parts: CheckParts;
  /** The slot that is being checked, -1 for the server as a whole. */
  slot = -1;
  readonly #timeoutsMs: readonly number[];
  /** Connections without received bytes, exchange and bytes to send. */
  #idle = 0;
  #spans: SpanPool | null = null;
  /** Per slot: the armed deadline, since when, and `clock.stalledMs` of that moment. */
  readonly #kind: Int8Array;
  readonly #sinceMs: Float64Array;
  /** The number of the request that it was armed for. */
  readonly #request: Int32Array;
  readonly #stalledMs: Float64Array;
  /** How often connections were in each state, by its number. */
  readonly #seen = new Float64Array(1 << STATE_BITS);
  /** The same by the names of the server's source. */
  readonly #readings = new Float64Array(READINGS.length);
  readonly #phases = new Float64Array(PHASES.length);
  readonly #drainings = new Float64Array(DRAININGS.length);
  /** Since when a send in flight makes no progress, NaN without one. */
  readonly #sendingMs: Float64Array;
  readonly #sendingStalledMs: Float64Array;
  /** `clock.stalledMs` of the last moment without a reset. */
  readonly #resetStalledMs: Float64Array;
  /** The last moment without a free block: without one the server cannot receive. */
  #shortMs = 0;

  constructor(parts: CheckParts) {
    this.#parts = parts;
    const { settings, reactor } = parts;
    this.#timeoutsMs = [
      settings.keepAliveTimeoutMs,
      settings.headTimeoutMs,
      settings.bodyTimeoutMs,
      settings.handlerTimeoutMs,
      settings.lingerTimeoutMs,
      settings.writeTimeoutMs,
      settings.drainLingerMs,
      settings.writeTimeoutMs * WRITE_PART,
      settings.connectionTimeoutMs,
      Math.min(DRAIN_HEAD_MS, settings.headTimeoutMs),
    ];
    const { slots } = reactor.sockets;
    this.#kind = new Int8Array(slots).fill(-1);
    this.#sinceMs = new Float64Array(slots);
    this.#request = new Int32Array(slots);
    this.#stalledMs = new Float64Array(slots);
    this.#sendingMs = new Float64Array(slots).fill(Number.NaN);
    this.#sendingStalledMs = new Float64Array(slots);
    this.#resetStalledMs = new Float64Array(slots);
  }

  /** Spans that wait to be sent. */
  get spansUsed(): number {
    return this.#spans?.usedCount ?? 0;
  }

  /** Between two turns. */
  run(): void {
    const { reactor, driver } = this.#parts;
    const { slots, state } = reactor.sockets;
    const { sockets } = driver;
    const { connectionsMax } = this.#parts.settings;
    const kinds = this.#kind;
    const sendingMs = this.#sendingMs;
    let open = 0;
    let served = 0;
    this.#idle = 0;
    for (let slot = 0; slot < slots; slot++) {
      if (state[slot] === 0) {
        if (sockets[slot] !== null) fail('balance', `slot ${slot} is free, its socket is not`);
        kinds[slot] = -1;
        sendingMs[slot] = Number.NaN;
        this.#resetStalledMs[slot] = this.#parts.clock.stalledMs;
        continue;
      }
      open += 1;
      if ((state[slot] & EXTRA) === 0) served += 1;
      this.slot = slot;
      this.#checkSlot(slot, state[slot]);
    }
    this.slot = -1;
    ensure(open === reactor.sockets.openCount, 'balance', 'free slots are counted right');
    if (served > connectionsMax) {
      fail('balance', `${served} clients are served, more than ${connectionsMax}`);
    }
    this.#checkMemory(open, this.#idle);
  }

  #checkMemory(open: number, idle: number): void {
    const { driver, reactor } = this.#parts;
    const { slab } = reactor;
    const used = slab.blockCount - slab.freeCount - driver.heldBlocks;
    ensure(used >= 0, 'balance', 'no block is counted twice');
    // Idle connections hold no memory.
    if (open === idle && used !== 0)
      fail('balance', `${used} blocks are in use, and all connections are idle`);
  }

  #checkSlot(slot: number, state: number): void {
    const { driver, reactor } = this.#parts;
    if ((state & OPEN) === 0) fail('balance', `slot ${slot} is in use and not open`);
    const socket = driver.socket(slot);
    const agrees =
      socket.receiving === ((state & RECEIVING) !== 0) &&
      socket.sending === ((state & SENDING) !== 0) &&
      socket.watching === ((state & WATCHING) !== 0);
    if (!agrees) fail('balance', `reactor and driver disagree on what slot ${slot} has in flight`);
    const owner = reactor.sockets.owners[slot];
    if (!(owner instanceof Connection)) fail('balance', `slot ${slot} has no owner`);
    this.#countState(owner, state);
    if ((state & CLOSING) !== 0) {
      this.#checkClosing(slot, state);
      return;
    }
    ensure(
      owner.slot === slot && !owner.state.isBroken,
      'balance',
      `an open connection is not lost`,
    );
    this.#spans = owner.context.spans;
    const { isWaitingForFile, waiting } = owner.sendQueue;
    if (waiting === 0 && owner.exchange === null && owner.receiveBuffer.empty) this.#idle += 1;
    if (waiting > 0 && (state & SENDING) === 0 && !isWaitingForFile) {
      fail('wake-up', `slot ${slot} has ${waiting} bytes to send and sends nothing`);
    }
    this.#checkEnded(owner, slot);
    this.#checkReceiving(owner, slot, state);
    this.#checkReset(slot);
    this.#checkDeadline(owner, slot, state);
  }

  #countState(owner: Connection, state: number): void {
    let number: number = owner.state.reading;
    if ((state & CLOSING) !== 0) number = CLOSES;
    else if (owner.state.isShut) number = LINGERS;
    else if (owner.exchange === null && owner.state.reading === Reading.Head) number = IDLE;
    else if (owner.exchange?.phase === Phase.Streaming) number |= STREAMS;
    if ((state & SENDING) !== 0) number |= SENDS;
    if (owner.state.receiveEnded) number |= HALF_CLOSED;
    this.#seen[number] += 1;
    this.#readings[owner.state.reading] += 1;
    this.#drainings[owner.context.draining] += 1;
    if (owner.exchange !== null) this.#phases[owner.exchange.phase] += 1;
  }

  /** How often connections were seen in each state. */
  get states(): ReadonlyMap<string, number> {
    const states = new Map<string, number>();
    for (const [number, count] of this.#seen.entries()) {
      if (count > 0) states.set(nameOf(number), count);
    }
    for (const [index, name] of READINGS.entries()) states.set(name, this.#readings[index]);
    for (const [index, name] of PHASES.entries()) states.set(name, this.#phases[index]);
    for (const [index, name] of DRAININGS.entries()) states.set(name, this.#drainings[index]);
    return states;
  }

  /** A closing socket closes once its operations have finished. */
  #checkClosing(slot: number, state: number): void {
    if (this.#kind[slot] !== 99) this.#begin(slot, 99);
    const { clock } = this.#parts;
    const lateMs = clock.nowMs - this.#sinceMs[slot] - (clock.stalledMs - this.#stalledMs[slot]);
    const flight = state & IN_FLIGHT;
    if (lateMs >= 1000) fail('liveness', `slot ${slot} does not finish closing (${flight})`);
  }

  /** A client that ended its side and has all its responses is not kept. */
  #checkEnded(owner: Connection, slot: number): void {
    const { exchange, receiveBuffer, sendQueue, state } = owner;
    if (!state.receiveEnded || exchange !== null || state.reading !== Reading.Head) return;
    if (receiveBuffer.empty && sendQueue.waiting === 0) {
      fail(
        'liveness',
        `slot ${slot} stays open for a client that ended its side and has all responses`,
      );
    }
  }

  #begin(slot: number, kind: number): void {
    const { clock } = this.#parts;
    this.#kind[slot] = kind;
    this.#sinceMs[slot] = clock.nowMs;
    this.#stalledMs[slot] = clock.stalledMs;
  }

  /** A connection with room receives. */
  #checkReceiving(owner: Connection, slot: number, state: number): void {
    if ((state & RECEIVING) !== 0) return;
    const isBlocked = owner.receiveBuffer.hasRoom === false || owner.receiveBuffer.isLarge;
    if (!isBlocked && !owner.state.receiveEnded)
      fail('wake-up', `slot ${slot} has room and does not receive`);
    const isOver = owner.state.reading === Reading.Closed;
    if (!isOver && (state & WATCHING) === 0) fail('wake-up', `slot ${slot} is not watched`);
  }

  /** The connection of a client that sent a reset is not kept. */
  #checkReset(slot: number): void {
    const { clock, driver, reactor } = this.#parts;
    const { adoptedMs, link } = driver.socket(slot);
    const { resetArrivedMs } = link.up;
    const isShort = reactor.slab.freeCount === 0;
    if (isShort) this.#shortMs = clock.nowMs;
    if (Number.isNaN(resetArrivedMs) || isShort) {
      this.#resetStalledMs[slot] = clock.stalledMs;
      return;
    }
    // The reset may have arrived before the connection was adopted.
    const sinceMs = Math.max(resetArrivedMs, adoptedMs, this.#shortMs);
    const keptMs = clock.nowMs - sinceMs - (clock.stalledMs - this.#resetStalledMs[slot]);
    if (keptMs >= RESET_MS) fail('liveness', `slot ${slot} keeps a client that sent a reset`);
  }

  #checkDeadline(owner: Connection, slot: number, state: number): void {
    const { clock, reactor, driver } = this.#parts;
    const armed = reactor.armed(slot);
    const { activeMs, activeStalledMs, link } = driver.socket(slot);
    const serverIsNext = owner.sendQueue.waiting > 0 || reactor.slab.freeCount === 0;
    const isNew = armed !== this.#kind[slot] || owner.requests !== this.#request[slot];
    if (isNew || serverIsNext) {
      this.#begin(slot, armed);
      this.#request[slot] = owner.requests;
    } else if (activeMs > this.#sinceMs[slot] && !FROM_THE_BEGINNING.includes(armed)) {
      this.#sinceMs[slot] = activeMs;
      this.#stalledMs[slot] = activeStalledMs;
    }
    if (armed === DELIVERS && link.down.ackedMs > this.#sinceMs[slot]) this.#begin(slot, armed);
    this.#checkSend(slot, state);
    if (armed < 0) {
      const isBusy = (state & SENDING) !== 0 || owner.exchange?.phase === Phase.Streaming;
      const waitsMs = clock.nowMs - this.#sinceMs[slot];
      if (isBusy) return;
      const { recheck } = this.#parts;
      if (recheck === null || waitsMs >= READ_ON_MS) {
        fail('timeout', `slot ${slot} waits and has no deadline`);
      }
      recheck(READ_ON_MS);
      return;
    }
    const stalledMs = clock.stalledMs - this.#stalledMs[slot];
    const lateMs = clock.nowMs - this.#sinceMs[slot] - stalledMs - this.#timeoutsMs[armed];
    if (lateMs >= LATE_MS) {
      fail(
        'timeout',
        `the ${KINDS[armed]} deadline of slot ${slot} is ${lateMs.toFixed(1)} ms late`,
      );
    }
  }

  #checkSend(slot: number, state: number): void {
    const { clock, driver, settings } = this.#parts;
    if ((state & SENDING) === 0) {
      this.#sendingMs[slot] = Number.NaN;
      return;
    }
    const { activeMs, link } = driver.socket(slot);
    if (!(this.#sendingMs[slot] >= Math.max(activeMs, link.down.ackedMs))) {
      this.#sendingMs[slot] = clock.nowMs;
      this.#sendingStalledMs[slot] = clock.stalledMs;
    }
    const stalledMs = clock.stalledMs - this.#sendingStalledMs[slot];
    const timeoutMs = settings.writeTimeoutMs * WRITE_PART;
    const lateMs = clock.nowMs - this.#sendingMs[slot] - stalledMs - timeoutMs;
    if (lateMs >= LATE_MS)
      fail('timeout', `slot ${slot} has a send without progress, ${lateMs.toFixed(1)} ms`);
  }
}

function nameOf(state: number): string {
  let name = DOING[state & 7];
  if ((state & STREAMS) !== 0) name += ', streams';
  if ((state & SENDS) !== 0) name += ', sends';
  if ((state & HALF_CLOSED) !== 0) name += ', half closed';
  return name;
}

/**
 * Unlike ensure() it makes no message unless the check fails: these checks run before every poll.
 */
function fail(check: CheckName, message: string): never {
  throw new Violation(check, message);
}
