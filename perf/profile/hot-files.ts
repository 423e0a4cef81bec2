// Finds the files of src/ in which the server spends its time, and writes them to hot-files.json.
// A test holds the `// Hot:` lines of src/ to that list (spec/tidy).

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { HOT_SHARE_MIN } from '../catalog/thresholds.ts';
import { cell, tableText } from '../runner/table.ts';
import { type CpuProfile, profileServer } from './cpu-profile.ts';
import { placeIn } from './sources.ts';

export const HOT_FILES = 'perf/profile/hot-files.json';
/** Compiled, this file lies in build/perf/profile/. */
const HOT_FILES_PATH = fileURLToPath(new URL(`../../../${HOT_FILES}`, import.meta.url));

export interface HotOptions {
  readonly drivers: readonly string[];
  readonly scenarios: readonly string[];
  readonly seconds: number;
  /** Whether all shares are printed instead of the file being written. */
  readonly isPrinted: boolean;
}

/** By file of src/: the samples in its functions themselves, as a share of all samples in src/. */
export type Shares = ReadonlyMap<string, number>;

/** With fewer samples in src/, chance decides which files reach the threshold. */
const SAMPLES_MIN = 1_000;

export async function findHotFiles(options: HotOptions): Promise<void> {
  const profiles: (readonly [name: string, shares: Shares])[] = [];
  let isComplete = true;
  for (const scenario of options.scenarios) {
    for (const driver of options.drivers) {
      const name = `${scenario}, ${driver}`;
      const samples = samplesOf(await profileServer(driver, scenario, options.seconds));
      const count = totalOf(samples);
      console.log(`${name}: ${count} samples in src/`);
      if (count < SAMPLES_MIN) isComplete = false;
      profiles.push([name, sharesOf(samples)]);
    }
  }
  console.log('');
  const most = maximaOf(profiles.map(([, shares]) => shares));
  console.log(shareTable(most, profiles, options.isPrinted ? 0 : HOT_SHARE_MIN));
  if (options.isPrinted) return;
  if (!isComplete) {
    throw new Error(`every profile needs ${SAMPLES_MIN} samples in src/: use a larger --seconds`);
  }
  writeFileSync(HOT_FILES_PATH, hotFilesText(most));
  console.log(`\nwritten: ${HOT_FILES}`);
}

/** The samples in functions of each file of src/. */
export function samplesOf({ nodes }: CpuProfile): ReadonlyMap<string, number> {
  const samples = new Map<string, number>();
  for (const { callFrame, hitCount = 0 } of nodes) {
    if (hitCount === 0) continue;
    const { columnNumber, lineNumber, url } = callFrame;
    const path = placeIn(url, lineNumber + 1, columnNumber + 1)?.path ?? '';
    if (!path.startsWith('src/')) continue;
    samples.set(path, (samples.get(path) ?? 0) + hitCount);
  }
  return samples;
}

export function sharesOf(samples: ReadonlyMap<string, number>): Shares {
  const total = totalOf(samples);
  return new Map([...samples].map(([path, count]) => [path, count / total]));
}

function totalOf(samples: ReadonlyMap<string, number>): number {
  return [...samples.values()].reduce((sum, count) => sum + count, 0);
}

/** The largest share of each file in any profile. */
export function maximaOf(profiles: readonly Shares[]): Shares {
  const most = new Map<string, number>();
  for (const shares of profiles) {
    for (const [path, share] of shares) most.set(path, Math.max(share, most.get(path) ?? 0));
  }
  return most;
}

/** Sorted by path, without anything that changes from machine to machine but the shares. */
export function hotFilesText(most: Shares): string {
  const hot = [...most].filter(([, share]) => share >= HOT_SHARE_MIN).sort(byPath);
  const files = Object.fromEntries(hot.map(([path, share]) => [path, Number(share.toFixed(3))]));
  return `${JSON.stringify({ node: process.version, files }, null, 2)}\n`;
}

function byPath([left]: readonly [string, number], [right]: readonly [string, number]): number {
  return left < right ? -1 : 1;
}

function shareTable(
  most: Shares,
  profiles: readonly (readonly [name: string, shares: Shares])[],
  least: number,
): string {
  const paths = [...most].filter(([, share]) => share >= least).sort((a, b) => b[1] - a[1]);
  return tableText([
    ['% of samples in src/', 'maximum', ...profiles.map(([name]) => name)],
    ...paths.map(([path, share]) => [
      path,
      cell(share * 100, 2),
      ...profiles.map(([, shares]) => cell((shares.get(path) ?? 0) * 100, 2)),
    ]),
  ]);
}
