// Experiments on whether coverage guides the search: a mistake is injected into a copy of the code,
// behind nested conditions, and searched with coverage and without.

import { Engine } from '../engine/engine.ts';
import type { Injection } from '../engine/mirror.ts';
import { loadTarget, makeMirrors } from './load.ts';

export interface Experiment {
  readonly name: string;
  readonly target: string;
  readonly injection: Injection;
}

export interface Search {
  readonly isFound: boolean;
  readonly executions: number;
  readonly seconds: number;
  /** The input that reaches the mistake. */
  readonly input: Uint8Array;
}

/** The message of every injected mistake: no other failure counts. */
export const INJECTED = 'the injected mistake';

const MISTAKE = `throw new Error('${INJECTED}');`;

/** Each has three conditions on an input, which no seed fulfils. */
export const EXPERIMENTS: readonly Experiment[] = [
  {
    name: 'three bytes of a target',
    target: 'head',
    injection: {
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
    injection: {
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

/** Searches the mistake of an experiment with at most `executionsMax` executions. */
export async function search(
  { target: name, injection }: Experiment,
  isGuided: boolean,
  seed: number,
  executionsMax: number,
): Promise<Search> {
  const { target, counters, compare } = await loadTarget(makeMirrors(name, injection));
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
  if (finding.error.message !== INJECTED) throw finding.error;
  const { executions, input } = finding;
  return { isFound: true, executions, seconds, input };
}
