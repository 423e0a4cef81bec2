// What happened over many runs, and what never did: a fault, a workload, an end or a state that
// does not occur in a thousand runs is not tested, whatever the list says.

import type { RequestKind } from './clients/expected.ts';
import { SHAPE_NAMES } from './clients/shapes.ts';
import { FAULT_NAMES } from './faults.ts';
import type { Outcome } from './scenario.ts';

type Group =
  | 'fault'
  | 'workload'
  | 'request'
  | 'connection ends by'
  | 'state'
  | 'status'
  | 'server';

const REQUESTS: readonly RequestKind[] = [
  'hello',
  'text',
  'bytes',
  'head',
  'params',
  'peer',
  'echo',
  'echo chunked',
  'sum',
  'sum slow',
  'sum later',
  'mirror',
  'ignore',
  'expect',
  'too large',
  'stream',
  'sized',
  'events',
  'slow',
  'never',
  'throw',
  'reject',
  'cut',
  'static',
  'static large',
  'range',
  'not modified',
  'listing',
  'missing',
  'wrong method',
  'options',
  'http/1.0',
  'closing',
  'garbage',
  'long target',
  'long head',
];

const ENDINGS = [
  "client's end",
  "client's close",
  "client's reset",
  'Connection: close',
  'idle',
  'evicted',
  'turned away',
  'refused',
  'drained',
  'cut off',
  'server closing',
  'write timeout',
  'stopped reading',
  'answer cut',
  'unread body',
  'sent on after the end',
  'reset after the last answer',
  'reset by the client',
  'left by the client',
  'injected fault',
];

const STATES = [
  'idle',
  'idle, sends',
  'reads a head',
  'has a handler and a body',
  'has a handler and a body, sends',
  'has a handler and a body, streams',
  'has a handler and a body, streams, sends',
  'awaits its answer',
  'awaits its answer, sends',
  'awaits its answer, streams',
  'awaits its answer, streams, sends',
  'awaits its answer, half closed',
  'stopped, sends',
  'lingers',
  'closing',
  'closing, sends',
];

const STATUSES = ['200', '204', '304', '400', '404', '405', '408', '409', '413', '414', '431'];

const COUNTERS = ['requests', 'answers', 'faults', 'timeouts', 'resets', 'evicted', 'turnedAway'];

/** What has to occur. */
const WANTED: Readonly<Record<Group, readonly string[]>> = {
  fault: FAULT_NAMES,
  workload: [...SHAPE_NAMES, 'probe'],
  request: REQUESTS,
  'connection ends by': ENDINGS,
  state: STATES,
  status: [...STATUSES, '500', '503'],
  server: [...COUNTERS, 'acceptFaults', 'handlerErrors', 'lateWrites'],
};

/** Runs from which on a zero is a failure. */
export const RUNS_FOR_ALL = 1000;

export class Table {
  runs = 0;
  requests = 0;
  readonly #counts = new Map<Group, Map<string, number>>();

  constructor() {
    for (const [group, names] of Object.entries(WANTED)) {
      this.#counts.set(group as Group, new Map(names.map((name) => [name, 0])));
    }
  }

  add(outcome: Outcome): void {
    this.runs += 1;
    this.requests += outcome.requests;
    this.#addAll('fault', Object.entries(outcome.faults.count));
    const { shapes, answers, endings, statuses } = outcome.scores;
    this.#addAll('workload', shapes);
    this.#addAll('request', answers);
    this.#addAll('connection ends by', endings);
    this.#addAll('state', outcome.states);
    this.#addAll(
      'status',
      [...statuses].map(([status, count]) => [String(status), count]),
    );
    this.#addAll('server', Object.entries(outcome.counters));
  }

  #addAll(group: Group, counts: Iterable<readonly [string, number]>): void {
    const sums = this.#counts.get(group);
    for (const [name, count] of counts) sums?.set(name, (sums.get(name) ?? 0) + count);
  }

  /** What was to occur and never did, as 'group: name'. */
  get missing(): string[] {
    const missing: string[] = [];
    for (const [group, names] of Object.entries(WANTED)) {
      for (const name of names) {
        if (this.#counts.get(group as Group)?.get(name) === 0) missing.push(`${group}: ${name}`);
      }
    }
    return missing;
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
