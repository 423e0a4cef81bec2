// The results of npm run perf as a table.

import type { ResultLine } from '../measure/results.ts';
import { cell, countText, tableText } from '../runner/table.ts';

const HEAD = ['', 'requests/s', 'least', 'most', 'ratio', 'us CPU', 'floor us'];
/** Last, since many machines have no compiler for it. */
const LATER = ['P50 ms', 'P99 ms', 'floor in C us', 'floor in C/s'];

export function scenarioTable(lines: readonly ResultLine[]): string {
  const rows = lines.map((line) => [
    nameOf(line),
    countText(line.rate.median),
    countText(line.rate.least),
    countText(line.rate.most),
    // At a fixed rate both have the same rate: there is nothing to compare.
    line.load === 'full' ? cell(line.ratio?.median ?? Number.NaN, 3) : '-',
    cell(line.cpuUs?.median ?? Number.NaN, 2),
    cell(line.floor?.cpuUs?.median ?? Number.NaN, 2),
    cell(line.latencyMs['50'] ?? Number.NaN, 3),
    cell(line.latencyMs['99'] ?? Number.NaN, 3),
    cell(line.floorInC?.cpuUs?.median ?? Number.NaN, 2),
    line.floorInC === undefined ? '-' : countText(line.floorInC.rate.median),
  ]);
  const remarks = lines.flatMap((line) =>
    line.remarks.map((remark) => `${nameOf(line)}: ${remark}`),
  );
  const table = tableText([[...HEAD, ...LATER], ...rows]);
  return remarks.length === 0 ? table : `${table}\n\n${remarks.join('\n')}`;
}

function nameOf({ askedRate, load, scenario }: ResultLine): string {
  if (load === 'full') return scenario;
  return `${scenario} at ${countText(askedRate)}/s${load === 'half' ? ' (half)' : ''}`;
}
