// The clients of a run. They come in waves: a first one with as many requests as a run plans, and
// later ones for those that faults took away, so that every run judges as many as it promises.

import { Client } from '../clients/client.ts';
import type { Judge } from '../clients/judge.ts';
import type { ClientPlan } from '../clients/plan.ts';
import type { Cast } from '../run/participants.ts';
import { noScores, type Scenario } from '../run/scenario.ts';
import type { Settings } from '../run/settings.ts';
import type { World } from '../world/wire.ts';

/** Clients of one wave have numbers of their own, so that a replay knows when they came. */
const WAVE_LANES = 400;
/** Numbers from here on belong to the clients that come when nothing goes wrong any more. */
const PROBE_LANE = 10_000;
const PROBES = 2;
const BREAKER_LANE = PROBE_LANE + PROBES;
const STALLER_LANE = BREAKER_LANE + 1;
/** Some requests more than are wanted: there is always one that its client breaks off. */
const MORE = 1.02;

export class Crowd {
  readonly scores: ReturnType<typeof noScores> = noScores();
  readonly #scenario: Scenario;
  readonly #settings: Settings;
  readonly #world: World;
  readonly #judge: Judge;
  readonly #cast: Cast;
  readonly #clients: Client[] = [];
  #doneCount = 0;
  #waves = 0;

  constructor(scenario: Scenario, settings: Settings, world: World, judge: Judge, cast: Cast) {
    this.#scenario = scenario;
    this.#settings = settings;
    this.#world = world;
    this.#judge = judge;
    this.#cast = cast;
  }

  /** Everybody has done what was planned. */
  get isDone(): boolean {
    return this.#doneCount === this.#clients.length;
  }

  /** The run has judged as many requests as it promises. */
  get isEnough(): boolean {
    return this.scores.responded >= this.#cast.requestsMin;
  }

  /** The clients that took part, but for those of the end. */
  get lanes(): number[] {
    return this.#clients.map(({ plan }) => plan.lane).filter((lane) => lane < PROBE_LANE);
  }

  /** So many times as many requests as a run judges at least. */
  startFirst(times: number): void {
    this.#startWave(times * this.#cast.requestsMin);
  }

  /** More clients, if requests are missing, of which these lose some as well. False if none are. */
  startMore(wavesMax: number): boolean {
    const missing = this.#cast.requestsMin - this.scores.responded;
    return this.#waves < wavesMax && this.#startWave(2 * missing);
  }

  #startWave(requestsMin: number): boolean {
    const { seed, clients, requestsMax } = this.#scenario;
    const firstLane = this.#waves * WAVE_LANES;
    const isOurs = (lane: number): boolean => lane >= firstLane && lane < firstLane + WAVE_LANES;
    const lanes =
      clients?.filter(isOurs) ?? Array.from({ length: WAVE_LANES }, (_, at) => firstLane + at);
    this.#waves += 1;
    let requests = 0;
    for (const lane of lanes) {
      if (clients === null && requests >= MORE * requestsMin) break;
      const plan = this.#cast.planClient(seed, lane, this.#settings);
      const cut = plan.requests.slice(0, requestsMax);
      requests += cut.length;
      this.#start({ ...plan, requests: cut });
    }
    // Of those that are named, some may have come in a later wave only.
    return clients === null ? requests > 0 : clients.some((lane) => lane >= firstLane);
  }

  startProbes(): void {
    const { seed } = this.#scenario;
    for (let probe = 0; probe < PROBES; probe++) {
      this.#start(this.#cast.planProbe(seed, PROBE_LANE + probe, this.#settings));
    }
    const breaker = this.#cast.planBreaker(seed, BREAKER_LANE, this.#settings);
    if (breaker !== null) this.#start(breaker);
  }

  /** Alone, so that nothing else wakes the pump. False if there is none. */
  startStaller(): boolean {
    const staller = this.#cast.planStaller(this.#scenario.seed, STALLER_LANE, this.#settings);
    if (staller !== null) this.#start(staller);
    return staller !== null;
  }

  #start(plan: ClientPlan): void {
    const client = new Client(plan, this.#world, this.#judge, this.scores, () => {
      this.#doneCount += 1;
    });
    this.#clients.push(client);
    client.start();
  }
}
