// The figures of perf:peers as tables, and their thresholds.

import { PEER_NAMES, PEERS, type Peer } from '../catalog/peers.ts';
import { PEER_RATIO_MIN } from '../catalog/thresholds.ts';
import { type Compared, comparedRatio, median } from '../measure/pairs.ts';
import { cell, countText, tableText } from '../runner/table.ts';
import type { Threshold } from '../runner/threshold.ts';

export interface PeerFigures {
  readonly peer: Peer;
  /** In order; empty when it did not run. Processor time is with that of children. */
  readonly windows: readonly Compared[];
  /** A server of another project that is not installed: no threshold applies to it. */
  readonly isMissing: boolean;
}

/** The median ratio within each round; NaN when one of the two did not run. */
export function ratio(figures: readonly PeerFigures[], peer: Peer, other: Peer): number {
  const windows = figures.find((one) => one.peer === peer)?.windows ?? [];
  const others = figures.find((one) => one.peer === other)?.windows ?? [];
  const rounds = Math.min(windows.length, others.length);
  if (rounds === 0) return Number.NaN;
  return median(windows.slice(0, rounds).map((one, round) => comparedRatio(one, [others[round]])));
}

export function peerTable(figures: readonly PeerFigures[]): string {
  const rows = [['', 'requests/s', 'to floor', 'to nginx', 'to Bun', 'us CPU']];
  for (const { peer, windows } of figures) {
    const name = PEER_NAMES[peer];
    if (windows.length === 0) {
      rows.push([name, 'NOT RUN', '-', '-', '-', '-']);
      continue;
    }
    const ratios = (['floor', 'nginx', 'bun'] as const).map((other) =>
      cell(ratio(figures, peer, other), 3),
    );
    const rate = countText(median(windows.map((one) => one.rate)));
    rows.push([name, rate, ...ratios, cell(median(windows.map(({ cpuUs }) => cpuUs)), 2)]);
  }
  return [tableText(rows), ...boundText(figures)].join('\n');
}

/** Says where the load was the limit, so that ratios are of processor time. */
function boundText(figures: readonly PeerFigures[]): readonly string[] {
  const bound = figures.flatMap(({ peer, windows }) => {
    const count = windows.filter(({ isLoadBound }) => isLoadBound).length;
    return count === 0 ? [] : [`${PEER_NAMES[peer]} ${count} of ${windows.length}`];
  });
  if (bound.length === 0) return [];
  return [`LOAD-BOUND: ratios are of processor time in windows of ${bound.join(', ')}`];
}

export interface ScenarioFigures {
  readonly scenario: string;
  readonly figures: readonly PeerFigures[];
}

/**
 * All scenarios as one table for a document: requests a second of our first server that ran, and
 * the others as multiples of it.
 */
export function peerMarkdown(tables: readonly ScenarioFigures[]): string {
  const ran = (peer: Peer): boolean =>
    tables.some(({ figures }) =>
      figures.some((one) => one.peer === peer && one.windows.length > 0),
    );
  const own: Peer = ran('uring') ? 'uring' : 'epoll';
  const peers = [own, ...PEERS.filter((peer) => peer !== own)].filter(ran);
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const lines = [
    row(['requests/s, 64 connections', ...tables.map(({ scenario }) => scenario)]),
    row(['---', ...tables.map(() => '---:')]),
  ];
  for (const peer of peers) {
    const cells = tables.map(({ figures }) => {
      const { windows = [] } = figures.find((one) => one.peer === peer) ?? {};
      if (windows.length === 0) return '-';
      if (peer === own) return countText(median(windows.map((one) => one.rate)));
      const times = ratio(figures, peer, own);
      return Number.isNaN(times) ? '-' : `${times.toFixed(2)}x`;
    });
    lines.push(row([PEER_NAMES[peer], ...cells]));
  }
  return lines.join('\n');
}

/** For the servers that are measured and installed. A driver of ours that did not run misses. */
export function peerThresholds({ scenario, figures }: ScenarioFigures): readonly Threshold[] {
  const bounds: Readonly<Record<string, readonly (readonly [Peer, Peer, number])[]>> =
    PEER_RATIO_MIN;
  const measured = new Set<Peer>(
    figures.filter(({ isMissing }) => !isMissing).map(({ peer }) => peer),
  );
  return (bounds[scenario] ?? [])
    .filter(([peer, other]) => measured.has(peer) && measured.has(other))
    .map(([peer, other, bound]) => ({
      name: `${scenario}: ${PEER_NAMES[peer]} to ${PEER_NAMES[other]}`,
      value: ratio(figures, peer, other),
      is: 'at least',
      bound,
      digits: 3,
    }));
}
