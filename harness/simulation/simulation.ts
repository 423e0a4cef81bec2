// One run: a server, its clients and their network in one simulated world, from one seed. With
// faults no violation may occur; then, without faults, everything must finish; then the server
// closes, and all resources must be released.

import type { Meter } from '../../src/metrics/meter.ts';
import type { Reactor } from '../../src/reactor/reactor.ts';
import { type RuntimeOptions, Runtime as ServerRuntime } from '../../src/server/runtime.ts';
import type { Server } from '../../src/server/server.ts';
import { Random } from '../../testing/random.ts';
import { ensureReleased } from '../checks/balance.ts';
import { Checks } from '../checks/between-turns.ts';
import { checkSlab, reuseViolation } from '../checks/memory.ts';
import { Observed } from '../checks/observed.ts';
import type { Judge } from '../clients/judge.ts';
import { markedFile } from '../hostile/participants.ts';
import type { Participants } from '../run/participants.ts';
import type { Outcome, Scenario } from '../run/scenario.ts';
import { drawSettings, type Settings } from '../run/settings.ts';
import { SimAsyncIo } from '../world/async-io.ts';
import { Clock, Schedule } from '../world/clock.ts';
import { planDisruptions } from '../world/disruptions.ts';
import { SimDriver } from '../world/driver.ts';
import { Faults } from '../world/faults.ts';
import { drain, VirtualLoop } from '../world/loop.ts';
import { Network } from '../world/network.ts';
import type { SimSocket } from '../world/socket.ts';
import { Trace } from '../world/trace.ts';
import { ensure, Violation } from '../world/violation.ts';
import type { Wire, WireEvents, World } from '../world/wire.ts';
import { RunClients } from './clients.ts';
import { makeParticipants, makeServer } from './parts.ts';

/** Virtual time for the clients with faults, and without. */
const FAULTY_MS = 200_000;
const HEALED_MS = 400_000;
/** The most waves of clients with faults, and in all. */
const FAULTY_WAVES = 13;
const WAVES = 17;
const CLOSE_SLACK_MS = 3000;
/** What handlers await after the end of a server comes within this time. */
const QUIET_MS = 10_000;
/** The most turns of the loop in one moment of virtual time: more are an endless loop. */
const TURNS_PER_MOMENT_MAX = 20_000;

export class Simulation implements World {
  readonly scenario: Scenario;
  readonly settings: Settings;
  readonly clock: Clock = new Clock();
  readonly trace: Trace;
  readonly #schedule: Schedule;
  readonly #loop: VirtualLoop;
  readonly #faults: Faults;
  readonly #network: Network;
  readonly #asyncIo: SimAsyncIo;
  readonly #server: Server;
  readonly #participants: Participants;
  readonly #random: Random;
  readonly #runClients: RunClients;
  readonly #observed = new Observed();
  #meter: Meter | null = null;
  #driver: SimDriver | null = null;
  #checks: Checks | null = null;
  #reactor: Reactor | null = null;
  #violation: Violation | null = null;
  #closingMs = Number.POSITIVE_INFINITY;
  #closed = false;
  /** The most slots in use at once. */
  #openMost = 0;
  #turnsInMoment = 0;
  /** A call outside of the loop left promise callbacks to run. */
  #drainWanted = false;

