// Does coverage guide? A mistake is put into a copy of the code, behind conditions inside of
// conditions, and looked for twice: with what coverage says, and without.

import { Engine } from '../engine/engine.ts';
import type { Plant } from '../engine/mirror.ts';
import { loadTarget, makeMirrors } from './load.ts';

export interface Experiment {
  readonly name: string;
  readonly target: string;
  readonly plant: Plant;
}

export interface Search {
  readonly isFound: boolean;
  readonly executions: number;
  readonly seconds: number;
  /** What it was found with. */
  readonly input: Uint8Array;
}

/** The text of every planted mistake, so that no other failure passes for it. */
export const PLANTED = 'the planted mistake';

const MISTAKE = `throw new Error('${PLANTED}');`;

/** Each asks three things of an input, none of which is in the seeds. */
export const EXPERIMENTS: readonly Experiment[] = [
  {
    name: 'three bytes of a target',
    target: 'head',
    plant: {
      module: 'src/http/target-form.js',
      find: 'head.pathStart = head.targetStart;',
      replacement: `head.pathStart = head.targetStart;
        if (bytes[from + 2] === 0x7e) {
          if (bytes[from + 5] === 0x4b) {
            if (bytes[from + 9] === 0x24) { ${MISTAKE} }
          }
        }`,
    },
  },
  {
    name: 'a size and two bytes behind it',
    target: 'chunked',
    plant: {
      module: 'src/http/chunked.js',
      find: 'this.sizeDigits = digits;',
      replacement: `this.sizeDigits = digits;
        if (size === 0x1b3) {
          if (bytes[p + 4] === 0x7e) {
            if (bytes[p + 3] === 0x51) { ${MISTAKE} }
          }
        }`,
    },
  },
];

/** Looks for the mistake of an experiment with at most so many executions. */
export async function search(
  { target: name, plant }: Experiment,
  isGuided: boolean,
  seed: number,
  executionsMax: number,
): Promise<Search> {
  const { target, counters, compare } = await loadTarget(makeMirrors(name, plant));
  const engine = new Engine({ target, counters, compare, seed, isGuided, watch: () => {} });
  const beganMs = performance.now();
  await engine.begin([]);
  const isOver = (executions: number) => executions >= executionsMax;
  while (engine.finding === null && !isOver(engine.executions)) await engine.round(isOver);
  const seconds = (performance.now() - beganMs) / 1000;
  const { finding } = engine;
  if (finding === null) {
    return { isFound: false, executions: engine.executions, seconds, input: new Uint8Array(0) };
  }
  if (finding.error.message !== PLANTED) throw finding.error;
  const { executions, input } = finding;
  return { isFound: true, executions, seconds, input };
}
