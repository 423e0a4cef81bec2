// The section of scenarios: rate and processor time of each, next to those of its floor.

import { PEER_NAMES } from '../catalog/peers.ts';
import { SCENARIOS } from '../catalog/scenarios.ts';
import { SECOND_OPINION } from '../experiments/second-opinion.ts';
import type { Summary } from '../measure/pairs.ts';
import type { ResultLine } from '../measure/results.ts';
import {
  connectionsText,
  countText,
  emptySection,
  escapeHtml,
  microsText,
  ratioText,
} from './text.ts';

const BY_CPU = "the floor's processor time for a request divided by the server's";
const ORDER = [...SCENARIOS.map(({ name }) => name), SECOND_OPINION];

export function aboutOf(scenario: string): string {
  if (scenario === SECOND_OPINION) return 'hello, with load by autocannon';
  return SCENARIOS.find(({ name }) => name === scenario)?.about ?? '';
}

/** In the order of the catalogue, a fixed rate before half; unknown scenarios come last. */
export function inOrder(lines: readonly ResultLine[]): readonly ResultLine[] {
  const rank = ({ scenario }: ResultLine): number => {
    const index = ORDER.indexOf(scenario);
    return index < 0 ? ORDER.length : index;
  };
  return [...lines].sort(
    (left, right) => rank(left) - rank(right) || right.load.localeCompare(left.load),
  );
}

export function scenariosSection(lines: readonly ResultLine[]): string {
  const full = inOrder(lines.filter(({ load }) => load === 'full'));
  const newest = [...full].sort((a, b) => a.startedAt.localeCompare(b.startedAt)).at(-1);
  const rows = full.map((line) => rowHtml(line, line.commit === newest?.commit));
  const intro = `<p class="lead">As fast as possible on one core, with the load on another. Every
window of the server stands between two of the floor, a loop of bare system calls that sends as many
bytes and parses nothing. Ratios compare neighbouring windows.</p>`;
  if (rows.length === 0) {
    const empty = emptySection('Nothing measured yet:', 'npm run perf');
    return `<h2 id="scenarios">Scenarios</h2>\n${empty}`;
  }
  return `<h2 id="scenarios">Scenarios</h2>
${intro}
<div class="key"><span><i class="own"></i>Vibing</span><span><i></i>floor</span>
<span>the second grey bar: floor in C</span>
<span>thin line: least to most of all windows</span></div>
<div class="rows">
<div class="row head"><span></span><span>requests/s, more is better</span>
<span>processor time for a request, less is better</span>
<span class="ratio">of the floor</span></div>
${rows.join('\n')}
</div>`;
}

function rowHtml(line: ResultLine, isNewest: boolean): string {
  const { commit, cpuRatio, cpuUs, floor, floorInC, rate, ratio, remarks, scenario } = line;
  const tags = remarks.map((text) => {
    const [name] = text.split(':', 1);
    return `<span class="tag" title="${escapeHtml(text)}">${escapeHtml(name)}</span>`;
  });
  const old = isNewest ? '' : `; measured at ${commit}`;
  const about = `${aboutOf(scenario)}; ${connectionsText(line)}${old}`;
  const cost =
    cpuUs === null
      ? '<div class="bars"></div>'
      : barsHtml('processor time for a request', microsText, {
          own: cpuUs,
          floor: floor?.cpuUs ?? null,
          inC: floorInC?.cpuUs ?? null,
        });
  return `<div class="row" id="${escapeHtml(scenario)}">
<div><h3>${escapeHtml(scenario)}</h3>
<p class="soft">${escapeHtml(about)}</p>${tags.join(' ')}</div>
${barsHtml('requests/s', countText, {
  own: rate,
  floor: floor?.rate ?? null,
  inC: floorInC?.rate ?? null,
})}
${cost}
<div class="ratio"><b>${ratioText(ratio?.median)}</b>
<span title="${BY_CPU}">${ratioText(cpuRatio?.median)} by CPU</span></div>
</div>`;
}

interface Bars {
  readonly own: Summary;
  readonly floor: Summary | null;
  readonly inC: Summary | null;
}

const BAR_NAMES = { own: 'Vibing', floor: 'floor', inC: PEER_NAMES['floor-c'] } as const;

function barsHtml(name: string, text: (value: number) => string, bars: Bars): string {
  const most = Math.max(bars.own.most, bars.floor?.most ?? 0, bars.inC?.most ?? 0) || 1;
  const html = (['own', 'floor', 'inC'] as const).flatMap((kind) => {
    const figures = bars[kind];
    return figures === null ? [] : [barHtml(kind, figures, most, text)];
  });
  return `<div class="bars"><span class="label">${name}</span>
${html.join('\n')}
</div>`;
}

function barHtml(
  kind: keyof Bars,
  { least, median, most }: Summary,
  all: number,
  text: (value: number) => string,
): string {
  const share = (value: number): string => `${Math.round((value / all) * 1000) / 10}%`;
  const title = `${BAR_NAMES[kind]}: median ${text(median)}, ${text(least)} to ${text(most)}`;
  const style = kind === 'own' ? 'own' : 'floor';
  return `<div class="bar ${style}" title="${escapeHtml(title)}"><div class="track">
<div class="fill" style="width:${share(median)}"></div>
<div class="spread" style="left:${share(least)};width:${share(most - least)}"></div></div>
<span>${escapeHtml(text(median))}</span></div>`;
}
