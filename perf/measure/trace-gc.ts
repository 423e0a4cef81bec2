// Reads the lines that V8 prints with --trace-gc.

export interface Collection {
  /** Since the process began, nearly. */
  readonly atMs: number;
  readonly kind: 'scavenge' | 'mark-sweep';
  readonly pauseMs: number;
}

/** The collections in a text, which may have other lines too. */
export function collectionsIn(text: string): readonly Collection[] {
  // [7:0x5]     123 ms: Scavenge 4.5 (5.4) -> 4.0 (6.1) MB, 0.62 / 0.00 ms  (average mu = ...
  const line = /^\[\d+:0x[0-9a-f]+\]\s+(\d+) ms: (Scavenge|Mark-\w+).*? MB, ([\d.]+) \//gm;
  return [...text.matchAll(line)].map((match) => ({
    atMs: Number(match[1]),
    kind: match[2] === 'Scavenge' ? 'scavenge' : 'mark-sweep',
    pauseMs: Number(match[3]),
  }));
}
