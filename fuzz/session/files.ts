// Where inputs lie: the kept corpus, a folder a target, and what was found. Files are named after
// what they hold.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the project, seen from build/fuzz/. */
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const CORPUS = join(ROOT, 'fuzz/corpus');
const FINDINGS = join(ROOT, 'fuzz/findings');

/** The kept inputs of a target, the smallest first, always in the same order. */
export function readCorpus(target: string): Uint8Array[] {
  const folder = join(CORPUS, target);
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return [];
  const names = readdirSync(folder).filter((name) => !name.startsWith('.'));
  const inputs = names.sort().map((name) => Uint8Array.from(readFileSync(join(folder, name))));
  return inputs.sort((one, other) => one.length - other.length);
}

/** Makes the kept corpus of a target these inputs: how many bytes they have. */
export function writeCorpus(target: string, inputs: readonly Uint8Array[]): number {
  const folder = join(CORPUS, target);
  mkdirSync(folder, { recursive: true });
  const wanted = new Map(inputs.map((input) => [nameOf(input), input]));
  for (const name of readdirSync(folder)) {
    if (!wanted.has(name)) rmSync(join(folder, name));
  }
  for (const [name, input] of wanted) writeFileSync(join(folder, name), input);
  return inputs.reduce((sum, input) => sum + input.length, 0);
}

/** The path of a new finding, as seen from where the command runs. */
export function writeFinding(target: string, input: Uint8Array): string {
  const folder = join(FINDINGS, target);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, nameOf(input));
  writeFileSync(file, input);
  return relative(process.cwd(), file);
}

/** The input in a file and the target whose folder it lies in, or what is wrong. */
export function readInput(file: string): { target: string; input: Uint8Array } | string {
  try {
    return { target: basename(dirname(resolve(file))), input: Uint8Array.from(readFileSync(file)) };
  } catch (error) {
    return (error as Error).message;
  }
}

function nameOf(input: Uint8Array): string {
  return createHash('sha256').update(input).digest('hex').slice(0, 16);
}
