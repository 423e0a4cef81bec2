// Hot: runs for every turn. Measured by perf/micro/load.ts. One load from its first connection to
// its last: connecting, warm-up, the time that counts, waiting for what is due, closing. It has no
// loop and reads no clock but the driver's: a pump calls turn(), or a test does.

import { assert } from '../base/assert.ts';
import { Ring } from '../base/ring.ts';
import type { Slab } from '../base/slab.ts';
import { Completions, type Driver } from '../driver/driver.ts';
import { type Client, ClientState } from './client.ts';
import { ConnectionPool, type ConnectionPoolEvents } from './connection-pool.ts';
import type { Plan } from './plan.ts';
import { LoadError, Recorder } from './recorder.ts';
import { RequestSequence } from './request-sequence.ts';
import { Schedule } from './schedule.ts';
import { Sources } from './sources.ts';
import { type Waiting, waitingIn } from './waiting.ts';

const COMPLETIONS_PER_TURN = 256;
/** Requests that may be asked for in a turn before the driver is looked at again. */
const ASKED_PER_TURN = 1024;
/** How long those that were due are waited for when the time is over, at most. */
const DRAIN_MS_MAX = 2_000;
/** From when on waiting for them has a row of its own in what is told over time. */
const DRAIN_MS_OWN = 200;
/** Less is nothing to speak of. */
const WAITING_MS_MIN = 100;
const SECOND_MS = 1_000;
/** From when on waiting for the next request is worth a sleep. */
const SLEEP_MS_MIN = 3;
/** Nobody is waited for longer than this without a look at the clock. */
const SLEEP_MS_MAX = 50;

