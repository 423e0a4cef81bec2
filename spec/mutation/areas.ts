// What mutation testing mutates, and the tests that it runs for each folder: those that run in one
// process and in little time, since they run once for every mutant.

export interface Area {
  /** The folder of src/, which is also the area's name. */
  readonly name: string;
  /** Folders of spec/, with subfolders, and the names of files in them. */
  readonly tests: readonly (readonly [folder: string, name: RegExp])[];
  /** Tests that run the code in another process, which no mutant reaches, by their names. */
  readonly leavesOut?: RegExp;
  /** The minimum percentage of mutants that tests must detect. */
  readonly threshold: number;
  /** Its tests run on every driver; others on one, which is quicker. */
  readonly isOnAllDrivers?: boolean;
  /** VIBING_RUNS: models of many random runs would take too long for a mutant. */
  readonly runs?: number;
}

const ANY = /\.test\.js$/;
const PARSER: Area['tests'] = [
  ['spec/http', ANY],
  ['spec/connection', ANY],
  ['spec/mutation', /^quick-cases\.js$/],
];

export const AREAS: readonly Area[] = [
  { name: 'http', tests: PARSER, threshold: 90 },
  { name: 'connection', tests: PARSER, threshold: 75 },
  // Over scripted kernels, and each driver over the real one.
  {
    name: 'driver',
    tests: [
      ['spec/driver', /^(?!uring-stress).*\.test\.js$/],
      ['spec/cluster', /^cores\.test\.js$/],
      ['spec/load', /^descriptors\.test\.js$/],
    ],
    leavesOut: / > (an inherited listener|without descriptors|a process that|a server for) /,
    threshold: 80,
    isOnAllDrivers: true,
  },
  { name: 'reactor', tests: [['spec/reactor', ANY]], threshold: 80 },
  // Without the comparison with nginx, a process of its own.
  {
    name: 'static',
    runs: 0.2,
    tests: [['spec/static', /^(?!nginx-).*\.test\.js$/]],
    threshold: 80,
  },
  // Tests of processes are left out.
  {
    name: 'cluster',
    runs: 0.1,
    tests: [['spec/cluster', /^(?!service-|supervision-|reload).*\.test\.js$/]],
    threshold: 80,
  },
  // Loads on the real clock are left out, and what takes many seconds with counters in the code.
  {
    name: 'load',
    tests: [['spec/load', /^(?!run-load\.|documented|reused).*\.test\.js$/]],
    threshold: 80,
  },
];

export function areaOf(file: string): Area | undefined {
  return AREAS.find(({ name }) => file.startsWith(`src/${name}/`));
}
