// The section of history: each scenario over the runs there were, beside the floor, since the same
// machine does not give the same twice.

import type { Summary } from '../measure/pairs.ts';
import type { ResultLine } from '../measure/results.ts';
import { evenTicks, type PlotPoint, plotHtml } from './plot.ts';
import { inOrder } from './scenarios.ts';
import { dateText, emptySection, microsText, ratioText } from './text.ts';

/** More runs than this are too many for one figure; the newest count. */
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
<p class="lead">From the oldest run on the left to the newest, shaded from the least to the most of
their windows. Rates move with the machine; ratios to the floor and processor time move less.</p>
<div class="plots">
${series.flatMap(figures).join('\n')}
</div>`;
}

/** By scenario, in the order of the list, runs in the order of time. */
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
  const ratio = figure(scenario, 'rate, of the floor', lines, (line) => line.ratio, ratioText);
  const cost = figure(
    scenario,
    'processor time a request',
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

/** The first and the last commit; those between are in the titles of their dots. */
function commitTicks(lines: readonly ResultLine[]): readonly (readonly [number, string])[] {
  const [first] = lines;
  const last = lines.at(-1);
  if (last === undefined || lines.length === 1) return [[0.5, first.commit]];
  return [
    [0.08, first.commit],
    [0.92, last.commit],
  ];
}
