// A failing run as an HTML page: one lane for each client and one for the server, time from left to
// right, faults and the violated check marked. The page loads no other file.

import type { Outcome } from '../run/scenario.ts';
import type { TraceEvent } from '../world/trace.ts';

const LEFT = 10;
const LANE_HEIGHT = 34;
const TOP = 40;
const WIDTH = 1200;
/** The distance of neighbouring events, in pixels. */
const STEP = 13;
const EVENTS_MAX = 4000;

/** Idle times are compressed: a gap takes a few steps at most. */
function positions(events: readonly TraceEvent[]): number[] {
  const at: number[] = [];
  let x = LEFT + STEP;
  let before = events[0]?.atMs ?? 0;
  for (const { atMs } of events) {
    const gapMs = atMs - before;
    x += gapMs === 0 ? STEP / 2 : STEP * (1 + Math.min(4, Math.log10(1 + gapMs)));
    at.push(Math.round(x));
    before = atMs;
  }
  return at;
}

export function timelinePage(outcome: Outcome): string {
  const all = outcome.trace.events ?? [];
  const events = all.slice(-EVENTS_MAX);
  const lanes = [...new Set(events.map(({ lane }) => lane))].sort((one, other) => one - other);
  const xs = positions(events);
  const width = Math.max(WIDTH, (xs.at(-1) ?? 0) + 60);
  const height = TOP + LANE_HEIGHT * lanes.length + 20;
  const { scenario, violation, hash, faults, virtualMs } = outcome;
  const title = `Seed ${scenario.seed}: ${violation?.check ?? 'no violation'}`;
  const left = all.length > events.length ? `, the last ${EVENTS_MAX} of ${all.length} events` : '';
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title>
<style>${STYLE}</style></head><body>
<h1>${escaped(title)}</h1>
<p class="violation">${escaped(violation?.message ?? '')}</p>
<p>${(virtualMs / 1000).toFixed(3)} s of virtual time, trace <code>${hash}</code>${left}.
Faults: ${escaped(faults.describe())}.</p>
<p class="legend">${Object.entries(LEGEND).map(legendItem).join(' ')}
<span>idle times are compressed</span></p>
<div class="drawing"><ul>
${lanes.map((lane) => laneLabel(lane, violation?.lane ?? -2)).join('')}</ul>
<div class="scrolled"><svg width="${width}" height="${height}" role="img"
aria-label="events of the run by client">
${lanes.map((lane, row) => laneOf(lane, row, width, violation?.lane ?? -2)).join('\n')}
${timeMarks(events, xs, height)}
${events.map((event, index) => mark(event, xs[index], lanes)).join('\n')}
</svg></div></div>
<h2>Events of ${laneName(violation?.lane ?? -1)}</h2>
<table><thead><tr><th>ms</th><th>lane</th><th>what</th></tr></thead><tbody>
${listed(events, violation?.lane ?? -1)}
</tbody></table>
<script>${SCRIPT}</script></body></html>
`;
}

const LEGEND: Readonly<Record<string, string>> = {
  client: 'client',
  server: 'server',
  fault: 'fault',
  check: 'violated check',
};

function legendItem([group, name]: [string, string]): string {
  return `<span><i class="${group}"></i>${name}</span>`;
}

function laneName(lane: number): string {
  return lane < 0 ? 'server' : `client ${lane}`;
}

function laneOf(lane: number, row: number, width: number, failing: number): string {
  const y = TOP + row * LANE_HEIGHT;
  const kind = lane === failing ? 'lane failing' : 'lane';
  const middle = y + LANE_HEIGHT / 2;
  return `<rect class="${kind}" x="0" y="${y}" width="${width}" height="${LANE_HEIGHT - 2}"/>
<line class="wire" x1="0" x2="${width}" y1="${middle}" y2="${middle}"/>`;
}

function laneLabel(lane: number, failing: number): string {
  return `<li${lane === failing ? ' class="failing"' : ''}>${laneName(lane)}</li>`;
}

/** A time above some of the events. */
function timeMarks(events: readonly TraceEvent[], xs: readonly number[], height: number): string {
  const marks: string[] = [];
  let last = -100;
  for (let index = 0; index < events.length; index++) {
    if (xs[index] - last < 90) continue;
    last = xs[index];
    const ms = events[index].atMs.toFixed(1);
    marks.push(`<line class="grid" x1="${last}" x2="${last}" y1="24" y2="${height}"/>`);
    marks.push(`<text class="time" x="${last}" y="18">${ms}</text>`);
  }
  return marks.join('\n');
}

function mark(event: TraceEvent, x: number, lanes: readonly number[]): string {
  const y = TOP + lanes.indexOf(event.lane) * LANE_HEIGHT + LANE_HEIGHT / 2;
  const label = escaped(`${event.atMs.toFixed(3)} ms, ${laneName(event.lane)}: ${event.text}`);
  const title = `<title>${label}</title>`;
  switch (event.group) {
    case 'fault':
      return `<path class="fault" d="M${x} ${y - 8}l6 12h-12z">${title}</path>`;
    case 'check':
      return `<path class="check" d="M${x - 9} ${y - 9}l18 18m0 -18l-18 18">${title}</path>
<line class="check" x1="${x}" x2="${x}" y1="24" y2="${TOP + lanes.length * LANE_HEIGHT}"/>`;
    case 'client':
      return `<circle class="client" cx="${x}" cy="${y - 5}" r="4.5">${title}</circle>`;
    default:
      return `<rect class="server" x="${x - 4}" y="${y + 1}" width="8" height="8">${title}</rect>`;
  }
}

/** The events of the failing client and the violation. */
function listed(events: readonly TraceEvent[], lane: number): string {
  return events
    .filter((event) => lane < 0 || event.lane === lane || event.group === 'check')
    .slice(-400)
    .map(({ atMs, lane: of, group, text }) => {
      const cells = `<td>${atMs.toFixed(3)}</td><td>${laneName(of)}</td><td>${escaped(text)}</td>`;
      return `<tr class="${group}">${cells}</tr>`;
    })
    .join('\n');
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (found) => `&#${found.charCodeAt(0)};`);
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --paper: #fff; --lane: #f2f5f8; --bad: #fdeaea }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ee; --paper: #14181d; --lane: #1d232a; --bad: #3a1c1e } }
body { font: 14px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  margin: 2rem }
h1 { font-size: 1.4rem; margin: 0 } h2 { font-size: 1.1rem }
.violation { font-size: 1.05rem; color: #c62828; font-weight: 600; white-space: pre-wrap }
.legend span { margin-right: 1.2rem } .legend i { display: inline-block; width: 11px;
  height: 11px; margin-right: .4rem } .legend i.client { background: #1e72c8;
  border-radius: 50% } .legend i.server { background: #2e8b57 }
.legend i.fault { background: #e08a00; clip-path: polygon(50% 0, 100% 100%, 0 100%) }
.legend i.check { background: #c62828 }
.drawing { display: flex; border: 1px solid #8886; border-radius: 6px }
.scrolled { overflow-x: auto } .drawing ul { list-style: none; margin: 0; flex: none;
  padding: ${TOP}px 0 0 } .drawing li { height: ${LANE_HEIGHT}px; line-height: ${LANE_HEIGHT}px;
  padding: 0 .8rem; font-size: 12px } .drawing li.failing { color: #c62828; font-weight: 700 }
svg text { font-size: 12px; fill: var(--ink) } svg .time { font-size: 10px; text-anchor: middle }
.lane { fill: var(--lane) } .lane.failing { fill: var(--bad) } .wire { stroke: #8888 }
.grid { stroke: #8884; stroke-dasharray: 2 4 }
circle.client { fill: #1e72c8 } rect.server { fill: #2e8b57 } path.fault { fill: #e08a00 }
path.check, line.check { stroke: #c62828; stroke-width: 3; fill: none }
line.check { stroke-width: 1; stroke-dasharray: 4 3 }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
td, th { text-align: left; padding: .1rem .8rem .1rem 0; vertical-align: top }
td:first-child { text-align: right } tr.fault td { color: #b06c00 }
tr.check td { color: #c62828; font-weight: 600 }`;

/** Scrolls to the end, where the violation is. */
const SCRIPT = `const drawing = document.querySelector('.scrolled');
drawing.scrollLeft = drawing.scrollWidth;`;
