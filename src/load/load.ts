// One load: connecting, warm-up, the counted time, draining, closing. It has no loop and reads no
// clock but the driver's: a pump calls turn(), or a test does.

import { assert } from '../base/assert.ts';
import { Ring } from '../base/ring.ts';
import type { Slab } from '../base/slab.ts';
import { Completions, type Driver } from '../driver/driver.ts';
import { type Client, ClientState } from './client.ts';
import { ConnectionPool, type ConnectionPoolEvents } from './connection-pool.ts';
import type { Plan } from './options.ts';
import { Phase } from './phase.ts';
import { LoadError, Recorder } from './recorder.ts';
import { RequestSequence } from './request-sequence.ts';
import { RestTime } from './rest-time.ts';
import { Schedule } from './schedule.ts';
import { Sources } from './sources.ts';
import { type Waiting, waitingIn } from './waiting.ts';

const COMPLETIONS_PER_TURN = 256;
/** Requests that an open loop sends in a turn at most, before the next poll. */
const REQUESTS_PER_TURN = 1024;
/** How long an open loop waits after its end for responses to requests that were due, at most. */
const DRAIN_MS_MAX = 2_000;
/** A drain of at least this length gets a row of its own in the series. */
const DRAIN_MS_OWN = 200;
/** Requests that have waited for less are not reported as waiting. */
const WAITING_MS_MIN = 100;
const SECOND_MS = 1_000;
/** A shorter wait is not worth a sleep. */
const SLEEP_MS_MIN = 3;
/** The longest sleep, so that phases end on time. */
const SLEEP_MS_MAX = 50;

export interface LoadEvents {
  /** The counted time begins. */
  counting(): void;
  /** The counted time ended. */
  counted(): void;
  /** Another second ended. */
  secondEnded(): void;
}

export class Load implements ConnectionPoolEvents {
  readonly recorder: Recorder;
  readonly pool: ConnectionPool;
  phase: Phase = Phase.Connecting;
  /** When the counted time began, and when it ended. */
  beginMs = 0;
  endMs = 0;
  /** How long after the end the last counted response came; 0 for a closed loop. */
  drainMs = 0;
  /** Since beginMs. */
  readonly rest: RestTime = new RestTime();
  /** The longest delay between a request's due time and its send. */
  lateMsMax = 0;
  /** Closed loop: requests that had waited at its end for longer than any response took. */
  waiting: Waiting = { count: 0, mostMs: 0 };
  isStopped = false;
  readonly #plan: Plan;
  readonly #driver: Driver;
  readonly #events: LoadEvents;
  readonly #out = new Completions(COMPLETIONS_PER_TURN);
  /** Null for a closed loop. */
  readonly #schedule: Schedule | null;
  /** Slots that can take a request, the one that waits longest first; open loop only. */
  readonly #ready: Ring;
  #startMs = 0;
  #isCounting = false;
  /** Requests sent in the counted time. */
  #sentCount = 0;
  #nextSecondMs = Number.POSITIVE_INFINITY;
  /** When draining ends at the latest. */
  #drainEndMs = 0;

