// Tries one mutant in a child process: runs seeds until one fails, in bounded time.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ChildMessage } from './child.ts';
import type { Patch } from './patch.ts';

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));
/** A seed takes a few hundred milliseconds; one that takes this long hangs. */
const SEED_MS_MAX = 20_000;

/** The beginning of an error of patched(). */
const NOT_FITTING = 'Error: the text of a mutant';

export interface Verdict {
  /** The check that failed, 'hang' or 'crash'; '' when no seed failed. */
  readonly caughtBy: string;
  readonly message: string;
  /** The failing seed. */
  readonly seed: number;
}

export function tryMutant(patch: Patch, seeds: number): Promise<Verdict> {
  return new Promise((resolve) => {
    const child = fork(CHILD, [JSON.stringify(patch), String(seeds)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let seed = 0;
    let errors = '';
    let isOver = false;
    const end = (verdict: Verdict): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      child.kill('SIGKILL');
      resolve(verdict);
    };
    const hang = (): void => end({ caughtBy: 'hang', message: `seed ${seed} hangs`, seed });
    let timer = setTimeout(hang, SEED_MS_MAX);
    child.stderr?.on('data', (text: Buffer) => {
      errors += text;
    });
    child.on('message', (message: ChildMessage) => {
      clearTimeout(timer);
      seed = message.seed;
      if (message.caughtBy === undefined) timer = setTimeout(hang, SEED_MS_MAX);
      else {
        const text = message.message ?? '';
        const isUnusable = text.startsWith(NOT_FITTING);
        end({ caughtBy: isUnusable ? 'unusable' : message.caughtBy, message: text, seed });
      }
    });
    child.on('exit', () => {
      const known = errors.split('\n').find((line) => line.startsWith(NOT_FITTING));
      // A mutant that does not compile proves nothing.
      const isUsable = known === undefined && !errors.includes('SyntaxError');
      const caughtBy = isUsable ? 'crash' : 'unusable';
      end({ caughtBy, message: known ?? errors.slice(0, 300), seed });
    });
  });
}
