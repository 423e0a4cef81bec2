// The tables that the text of the project is checked against: what may import what, what may do
// I/O, how long files and functions may be. Change a rule here, and say why next to it.

export interface Layer {
  /** A folder imports folders with a smaller rank, and itself. */
  readonly rank: number;
  /** Folders it may import besides, whatever their rank. */
  readonly also?: readonly string[];
  /** The only folders it may import, when that is fewer than its rank allows. */
  readonly only?: readonly string[];
}

/**
 * What the folders of the project import besides themselves. Examples import the package by its
 * name, as users do.
 */
export const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  src: [],
  testing: ['src'],
  harness: ['src', 'testing'],
  perf: ['src', 'testing'],
  // spec/model is the oracle of the fuzzed parser.
  fuzz: ['src', 'testing', 'spec'],
  spec: ['src', 'testing', 'harness', 'perf', 'fuzz', 'examples'],
  examples: [],
};

/** Folders of spec/, by name, that hold what tests use. */
export const FIXTURE_FOLDERS: Readonly<Record<string, string>> = {
  fixtures: 'what several tests share',
  programs: 'scripts that tests start as child processes',
};

/** Files of spec/ that are no tests, by the beginning of their path, with the reason. */
export const SPEC_TOOLS: Readonly<Record<string, string>> = {
  'spec/run': 'npm test itself',
  'spec/versions': 'npm run test:versions',
  'spec/cases/': 'reads and runs the cases of the parser',
  'spec/injected/': 'npm run test:bugs',
  'spec/model/': 'the model of the parser',
  'spec/mutation/': 'npm run mutate',
  'spec/package/': 'npm run package:check',
  'spec/requirements/': 'renders spec/requirements.md',
  'spec/tidy/': 'the checks of spec/tidy.test.ts',
  'spec/driver/scripted/': 'the scripted kernels under the drivers',
  'spec/driver/suite/': 'the cases that run on every driver',
};

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
  fetch: { rank: 6 },
  load: { rank: 6 },
  server: { rank: 7 },
  cluster: { rank: 8 },
  'index.ts': { rank: 9 },
  viewer: { rank: 10 },
  cli: { rank: 11 },
};

/** Files that need no importer: where the package or a process begins. */
export const ENTRIES: readonly string[] = [
  'src/index.ts',
  'src/middleware/index.ts',
  'src/static/index.ts',
  'src/fetch/index.ts',
  'src/load/index.ts',
  'src/viewer/index.ts',
  'src/viewer/page/main.ts',
  'src/cli/main.ts',
];

/** Index files export public names; other folders are imported by their files. */
export const INDEX_FILES: readonly string[] = [
  'src/index.ts',
  'src/middleware/index.ts',
  'src/static/index.ts',
  'src/fetch/index.ts',
  'src/load/index.ts',
  'src/viewer/index.ts',
];

/** What may use clocks, timers, chance and I/O, and why. The simulator replaces the ports. */
export const PORTS: Readonly<Record<string, string>> = {
  'src/base/built-in-module.ts': 'loads modules for the ports',
  'src/driver/': 'is the port for sockets, the clock and waking up',
  'src/async-io/': 'is the port for files, compression, digests and upstream servers',
  'src/reactor/pump.ts': 'schedules the next turn',
  'src/load/pump.ts': 'schedules the next turn of a load',
  'src/cluster/': 'supervises processes, which the simulator does not have',
  'src/viewer/source/': 'asks a server for its metrics, once a second',
  'src/viewer/page/': 'runs in a browser',
  'src/cli/': 'starts a process, reads its config file and handles its signals',
};

/** Modules that only a port imports (types excepted: they are erased). */
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

/** What every file may import from those modules: pure functions. */
export const PURE_NAMES: Readonly<Record<string, readonly string[]>> = {
  'node:crypto': ['timingSafeEqual'],
  'node:net': ['isIP', 'isIPv4', 'isIPv6'],
};

/** Names of clocks, timers and chance that only a port uses. */
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
  ['a built-in module', /\b(process\.getBuiltinModule|builtInModule)\b/],
  ['crypto.getRandomValues', /\bcrypto\.\w+/],
]);

/** The one file that loads modules of Node by their names. */
export const BUILT_IN_MODULE_FILE = 'src/base/built-in-module.ts';

/** The one file that imports the foreign function library. */
export const FOREIGN_LIBRARY = { name: 'koffi', file: 'src/driver/linux/ffi.ts' } as const;

export const COLUMNS_MAX = 100;
export const FUNCTION_LINES_MAX = 70;

/** Tests are lists of cases, which stay readable at greater length than code. */
export function fileLinesMax(path: string): number {
  return path.startsWith('spec/') ? 600 : 400;
}

/** Files that may be longer, with the reason. Meant to stay empty. */
export const LONG_FILES: Readonly<Record<string, string>> = {};

/** Words without information, as part of a file name or of a declared name. */
export const EMPTY_WORDS: readonly string[] = [
  'helper',
  'helpers',
  'manager',
  'misc',
  'stuff',
  'util',
  'utils',
];

/** Names without information when they stand alone. */
export const EMPTY_NAMES: readonly string[] = ['data', 'info', 'temp', 'tmp'];
