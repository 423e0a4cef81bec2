// One run: a server, its clients and their network in one virtual world, from one number. First
// with faults, where nothing wrong may happen; then without, where everything must come to an end;
// then the server closes, and must have given everything back.

import type { Reactor } from '../../src/reactor/reactor.ts';
import { type RuntimeOptions, Runtime as ServerRuntime } from '../../src/server/runtime.ts';
import { Server } from '../../src/server/server.ts';
import { Random } from '../../testing/random.ts';
import { OrdinaryCast } from '../application/participants.ts';
import { ensureBack } from '../checks/balance.ts';
import { Checks, reuseViolation, watchSlab } from '../checks/between-turns.ts';
import { Heard } from '../checks/observed.ts';
import type { Judge } from '../clients/judge.ts';
import { HostileCast, markedFile } from '../hostile/participants.ts';
import type { Cast } from '../run/participants.ts';
import type { Outcome, Scenario } from '../run/scenario.ts';
import { drawSettings, type Settings, serverOptions } from '../run/settings.ts';
import { SimAsyncIo } from '../world/async-io.ts';
import { Clock, Schedule } from '../world/clock.ts';
import { planTrouble } from '../world/disruptions.ts';
import { SimDriver } from '../world/driver.ts';
import { Faults } from '../world/faults.ts';
import { drain, VirtualLoop } from '../world/loop.ts';
import { Network } from '../world/network.ts';
import type { SimSocket } from '../world/socket.ts';
import { Trace } from '../world/trace.ts';
import { ensure, Violation } from '../world/violation.ts';
import type { Wire, WireEvents, World } from '../world/wire.ts';
import { Crowd } from './clients.ts';

