// Injected bugs of the primary, of its files, and of the load generator.

import type { Bug } from './bug.ts';

const WORKER = 'cluster/worker-process.js';
const PRIMARY = 'cluster/primary.js';
const STUCK = 'cluster/stuck-workers.js';
const PID_FILE = 'cluster/pid-file.js';
const RECORDER = 'load/recorder.js';
const MODEL = 'cluster/model';
const TIMES = 'cluster/timeouts';
const BLOCKED = 'cluster/stuck-workers';

export const CLUSTER_BUGS: readonly Bug[] = [
  {
    name: 'a worker that listens is killed when its start time ends',
    kind: 'late',
    file: WORKER,
    find: "case 'listening':\n                this.#cancelKill();",
    replace: "case 'listening':",
    tests: [TIMES, MODEL],
  },
  {
    name: 'a worker that exited is killed once more',
    kind: 'late',
    file: WORKER,
    find: 'this.#cancelKill();\n        this.exitReason = how;',
    replace: 'this.exitReason = how;',
    tests: [MODEL, TIMES],
  },
  {
    name: 'a worker that closes by itself is killed never',
    kind: 'late',
    file: WORKER,
    find: 'this.#killLater();\n                this.#events.closing();',
    replace: 'this.#events.closing();',
    tests: [TIMES, MODEL],
  },
  {
    name: 'a check that is late counts as silence of a worker',
    kind: 'late',
    file: STUCK,
    find: 'ports.now() > lateFromMs',
    replace: 'false',
    tests: [BLOCKED],
  },
  {
    name: 'a worker is killed before its response is received',
    kind: 'late',
    file: STUCK,
    find: 'cancel = ports.afterEvents(() => {',
    replace: 'cancel = ((due) => (due(), cancel))(() => {',
    tests: [BLOCKED],
  },
  {
    name: 'the time of a worker that was stopped does not begin anew',
    kind: 'late',
    file: WORKER,
    find: 'this.#child.isStopped())\n            this.#silentChecks = 0;',
    replace: 'this.#child.isStopped())\n            return 0;',
    tests: [BLOCKED],
  },
  {
    name: 'a worker that is killed because it is blocked is killed again',
    kind: 'again',
    file: WORKER,
    find: ' || !this.isUsable || this.#wasKilledHere)',
    replace: ' || !this.isUsable)',
    tests: [BLOCKED],
  },
  {
    name: 'a worker is killed an interval too early',
    kind: 'special',
    file: STUCK,
    find: '< CHECKS',
    replace: '< CHECKS - 1',
    tests: [BLOCKED],
  },
  {
    name: 'listeners that open after close() stay open',
    kind: 'middle',
    file: PRIMARY,
    find: 'opened.listeners?.close();\n            throw new ClosedError();',
    replace: 'throw new ClosedError();',
    tests: [MODEL],
  },
  {
    name: 'close() waits for a worker that has exited',
    kind: 'again',
    file: PRIMARY,
    find: 'this.#processes.delete(worker);',
    replace: '',
    tests: [MODEL],
  },
  {
    name: 'after a reload that failed, a worker is not started again',
    kind: 'fails',
    file: PRIMARY,
    find: 'workerSlot.isRenewing = false;',
    replace: '',
    tests: [MODEL],
  },
  {
    name: 'the sibling of a new worker goes on accepting for it',
    kind: 'again',
    file: PRIMARY,
    find: 'workerSlot.worker = started;\n        workerSlot.releaseSibling();',
    replace: 'workerSlot.worker = started;',
    tests: [MODEL],
  },
  {
    name: 'the temporary pid file stays when it cannot be written',
    kind: 'fails',
    file: PID_FILE,
    find: 'this.#removeTemporary();\n            throw this.#fault(error);',
    replace: 'throw this.#fault(error);',
    tests: ['cluster/pid-file'],
  },
  {
    name: 'the pid file of another process is removed',
    kind: 'again',
    file: PID_FILE,
    find: "if (pidIn(this.#files.readFileSync(this.#path, 'utf8')) === this.#pid)",
    replace: 'if (this.#pid > 0)',
    tests: ['cluster/pid-file'],
  },
  {
    name: 'a client of the load that is used again sends no more',
    kind: 'again',
    file: 'load/client.js',
    find: 'this.isLast = false;\n    }\n}',
    replace: '}\n}',
    tests: ['load/reused', 'load/load'],
  },
  {
    name: 'the seconds of a load count the responses before them',
    kind: 'again',
    file: RECORDER,
    find: 'this.#secondStartMs = atMs;\n        this.#responsesBefore = this.responses;',
    replace: 'this.#secondStartMs = atMs;',
    tests: ['load/report', 'load/reused', 'load/load'],
  },
  {
    name: 'a worker that crashes a second after its start is started at once for ever',
    kind: 'special',
    file: 'cluster/back-off.js',
    find: '(isStarted && byOthers)',
    replace: 'isStarted',
    tests: ['cluster/back-off'],
  },
  {
    name: 'a primary that has ended forwards signals to open log files again',
    kind: 'again',
    file: PRIMARY,
    find: 'this.#cancelReopen();',
    replace: ';',
    tests: ['cluster/model'],
  },
  {
    name: 'chunks of the response before are counted for a head that is known',
    kind: 'again',
    file: 'load/response-reader.js',
    find: 'if (body === BY_CHUNKS)\n            this.#chunks.clear();',
    replace: ';',
    tests: ['load/response-reader', 'load/reused'],
  },
  {
    name: 'a connect that is due later is forgotten when another one is made',
    kind: 'again',
    file: 'load/reconnects.js',
    find: 'if (dueMs < this.nextMs)\n                this.nextMs = dueMs;\n        }\n',
    replace: '}\n',
    tests: ['load/reconnects'],
  },
  {
    name: 'the second step of a rate begins where the first one ended',
    kind: 'again',
    file: 'load/schedule.js',
    find: 'this.#stepStartMs += step.durationMs;\n            this.#taken = 0;',
    replace: 'this.#stepStartMs += step.durationMs;',
    tests: ['load/schedule'],
  },
];
