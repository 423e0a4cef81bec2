// Injected bugs of the server: its directories, its metrics and who sees them, requests that are
// routed again, errors, the messages of a worker, and log files.

import type { Bug } from './bug.ts';

const STATIC_FILES = 'server/static-files.js';
const METRICS = 'server/server-metrics.js';
const ENDPOINT = 'server/metrics-endpoint.js';
const GUARD = 'server/metrics-guard.js';
const APPLICATION = 'server/application.js';
const ROUTES = 'server/routes.js';
const RUNTIME = 'server/runtime.js';
const WORKER = 'cluster/worker.js';
const LOG_FILES = 'async-io/log-files.js';
const LOGS = ['async-io/log-files-edges'];

export const SERVER_BUGS: readonly Bug[] = [
  {
    name: 'static_dir comes before the mounts',
    kind: 'special',
    file: STATIC_FILES,
    find: 'all.push({ prefix: new Uint8Array(0)',
    replace: 'all.unshift({ prefix: new Uint8Array(0)',
    tests: ['server/static-files'],
  },
  {
    name: 'each mount has the whole memory for files',
    kind: 'special',
    file: STATIC_FILES,
    find: 'Math.floor(limits.fileCacheBytesMax / Math.max(1, count))',
    replace: 'limits.fileCacheBytesMax',
    tests: ['server/static-files'],
  },
  {
    name: 'the CPU time of a worker begins again with its next process',
    kind: 'again',
    file: METRICS,
    find: 'cpuBefore + figures.cpuSeconds',
    replace: 'figures.cpuSeconds',
    tests: ['server/server-metrics'],
  },
  {
    name: 'a server that has closed still counts the pauses of the garbage collector',
    kind: 'late',
    file: METRICS,
    find: 'this.#stopGc();',
    replace: '',
    tests: ['server/server-metrics'],
  },
  {
    name: 'metrics streams never begin again after the last one has ended',
    kind: 'again',
    file: ENDPOINT,
    find: 'this.#isTicking = false;\n        }',
    replace: '}',
    tests: ['server/metrics-endpoint'],
  },
  {
    name: 'a stream of metrics may miss one event more than the limit',
    kind: 'special',
    file: ENDPOINT,
    find: 'stream.dropped >= METRICS_MISSED_MAX',
    replace: 'stream.dropped > METRICS_MISSED_MAX',
    tests: ['server/metrics-endpoint'],
  },
  {
    name: 'a host with a colon and no port is not this machine',
    kind: 'special',
    file: GUARD,
    find: '(:\\d*)?$/i',
    replace: '(:\\d+)?$/i',
    tests: ['server/metrics-guard'],
  },
  {
    name: 'the first field of a request is not among those of a proxy',
    kind: 'special',
    file: GUARD,
    find: 'let index = 0',
    replace: 'let index = 1',
    tests: ['server/metrics-guard'],
  },
  {
    name: 'a request that is routed again passes over middleware before what has run',
    kind: 'middle',
    file: APPLICATION,
    find: 'steps.splice(at, 1)',
    replace: 'steps.splice(0, at + 1)',
    tests: ['server/reroute'],
  },
  {
    name: 'a request that is routed to no route counts for the one before',
    kind: 'again',
    file: APPLICATION,
    find: 'invocation.exchange.series = route === null ? null : route.series;',
    replace: 'if (route !== null) invocation.exchange.series = route.series;',
    tests: ['server/reroute'],
  },
  {
    name: 'a guarded route is hidden from all other methods',
    kind: 'special',
    file: ROUTES,
    find: 'guard !== null && !guard(exchange)',
    replace: 'guard !== null',
    tests: ['server/routes'],
  },
  {
    name: 'an error has the length that its handler had announced',
    kind: 'fails',
    file: 'server/error-content.js',
    find: 'exchange.owedBytes = -1;',
    replace: '',
    tests: ['server/error-content'],
  },
  {
    name: 'clients that wait for a slot keep a server from closing',
    kind: 'middle',
    file: RUNTIME,
    find: 'this.reactor.refuseWaiting();',
    replace: '',
    tests: ['server/runtime'],
  },
  {
    name: 'the primary is gone, and a worker does not close its listener as the last one',
    kind: 'fails',
    file: WORKER,
    find: "process.on('disconnect', () => close(true))",
    replace: "process.on('disconnect', () => close(false))",
    tests: ['cluster/worker'],
  },
  {
    name: 'a log file is closed after each line once it was opened again during a write',
    kind: 'again',
    file: LOG_FILES,
    find: 'this.#isStale = false;\n        const { fd }',
    replace: 'const { fd }',
    tests: LOGS,
  },
  {
    name: 'a process that exits while a log file is being opened loses its lines',
    kind: 'middle',
    file: LOG_FILES,
    find: 'this.isOpening = true;',
    replace: '',
    tests: LOGS,
  },
  {
    name: 'a log file that failed once reports no later failure',
    kind: 'again',
    file: 'async-io/line-writer.js',
    find: 'this.#isNoted = false;\n            this.#fullRetryMs',
    replace: 'this.#fullRetryMs',
    tests: LOGS,
  },
  {
    name: 'a server that could not listen never listens again',
    kind: 'fails',
    file: 'server/server.js',
    find: "if (this.#state === 'listening')\n                this.#state = 'new';",
    replace: '',
    tests: ['server/lives'],
  },
  {
    name: 'middleware that is added meanwhile runs for a request without a route',
    kind: 'middle',
    file: ROUTES,
    find: 'this.unrouted = [...this.unrouted, stepOf(prefix, run, Coverage.Some)]',
    replace: 'this.unrouted.push(stepOf(prefix, run, Coverage.Some))',
    tests: ['server/routes'],
  },
  {
    name: 'metrics are guarded by the address that a proxy reports',
    kind: 'special',
    file: 'server/metrics-guard.js',
    find: 'exchange.transport.peer()',
    replace: '(exchange.peer ?? exchange.transport.peer())',
    tests: ['server/metrics-guard'],
  },
];
