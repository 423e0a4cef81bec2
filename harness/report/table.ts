// Counts what occurred in many runs. A fault, a workload, an end or a state that does not occur in
// 1,000 runs is not tested.

import { Fault, faultStatus } from '../../src/http/fault.ts';
import { makeCounts } from '../../src/metrics/counters.ts';
import { STATES_LISTED } from '../checks/between-turns.ts';
import { DEADLINES, REQUEST_FAULTS } from '../checks/observed.ts';
import { ENDINGS } from '../clients/endings.ts';
import { REQUEST_KINDS } from '../clients/expected.ts';
import { SHAPE_NAMES } from '../clients/shapes.ts';
import type { Outcome } from '../run/scenario.ts';
import { FAULT_NAMES } from '../world/faults.ts';

const STATES = [
  'idle',
  'idle, sends',
  'reads a head',
  'has a handler and a body',
  'has a handler and a body, sends',
  'has a handler and a body, streams',
  'has a handler and a body, streams, sends',
  'awaits its response',
  'awaits its response, sends',
  'awaits its response, streams',
  'awaits its response, streams, sends',
  'awaits its response, half closed',
  'stopped, sends',
  'lingers',
  'closing',
  'closing, sends',
];

/** Status codes of responses to valid requests; those of the others come from the source. */
const STATUSES = ['200', '204', '206', '304', '404', '405', '409', '500', '503'];
const REJECTED = Object.values(Fault).map((fault) => String(faultStatus(fault)));

/** What has to occur, by groups. */
export type Wanted = Readonly<Record<string, readonly string[]>>;

/** With the ordinary application. */
export const WANTED: Wanted = {
  fault: FAULT_NAMES,
  workload: [...SHAPE_NAMES, 'probe'],
  request: REQUEST_KINDS,
  'connection ends by': ENDINGS,
  state: [...STATES, ...STATES_LISTED],
  deadline: DEADLINES,
  'request fault': REQUEST_FAULTS,
  status: [...new Set([...STATUSES, ...REJECTED])],
  server: Object.keys(makeCounts()),
};

/** With this many runs a count of 0 is a failure. */
export const RUNS_FOR_ALL = 1000;

export class Table {
  runs = 0;
  requests = 0;
  readonly #perSeed: number[] = [];
  readonly #counts = new Map<string, Map<string, number>>();

  readonly #wanted: Wanted;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
    for (const [group, names] of Object.entries(wanted)) {
      this.#counts.set(group, new Map(names.map((name) => [name, 0])));
    }
  }

  add(outcome: Outcome): void {
    this.runs += 1;
    this.requests += outcome.requests;
    this.#perSeed.push(outcome.requests);
    this.#addAll('fault', Object.entries(outcome.faults.count));
    const { shapes, responses, endings, statuses } = outcome.scores;
    this.#addAll('workload', shapes);
    this.#addAll('request', responses);
    this.#addAll('connection ends by', endings);
    this.#addAll('state', outcome.states);
    this.#addAll('deadline', outcome.deadlines);
    this.#addAll('request fault', outcome.requestFaults);
    this.#addAll(
      'status',
      [...statuses].map(([status, count]) => [String(status), count]),
    );
    this.#addAll('server', Object.entries(outcome.counters));
    for (const [name, count] of outcome.occurred) {
      const at = name.indexOf(': ');
      this.#addAll(name.slice(0, at), [[name.slice(at + 2), count]]);
    }
  }

  #addAll(group: string, counts: Iterable<readonly [string, number]>): void {
    const sums = this.#counts.get(group);
    for (const [name, count] of counts) sums?.set(name, (sums.get(name) ?? 0) + count);
  }

  /** What had to occur and did not, as 'group: name'. */
  get missing(): string[] {
    const missing: string[] = [];
    for (const [group, names] of Object.entries(this.#wanted)) {
      for (const name of names) {
        if (this.#counts.get(group)?.get(name) === 0) missing.push(`${group}: ${name}`);
      }
    }
    return missing;
  }

  /** How many requests the runs judged. */
  perSeed(): string {
    const sorted = this.#perSeed.toSorted((one, other) => one - other);
    const [least, most] = [sorted[0], sorted.at(-1)];
    const median = sorted[sorted.length >> 1];
    return `requests judged per seed: least ${least}, median ${median}, most ${most}`;
  }

  lines(): string[] {
    const lines: string[] = [];
    for (const [group, counts] of this.#counts) {
      lines.push('', group);
      const sorted = [...counts].sort((one, other) => other[1] - one[1]);
      for (const [name, count] of sorted) {
        const mark = count === 0 ? '  <- never' : '';
        lines.push(`${String(count).padStart(10)}  ${name}${mark}`);
      }
    }
    return lines;
  }
}
