// Where the processor time of a request goes, by part of the server and of the kernel.

import { cell, tableText } from '../runner/table.ts';
import { recordServer } from './record.ts';
import { countParts, PARTS, type Part } from './shares.ts';
import { parseStacks } from './stacks.ts';

export interface Breakdown {
  readonly name: string;
  readonly microseconds: number;
  readonly requestsPerSecond: number;
  readonly isLoadBound: boolean;
  readonly samples: number;
  readonly counts: ReadonlyMap<Part, number>;
}

export async function breakDown(
  driver: string,
  scenario: string,
  seconds: number,
): Promise<Breakdown> {
  const recording = await recordServer(driver, scenario, seconds);
  const stacks = parseStacks(recording.text);
  if (stacks.length === 0) throw new Error('perf took no stacks: is cpu-clock allowed here?');
  const counts = countParts(stacks);
  return { ...recording, name: `${scenario}, ${driver}`, samples: stacks.length, counts };
}

export function breakdownTable(all: readonly Breakdown[]): string {
  const parts = PARTS.filter((part) => all.some(({ counts }) => counts.has(part)));
  const rows = parts.map((part) => [
    part,
    ...all.flatMap(({ counts, samples, microseconds }) => {
      const share = (counts.get(part) ?? 0) / samples;
      return [cell(share * microseconds, 2), `${cell(share * 100, 1)} %`];
    }),
  ]);
  const rates = all.map(({ requestsPerSecond, isLoadBound }) => [
    cell(requestsPerSecond, 0),
    isLoadBound ? 'LOAD-BOUND' : '',
  ]);
  return tableText([
    ['us of processor time', ...all.flatMap(({ name }) => [name, ''])],
    ...rows,
    ['a request', ...all.flatMap(({ microseconds }) => [cell(microseconds, 2), ''])],
    ['requests/s', ...rates.flat()],
    ['stacks', ...all.flatMap(({ samples }) => [String(samples), ''])],
  ]);
}
