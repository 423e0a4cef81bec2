// Writes a report as one self-contained page: figures, charts as SVG, no script.

import { safeJson } from '../base/log-text.ts';
import { axisTicks, type Chart, chartSvg } from './chart-svg.ts';
import { bytesText, countText, detailText, percentText, timeText } from './format.ts';
import { rowsOf } from './histogram-rows.ts';
import type { Second } from './recorder.ts';
import {
  conditionsText,
  errorStatusText,
  type LoadReport,
  reconnectsText,
  shareText,
  waitingText,
} from './report.ts';

const HISTOGRAM_ROWS = 40;
/** The percentiles at the top of the page. */
const MAIN_PERCENTILES = ['50', '99', '99.99'];
/** From how many seconds on a drain is marked in the charts. */
const DRAIN_SECONDS_MARKED = 0.1;

/** The report as an HTML page, without links and scripts. */
export function reportHtml(report: LoadReport): string {
  const { seconds, startedAt } = report;
  const title = `${report.method} ${report.urls.join(', ')}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>
${STYLE}
</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(`${startedAt}: ${seconds.toFixed(1)} s, ${conditionsText(report)}`)}</p>
${report.load.isBound ? warning('LOAD-BOUND: the load was busy all the time.') : ''}
${report.interrupted ? warning('INTERRUPTED: the results up to then.') : ''}
<section class="figures">
${figure('requests/s', countText(report.requestsPerSecond))}
${MAIN_PERCENTILES.map((percent) => figure(`P${percent}`, latency(report, percent))).join('\n')}
${figure('errors', countText(report.errorCount))}
</section>
${charts(report).map(chartSection).join('\n')}
<h2>Figures</h2>
<table>
${rows(report)
  .map(([name, text]) => `<tr><th>${escapeHtml(name)}</th><td>${escapeHtml(text)}</td></tr>`)
  .join('\n')}
</table>
</main>
</body>
</html>
`;
}

const STYLE = `:root { color-scheme: light dark; --line: #2563eb; --bar: #60a5fa; --grid: #8884; }
@media (prefers-color-scheme: dark) { :root { --line: #93c5fd; } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.figures { display: flex; flex-wrap: wrap; gap: 1rem; }
.figures div { flex: 1 1 8rem; border: 1px solid var(--grid); padding: .75rem; }
.figures b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.warning { border-left: .25rem solid #d97706; padding-left: .75rem; }
svg { width: 100%; height: auto; display: block; }
svg text { font: 12px system-ui, sans-serif; fill: currentColor; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .2rem 1.5rem .2rem 0; font-weight: normal; }
th { opacity: .7; }`;

function warning(text: string): string {
  return `<p class="warning">${text}</p>`;
}

function latency({ histogram, latencyMs }: LoadReport, percent: string): string {
  return histogram.length === 0 ? '-' : timeText(latencyMs.percentiles[percent] ?? 0);
}

function figure(name: string, text: string): string {
  return `<div>${escapeHtml(name)}<b>${escapeHtml(text)}</b></div>`;
}

function chartSection(chart: Chart): string {
  return `<h2>${escapeHtml(chart.title)}</h2>\n${chartSvg(chart)}`;
}

function charts(report: LoadReport): readonly Chart[] {
  const { histogram, latencyMs, series } = report;
  const found: Chart[] = [];
  if (series.length > 1) {
    const perSecond = (count: number, { lengthMs }: Second): number => (count * 1000) / lengthMs;
    const over = (title: string, of: (second: Second) => number, text: ValueText): Chart =>
      timeChart(`${title} over time`, report, of, text);
    found.push(
      over('Requests/s', (second) => perSecond(second.responses, second), countText),
      over('P99', ({ p99Ms }) => p99Ms, timeOrZero),
    );
    if (report.errorCount > 0) {
      found.push(over('Errors/s', (second) => perSecond(second.errors, second), countText));
    }
  }
  const all = Object.entries(latencyMs.percentiles);
  if (all.length > 1 && latencyMs.most > 0) {
    found.push({
      title: 'Latency by percentile',
      kind: 'line',
      points: all.map(([, ms], index) => [index, ms]),
      xTicks: all.map(([percent], index) => [index, `P${percent}`]),
      yTicks: axisTicks(Math.max(...all.map(([, ms]) => ms)), timeOrZero),
    });
  }
  const bars = rowsOf(histogram, HISTOGRAM_ROWS);
  if (bars.length > 0) {
    const every = Math.ceil(bars.length / 8);
    const ticks = bars.flatMap(({ toMs }, index): [number, string][] =>
      index % every === 0 ? [[index, timeText(toMs)]] : [],
    );
    found.push({
      title: 'Distribution of latencies (logarithmic)',
      kind: 'bars',
      points: bars.map(({ share }, index) => [index, share]),
      xTicks: ticks,
      yTicks: axisTicks(Math.max(...bars.map(({ share }) => share)), (share) =>
        percentText(share, 1),
      ),
    });
  }
  return found;
}

type ValueText = (value: number) => string;

function timeOrZero(ms: number): string {
  return ms === 0 ? '0' : timeText(ms);
}

/** A chart of a value that is constant over each second. */
function timeChart(
  title: string,
  { seconds, series }: LoadReport,
  of: (second: Second) => number,
  text: ValueText,
): Chart {
  const points = series.flatMap((second): [number, number][] => {
    const { endMs, lengthMs } = second;
    const value = of(second);
    return [
      [(endMs - lengthMs) / 1000, value],
      [endMs / 1000, value],
    ];
  });
  const lastAt = series[series.length - 1].endMs / 1000;
  // Responses of an open loop that came after the end are to the right of this line.
  const isLate = lastAt - seconds > DRAIN_SECONDS_MARKED;
  return {
    title,
    kind: 'line',
    points,
    xTicks: axisTicks(lastAt, (value) => `${Number(value.toFixed(2))} s`),
    yTicks: axisTicks(Math.max(...points.map(([, value]) => value)), text),
    mark: isLate ? [seconds, 'end'] : undefined,
  };
}

function rows(report: LoadReport): readonly (readonly [string, string])[] {
  const { badBytes, errorDetails, errors, latencyMs, load, loop, statuses } = report;
  return [
    ['responses', countText(report.responses)],
    ['received', `${bytesText(report.bytes)}, ${bytesText(report.bytesPerSecond)}/s`],
    ...Object.keys(latencyMs.percentiles).map((percent): [string, string] => {
      return [`P${percent}`, latency(report, percent)];
    }),
    ['longest', timeText(latencyMs.most)],
    ['mean', `${timeText(latencyMs.mean)}, deviation ${timeText(latencyMs.deviation)}`],
    ...counted('status', statuses),
    ...some('4xx, 5xx', errorStatusText(report)),
    ...counted('errors:', errors),
    ...Object.entries(errorDetails).map(([detail, count]): [string, string] => {
      return [detailText(detail), countText(count)];
    }),
    ...some('invalid bytes', badBytes === '' ? '' : safeJson(badBytes)),
    ...some('waiting', waitingText(report)),
    ...counted('', report.responsesByRequest),
    ['reconnects', reconnectsText(report)],
    ...some('sent late', loop === 'closed' ? '' : `at most ${timeText(load.lateMsMax)}`),
    ['this load', shareText(report)],
  ];
}

function some(name: string, text: string): [string, string][] {
  return text === '' ? [] : [[name, text]];
}

function counted(name: string, of: Readonly<Record<string, number>>): [string, string][] {
  return Object.entries(of).map(([key, count]) => [`${name} ${key}`.trim(), countText(count)]);
}

export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character]);
}