  constructor(plan: Plan, driver: Driver, slab: Slab, events: LoadEvents) {
    this.#plan = plan;
    this.#driver = driver;
    this.#events = events;
    this.#schedule = plan.rate.length === 0 ? null : new Schedule(plan.rate);
    // An open loop sends no more than its count; a closed one may have more in flight before it.
    const countMax = this.#schedule === null ? plan.count : Number.POSITIVE_INFINITY;
    this.recorder = new Recorder(plan.requests.length, countMax);
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

  /** Why no connection could be opened, as -errno; 0 otherwise. */
  get fault(): number {
    return this.beginMs === 0 && this.recorder.responses === 0 ? this.pool.lastFault : 0;
  }

  start(): void {
    this.pool.nowMs = this.#driver.now();
    this.#startMs = this.pool.nowMs;
    this.rest.ended(this.#startMs);
    this.pool.open();
  }

  /** Returns the number of completions and sends; 0 when there was nothing to do. */
  turn(): number {
    const { pool } = this;
    const out = this.#out;
    const count = this.#driver.poll(out);
    const nowMs = this.#driver.now();
    pool.nowMs = nowMs;
    for (let index = 0; index < count; index++) {
      pool.completed(out.op[index], out.slot[index], out.result[index], out.block[index]);
    }
    const sent = this.#schedule === null ? 0 : this.#sendDue(this.#schedule);
    const isIdle = count + sent === 0;
    if (isIdle && this.phase === Phase.Running) this.rest.wasIdle(nowMs);
    pool.sweep();
    this.#advance();
    // Work takes time after the poll, which is not part of an idle turn behind it.
    this.rest.ended(isIdle ? nowMs : this.#driver.now());
    return count + sent;
  }

  /** How long the pump may sleep unless the driver wakes it; 0 when a sleep is not worth it. */
  quietMs(): number {
    const { pool } = this;
    // Without a connection nothing can be sent, whatever is due.
    const sends = this.phase === Phase.Running && pool.openCount > 0;
    const dueMs = sends ? this.#nextDueMs() : Number.POSITIVE_INFINITY;
    const waitMs = Math.min(Math.min(dueMs, pool.nextConnectMs) - pool.nowMs, SLEEP_MS_MAX);
    return waitMs < SLEEP_MS_MIN ? 0 : waitMs;
  }

  /** After a sleep. */
  slept(): void {
    const nowMs = this.#driver.now();
    if (this.phase === Phase.Running) this.rest.wasAsleep(nowMs);
    this.pool.nowMs = nowMs;
    this.rest.ended(nowMs);
  }

  /** Ends the load early; what was recorded stays. */
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
        if (this.pool.isClosed) this.#closed();
        break;
      case Phase.Closed:
        break;
    }
  }

  /** Every connection has been tried once. Closes the load when all first tries failed. */
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

  /** When the first hundred connects fail, the others would too. */
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

  /** The counted time begins. */
  #count(): void {
    // Without a warm-up, connects that failed before now stay in the report.
    if (this.#plan.warmUpMs > 0) this.recorder.clear();
    this.#isCounting = true;
    // The responses of a closed loop are counted when they come, whenever they were asked for.
    this.#sentCount = this.#schedule === null ? this.pool.inFlightCount() : 0;
    this.rest.clear();
    this.lateMsMax = 0;
    this.#nextSecondMs = this.beginMs + SECOND_MS;
    this.#events.counting();
  }

  #tick(nowMs: number): void {
    if (!this.#isCounting && nowMs >= this.beginMs) this.#count();
    if (nowMs < this.#nextSecondMs || nowMs >= this.endMs) return;
    if (this.#isCounting) this.recorder.endSecond(nowMs - this.beginMs);
    while (this.#nextSecondMs <= nowMs) this.#nextSecondMs += SECOND_MS;
    this.#events.secondEnded();
  }

  #isCountReached(): boolean {
    return this.#isCounting && this.recorder.endedCount >= this.#plan.count;
  }

  /**
   * The counted time ended. An open loop drains: it waits for responses to what was due by then.
   */
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
    this.#sendDue(this.#schedule);
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
      this.#countUnanswered(schedule);
      this.#endDrain();
    }
    this.phase = Phase.Closing;
    this.pool.close();
  }

  /**
   * Responses after the end are part of the last second, or a row of their own after a long drain.
   */
  #endDrain(): void {
    const { beginMs, pool, endMs, recorder } = this;
    const atMs = pool.nowMs - beginMs;
    if (pool.nowMs - endMs < DRAIN_MS_OWN) recorder.extendSecond(atMs);
    else recorder.endSecond(atMs);
  }

  /** Requests without a response have waited until now at least: they are in the histogram too. */
  #countUnanswered(schedule: Schedule): void {
    const { nowMs, clients, dues } = this.pool;
    let count = 0;
    const waited = (dueMs: number): void => {
      if (dueMs < this.beginMs || dueMs >= this.endMs) return;
      this.recorder.waited(nowMs - dueMs);
      count += 1;
    };
    for (const client of clients) client.eachDue(dues, waited);
    const { count: countMax } = this.#plan;
    for (; this.#nextDueMs() < this.endMs && this.#sentCount < countMax; schedule.advance()) {
      this.#sentCount += 1;
      waited(this.#nextDueMs());
    }
    if (count > 0) this.recorder.failed(LoadError.Unanswered, count);
  }

