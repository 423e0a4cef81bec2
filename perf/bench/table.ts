// Figures of micro-benchmarks as tables.

import { cell, tableText } from '../runner/table.ts';
import type { BenchResult } from './case.ts';

/** One table for the results of one group. */
export function benchTable(results: readonly BenchResult[]): string {
  const rows = results.map((result) => [
    result.name,
    time(result.bestNs),
    time(result.medianNs),
    `${time(result.lowNs)} to ${time(result.highNs)}`,
    result.bytes === null ? '-' : cell(result.bytes / result.bestNs, 2),
    comparison(result, results),
  ]);
  const head = ['ns', 'best', 'median', 'middle half', 'GB/s', ''];
  return tableText([head, ...rows]);
}

/** Of the best samples. */
function comparison(result: BenchResult, results: readonly BenchResult[]): string {
  const other = results.find(({ name }) => name === result.versus);
  return other === undefined ? '' : `${cell(result.bestNs / other.bestNs, 1)} x the time`;
}

function time(ns: number): string {
  return cell(ns, ns < 100 ? 1 : 0);
}
