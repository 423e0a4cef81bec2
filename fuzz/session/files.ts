// The files of inputs: corpus and findings, a folder for each target. Files are named by a hash of
// their content.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the project, relative to build/fuzz/session/. */
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const CORPUS = join(ROOT, 'fuzz/corpus');
const FINDINGS = join(ROOT, 'fuzz/findings');

/** The corpus of a target, smallest inputs first, always in the same order. */
export function readCorpus(target: string): Uint8Array[] {
  const folder = join(CORPUS, target);
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return [];
  const names = readdirSync(folder).filter((name) => !name.startsWith('.'));
  const inputs = names.sort().map((name) => Uint8Array.from(readFileSync(join(folder, name))));
  return inputs.sort((one, other) => one.length - other.length);
}

/** Replaces the corpus of a target; returns its size in bytes. */
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

/** Writes a finding; returns its path relative to the working directory. */
export function writeFinding(target: string, input: Uint8Array): string {
  const folder = join(FINDINGS, target);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, nameOf(input));
  writeFileSync(file, input);
  return relative(process.cwd(), file);
}

/** The input of a file and the target that its folder names, or an error. */
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
