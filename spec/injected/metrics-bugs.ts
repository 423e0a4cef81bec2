// Injected bugs of what is counted: metrics, and the phases of a load.

import type { Bug } from './bug.ts';

const SEGMENT = 'metrics/segment.js';
const LOAD = 'load/load.js';
const BOUNDS = ['metrics/bounds'];

export const METRICS_BUGS: readonly Bug[] = [
  {
    name: 'the description of a family is cut where a character has several bytes',
    kind: 'special',
    file: SEGMENT,
    find: 'this.words[at / 4 + 2] = encoded.length;',
    replace: 'this.words[at / 4 + 2] = text.length;',
    tests: BOUNDS,
  },
  {
    name: 'long labels of a program take the memory of the server',
    kind: 'late',
    file: SEGMENT,
    find: 'this.#ownBytes += bytes;',
    replace: '',
    tests: BOUNDS,
  },
  {
    name: 'series with one label called as that of overflow are made without a bound',
    kind: 'special',
    file: SEGMENT,
    find: 'values.every((value) => value === OVERFLOW)',
    replace: 'values.some((value) => value === OVERFLOW)',
    tests: BOUNDS,
  },
  {
    name: 'no memory for a cell is no sign of full memory',
    kind: 'fails',
    file: SEGMENT,
    find: 'this.#isFull = true;\n        return NOWHERE;',
    replace: 'return NOWHERE;',
    tests: BOUNDS,
  },
  {
    name: 'a response without content has the size of the one before',
    kind: 'again',
    file: 'metrics/meter.js',
    find: 'this.#responseBytes = responseBytes;',
    replace: '',
    tests: ['metrics/meter'],
  },
  {
    name: 'after a reset a reader of metrics goes on where it was',
    kind: 'again',
    file: 'metrics/reader.js',
    find: 'this.#readTo.clear();',
    replace: '',
    tests: ['metrics/segment'],
  },
  {
    name: 'a closed loop sends no more when its warm-up has used up the count',
    kind: 'again',
    file: LOAD,
    find: 'this.#isCounting ? this.#plan.count - this.#sentCount : Number.POSITIVE_INFINITY',
    replace: 'this.#plan.count - this.#sentCount',
    tests: ['load/phases'],
  },
  {
    name: 'a rate ends although requests are due, while no connection is open',
    kind: 'middle',
    file: LOAD,
    find: 'if (this.#nextDueMs() < this.endMs)\n            return false;',
    replace: '',
    tests: ['load/phases'],
  },
  {
    name: 'the head of a stream counts in the sizes of bodies',
    kind: 'middle',
    file: 'metrics/meter.js',
    find: '(at & WHICH) === Histogram.FirstByte',
    replace: 'at === Histogram.FirstByte',
    tests: ['metrics/meter'],
  },
  {
    name: 'a segment that grows while it is read is read beyond its bytes',
    kind: 'middle',
    file: 'cluster/metrics-documents.js',
    find: 'new Uint32Array(bytes.buffer)[Word.End] = bytes.length;',
    replace: '',
    tests: ['cluster/metrics-documents'],
  },
  {
    name: 'a gauge that has ended leaves its comma',
    kind: 'special',
    file: 'metrics/json-format.js',
    find: 'if (value === null)',
    replace: "if (value === null && (before = ','))",
    tests: ['metrics/text-format'],
  },
];
