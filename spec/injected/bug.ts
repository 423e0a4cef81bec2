// An injected bug: a change of a compiled file of src/ that a test must notice.

import type { Patch } from '../../harness/mutants/patch.ts';

/** What bugs of the edges have in common: each kind is injected into several areas. */
export const KINDS = {
  middle: 'something happens in the middle of a step',
  again: 'the second use after a rare state',
  late: 'beyond the reach of real time or counts',
  fails: 'an error path',
  special: 'a documented special value or boundary',
} as const;

export type Kind = keyof typeof KINDS;

export interface Bug extends Patch {
  /** What is wrong, as a statement. */
  readonly name: string;
  readonly kind: Kind;
  /** Test files below spec/ without `.test.ts`, the quickest first. One of them must fail. */
  readonly tests: readonly string[];
}
