// The section of history: each scenario over all runs, as a ratio to the floor, since the speed of
// a machine changes from run to run.

import type { Summary } from '../measure/pairs.ts';
import type { ResultLine } from '../measure/results.ts';
import { evenTicks, type PlotPoint, plotHtml } from './plot.ts';
import { inOrder } from './scenarios.ts';
import { dateText, emptySection, microsText, ratioText } from './text.ts';

/** A figure has at most this many runs, the newest. */
const RUNS_MAX = 60;

interface Series {
  readonly scenario: string;
  readonly lines: readonly ResultLine[];
}

export function historySection(lines: readonly ResultLine[]): string {
  const series = seriesOf(lines).filter((one) => one.lines.length > 1);
  const head = '<h2 id="history">History</h2>';
  if (series.length === 0) {
    const text = 'It begins with the second run of a scenario:';
    return `${head}\n${emptySection(text, 'npm run perf')}`;
  }
  return `${head}
<p class="lead">The oldest run is on the left. The shaded area spans the windows of a run. Rates
depend on the machine; ratios to the floor and processor time depend on it less.</p>
<div class="plots">
${series.flatMap(figures).join('\n')}
</div>`;
}

/** By scenario in the order of the catalogue; runs by time. */
export function seriesOf(lines: readonly ResultLine[]): readonly Series[] {
  const found = new Map<string, ResultLine[]>();
  for (const line of inOrder(lines.filter(({ load }) => load === 'full'))) {
    const all = found.get(line.scenario) ?? [];
    all.push(line);
    found.set(line.scenario, all);
  }
  return [...found].map(([scenario, all]) => {
    const sorted = all.sort((left, right) => left.startedAt.localeCompare(right.startedAt));
    return { scenario, lines: sorted.slice(-RUNS_MAX) };
  });
}

function figures({ lines, scenario }: Series): readonly string[] {
  const ratio = figure(
    scenario,
    'rate, ratio to the floor',
    lines,
    (line) => line.ratio,
    ratioText,
  );
  const cost = figure(
    scenario,
    'processor time for a request',
    lines,
    (line) => line.cpuUs,
    microsText,
  );
  return [ratio, cost].filter((html) => html !== '');
}

function figure(
  scenario: string,
  about: string,
  lines: readonly ResultLine[],
  pick: (line: ResultLine) => Summary | null,
  text: (value: number) => string,
): string {
  const points = lines.flatMap((line, index): readonly PlotPoint[] => {
    const value = pick(line);
    if (value === null) return [];
    const title = `${line.commit}, ${dateText(line.startedAt)}: ${text(value.median)}`;
    const { least, most } = value;
    const x = lines.length === 1 ? 0.5 : index / (lines.length - 1);
    return [{ x, value: value.median, least, most, title }];
  });
  if (points.length === 0) return '';
  const most = Math.max(...points.map((point) => point.most ?? point.value));
  return plotHtml({
    title: scenario,
    about,
    lines: [{ name: 'Vibing', isOwn: true, hasDots: true, points }],
    xTicks: commitTicks(lines),
    yTicks: evenTicks(most),
    yText: text,
    isLogarithmic: false,
  });
}

/** The first and the last commit; titles of dots name the others. */
function commitTicks(lines: readonly ResultLine[]): readonly (readonly [number, string])[] {
  const [first] = lines;
  const last = lines.at(-1);
  if (last === undefined || lines.length === 1) return [[0.5, first.commit]];
  return [
    [0.08, first.commit],
    [0.92, last.commit],
  ];
}
