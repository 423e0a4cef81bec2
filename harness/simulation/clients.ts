// The clients of a run. They come in waves: the first one has as many requests as a run must judge,
// later ones replace the requests that faults prevented.

import { Client } from '../clients/client.ts';
import type { Judge } from '../clients/judge.ts';
import type { ClientPlan } from '../clients/plan.ts';
import type { Participants } from '../run/participants.ts';
import { noScores, type Scenario } from '../run/scenario.ts';
import type { Settings } from '../run/settings.ts';
import type { World } from '../world/wire.ts';

/** Each wave has its own range of client numbers, so that a replay knows when they start. */
const WAVE_LANES = 400;
/** Numbers from here on belong to the clients that start after all faults. */
const PROBE_LANE = 10_000;
const PROBES = 2;
const TRUNCATOR_LANE = PROBE_LANE + PROBES;
const STALLER_LANE = TRUNCATOR_LANE + 1;
/** A few requests more than needed: some are always aborted by their client. */
const SURPLUS = 1.02;

export class RunClients {
  readonly scores: ReturnType<typeof noScores> = noScores();
  readonly #scenario: Scenario;
  readonly #settings: Settings;
  readonly #world: World;
  readonly #judge: Judge;
  readonly #participants: Participants;
  readonly #clients: Client[] = [];
  #doneCount = 0;
  #waves = 0;

  constructor(
    scenario: Scenario,
    settings: Settings,
    world: World,
    judge: Judge,
    participants: Participants,
  ) {
    this.#scenario = scenario;
    this.#settings = settings;
    this.#world = world;
    this.#judge = judge;
    this.#participants = participants;
  }

  /** All clients have carried out their plans. */
  get isDone(): boolean {
    return this.#doneCount === this.#clients.length;
  }

  /** The run has judged enough requests. */
  get isEnough(): boolean {
    return this.scores.responded >= this.#participants.requestsMin;
  }

  /** The clients that took part, without those of the end. */
  get lanes(): number[] {
    return this.#clients.map(({ plan }) => plan.lane).filter((lane) => lane < PROBE_LANE);
  }

  /** Starts clients with `times` the number of requests that a run must judge. */
  startFirst(times: number): void {
    this.#startWave(times * this.#participants.requestsMin);
  }

  /**
   * Starts more clients if requests are missing: twice as many, as faults hit these, too. False if
   * none are.
   */
  startMore(wavesMax: number): boolean {
    const missing = this.#participants.requestsMin - this.scores.responded;
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
      if (clients === null && requests >= SURPLUS * requestsMin) break;
      const plan = this.#participants.planClient(seed, lane, this.#settings);
      const requestsKept = plan.requests.slice(0, requestsMax);
      requests += requestsKept.length;
      this.#start({ ...plan, requests: requestsKept });
    }
    // Clients of a replay may belong to later waves only.
    return clients === null ? requests > 0 : clients.some((lane) => lane >= firstLane);
  }

  startProbes(): void {
    const { seed } = this.#scenario;
    for (let probe = 0; probe < PROBES; probe++) {
      this.#start(this.#participants.planProbe(seed, PROBE_LANE + probe, this.#settings));
    }
    const truncator = this.#participants.planTruncator(seed, TRUNCATOR_LANE, this.#settings);
    if (truncator !== null) this.#start(truncator);
  }

  /** A client alone, so that nothing else wakes the pump. False if there is none. */
  startStaller(): boolean {
    const staller = this.#participants.planStaller(
      this.#scenario.seed,
      STALLER_LANE,
      this.#settings,
    );
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
