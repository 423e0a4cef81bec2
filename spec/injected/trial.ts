// Runs the test files of one injected bug until one of them fails.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Bug } from './bug.ts';
import { BUG_VARIABLE } from './register.ts';

/** Of the compiled file, in build/spec/injected/. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const REGISTER = new URL('./register.js', import.meta.url).href;

/** A test file that takes this long does not end. */
const FILE_MS_MAX = 120_000;
const HANGS = 'does not end';
/** The beginning of an error of patched() in harness/mutants/patch.ts. */
const NOT_FITTING = 'the text of a mutant is found';

export interface Verdict {
  /** The test that fails, as `file: title`; null when all pass. */
  readonly caughtBy: string | null;
  readonly seconds: number;
}

/** Rejects when the text of the bug does not occur exactly once. */
export async function tryBug(bug: Bug): Promise<Verdict> {
  const began = performance.now();
  const secondsSince = (): number => (performance.now() - began) / 1000;
  for (const test of bug.tests) {
    const failure = await firstFailure(test, bug);
    if (failure !== null) return { caughtBy: `${test}: ${failure}`, seconds: secondsSince() };
  }
  return { caughtBy: null, seconds: secondsSince() };
}

/** The title of the first test that fails in a file, with a bug or without; null when none does. */
export function firstFailure(test: string, bug: Bug | null): Promise<string | null> {
  const parameters = ['--import', REGISTER, '--test-reporter=tap', `build/spec/${test}.test.js`];
  const environment: NodeJS.ProcessEnv = { ...process.env };
  if (bug !== null) environment[BUG_VARIABLE] = JSON.stringify(bug);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, parameters, {
      cwd: ROOT,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, FILE_MS_MAX);
    const read = (chunk: Buffer): void => {
      text += chunk;
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (text.includes(NOT_FITTING)) {
        const at = text.indexOf(NOT_FITTING);
        reject(new Error(text.slice(at, text.indexOf('\n', at))));
      } else if (isLate) resolve(HANGS);
      else if (code === 0) resolve(null);
      else resolve(titleOf(text) ?? `the process ends with ${signal ?? code}`);
    });
  });
}

/** TAP has a test before the group that contains it, so the first failure is the innermost. */
function titleOf(tap: string): string | null {
  return /^ *not ok \d+ - (.*)$/m.exec(tap)?.[1] ?? null;
}
