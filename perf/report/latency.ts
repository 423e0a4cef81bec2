// The section of latencies: percentiles at fixed rates.

import type { Latencies, ResultLine } from '../measure/results.ts';
import { logarithmicTicks, type PlotPoint, plotHtml } from './plot.ts';
import { inOrder } from './scenarios.ts';
import { countText, emptySection, latencyText } from './text.ts';

/** The axis counts nines of the percentile; it ends a little after P99.9. */
const FIRST = placeOf(10);
const NINES_MAX = 3.35;
const TICKS = [
  [50, 'P50'],
  [90, 'P90'],
  [99, 'P99'],
  [99.9, 'P99.9'],
] as const;

/** One nine for P90, two for P99. */
function placeOf(percent: number): number {
  return -Math.log10(1 - percent / 100);
}

function xOf(percent: number): number {
  return (placeOf(percent) - FIRST) / (NINES_MAX - FIRST);
}

export function latencySection(lines: readonly ResultLine[]): string {
  const paced = inOrder(
    lines.filter(({ latencyMs, load }) => load !== 'full' && '50' in latencyMs),
  );
  const intro = `<p class="lead">At a fixed rate, each request timed from the moment it was due, so
that a stall counts for all requests that wait. Medians over windows; both axes are
logarithmic.</p>
<div class="key"><span><i class="own"></i>Vibing</span><span><i></i>floor</span></div>`;
  if (paced.length === 0) {
    const empty = emptySection('No scenario was measured at a fixed rate yet:', 'npm run perf');
    return `<h2 id="latency">Latency</h2>\n${empty}`;
  }
  return `<h2 id="latency">Latency</h2>\n${intro}\n<div class="plots">\n${paced
    .map(curveHtml)
    .join('\n')}\n</div>`;
}

function curveHtml(line: ResultLine): string {
  const { askedRate, floor, latencyMs, load, scenario } = line;
  const values = [...Object.values(latencyMs), ...Object.values(floor?.latencyMs ?? {})];
  const half = load === 'half' ? 'half of its maximum; ' : '';
  const p99 = `P99 ${latencyText(latencyMs['99'])}`;
  const floorText = floor === null ? '' : `, floor ${latencyText(floor.latencyMs['99'])}`;
  return plotHtml({
    title: `${scenario} at ${countText(askedRate)}/s`,
    about: `${half}${p99}${floorText}`,
    lines: [
      ...(floor === null
        ? []
        : [{ name: 'floor', isOwn: false, hasDots: false, points: points(floor.latencyMs) }]),
      { name: 'Vibing', isOwn: true, hasDots: true, points: points(latencyMs) },
    ],
    xTicks: TICKS.map(([percent, text]) => [xOf(percent), text]),
    yTicks: logarithmicTicks(values),
    yText: latencyText,
    isLogarithmic: true,
  });
}

/** Without 'most': the maximum of a window is no percentile. */
function points(latencies: Latencies): readonly PlotPoint[] {
  return Object.entries(latencies)
    .filter(([name]) => Number(name) > 0)
    .map(([name, value]) => ({ percent: Number(name), value }))
    .sort((left, right) => left.percent - right.percent)
    .map(({ percent, value }) => {
      return { x: xOf(percent), value, title: `P${percent}: ${latencyText(value)}` };
    });
}
