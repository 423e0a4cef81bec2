// The faults of a run. Each kind has a probability drawn from the seed, and about half of the kinds
// are off in each run, so that a fault which hides another one is not always there.

import { Random } from '../../testing/random.ts';
import type { Clock } from './clock.ts';
import type { Trace } from './trace.ts';

interface FaultSpec {
  /** The largest probability, each time that it may happen. */
  readonly most: number;
  readonly what: string;
}

export type FaultName =
  | 'shortReceive'
  | 'shortSend'
  | 'slowReceive'
  | 'slowSend'
  | 'slowClose'
  | 'slowWatch'
  | 'reorder'
  | 'fewAtOnce'
  | 'sendNoBuffers'
  | 'receiveFails'
  | 'acceptNoFiles'
  | 'acceptNoBuffers'
  | 'slowAccept'
  | 'lateCancel'
  | 'spuriousWake'
  | 'holdBlocks'
  | 'segments'
  | 'delay'
  | 'networkReset'
  | 'stall'
  | 'jump'
  | 'wallJump'
  | 'workSlow'
  | 'workShort'
  | 'workFails'
  | 'notCached'
  | 'discardOnReset';

export const FAULTS: Readonly<Record<FaultName, FaultSpec>> = {
  shortReceive: { most: 0.5, what: 'a receive returns fewer bytes than there are' },
  shortSend: { most: 0.5, what: 'a send takes fewer bytes than it could' },
  slowReceive: { most: 0.3, what: 'a receive finishes late' },
  slowSend: { most: 0.3, what: 'a send finishes late' },
  slowWatch: { most: 0.5, what: 'a watch reports a reset late' },
  slowClose: { most: 0.5, what: 'a close finishes late' },
  reorder: { most: 0.8, what: 'completions of a poll are reordered' },
  fewAtOnce: { most: 0.3, what: 'a poll returns only some of what is ready' },
  sendNoBuffers: { most: 0.01, what: 'a send fails with ENOBUFS' },
  receiveFails: { most: 0.1, what: 'a receive fails with ETIMEDOUT' },
  acceptNoFiles: { most: 0.2, what: 'accept fails with EMFILE' },
  acceptNoBuffers: { most: 0.2, what: 'accept fails with ENOBUFS' },
  slowAccept: { most: 0.3, what: 'a client waits in the backlog' },
  lateCancel: { most: 0.5, what: 'an aborted operation still finishes' },
  spuriousWake: { most: 0.1, what: 'a wake-up with nothing to do' },
  holdBlocks: { most: 0.02, what: 'the driver keeps free blocks' },
  segments: { most: 0.6, what: 'bytes arrive in small segments' },
  delay: { most: 0.3, what: 'a segment is late' },
  networkReset: { most: 0.08, what: 'the network resets a connection' },
  stall: { most: 0.004, what: 'the process is stopped while network and clients run' },
  jump: { most: 0.03, what: 'the clock jumps forward, as after a suspend' },
  wallJump: { most: 0.1, what: 'the time of day is set, in either direction' },
  workSlow: { most: 0.3, what: 'a file operation takes long' },
  workShort: { most: 0.4, what: 'a read of a file returns fewer bytes' },
  workFails: { most: 0.02, what: 'a file operation fails with EIO or EMFILE' },
  notCached: { most: 0.5, what: 'bytes of a file are not in memory when they are sent' },
  discardOnReset: { most: 0.5, what: 'a reset drops what was not read' },
};

export const FAULT_NAMES: readonly FaultName[] = Object.keys(FAULTS) as FaultName[];

/** In how many of 256 runs a kind of fault never happens. */
const NEVER_OF_256 = 128;

export class Faults {
  readonly probability: Readonly<Record<FaultName, number>>;
  readonly count: Record<FaultName, number>;
  readonly #streams: Readonly<Record<FaultName, Random>>;
  readonly #trace: Trace;
  readonly #clock: Clock;
  /** The second phase of a run: faults are over. */
  healed = false;

  constructor(seed: number, off: readonly FaultName[], clock: Clock, trace: Trace) {
    this.#clock = clock;
    this.#trace = trace;
    const probability = {} as Record<FaultName, number>;
    const streams = {} as Record<FaultName, Random>;
    this.count = {} as Record<FaultName, number>;
    for (const name of FAULT_NAMES) {
      const random = new Random(seed, `fault ${name}`);
      const isOff = random.below(256) < NEVER_OF_256;
      const part = 1 + random.below(16);
      probability[name] = isOff || off.includes(name) ? 0 : (FAULTS[name].most * part) / 16;
      streams[name] = random;
      this.count[name] = 0;
    }
    this.probability = probability;
    this.#streams = streams;
  }

  /** Decides whether this fault happens now, and counts it. */
  hit(name: FaultName, lane = -1): boolean {
    if (this.healed) return false;
    const probability = this.probability[name];
    if (probability === 0 || !this.#streams[name].chance(probability)) return false;
    this.count[name] += 1;
    this.#trace.mix(1, name.length, lane, this.count[name]);
    this.#trace.note(this.#clock.nowMs, lane, 'fault', () => FAULTS[name].what);
    return true;
  }

  /** The stream for how long or how much. */
  random(name: FaultName): Random {
    return this.#streams[name];
  }

  /** The kinds that are on, with their probabilities. */
  describe(): string {
    const on = FAULT_NAMES.filter((name) => this.probability[name] > 0);
    const texts = on.map((name) => `${name} ${Number(this.probability[name].toPrecision(2))}`);
    return texts.length === 0 ? 'none' : texts.join(', ');
  }
}
