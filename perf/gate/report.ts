// The gate's figures and verdict as text.

import type { Scenario } from '../catalog/scenarios.ts';
import { CONNECTIONS, LOAD_CORE, SERVER_CORE } from '../catalog/setup.ts';
import { LATENCY_RATE, LOAD_BOUND_SHARE, TURN_MS, TURNS_RATE } from '../catalog/thresholds.ts';
import { countText, shareText, tableText } from '../runner/table.ts';
import { boundIndexes, type GateFigures, ratios, type Verdict } from './judge.ts';
import { LATENCY_SCENARIO, TURNS_SCENARIO } from './measure.ts';

export function figuresText(figures: GateFigures): string {
  const parts: string[] = [];
  for (const { floors, scenario, servers } of figures.throughput) {
    const windows = ratios({ floors, servers });
    const bound = boundIndexes({ floors, servers });
    const rows = [
      ['window', 'floor/s', 'server/s', 'ratio', 'us CPU', 'GC ms', 'others', 'load core'],
    ];
    servers.forEach((server, index) => {
      const floor = (floors[index].rate + floors[index + 1].rate) / 2;
      rows.push([
        `${index + 1}`,
        countText(floor),
        countText(server.rate),
        `${windows[index].toFixed(3)}${bound.has(index) ? ' CPU' : ''}`,
        server.microseconds.toFixed(2),
        server.gcPauseMs.toFixed(2),
        shareText(server.othersShare),
        loadText(server.loadShare),
      ]);
    });
    const head = `${scenario.name}: GET ${targetOf(scenario)}, ${conditions(scenario)}`;
    parts.push(`${head}\n${tableText(rows)}`);
  }
  if (figures.latency !== null) parts.push(latencyText(figures.latency));
  if (figures.turns !== null) parts.push(turnsText(figures.turns));
  return parts.join('\n\n');
}

function turnsText({ floors, servers }: NonNullable<GateFigures['turns']>): string {
  const rows = [['window', 'floor pauses/s', 'server pauses/s', 'load core']];
  servers.forEach((server, index) => {
    const floor = (floors[index].busyTurns + floors[index + 1].busyTurns) / 2;
    const pauses = [floor, server.busyTurns].map((count) => count.toFixed(2));
    rows.push([`${index + 1}`, ...pauses, loadText(server.loadShare)]);
  });
  const rate = `${countText(TURNS_RATE)} requests/s in an open loop`;
  const head = `turns over ${TURN_MS} ms: GET /, ${rate}, ${conditions(TURNS_SCENARIO)}`;
  return `${head}\n${tableText(rows)}`;
}

function latencyText({ floors, servers }: NonNullable<GateFigures['latency']>): string {
  const rows = [
    [
      'window',
      'floor P99 ms',
      'P50 ms',
      'P99 ms',
      'P99.9 ms',
      'late turns/s',
      'GC ms',
      'load core',
    ],
  ];
  servers.forEach((server, index) => {
    const floor = (floors[index].p99Ms + floors[index + 1].p99Ms) / 2;
    rows.push([
      `${index + 1}`,
      ...[floor, server.p50Ms, server.p99Ms, server.p999Ms].map((ms) => ms.toFixed(3)),
      server.lateTurns.toFixed(1),
      server.gcPauseMs.toFixed(2),
      loadText(server.loadShare),
    ]);
  });
  const rate = `${countText(LATENCY_RATE)} requests/s in an open loop, from when each was due`;
  const target = targetOf(LATENCY_SCENARIO);
  const head = `latency: GET ${target}, ${rate}, ${conditions(LATENCY_SCENARIO)}`;
  return `${head}\n${tableText(rows)}`;
}

function targetOf({ requests }: Scenario): string {
  return requests[0].target;
}

/** The conditions of a measurement, which its figures are printed with. */
function conditions({ depth }: Scenario): string {
  const pipelining = depth === 1 ? 'no pipelining' : `pipelining ${depth}`;
  return (
    `${CONNECTIONS} connections, ${pipelining}, server and floor on core ${SERVER_CORE}, ` +
    `load on core ${LOAD_CORE}`
  );
}

export function verdictText({ checks, exitCode, remarks }: Verdict): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.map(({ name, state, text }) => `${name.padEnd(width)}  ${state}: ${text}`);
  const open = checks.filter(({ state }) => state === 'NOT JUDGED').map(({ name }) => name);
  const missed = checks.filter(({ state }) => state === 'MISSED').map(({ name }) => name);
  const last = [
    ...(missed.length > 0 ? [`the gate is CLOSED: ${missed.join('; ')}`] : []),
    ...(missed.length === 0 && open.length === 0
      ? ['the gate is open: every threshold is met']
      : []),
    ...(missed.length === 0 && open.length > 0
      ? [`the gate is open, NOT JUDGED: ${open.join('; ')}${exitCode === 3 ? ' (--strict)' : ''}`]
      : []),
  ];
  return [...lines, ...remarks, '', ...last].join('\n');
}

/** Marked where the load may have been the limit. */
function loadText(share: number): string {
  return `${shareText(share)}${share >= LOAD_BOUND_SHARE ? ' !' : ''}`;
}
