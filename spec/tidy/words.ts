// Checks of words: names without information, marks of unfinished work, paths of one machine, tests
// that are switched off.

import { EMPTY_NAMES, EMPTY_WORDS } from './rules.ts';
import { lineAt, type Source } from './source.ts';

export function fileNames(file: Source): readonly string[] {
  const name = (file.path.split('/').at(-1) ?? '').replace(/(\.test)?\.\w+$/, '');
  const empty = name.split(/[-._]/).find((word) => EMPTY_WORDS.includes(word));
  if (empty === undefined && !EMPTY_NAMES.includes(name)) return [];
  return [`${file.path}: '${empty ?? name}' in a file name says nothing`];
}

export function names(file: Source): readonly string[] {
  const declared = /\b(?:const|let|var|function|class|interface|type)\s+([\w$]+)/g;
  const parameter = /[(,]\s*([\w$]+)\??\s*(?::|=>|[,)]\s*(?:=>|\{))/g;
  const problems: string[] = [];
  for (const pattern of [declared, parameter]) {
    for (const match of file.code.matchAll(pattern)) {
      const name = match[1] ?? '';
      if (!saysNothing(name)) continue;
      problems.push(`${file.path}:${lineAt(file.code, match.index)}: '${name}' says nothing`);
    }
  }
  return problems;
}

/** Unfinished work: TODO is followed by the condition that ends it, in parentheses. */
export function unfinished(file: Source): readonly string[] {
  return matches(file, /\b(FIXME|XXX|HACK)\b|\bTODO\b(?!\([^)\s][^)]*\):)/g, (found) =>
    found === 'TODO' ? 'TODO without a condition: TODO(when what is true):' : found,
  );
}

/** Paths of the machine and hosts of package registries are no part of the project. */
export function places(file: Source): readonly string[] {
  const folder = /(?<![\w.})\]*-])\/(work|root|tmp|home)\/(?!\s)[\w.$-]*/g;
  const registry = /\bregistry\.[\w-]+\.\w+|\b(artifactory|verdaccio|nexus)\b/gi;
  return [
    ...matches(file, folder, (found) => `a path of one machine: ${found}`),
    ...matches(file, registry, (found) => `a host of a registry: ${found}`),
  ];
}

export function switchedOff(file: Source): readonly string[] {
  const off = /\.only\s*\(|\bonly:\s*true\b|\bskip:\s*true\b|\.skip\(\s*\)|\btodo:\s*true\b/g;
  // Node's form without a reason; `{ skip: 'reason' }` and t.skip('reason') have one.
  const whole = /\b(?:test|it|suite|describe)\.(?:skip|todo)\s*\(/g;
  return [
    ...codeMatches(file, off, (found) => `'${found}' switches tests off`),
    ...codeMatches(file, whole, (found) => `'${found}' gives no reason; use { skip: 'reason' }`),
  ];
}

function saysNothing(name: string): boolean {
  if (EMPTY_NAMES.includes(name)) return true;
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[ _$]/);
  return words.some((word) => EMPTY_WORDS.includes(word));
}

type Say = (found: string) => string;

function matches(file: Source, pattern: RegExp, say: Say): readonly string[] {
  return [...file.text.matchAll(pattern)].map(
    ({ index, 0: found }) => `${file.path}:${lineAt(file.text, index)}: ${say(found)}`,
  );
}

function codeMatches(file: Source, pattern: RegExp, say: Say): readonly string[] {
  return [...file.code.matchAll(pattern)].map(
    ({ index, 0: found }) => `${file.path}:${lineAt(file.code, index)}: ${say(found)}`,
  );
}
