// The figures of perf:peers as a table, and its bars.

import { median } from '../measure/pairs.ts';
import { PEER_NAMES, PEERS, type Peer } from '../catalog/peers.ts';
import { type Bar, cell, tableText } from '../runner/table.ts';

export interface PeerFigures {
  readonly peer: Peer;
  /** Requests a second of each window, in order; none when it did not run. */
  readonly rates: readonly number[];
  /** Processor time of it for a request, children included: the median. */
  readonly microseconds: number;
  /** Somebody else's, and not installed: nothing to be judged by. */
  readonly isMissing: boolean;
}

/** How many times as fast as another, compared within each round; NaN when one did not run. */
export function ratio(figures: readonly PeerFigures[], peer: Peer, other: Peer): number {
  const rates = figures.find((one) => one.peer === peer)?.rates ?? [];
  const others = figures.find((one) => one.peer === other)?.rates ?? [];
  const rounds = Math.min(rates.length, others.length);
  if (rounds === 0) return Number.NaN;
  return median(rates.slice(0, rounds).map((rate, round) => rate / others[round]));
}

export function peerTable(figures: readonly PeerFigures[]): string {
  const rows = [['', 'requests/s', 'to floor', 'to nginx', 'to Bun', 'us CPU']];
  for (const { peer, rates, microseconds } of figures) {
    const name = PEER_NAMES[peer];
    if (rates.length === 0) {
      rows.push([name, 'NOT RUN', '-', '-', '-', '-']);
      continue;
    }
    const ratios = (['floor', 'nginx', 'bun'] as const).map((other) =>
      cell(ratio(figures, peer, other), 3),
    );
    const rate = Math.round(median(rates)).toLocaleString('en-US');
    rows.push([name, rate, ...ratios, cell(microseconds, 2)]);
  }
  return tableText(rows);
}

interface ScenarioFigures {
  readonly scenario: string;
  readonly figures: readonly PeerFigures[];
}

/**
 * All scenarios as one table for a document: requests a second of the first of ours that ran, and
 * of the others how many times as many.
 */
export function peerMarkdown(tables: readonly ScenarioFigures[]): string {
  const ran = (peer: Peer): boolean =>
    tables.some(({ figures }) => figures.some((one) => one.peer === peer && one.rates.length > 0));
  const own: Peer = ran('uring') ? 'uring' : 'epoll';
  const peers = [own, ...PEERS.filter((peer) => peer !== own)].filter(ran);
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const lines = [
    row(['requests/s, 64 connections', ...tables.map(({ scenario }) => scenario)]),
    row(['---', ...tables.map(() => '---:')]),
  ];
  for (const peer of peers) {
    const cells = tables.map(({ figures }) => {
      const { rates = [] } = figures.find((one) => one.peer === peer) ?? {};
      if (rates.length === 0) return '-';
      if (peer === own) return Math.round(median(rates)).toLocaleString('en-US');
      const times = ratio(figures, peer, own);
      return Number.isNaN(times) ? '-' : `${times.toFixed(2)}x`;
    });
    lines.push(row([PEER_NAMES[peer], ...cells]));
  }
  return lines.join('\n');
}

const BARS: readonly (readonly [peer: Peer, other: Peer, bound: number])[] = [
  ['uring', 'floor', 0.92],
  ['uring', 'epoll', 1.0],
  ['uring', 'nginx', 1.1],
  ['epoll', 'nginx', 1.0],
  ['uring', 'bun', 1.3],
  ['epoll', 'bun', 1.3],
];

/** Those of the servers asked for and installed. One of ours that could not run misses its bars. */
export function peerBars(figures: readonly PeerFigures[]): readonly Bar[] {
  const asked = new Set(figures.filter(({ isMissing }) => !isMissing).map(({ peer }) => peer));
  return BARS.filter(([peer, other]) => asked.has(peer) && asked.has(other)).map(
    ([peer, other, bound]) => ({
      name: `${PEER_NAMES[peer]} to ${PEER_NAMES[other]}`,
      value: ratio(figures, peer, other),
      is: 'at least',
      bound,
      digits: 3,
    }),
  );
}