  #closed(): void {
    this.pool.release();
    this.phase = Phase.Closed;
  }

  /** Sends the requests that are due, as long as there are connections for them. */
  #sendDue(schedule: Schedule): number {
    if (this.phase !== Phase.Running && this.phase !== Phase.Draining) return 0;
    const { pool } = this;
    const lastMs = Math.min(pool.nowMs, this.endMs);
    let sent = 0;
    while (this.#ready.length > 0 && sent < REQUESTS_PER_TURN) {
      const dueMs = this.#startMs + schedule.dueMs;
      if (dueMs > lastMs || dueMs >= this.endMs || this.#sentCount >= this.#plan.count) break;
      const client = pool.clients[this.#ready.shift()];
      client.isQueued = false;
      if (client.capacity === 0) continue;
      if (this.#isCounting && pool.nowMs - dueMs > this.lateMsMax) {
        this.lateMsMax = pool.nowMs - dueMs;
      }
      schedule.advance();
      this.#sentCount += dueMs >= this.beginMs ? 1 : 0;
      sent += 1;
      pool.sendRequests(client, 1, dueMs);
    }
    return sent;
  }

  ready(client: Client): void {
    if (this.#schedule !== null) {
      if (client.isQueued) return;
      client.isQueued = true;
      this.#ready.push(client.slot);
      return;
    }
    if (this.phase !== Phase.Running) return;
    // The warm-up has no count.
    const left = this.#isCounting ? this.#plan.count - this.#sentCount : Number.POSITIVE_INFINITY;
    const count = Math.min(client.capacity, left);
    if (count <= 0) return;
    this.#sentCount += count;
    // Without keep-alive the latency of a request includes its connect.
    this.pool.sendRequests(client, count, this.#plan.keepAlive ? this.pool.nowMs : client.startMs);
  }

  responded(count: number, status: number, kind: number, dueMs: number): void {
    if (!this.#counts(dueMs)) return;
    if (this.phase === Phase.Draining) this.drainMs = this.pool.nowMs - this.endMs;
    this.recorder.responded(this.pool.nowMs - dueMs, status, kind, count);
  }

  mismatched(dueMs: number): void {
    if (this.#counts(dueMs)) this.recorder.mismatched();
  }

  /**
   * An open loop counts requests that were due in its time, a closed one responses that came in it.
   */
  #counts(dueMs: number): boolean {
    if (this.#schedule === null) return this.#isCounting && this.phase === Phase.Running;
    return dueMs >= this.beginMs && dueMs < this.endMs && this.beginMs > 0;
  }

  failed(client: Client, error: LoadError, detail: string): void {
    const { recorder } = this;
    if (error === LoadError.Connect) {
      if (this.phase <= Phase.Running) recorder.failed(error, 1, detail);
      return;
    }
    // The server did not process requests behind its last response: they are no errors, and are
    // sent again.
    const isAnnounced = error === LoadError.Closed && client.isLast;
    if (this.#schedule === null) {
      if (isAnnounced) this.#sentCount -= client.inFlight;
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
    // A malformed response ends the connection: the requests behind it fail as closed.
    let left = this.recorder.leftOf(error === LoadError.Framing ? 1 : inFlight);
    if (left > 0) this.recorder.failed(error, left, detail);
    const closed = this.recorder.leftOf(error === LoadError.Framing ? inFlight - 1 : 0);
    if (closed > 0) this.recorder.failed(LoadError.Closed, closed);
    assert(client.state === ClientState.Open, 'requests fail on an open connection only');
    if (error !== LoadError.Timeout) return;
    client.eachDue(this.pool.dues, (dueMs) => {
      if (left-- > 0) this.recorder.waited(this.pool.nowMs - dueMs);
    });
  }
}
