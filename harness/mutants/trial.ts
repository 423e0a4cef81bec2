// Tries one mutant: in a child process, for as many seeds as it takes, in bounded time.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Told } from './child.ts';
import type { Patch } from './patch.ts';

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));
/** One seed takes a few hundred milliseconds; a mutant that needs longer turns in a circle. */
const SEED_MS_MAX = 20_000;

/** How the complaint of patched() begins. */
const NOT_FITTING = 'Error: the piece';

export interface Verdict {
  /** The check that failed, 'hang' or 'crash'; '' when nobody noticed. */
  readonly caughtBy: string;
  readonly message: string;
  /** The seed it was. */
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
    child.on('message', (told: Told) => {
      clearTimeout(timer);
      seed = told.seed;
      if (told.caughtBy === undefined) timer = setTimeout(hang, SEED_MS_MAX);
      else {
        const message = told.message ?? '';
        const isUnusable = message.startsWith(NOT_FITTING);
        end({ caughtBy: isUnusable ? 'unusable' : told.caughtBy, message, seed });
      }
    });
    child.on('exit', () => {
      const known = errors.split('\n').find((line) => line.startsWith(NOT_FITTING));
      // What does not even compile shows nothing.
      const isUsable = known === undefined && !errors.includes('SyntaxError');
      const caughtBy = isUsable ? 'crash' : 'unusable';
      end({ caughtBy, message: known ?? errors.slice(0, 300), seed });
    });
  });
}