  constructor(scenario: Scenario, recording: boolean) {
    const { seed } = scenario;
    this.scenario = scenario;
    this.settings = drawSettings(seed);
    this.trace = new Trace(recording);
    this.#random = new Random(seed, 'world');
    this.#schedule = new Schedule(this.clock, new Random(seed, 'order'));
    this.#loop = new VirtualLoop(this.clock);
    this.#faults = new Faults(seed, scenario.faultsOff, this.clock, this.trace);
    const shared = { seed, schedule: this.#schedule, faults: this.#faults, trace: this.trace };
    this.#network = new Network(shared);
    const made = scenario.hostile === undefined ? {} : { made: markedFile };
    const random = new Random(seed, 'work');
    this.#asyncIo = new SimAsyncIo({ ...shared, ...made, loop: this.#loop, random });
    const makeRuntime = (options: RuntimeOptions): ServerRuntime => this.#makeRuntime(options);
    this.#server = makeServer(this.settings, this.#asyncIo, makeRuntime);
    this.#participants = this.#makeParticipants();
    const judge = this.#makeJudge();
    this.#runClients = new RunClients(scenario, this.settings, this, judge, this.#participants);
  }

  #makeParticipants(): Participants {
    const { scenario, settings, clock, trace } = this;
    const reused = (chunk: Uint8Array): void => {
      const violation = this.#driver === null ? null : reuseViolation(this.#driver, chunk);
      if (violation !== null) this.#report(violation);
    };
    return makeParticipants({
      ...{ scenario, settings, clock, trace, reused },
      ...{ server: this.#server, asyncIo: this.#asyncIo, loop: this.#loop },
      report: (violation) => this.#report(violation),
      isOver: () => this.#violation !== null,
    });
  }

  #makeRuntime(options: RuntimeOptions): ServerRuntime {
    this.#meter = options.meter ?? null;
    const runtime = new ServerRuntime({
      ...options,
      makeDriver: (given) => {
        const { clock, trace } = this;
        const { seed } = this.scenario;
        const parts = { seed, clock, trace, schedule: this.#schedule, loop: this.#loop };
        const { fileBytes: file } = this.#asyncIo;
        const rest = { network: this.#network, faults: this.#faults, file };
        const driver = new SimDriver(given, { ...parts, ...rest });
        checkSlab(given.slab, () => driver);
        this.#driver = driver;
        return { driver, note: null };
      },
    });
    const driver = this.#driver;
    ensure(driver !== null, 'balance', 'a runtime makes its driver');
    const { reactor } = runtime;
    this.#reactor = reactor;
    const { clock, settings } = this;
    const recheck = (ms: number): void => {
      this.#schedule.after(ms, () => this.#check());
    };
    const { hostile } = this.scenario;
    const parts = { driver, reactor, clock, settings };
    this.#checks = new Checks({ ...parts, recheck: hostile === undefined ? null : recheck });
    driver.beforePoll = () => this.#check();
    return runtime;
  }

  #makeJudge(): Judge {
    return this.#participants.makeJudge({
      ...this.settings,
      idleTimeoutMs: this.settings.keepAliveTimeoutMs,
      closingMs: () => this.#closingMs,
      failures: () => this.#asyncIo.failures,
      wasFull: () => this.#openMost >= this.settings.connectionsMax,
      wasExhausted: () => this.#openMost === this.#reactor?.sockets.slots,
      healed: () => this.#faults.healed,
      slackMs: 0,
      report: (violation) => this.#report(violation),
    });
  }

  // --- The world of the clients ---

  nowMs(): number {
    return this.clock.nowMs;
  }

  after(ms: number, run: () => void): void {
    this.#schedule.after(ms, run);
  }

  connect(lane: number, events: WireEvents): Wire {
    const wire = this.#network.connect(lane, events);
    this.#participants.connected(lane, wire.facts.address);
    return wire;
  }

  stalledMs(): number {
    return this.clock.stalledMs;
  }

  note(lane: number, text: () => string): void {
    this.trace.note(this.clock.nowMs, lane, 'client', text);
  }

  #report(violation: Violation): void {
    const isExcepted = this.scenario.hostile?.except.includes(violation.check) ?? false;
    if (this.#violation !== null || isExcepted) return;
    this.#violation = violation;
    const { message } = violation;
    this.trace.note(this.clock.nowMs, violation.lane, 'check', () => message);
  }

  #check(): void {
    if (this.#violation !== null || this.#checks === null || this.#reactor === null) return;
    try {
      this.#checks.run();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      const lane = this.#driver?.sockets[this.#checks.slot]?.link.lane ?? -1;
      this.#report(new Violation(error.check, error.message, lane));
    }
    this.#openMost = Math.max(this.#openMost, this.#reactor.sockets.openCount);
  }

  // --- Running ---

  async run(): Promise<Outcome> {
    this.#loop.install();
    this.#observed.install();
    this.#participants.begin();
    // The server makes many errors for aborted requests, and no stack of these is read.
    const { stackTraceLimit } = Error;
    if (this.trace.events === null) Error.stackTraceLimit = 0;
    try {
      await this.#phases();
    } catch (error) {
      const known = error instanceof Violation ? error : null;
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#report(known ?? new Violation('assertion', text));
    } finally {
      this.#participants.end();
      this.#observed.restore();
      this.#loop.restore();
      Error.stackTraceLimit = stackTraceLimit;
    }
    return this.#outcome();
  }

  async #phases(): Promise<void> {
    void this.#server.listen();
    this.#drainWanted = true;
    await this.#until(() => this.#network.listening, 1000, 'listening');
    // In one of four runs the server closes while clients are active.
    const closesEarly = this.#random.chance(0.25);
    const runClients = this.#runClients;
    const isOver = (): boolean => runClients.isDone || this.#closed;
    const isEnough = (): boolean => isOver() || (closesEarly && runClients.isEnough);
    runClients.startFirst(closesEarly ? 2 : 1);
    this.#planDisruptions();
    do await this.#until(isEnough, FAULTY_MS, null);
    while (runClients.startMore(FAULTY_WAVES));
    if (closesEarly) this.#close();
    await this.#until(isOver, FAULTY_MS, null);
    this.#faults.healed = true;
    await this.#until(isOver, HEALED_MS, 'all clients done');
    if (!closesEarly) {
      while (runClients.startMore(WAVES)) {
        await this.#until(isOver, HEALED_MS, 'clients of later waves done');
      }
      runClients.startProbes();
      await this.#until(isOver, HEALED_MS, 'clients served after all faults');
      if (runClients.startStaller()) {
        await this.#until(isOver, HEALED_MS, 'the timeout of a single client');
      }
      this.#close();
    }
    const closeMs = this.settings.shutdownTimeoutMs + CLOSE_SLACK_MS + this.settings.drainLingerMs;
    await this.#until(() => this.#closed, closeMs, 'the server closed');
    await this.#until(isOver, HEALED_MS, 'clients gone after the server');
    await this.#checkEnd();
  }

  #planDisruptions(): void {
    const sockets = (): readonly (SimSocket | null)[] => this.#driver?.sockets ?? [];
    const [schedule, network] = [this.#schedule, this.#network];
    planDisruptions(this.#faults, { clock: this.clock, schedule, network, sockets });
  }

  #close(): void {
    if (this.#closingMs !== Number.POSITIVE_INFINITY) return;
    this.#closingMs = this.clock.nowMs;
    this.#drainWanted = true;
    this.trace.note(this.clock.nowMs, -1, 'server', () => 'close()');
    this.#participants.closing();
    this.#server.close().then(
      () => {
        this.#closed = true;
        this.trace.note(this.clock.nowMs, -1, 'server', () => 'closed');
      },
      (error: unknown) => this.#report(new Violation('assertion', String(error))),
    );
  }

  /** Simulates until the condition holds; with null for `what` it need not. */
  async #until(isSo: () => boolean, forMs: number, what: string | null): Promise<void> {
    const untilMs = this.clock.nowMs + forMs;
    const stalledMs = this.clock.stalledMs;
    while (!isSo()) {
      if (this.#violation !== null) throw this.#violation;
      const limitMs = untilMs + this.clock.stalledMs - stalledMs;
      if (this.clock.nowMs >= limitMs || !(this.#stepWorld() || (await this.#step()))) {
        if (what === null) return;
        throw new Violation('liveness', `not within ${forMs} ms of virtual time: ${what}`);
      }
    }
    if (this.#violation !== null) throw this.#violation;
  }

  /** Runs the next event, in the server or outside. False when there is none. */
  async #step(): Promise<boolean> {
    if (this.#drainWanted) {
      this.#drainWanted = false;
      await drain();
    }
    const worldMs = this.#schedule.nextMs;
    const loopMs = this.#loop.nextMs;
    if (worldMs === Number.POSITIVE_INFINITY && loopMs === worldMs) return false;
    const beganMs = this.clock.nowMs;
    if (loopMs > worldMs) return this.#stepWorld();
    if (loopMs > this.clock.nowMs) this.clock.nowMs = loopMs;
    await this.#turn();
    this.#stepped(beganMs);
    return true;
  }

  /** Runs the next event if it is outside of the server: most are, and these need no await. */
  #stepWorld(): boolean {
    const worldMs = this.#schedule.nextMs;
    if (this.#drainWanted || this.#loop.nextMs <= worldMs) return false;
    const beganMs = this.clock.nowMs;
    this.#schedule.step(worldMs);
    // Events of one moment run together, so that a poll may find several.
    while (this.#schedule.step(this.clock.nowMs)) {
      // Repeats until no event is due.
    }
    this.#stepped(beganMs);
    return true;
  }

  #stepped(beganMs: number): void {
    this.#turnsInMoment = this.clock.nowMs > beganMs ? 0 : this.#turnsInMoment + 1;
    ensure(
      this.#turnsInMoment < TURNS_PER_MOMENT_MAX,
      'liveness',
      'the loop turns without end, and virtual time stands still',
    );
  }

  async #turn(): Promise<void> {
    const costMs = this.#random.below(24) / 1000;
    const polls = this.#driver?.polls ?? 0;
    await this.#loop.turn();
    const { failure } = this.#loop;
    if (failure !== null) throw failure;
    // The checks run before each poll; after a turn without a poll they run here.
    if (this.#driver?.polls === polls) this.#check();
    // Network and clients run while the server computes.
    let untilMs = this.clock.nowMs + costMs;
    if (this.#faults.hit('stall')) {
      const ms = this.#faults.random('stall').ms(5, 4000);
      this.clock.stalledMs += ms;
      untilMs += ms;
    }
    while (this.#schedule.step(untilMs)) {
      // Repeats until no event is due.
    }
    if (untilMs > this.clock.nowMs) this.clock.nowMs = Math.round(untilMs * 1000) / 1000;
  }

  // --- The end ---

  async #checkEnd(): Promise<void> {
    const [driver, reactor] = [this.#driver, this.#reactor];
    if (driver === null || reactor === null)
      throw new Violation('balance', 'a server has a driver');
    await this.#until(() => this.#asyncIo.pendingCount === 0, 10_000, 'file operations done');
    const isDone = (): boolean => this.#participants.running === 0;
    await this.#until(isDone, 20_000, `${this.#participants.running} handlers done`);
    await this.#until(() => isDone() && this.#participants.isQuiet, QUIET_MS, null);
    // Descriptors that requests shared are closed a moment after the last one.
    await this.#until(() => isDone() && this.#asyncIo.openCount === 0, 20_000, 'files closed');
    await drain();
    ensureReleased({
      driver,
      reactor,
      counters: this.#server.counters,
      spansUsed: this.#checks?.spansUsed ?? 0,
      meter: this.#meter,
      asyncIo: this.#asyncIo,
      loop: this.#loop,
    });
    this.#participants.checkEnd();
  }

  #outcome(): Outcome {
    return {
      scenario: this.scenario,
      hash: this.trace.hash,
      events: this.trace.count,
      violation: this.#violation,
      requests: this.#runClients.scores.responded,
      virtualMs: this.clock.nowMs,
      scores: this.#runClients.scores,
      states: this.#checks?.states ?? new Map(),
      deadlines: this.#observed.deadlines,
      requestFaults: this.#observed.requestFaults,
      faults: this.#faults,
      counters: { ...this.#server.counters },
      clients: this.#runClients.lanes,
      occurred: this.#participants.occurred,
      trace: this.trace,
    };
  }
}

export function simulate(scenario: Scenario, recording = false): Promise<Outcome> {
  return new Simulation(scenario, recording).run();
}