export const Phase = {
  Connecting: 0,
  Running: 1,
  Draining: 2,
  Closing: 3,
  Over: 4,
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

/** What is told of a load as it goes. */
export interface LoadEvents {
  /** The time that counts begins; and ends. */
  counting(): void;
  counted(): void;
  /** Another second is over. */
  secondOver(): void;
}

export class Load implements ConnectionPoolEvents {
  readonly recorder: Recorder;
  readonly pool: ConnectionPool;
  phase: Phase = Phase.Connecting;
  /** When the time that counts began, and when it ended. */
  beginMs = 0;
  endMs = 0;
  /** How long after the end the last answer that counts came; 0 of a closed loop. */
  drainMs = 0;
  /** The time since beginMs in which there was nothing to do. */
  idleMs = 0;
  /** The longest that a request went out after it was due though a connection was free. */
  lateMsMax = 0;
  /** Of a closed loop: requests that had waited at its end for longer than any answer took. */
  waiting: Waiting = { count: 0, mostMs: 0 };
  isStopped = false;
  readonly #plan: Plan;
  readonly #driver: Driver;
  readonly #events: LoadEvents;
  readonly #out = new Completions(COMPLETIONS_PER_TURN);
  /** Null for a closed loop. */
  readonly #schedule: Schedule | null;
  /** Slots that can take a request, the one that waits longest first. */
  readonly #ready: Ring;
  #startMs = 0;
  #isCounting = false;
  /** Requests that were sent since the load began to count. */
  #asked = 0;
  #nextSecondMs = Number.POSITIVE_INFINITY;
  /** When the last request that counts was due, at which the schedule ends. */
  #drainEndMs = 0;

  constructor(plan: Plan, driver: Driver, slab: Slab, events: LoadEvents) {
    this.#plan = plan;
    this.#driver = driver;
    this.#events = events;
    this.recorder = new Recorder(plan.requests.length);
    this.#schedule = plan.rate.length === 0 ? null : new Schedule(plan.rate);
    this.#ready = new Ring(plan.connections);
    this.pool = new ConnectionPool({
      driver,
      slab,
      sequence: new RequestSequence(plan.requests, plan.depth),
      sources: new Sources(plan.address, plan.connections),
      connections: plan.connections,
      depth: plan.depth,
      timeoutMs: plan.timeoutMs,
      keepAlive: plan.keepAlive,
      recorder: this.recorder,
      events: this,
    });
  }

  /** Why nothing could be measured, as -errno; 0 when it could. */
  get fault(): number {
    return this.beginMs === 0 && this.recorder.responses === 0 ? this.pool.lastFault : 0;
  }

  start(): void {
    this.pool.nowMs = this.#driver.now();
    this.#startMs = this.pool.nowMs;
    this.pool.open();
  }

  /** Gives how much was done. */
  turn(): number {
    const { pool } = this;
    const out = this.#out;
    const count = this.#driver.poll(out);
    const nowMs = this.#driver.now();
    const sinceMs = pool.nowMs;
    pool.nowMs = nowMs;
    for (let index = 0; index < count; index++) {
      pool.completed(out.op[index], out.slot[index], out.result[index], out.block[index]);
    }
    const asked = this.#schedule === null ? 0 : this.#askDue(this.#schedule);
    if (count + asked === 0 && this.phase === Phase.Running) this.idleMs += nowMs - sinceMs;
    pool.sweep();
    this.#advance();
    return count + asked;
  }

  /** How long nothing is due that the driver would not announce; 0 when no sleep is worth it. */
  quietMs(): number {
    const { pool } = this;
    // Without a connection nothing can be asked, whatever is due.
    const asks = this.phase === Phase.Running && pool.openCount > 0;
    const dueMs = asks ? this.#nextDueMs() : Number.POSITIVE_INFINITY;
    const waitMs = Math.min(Math.min(dueMs, pool.nextConnectMs) - pool.nowMs, SLEEP_MS_MAX);
    return waitMs < SLEEP_MS_MIN ? 0 : waitMs;
  }

  /** Sleeping is not waiting in a loop: that time is no work, but no processor time either. */
  slept(): void {
    this.pool.nowMs = this.#driver.now();
  }

  /** Ends the load; what was seen stays. */
  stop(): void {
    this.isStopped = true;
    if (this.phase === Phase.Connecting) this.endMs = this.beginMs;
    if (this.phase === Phase.Running) this.#finish(this.#driver.now());
    if (this.phase < Phase.Closing) this.#close();
  }

  #advance(): void {
    const { nowMs } = this.pool;
    switch (this.phase) {
      case Phase.Connecting:
        if (this.#isConnected()) this.#run(nowMs);
        break;
      case Phase.Running:
        this.#tick(nowMs);
        if (nowMs >= this.endMs || this.#isCountReached()) this.#finish(nowMs);
        break;
      case Phase.Draining:
        if (this.#isDrained() || nowMs >= this.#drainEndMs) this.#close();
        break;
      case Phase.Closing:
        if (this.pool.isGone) this.#over();
        break;
      case Phase.Over:
        break;
    }
  }

  /** Everybody has been tried. With one request a connection there is nothing to wait for. */
  #isConnected(): boolean {
    const { pool } = this;
    if (this.isStopped) return false;
    const tried = pool.openCount + pool.failedCount;
    if (pool.openCount === 0 && pool.failedCount > 0 && tried >= this.#firstTries()) {
      this.#close();
      return false;
    }
    return tried >= this.#plan.connections;
  }

  /** Where the first hundred find nobody, no other will. */
  #firstTries(): number {
    return Math.min(this.#plan.connections, 100);
  }

  #run(nowMs: number): void {
    this.phase = Phase.Running;
    this.#startMs = nowMs;
    const countsFromMs = nowMs + this.#plan.warmUpMs;
    this.beginMs = countsFromMs;
    this.endMs = countsFromMs + this.#plan.durationMs;
    if (this.#plan.warmUpMs === 0) this.#count();
    else this.#nextSecondMs = nowMs + SECOND_MS;
    for (const client of this.pool.clients) {
      if (client.capacity > 0) this.ready(client);
    }
  }

  /** The time that counts begins. */
  #count(): void {
    // What went wrong with connections before is part of the report.
    if (this.#plan.warmUpMs > 0) this.recorder.clear();
    this.#isCounting = true;
    this.#asked = 0;
    this.idleMs = 0;
    this.lateMsMax = 0;
    this.#nextSecondMs = this.beginMs + SECOND_MS;
    this.#events.counting();
  }

  #tick(nowMs: number): void {
    if (!this.#isCounting && nowMs >= this.beginMs) this.#count();
    if (nowMs < this.#nextSecondMs || nowMs >= this.endMs) return;
    if (this.#isCounting) this.recorder.endSecond(nowMs - this.beginMs);
    while (this.#nextSecondMs <= nowMs) this.#nextSecondMs += SECOND_MS;
    this.#events.secondOver();
  }

  #isCountReached(): boolean {
    return this.#isCounting && this.recorder.endedCount >= this.#plan.count;
  }

  /** The time is over. Of an open loop, what was due by then is waited for. */
  #finish(nowMs: number): void {
    this.endMs = Math.min(this.endMs, nowMs);
    if (!this.#isCounting) this.beginMs = this.endMs;
    this.recorder.endSecond(this.endMs - this.beginMs);
    this.#events.counted();
    if (this.#schedule === null) {
      this.waiting = waitingIn(this.pool, Math.max(WAITING_MS_MIN, this.recorder.histogram.mostMs));
    }
    if (this.#schedule === null || this.isStopped) {
      this.#close();
      return;
    }
    this.phase = Phase.Draining;
    this.#drainEndMs = nowMs + Math.min(this.#plan.timeoutMs, DRAIN_MS_MAX);
    this.#askDue(this.#schedule);
  }

  #isDrained(): boolean {
    if (this.#nextDueMs() < this.endMs) return false;
    return this.pool.clients.every(({ inFlight }) => inFlight === 0);
  }

  #nextDueMs(): number {
    return this.#startMs + (this.#schedule?.dueMs ?? Number.POSITIVE_INFINITY);
  }

  #close(): void {
    const schedule = this.#schedule;
    if (schedule !== null && this.#isCounting) {
      this.#countOutstanding(schedule);
      this.#endDrain();
    }
    this.phase = Phase.Closing;
    this.pool.end();
  }

  /** What came after the end belongs to the last second, or is a row when that took long. */
  #endDrain(): void {
    const { beginMs, pool, endMs, recorder } = this;
    const atMs = pool.nowMs - beginMs;
    if (pool.nowMs - endMs < DRAIN_MS_OWN) recorder.extendSecond(atMs);
    else recorder.endSecond(atMs);
  }

  /** Who was never answered has waited until now at least; leaving that out would be a lie. */
  #countOutstanding(schedule: Schedule): void {
    const { nowMs, clients, dues } = this.pool;
    let count = 0;
    const waited = (dueMs: number): void => {
      if (dueMs < this.beginMs || dueMs >= this.endMs) return;
      this.recorder.waited(nowMs - dueMs);
      count += 1;
    };
    for (const client of clients) client.eachDue(dues, waited);
    for (; this.#nextDueMs() < this.endMs && this.#asked < this.#plan.count; schedule.advance()) {
      this.#asked += 1;
      waited(this.#nextDueMs());
    }
    if (count > 0) this.recorder.failed(LoadError.Outstanding, count);
  }

  #over(): void {
    this.pool.release();
    this.phase = Phase.Over;
  }

  /** Requests whose time has come go out, as long as there are connections for them. */
  #askDue(schedule: Schedule): number {
    if (this.phase !== Phase.Running && this.phase !== Phase.Draining) return 0;
    const { pool } = this;
    const lastMs = Math.min(pool.nowMs, this.endMs);
    let asked = 0;
    while (this.#ready.length > 0 && asked < ASKED_PER_TURN) {
      const dueMs = this.#startMs + schedule.dueMs;
      if (dueMs > lastMs || dueMs >= this.endMs || this.#asked >= this.#plan.count) break;
      const client = pool.clients[this.#ready.shift()];
      client.isQueued = false;
      if (client.capacity === 0) continue;
      if (this.#isCounting && pool.nowMs - dueMs > this.lateMsMax) {
        this.lateMsMax = pool.nowMs - dueMs;
      }
      schedule.advance();
      this.#asked += dueMs >= this.beginMs ? 1 : 0;
      asked += 1;
      pool.ask(client, 1, dueMs);
    }
    return asked;
  }

  ready(client: Client): void {
    if (this.#schedule !== null) {
      if (client.isQueued) return;
      client.isQueued = true;
      this.#ready.push(client.slot);
      return;
    }
    if (this.phase !== Phase.Running) return;
    const left = this.#plan.count - this.#asked;
    const count = Math.min(client.capacity, left);
    if (count <= 0) return;
    this.#asked += count;
    // Without keep-alive a request waits for its connection, so that is part of its time.
    this.pool.ask(client, count, this.#plan.keepAlive ? this.pool.nowMs : client.startMs);
  }

  responded(client: Client, kind: number, dueMs: number): void {
    if (!this.#counts(dueMs)) return;
    const { reader } = client;
    if (this.phase === Phase.Draining) this.drainMs = this.pool.nowMs - this.endMs;
    this.recorder.responded(this.pool.nowMs - dueMs, reader.status, kind);
    if (!reader.isAsExpected) this.recorder.mismatched();
  }

  /** An open loop counts what was due in its time, a closed one what came in it. */
  #counts(dueMs: number): boolean {
    if (this.#schedule === null) return this.#isCounting && this.phase === Phase.Running;
    return dueMs >= this.beginMs && dueMs < this.endMs && this.beginMs > 0;
  }

  lost(client: Client, error: LoadError, detail: string): void {
    const { recorder } = this;
    if (error === LoadError.Connect) {
      if (this.phase <= Phase.Running) recorder.failed(error, 1, detail);
      return;
    }
    // Requests behind the last answer of a connection were never looked at: they are asked again.
    const isAnnounced = error === LoadError.Closed && client.isLast;
    if (this.#schedule === null) {
      if (isAnnounced) this.#asked -= client.inFlight;
      else if (this.#isCounting && this.phase === Phase.Running)
        this.#failAll(client, error, detail);
      return;
    }
    let count = 0;
    client.eachDue(this.pool.dues, (dueMs) => {
      if (!this.#counts(dueMs)) return;
      count += 1;
      if (error === LoadError.Timeout) recorder.waited(this.pool.nowMs - dueMs);
    });
    if (count > 0) recorder.failed(error, count, detail);
  }

  #failAll(client: Client, error: LoadError, detail: string): void {
    const { inFlight } = client;
    // An answer that is none ends the connection, and what waits behind it comes to nothing.
    const count = error === LoadError.Framing ? 1 : inFlight;
    this.recorder.failed(error, count, detail);
    if (inFlight > count) this.recorder.failed(LoadError.Closed, inFlight - count);
    assert(client.state === ClientState.Open, 'only what is open is lost');
    if (error !== LoadError.Timeout) return;
    client.eachDue(this.pool.dues, (dueMs) => {
      this.recorder.waited(this.pool.nowMs - dueMs);
    });
  }
}
