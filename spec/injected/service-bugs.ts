// Injected bugs of metrics, of lines of logs, and of what the primary does for its service manager.

import type { Bug } from './bug.ts';

const METER = 'metrics/meter.js';
const SEGMENT = 'metrics/segment.js';
const READER = 'metrics/reader.js';
const WRITER = 'async-io/line-writer.js';
const CALLS = 'cluster/scripted-calls';

export const SERVICE_BUGS: readonly Bug[] = [
  {
    name: 'the meter is full one response too late',
    kind: 'late',
    file: METER,
    find: 'PENDING_MAX - 3',
    replace: 'PENDING_MAX - 1',
    tests: ['metrics/meter-batches'],
  },
  {
    name: 'responses of one turn have the time of its first one',
    kind: 'again',
    file: METER,
    find: 'startedMs === this.#lastSinceMs &&',
    replace: '',
    tests: ['metrics/meter-batches'],
  },
  {
    name: 'a status of 600 has a class',
    kind: 'special',
    file: METER,
    find: 'status < 600',
    replace: 'status <= 600',
    tests: ['metrics/meter-batches'],
  },
  {
    name: 'memory that doubles is too short for a long record',
    kind: 'special',
    file: SEGMENT,
    find: 'Math.min(Math.max(2 * this.buffer.byteLength, bytes), this.bytesMax)',
    replace: 'Math.min(2 * this.buffer.byteLength, this.bytesMax)',
    tests: ['metrics/segment'],
  },
  {
    name: 'families of the program take the room of the series of overflow',
    kind: 'late',
    file: SEGMENT,
    find: 'family.isOwn === true ? this.#ordinaryBytes : this.#memory.bytesMax',
    replace: 'this.#memory.bytesMax',
    tests: ['metrics/segment'],
  },
  {
    name: 'the times of the starts of two processes add up',
    kind: 'again',
    file: READER,
    find: 'family.largest === true ? Math.max(sum, value) : sum + value',
    replace: 'sum + value',
    tests: ['metrics/segment'],
  },
  {
    name: 'a reader that is reset reads on where it was',
    kind: 'again',
    file: READER,
    find: 'this.#readTo.clear();',
    replace: '',
    tests: ['metrics/segment'],
  },
  {
    name: 'after a success a full stream waits as long as before',
    kind: 'again',
    file: WRITER,
    find: 'this.#fullRetryMs = FULL_RETRY_MS_MIN;\n            const',
    replace: 'const',
    tests: ['async-io/line-writer-edges'],
  },
  {
    name: 'dropped lines are reported again',
    kind: 'again',
    file: WRITER,
    find: 'this.#droppedNow = 0;\n        this',
    replace: 'this',
    tests: ['async-io/line-writer-edges'],
  },
  {
    name: 'a flush waits for a stream that fails',
    kind: 'fails',
    file: WRITER,
    find: 'this.#notifyFlushed();\n        if (this.#isNoted',
    replace: 'if (this.#isNoted',
    tests: ['async-io/line-writer-edges'],
  },
  {
    name: 'a notification is sent where the connect has failed',
    kind: 'fails',
    file: 'cluster/notify.js',
    find: 'if (calls.connect(fd, bytes, length) === 0)',
    replace: 'if (calls.connect(fd, bytes, length) <= 0)',
    tests: [CALLS],
  },
  {
    name: 'a second ready() starts a second watchdog',
    kind: 'again',
    file: 'cluster/notify.js',
    find: 'this.#watchdogUs === 0 || this.#watchdog !== null',
    replace: 'this.#watchdogUs === 0',
    tests: [CALLS],
  },
  {
    name: 'a socket that was not passed is closed',
    kind: 'special',
    file: 'cluster/activation.js',
    find: 'other < FIRST_FD + count',
    replace: 'other <= FIRST_FD + count',
    tests: [CALLS],
  },
  {
    name: 'a client that a worker has confirmed is confirmed again when it dies',
    kind: 'again',
    file: 'cluster/handoffs.js',
    find: "if (typeof ack === 'number')\n            unconfirmed.delete(ack);",
    replace: ';',
    tests: ['cluster/node-cluster'],
  },
  {
    name: 'the second reload in a row that was asked for during one is none',
    kind: 'again',
    file: 'cluster/primary.js',
    find: 'this.#reloadingNext = null;\n            return',
    replace: 'return',
    tests: ['cluster/model-cases'],
  },
  {
    name: 'a worker that was killed while it started may listen',
    kind: 'middle',
    file: 'cluster/worker-process.js',
    find: 'if (this.#wasKilledHere)\n                    break;',
    replace: ';',
    tests: ['cluster/worker-process'],
  },
  {
    name: 'a server that listens again is never ready after a reload',
    kind: 'again',
    file: 'cluster/service.js',
    find: "this.#closing = false;\n        this.#status = '';",
    replace: "this.#status = '';",
    tests: ['cluster/service'],
  },
];
