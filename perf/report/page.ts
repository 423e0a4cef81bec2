// The page of all results, a pure function of them: reports/index.html.

import type { ResultLine } from '../measure/results.ts';
import { gateSection } from './gate.ts';
import { historySection } from './history.ts';
import { latencySection } from './latency.ts';
import { peersSection } from './peers.ts';
import { scenariosSection } from './scenarios.ts';
import { STYLE } from './style.ts';
import {
  countText,
  dateText,
  emptySection,
  escapeHtml,
  latencyText,
  microsText,
  ratioText,
} from './text.ts';

export interface PageOptions {
  readonly lines: readonly ResultLine[];
  /** Lines of the file that were no results. */
  readonly badLines: readonly number[];
  /** Pages of profilers beside this one: where, and what they are called. */
  readonly profiles: readonly { readonly href: string; readonly name: string }[];
}

export function pageHtml({ badLines, lines, profiles }: PageOptions): string {
  const perf = lines.filter(({ kind }) => kind === 'perf');
  const latest = latestOf(perf);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Vibing, measured</title>
<link rel="icon" href="data:,">
<style>
${STYLE}
</style>
</head>
<body>
<main>
<h1>Vibing, measured</h1>
${factsHtml(perf.length > 0 ? perf : lines)}
${cardsHtml(latest)}
${badLinesHtml(badLines)}
${scenariosSection(latest)}
${latencySection(latest)}
${peersSection(lines.filter(({ kind }) => kind === 'peers'))}
${gateSection(lines.filter(({ kind }) => kind === 'gate'))}
${historySection(perf)}
${profilesSection(profiles)}
${GLOSSARY}
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

function cardsHtml(latest: readonly ResultLine[]): string {
  const hello = latest.find(({ load, scenario }) => scenario === 'hello' && load === 'full');
  const paced = latest.find(({ load, scenario }) => scenario === 'static-1k' && load === 'rate');
  const cards: string[] = [];
  if (hello !== undefined) {
    const { cpuUs, rate, ratio } = hello;
    cards.push(
      card('hello, on one core', countText(rate.median), 'requests/s'),
      card('rate, beside the floor', ratioText(ratio?.median), 'of it'),
      card('processor time', microsText(cpuUs?.median), 'a request'),
    );
  }
  if (paced !== undefined) {
    const { askedRate, latencyMs } = paced;
    const name = `P99 of a 1 KiB file at ${countText(askedRate)}/s`;
    cards.push(card(name, latencyText(latencyMs['99']), 'open loop'));
  }
  return cards.length === 0 ? '' : `<section class="cards">\n${cards.join('\n')}\n</section>`;
}

function card(name: string, figure: string, unit: string): string {
  return `<div class="card"><span class="soft">${escapeHtml(name)}</span>
<b>${escapeHtml(figure)} <small>${escapeHtml(unit)}</small></b></div>`;
}

function badLinesHtml(badLines: readonly number[]): string {
  if (badLines.length === 0) return '';
  const which = badLines.slice(0, 20).join(', ');
  return `<p class="remark">Left out, as no results: lines ${which} of results.jsonl.</p>`;
}

function profilesSection(profiles: PageOptions['profiles']): string {
  const head = '<h2 id="profiles">Profiles</h2>';
  if (profiles.length === 0) {
    const empty = emptySection('None made yet; these scripts do:', 'perf:flame, perf:clinic');
    return `${head}\n${empty}`;
  }
  const items = profiles.map(
    ({ href, name }) => `<li><a href="${escapeHtml(href)}">${escapeHtml(name)}</a></li>`,
  );
  return `${head}\n<ul>\n${items.join('\n')}\n</ul>`;
}

const GLOSSARY = `<h2 id="reading">How to read this</h2>
<dl>
<dt>floor</dt><dd>A loop of system calls that sends a fixed answer of as many bytes and parses
nothing: what the kernel and the foreign calls take by themselves.</dd>
<dt>of the floor</dt><dd>The median of each window's rate by the mean of the two floor windows
around it. By CPU: the floor's processor time for a request by the server's.</dd>
<dt>processor time</dt><dd>User and system time of the server's process, by the requests answered
meanwhile.</dd>
<dt>LOAD-BOUND</dt><dd>The load had no time left on its own core, so the server may be able to do
more than is shown.</dd>
<dt>DISTURBED</dt><dd>Others took five per cent or more of the server's core. The ratio still
compares neighbours, the rate alone says little.</dd>
<dt>OVERLOADED</dt><dd>At a fixed rate some requests were not answered before patience ended; they
stand in the latencies with the time they had waited.</dd>
</dl>`;
