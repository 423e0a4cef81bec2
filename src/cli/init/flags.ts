// Parses the arguments of `vibing init`. Every problem is a line, and all are reported at once.

import { nearMiss } from '../../base/near-miss.ts';
import { shown } from '../../base/shown.ts';
import { shownName, suggestion } from '../../server/config/lines.ts';

export interface InitFlags {
  readonly directory: string;
  readonly help: boolean;
  readonly problems: readonly string[];
}

const HELP = ['--help', '-h'];

/** Without a directory the project is made in the current one. */
export function parseInitFlags(args: readonly string[]): InitFlags {
  const end = args.indexOf('--');
  const before = end < 0 ? args : args.slice(0, end);
  const plain = before.filter((arg) => !arg.startsWith('-'));
  if (end >= 0) plain.push(...args.slice(end + 1));
  const flags = before.filter((arg) => arg.startsWith('-'));
  const unknown = flags.filter((flag) => !HELP.includes(flag));
  const [directory = '.', ...others] = plain;
  const problems = [
    ...unknown.map(unknownFlag),
    ...(directory === '' ? ['"": the name of a directory is empty'] : []),
    ...others.map((other) => `${shown(other)}: unexpected argument`),
  ];
  return { directory, help: flags.length > unknown.length, problems };
}

function unknownFlag(flag: string): string {
  const meant = nearMiss(flag, HELP);
  const advice = meant === undefined ? '; "vibing init --help" lists the flags' : suggestion(meant);
  return `${shownName(flag)}: no such flag${advice}`;
}
