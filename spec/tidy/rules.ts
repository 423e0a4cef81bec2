// The tables the text of the project is checked against: what may import what, who may touch the
// outside world, how long things may be. Change a rule here, and say why beside it.

export interface Layer {
  /** A folder imports folders with a smaller rank, and itself. */
  readonly rank: number;
  /** Folders it may import besides, whatever their rank. */
  readonly also?: readonly string[];
  /** The only folders it may import, when that is fewer than its rank allows. */
  readonly only?: readonly string[];
}

/** The folders of src/. 'index.ts' is the file with the public names. */
export const LAYERS: Readonly<Record<string, Layer>> = {
  base: { rank: 0 },
  http: { rank: 1 },
  metrics: { rank: 1 },
  'async-io': { rank: 1 },
  driver: { rank: 2, only: ['base'] },
  route: { rank: 2 },
  reactor: { rank: 3 },
  exchange: { rank: 4 },
  connection: { rank: 5 },
  middleware: { rank: 6 },
  static: { rank: 6 },
  load: { rank: 6 },
  viewer: { rank: 6 },
  server: { rank: 7 },
  cluster: { rank: 8 },
  'index.ts': { rank: 9 },
  cli: { rank: 10 },
};

/** Files nothing needs to import: where the package or a process begins. */
export const ENTRIES: readonly string[] = [
  'src/index.ts',
  'src/middleware/index.ts',
  'src/static/index.ts',
  'src/load/index.ts',
  'src/cli/main.ts',
];

/** Index files stand for public names; a folder of ours is imported by its files. */
export const INDEX_FILES: readonly string[] = [
  'src/index.ts',
  'src/middleware/index.ts',
  'src/static/index.ts',
  'src/load/index.ts',
];

/**
 * Whether `import type` counts for cycles: such a cycle is gone before anything runs, and a record
 * and the views of it (an exchange, its request and response) know each other's types.
 */
export const TYPES_MAKE_CYCLES = false;

/** Those who may touch the world outside, with the reason. Elsewhere a simulator owns the world. */
export const PORTS: Readonly<Record<string, string>> = {
  'src/driver/': 'is the port for sockets, the clock and waking up',
  'src/async-io/': 'is the port for files, compression and digests',
  'src/reactor/pump.ts': 'says when the next turn comes',
  'src/load/pump.ts': 'says when the next turn of a load comes',
  'src/cluster/': 'supervises processes, which the simulator does not have',
  'src/cli/': 'starts a process, reads its config file and answers its signals',
};

/** Modules only a port imports (types excepted: they are gone before it runs). */
export const PORT_MODULES: readonly string[] = [
  'node:child_process',
  'node:cluster',
  'node:crypto',
  'node:dns',
  'node:fs',
  'node:http',
  'node:net',
  'node:os',
  'node:perf_hooks',
  'node:timers',
  'node:worker_threads',
  'node:zlib',
];

/** What anyone may take from those modules: functions of their arguments alone. */
export const PURE_NAMES: Readonly<Record<string, readonly string[]>> = {
  'node:crypto': ['timingSafeEqual'],
  'node:net': ['isIP', 'isIPv4', 'isIPv6'],
};

/** Names of clocks, timers and chance only a port uses. */
export const PORT_NAMES: ReadonlyMap<string, RegExp> = new Map([
  ['setTimeout', /(?<![.\w])setTimeout\b/],
  ['setInterval', /(?<![.\w])setInterval\b/],
  ['setImmediate', /(?<![.\w])setImmediate\b/],
  ['queueMicrotask', /(?<![.\w])queueMicrotask\b/],
  ['Date.now', /\bDate\.now\b/],
  ['new Date()', /\bnew\s+Date(?!\s*\(\s*[^)\s])(?!\w)/],
  ['Math.random', /\bMath\.random\b/],
  ['performance.now', /\bperformance\.(now|timeOrigin)\b/],
  ['process.hrtime', /\bprocess\.hrtime\b/],
  ['process.nextTick', /\bprocess\.nextTick\b/],
  ['crypto.getRandomValues', /\bcrypto\.\w+/],
]);

/** The one file that knows the foreign function library. */
export const FOREIGN_LIBRARY = { name: 'koffi', file: 'src/driver/linux/ffi.ts' } as const;

export const COLUMNS_MAX = 100;
export const FUNCTION_LINES_MAX = 70;

/** Tests are lists of cases, which read well at greater length than code. */
export function fileLinesMax(path: string): number {
  return path.startsWith('spec/') ? 600 : 400;
}

/** Files that may be longer, with the reason. Meant to stay empty. */
export const LONG_FILES: Readonly<Record<string, string>> = {};

/** Words that say nothing, as part of a file name or of a declared name. */
export const EMPTY_WORDS: readonly string[] = [
  'helper',
  'helpers',
  'manager',
  'misc',
  'stuff',
  'util',
  'utils',
];

/** Names that say nothing when they stand alone. */
export const EMPTY_NAMES: readonly string[] = ['data', 'info', 'temp', 'tmp'];