/** Virtual time that clients get with faults, and after them. */
const FAULTY_MS = 200_000;
const HEALED_MS = 400_000;
/** Waves of clients that come while things go wrong, and all in all. */
const FAULTY_WAVES = 13;
const WAVES = 17;
const CLOSE_SLACK_MS = 3000;
/** What handlers still wait for after the end of a server comes as soon as this. */
const QUIET_MS = 10_000;
/** Turns of the loop without virtual time going on: somebody turns in a circle. */
const TURNS_AT_ONCE_MAX = 20_000;

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
  readonly #cast: Cast;
  readonly #random: Random;
  readonly #crowd: Crowd;
  readonly #heard = new Heard();
  #driver: SimDriver | null = null;
  #checks: Checks | null = null;
  #reactor: Reactor | null = null;
  #violation: Violation | null = null;
  #closingMs = Number.POSITIVE_INFINITY;
  #closed = false;
  /** Slots that were in use at once, at most. */
  #openMost = 0;
  #turnsAtOnce = 0;
  /** Promises were set going outside of the loop. */
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
    this.#server = new Server(
      { host: '127.0.0.1', port: 8080, logLevel: 'error', ...serverOptions(this.settings) },
      {
        launch: () => null,
        inherited: () => null,
        listening: (_server, listen) => listen(),
        closed: () => {},
        asyncIo: this.#asyncIo,
        makeRuntime: (options) => this.#makeRuntime(options),
      },
    );
    this.#cast = this.#makeCast();
    this.#crowd = new Crowd(scenario, this.settings, this, this.#makeJudge(), this.#cast);
  }

  #makeCast(): Cast {
    const { scenario, settings, clock, trace } = this;
    const reused = (piece: Uint8Array): void => {
      const violation = this.#driver === null ? null : reuseViolation(this.#driver, piece);
      if (violation !== null) this.#report(violation);
    };
    const parts = {
      ...{ scenario, settings, clock, trace, reused },
      ...{ server: this.#server, asyncIo: this.#asyncIo, loop: this.#loop },
      report: (violation: Violation) => this.#report(violation),
      isOver: () => this.#violation !== null,
    };
    return scenario.hostile === undefined ? new OrdinaryCast(parts) : new HostileCast(parts);
  }

  #makeRuntime(options: RuntimeOptions): ServerRuntime {
    const { seed } = this.scenario;
    const runtime = new ServerRuntime({
      ...options,
      makeDriver: (given) => {
        const { clock, trace } = this;
        const parts = { seed, clock, trace, schedule: this.#schedule, loop: this.#loop };
        const rest = { network: this.#network, faults: this.#faults };
        const driver = new SimDriver(given, { ...parts, ...rest });
        watchSlab(given.slab, () => driver);
        this.#driver = driver;
        return { driver, note: null };
      },
    });
    const driver = this.#driver;
    ensure(driver !== null, 'balance', 'a world has a driver');
    const { reactor } = runtime;
    this.#reactor = reactor;
    const { clock, settings } = this;
    const again = (ms: number): void => {
      this.#schedule.after(ms, () => this.#check());
    };
    const { hostile } = this.scenario;
    const parts = { driver, reactor, clock, settings };
    this.#checks = new Checks({ ...parts, again: hostile === undefined ? null : again });
    driver.beforePoll = () => this.#check();
    return runtime;
  }

  #makeJudge(): Judge {
    return this.#cast.makeJudge({
      ...this.settings,
      idleTimeoutMs: this.settings.keepAliveTimeoutMs,
      closingMs: () => this.#closingMs,
      failures: () => this.#asyncIo.failures,
      wasFull: () => this.#openMost >= this.settings.connectionsMax,
      wasCrowded: () => this.#openMost === this.#reactor?.sockets.slots,
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
    this.#cast.connected(lane, wire.facts.address);
    return wire;
  }

  heldUpMs(): number {
    return this.clock.heldUpMs;
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
    this.#heard.install();
    this.#cast.begin();
    // Errors for clients that went are many, and nobody reads where they were made.
    const { stackTraceLimit } = Error;
    if (this.trace.events === null) Error.stackTraceLimit = 0;
    try {
      await this.#phases();
    } catch (error) {
      const known = error instanceof Violation ? error : null;
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#report(known ?? new Violation('assertion', text));
    } finally {
      this.#cast.end();
      this.#heard.restore();
      this.#loop.restore();
      Error.stackTraceLimit = stackTraceLimit;
    }
    return this.#outcome();
  }

  async #phases(): Promise<void> {
    void this.#server.listen();
    this.#drainWanted = true;
    await this.#until(() => this.#network.listening, 1000, 'listening');
    // In one of four runs the server closes in the middle of everything.
    const closesEarly = this.#random.chance(0.25);
    const crowd = this.#crowd;
    const isOver = (): boolean => crowd.isDone || this.#closed;
    const isEnough = (): boolean => isOver() || (closesEarly && crowd.isEnough);
    crowd.startFirst(closesEarly ? 2 : 1);
    this.#planTrouble();
    do await this.#until(isEnough, FAULTY_MS, null);
    while (crowd.startMore(FAULTY_WAVES));
    if (closesEarly) this.#close();
    await this.#until(isOver, FAULTY_MS, null);
    this.#faults.healed = true;
    await this.#until(isOver, HEALED_MS, 'all clients done');
    if (!closesEarly) {
      while (crowd.startMore(WAVES)) {
        await this.#until(isOver, HEALED_MS, 'clients that came later done');
      }
      crowd.startProbes();
      await this.#until(isOver, HEALED_MS, 'clients served after all faults');
      if (crowd.startStaller()) {
        await this.#until(isOver, HEALED_MS, 'a lone client was given up');
      }
      this.#close();
    }
    const closeMs = this.settings.shutdownTimeoutMs + CLOSE_SLACK_MS + this.settings.drainLingerMs;
    await this.#until(() => this.#closed, closeMs, 'the server closed');
    await this.#until(isOver, HEALED_MS, 'clients gone after the server');
    await this.#checkEnd();
  }

  #planTrouble(): void {
    const sockets = (): readonly (SimSocket | null)[] => this.#driver?.sockets ?? [];
    const runtime = {
      clock: this.clock,
      schedule: this.#schedule,
      network: this.#network,
      sockets,
    };
    planTrouble(this.#faults, runtime);
  }

  #close(): void {
    if (this.#closingMs !== Number.POSITIVE_INFINITY) return;
    this.#closingMs = this.clock.nowMs;
    this.#drainWanted = true;
    this.trace.note(this.clock.nowMs, -1, 'server', () => 'close()');
    this.#cast.closing();
    this.#server.close().then(
      () => {
        this.#closed = true;
        this.trace.note(this.clock.nowMs, -1, 'server', () => 'closed');
      },
      (error: unknown) => this.#report(new Violation('assertion', String(error))),
    );
  }

  /** Lets the world go on until something is so; null for `what` means that it need not be. */
  async #until(isSo: () => boolean, forMs: number, what: string | null): Promise<void> {
    const untilMs = this.clock.nowMs + forMs;
    const heldUpMs = this.clock.heldUpMs;
    while (!isSo()) {
      if (this.#violation !== null) throw this.#violation;
      const limitMs = untilMs + this.clock.heldUpMs - heldUpMs;
      if (this.clock.nowMs >= limitMs || !(this.#stepWorld() || (await this.#step()))) {
        if (what === null) return;
        throw new Violation('liveness', `not so in ${forMs} ms of virtual time: ${what}`);
      }
    }
    if (this.#violation !== null) throw this.#violation;
  }

  /** The next thing that happens, wherever it does. False when nothing ever will. */
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

  /** The next thing if it happens outside of the server: most do, and none of it is to await. */
  #stepWorld(): boolean {
    const worldMs = this.#schedule.nextMs;
    if (this.#drainWanted || this.#loop.nextMs <= worldMs) return false;
    const beganMs = this.clock.nowMs;
    this.#schedule.step(worldMs);
    // A moment's events come together, so that a poll may find several.
    while (this.#schedule.step(this.clock.nowMs)) {
      // One after the other.
    }
    this.#stepped(beganMs);
    return true;
  }

  #stepped(beganMs: number): void {
    this.#turnsAtOnce = this.clock.nowMs > beganMs ? 0 : this.#turnsAtOnce + 1;
    ensure(this.#turnsAtOnce < TURNS_AT_ONCE_MAX, 'liveness', 'turns and turns, and time stands');
  }

  async #turn(): Promise<void> {
    const costMs = this.#random.below(24) / 1000;
    const polls = this.#driver?.polls ?? 0;
    await this.#loop.turn();
    const { failure } = this.#loop;
    if (failure !== null) throw failure;
    // A turn of the loop that polled has been looked at before each poll but for its last part.
    if (this.#driver?.polls === polls) this.#check();
    // While the server computes the world goes on.
    let untilMs = this.clock.nowMs + costMs;
    if (this.#faults.hit('stall')) {
      const ms = this.#faults.random('stall').ms(5, 4000);
      this.clock.heldUpMs += ms;
      untilMs += ms;
    }
    while (this.#schedule.step(untilMs)) {
      // One after the other.
    }
    if (untilMs > this.clock.nowMs) this.clock.nowMs = Math.round(untilMs * 1000) / 1000;
  }

  // --- The end ---

  async #checkEnd(): Promise<void> {
    const [driver, reactor] = [this.#driver, this.#reactor];
    if (driver === null || reactor === null) throw new Violation('balance', 'a server has a world');
    await this.#until(() => this.#asyncIo.pendingCount === 0, 10_000, 'file operations done');
    const cast = this.#cast;
    const isDone = (): boolean => cast.running === 0;
    await this.#until(isDone, 20_000, `${cast.running} handlers done`);
    await this.#until(() => isDone() && cast.isQuiet, QUIET_MS, null);
    await this.#until(isDone, 20_000, 'handlers done after all');
    await drain();
    const { counters } = this.#server;
    const spansUsed = this.#checks?.spansUsed ?? 0;
    ensureBack({ driver, reactor, counters, spansUsed, asyncIo: this.#asyncIo, loop: this.#loop });
    this.#cast.checkEnd();
  }

  #outcome(): Outcome {
    return {
      scenario: this.scenario,
      hash: this.trace.hash,
      events: this.trace.count,
      violation: this.#violation,
      requests: this.#crowd.scores.responded,
      virtualMs: this.clock.nowMs,
      scores: this.#crowd.scores,
      states: this.#checks?.states ?? new Map(),
      deadlines: this.#heard.deadlines,
      refusals: this.#heard.refusals,
      faults: this.#faults,
      counters: { ...this.#server.counters },
      clients: this.#crowd.lanes,
      occurred: this.#cast.occurred,
      trace: this.trace,
    };
  }
}

export function simulate(scenario: Scenario, recording = false): Promise<Outcome> {
  return new Simulation(scenario, recording).run();
}
