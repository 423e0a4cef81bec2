// Counts what `vibing compress` does, and formats the lines that it prints at its end.

import { bytesText, countText, percentText } from '../../load/format.ts';
import type { Coding } from './codings.ts';
import type { Outcome } from './variant.ts';

interface CodingCounts {
  written: number;
  current: number;
  larger: number;
  removed: number;
  /** Of the files that have a variant now. */
  bytesBefore: number;
  bytesAfter: number;
}

export class Summary {
  readonly #counts: ReadonlyMap<Coding, CodingCounts>;
  files = 0;
  smallFiles = 0;
  pruned = 0;
  errors = 0;

  constructor(codings: readonly Coding[]) {
    this.#counts = new Map(
      codings.map((coding) => [
        coding,
        { written: 0, current: 0, larger: 0, removed: 0, bytesBefore: 0, bytesAfter: 0 },
      ]),
    );
  }

  add(coding: Coding, bytesBefore: number, outcome: Outcome): void {
    const counts = this.#counts.get(coding);
    if (counts === undefined) return;
    counts[outcome.what] += 1;
    if (outcome.what === 'written' || outcome.what === 'current') {
      counts.bytesBefore += bytesBefore;
      counts.bytesAfter += outcome.bytes;
    }
  }

  /** The lines, with `would` in front in a dry run. */
  text(isDryRun: boolean): string {
    const small = this.smallFiles === 0 ? '' : `, ${countText(this.smallFiles)} too small`;
    const pruned = this.pruned === 0 ? '' : `, ${plural(this.pruned, 'orphan')} removed`;
    const errors = this.errors === 0 ? '' : `, ${plural(this.errors, 'error')}`;
    const isDry = isDryRun ? ' (dry run: nothing was changed)' : '';
    let text = `${plural(this.files, 'file')}${small}${pruned}${errors}${isDry}\n`;
    for (const [{ name }, counts] of this.#counts) {
      const { written, current, larger, removed } = counts;
      if (written + current + larger + removed > 0) text += `${name.padEnd(5)}${line(counts)}\n`;
    }
    return text;
  }
}

function line(counts: CodingCounts): string {
  const { written, current, larger, removed, bytesBefore, bytesAfter } = counts;
  const saved = bytesBefore === 0 ? 0 : 1 - bytesAfter / bytesBefore;
  const parts = [
    `${bytesText(bytesBefore)} -> ${bytesText(bytesAfter)} (${percentText(saved)} smaller)`,
    `${countText(written)} written`,
    `${countText(current)} current`,
  ];
  if (larger > 0) parts.push(`${countText(larger)} not smaller`);
  if (removed > 0) parts.push(`${countText(removed)} stale removed`);
  return parts.join(', ');
}

function plural(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? '' : 's'}`;
}
