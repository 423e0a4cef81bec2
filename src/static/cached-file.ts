// A file as it was found at a path, with its precompressed variants, each with its response where
// its content is in memory.

import type { FileStat } from '../async-io/async-io.ts';
import { type Prepared, partsOf } from '../exchange/prepared.ts';
import type { Representation } from '../exchange/representation.ts';
import { Coding, chooseCoding } from '../http/accept-encoding.ts';
import type { Head } from '../http/head.ts';
import type { Probe } from './freshness.ts';

export interface Variant {
  /** With links resolved. */
  readonly real: string;
  readonly stat: FileStat;
  readonly representation: Representation;
  /** Null for content that is too large for memory: it is read for each request. */
  readonly content: Uint8Array | null;
  /** The response to an unconditional request; without the content only its head. */
  readonly response: Prepared;
  /** The 304 to a client that has it. */
  readonly notModified: Prepared;
}

/** Objects of a file without its texts and content. */
const FILE_BYTES = 512;
const VARIANT_BYTES = 512;

export class CachedFile {
  /** The decoded path below the root. */
  readonly key: Uint8Array;
  /** What it depends on: it is current while all of them are the same. */
  readonly probes: readonly Probe[];
  readonly original: Variant;
  /** By coding; null for those that do not exist. */
  readonly #variants: readonly (Variant | null)[];
  /** The codings of the variants, as a set by codingSet(). */
  readonly #codings: number;
  readonly memoryBytes: number;
  checkedMs: number;
  /** The check in progress; resolves to true when the file is unchanged. */
  checking: Promise<boolean> | null;

  constructor(
    key: Uint8Array,
    probes: readonly Probe[],
    original: Variant,
    others: ReadonlyMap<Coding, Variant>,
    checkedMs: number,
  ) {
    this.key = key;
    this.probes = probes;
    this.original = original;
    this.#variants = Object.values(Coding).map((coding) => others.get(coding) ?? null);
    this.#codings = [...others.keys()].reduce<number>((set, coding) => set | (1 << coding), 0);
    this.memoryBytes = memoryBytesOf(key, probes, [original, ...others.values()]);
    this.checkedMs = checkedMs;
    this.checking = null;
  }

  /** The variant that a request accepts best; the head begins at `base` of `bytes`. */
  variantFor(head: Head, bytes: Uint8Array, base: number): Variant {
    if (this.#codings === 0) return this.original;
    const coding = chooseCoding(head, bytes, base, this.#codings);
    return this.#variants[coding] ?? this.original;
  }
}

/** Content counts twice: it is also part of the prepared response. */
function memoryBytesOf(
  key: Uint8Array,
  probes: readonly Probe[],
  variants: readonly Variant[],
): number {
  let bytes = FILE_BYTES + key.length;
  for (const probe of probes) bytes += 2 * probe.path.length;
  for (const { real, response, notModified } of variants) {
    bytes += VARIANT_BYTES + 2 * real.length;
    const parts = partsOf(response);
    bytes += parts.bytes.length + parts.content.length + partsOf(notModified).bytes.length;
  }
  return bytes;
}
