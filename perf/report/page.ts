// The page of all results, reports/index.html: a pure function of them.

import { ownServer } from '../catalog/peers.ts';
import type { ResultLine } from '../measure/results.ts';
import { gateSection } from './gate.ts';
import { historySection } from './history.ts';
import { latencySection } from './latency.ts';
import { lastRun, peersSection, ratioToOwn } from './peers.ts';
import { scenariosSection } from './scenarios.ts';
import { STYLE } from './style.ts';
import { countText, dateText, escapeHtml, latencyText, microsText, ratioText } from './text.ts';

export interface PageOptions {
  readonly lines: readonly ResultLine[];
  /** The numbers of invalid lines of the file. */
  readonly badLines: readonly number[];
}

/** A page of a profiler. */
export interface ProfileLink {
  readonly href: string;
  readonly name: string;
}

/** It has no links to files, since it is kept in git without the pages of profilers. */
export function pageHtml({ badLines, lines }: PageOptions): string {
  const perf = lines.filter(({ kind }) => kind === 'perf');
  const latest = latestOf(perf);
  return documentHtml(
    'Vibing: measurements',
    `${factsHtml(perf.length > 0 ? perf : lines)}
${cardsHtml(latest, lastRun(lines.filter(({ kind }) => kind === 'peers')))}
${badLinesHtml(badLines)}
${scenariosSection(latest)}
${latencySection(latest)}
${peersSection(lines.filter(({ kind }) => kind === 'peers'))}
${gateSection(lines.filter(({ kind }) => kind === 'gate'))}
${historySection(perf)}
${PROFILES}
${GLOSSARY}`,
  );
}

/** The page of the profiles on this machine, next to the other page. */
export function profilesHtml(profiles: readonly ProfileLink[]): string {
  const items = profiles.map(
    ({ href, name }) => `<li><a href="${escapeHtml(href)}">${escapeHtml(name)}</a></li>`,
  );
  return documentHtml('Vibing: profiles', `<ul>\n${items.join('\n')}\n</ul>`);
}

function documentHtml(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>
${STYLE}
</style>
</head>
<body>
<main>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`;
}

/** The newest line of each scenario and load. */
export function latestOf(lines: readonly ResultLine[]): readonly ResultLine[] {
  const found = new Map<string, ResultLine>();
  for (const line of lines) {
    const key = `${line.scenario} ${line.load}`;
    const known = found.get(key);
    if (known === undefined || known.startedAt <= line.startedAt) found.set(key, line);
  }
  return [...found.values()];
}

function factsHtml(lines: readonly ResultLine[]): string {
  const last = [...lines].sort((a, b) => a.startedAt.localeCompare(b.startedAt)).at(-1);
  if (last === undefined) return '<p class="soft">No results yet.</p>';
  const { commit, cores, driver, kernel, machine, node, startedAt } = last;
  const facts = [
    dateText(startedAt),
    `commit ${commit}`,
    `driver ${driver}`,
    `${cores} cores of ${machine}`,
    `Node ${node}`,
    `Linux ${kernel}`,
  ];
  const spans = facts.map((one) => `<span>${escapeHtml(one)}</span>`);
  return `<div class="facts">${spans.join('\n')}</div>`;
}

/** The figures of hello are those of README.md, where other servers were measured. */
function cardsHtml(latest: readonly ResultLine[], peers: readonly ResultLine[]): string {
  const paced = latest.find(({ load, scenario }) => scenario === 'static-1k' && load === 'rate');
  const cards: string[] = [];
  const hello = helloOfPeers(peers) ?? helloOf(latest);
  if (hello !== null) {
    cards.push(
      card('hello, on one core', countText(hello.rate), 'requests/s'),
      card('rate', ratioText(hello.ratio), 'of the floor'),
      card('processor time', microsText(hello.cpuUs), 'for a request'),
    );
  }
  if (paced !== undefined) {
    const { askedRate, latencyMs } = paced;
    const name = `P99 of a 1 KiB file at ${countText(askedRate)}/s`;
    cards.push(card(name, latencyText(latencyMs['99']), 'open loop'));
  }
  return cards.length === 0 ? '' : `<section class="cards">\n${cards.join('\n')}\n</section>`;
}

interface Hello {
  readonly rate: number;
  readonly ratio: number | undefined;
  readonly cpuUs: number | undefined;
}

function helloOf(latest: readonly ResultLine[]): Hello | null {
  const line = latest.find(({ load, scenario }) => scenario === 'hello' && load === 'full');
  if (line === undefined) return null;
  return { rate: line.rate.median, ratio: line.ratio?.median, cpuUs: line.cpuUs?.median };
}

/** Our own server of a run of perf:peers, whose lines have ratios to it. */
function helloOfPeers(run: readonly ResultLine[]): Hello | null {
  const lines = run.filter(({ scenario }) => scenario === 'hello');
  const name = ownServer(lines.map(({ server }) => server));
  const own = lines.find(({ server }) => server === name);
  if (own === undefined) return null;
  const floor = lines.find(({ server }) => server === 'floor');
  const toOwn = floor === undefined ? undefined : ratioToOwn(floor, run);
  const ratio = toOwn === undefined ? undefined : 1 / toOwn;
  return { rate: own.rate.median, ratio, cpuUs: own.cpuUs?.median };
}

function card(name: string, figure: string, unit: string): string {
  return `<div class="card"><span class="soft">${escapeHtml(name)}</span>
<b>${escapeHtml(figure)} <small>${escapeHtml(unit)}</small></b></div>`;
}

function badLinesHtml(badLines: readonly number[]): string {
  if (badLines.length === 0) return '';
  const which = badLines.slice(0, 20).join(', ');
  return `<p class="remark">Invalid lines of results.jsonl, left out: ${which}.</p>`;
}

const PROFILES = `<h2 id="profiles">Profiles</h2>
<p class="empty"><code>npm run perf:flame</code> and <code>npm run perf:clinic</code> make some;
<code>reports/profiles.html</code> then lists them.</p>`;

const GLOSSARY = `<h2 id="reading">How to read this</h2>
<dl>
<dt>floor</dt><dd>A loop of system calls that sends a fixed response of as many bytes and parses
nothing: the cost of the kernel and of foreign calls alone.</dd>
<dt>of the floor</dt><dd>The median, over windows, of the server's rate divided by the mean rate of
the two floor windows around it. By CPU: the floor's processor time for a request divided by the
server's.</dd>
<dt>processor time</dt><dd>User and system time of the server's process, divided by the number of
responses.</dd>
<dt>LOAD-BOUND</dt><dd>The load generator used all of its core, so the server may be faster than the
figure.</dd>
<dt>DISTURBED</dt><dd>Other processes used 5 % or more of the server's core. The ratio still
compares neighbouring windows; the rate alone is not reliable.</dd>
<dt>OVERLOADED</dt><dd>At a fixed rate some requests had no response when the window ended; the
latencies include them with the time they had waited.</dd>
</dl>`;
