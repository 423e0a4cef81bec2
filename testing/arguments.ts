// The arguments of the scripts that measure: whole numbers and lists of names, checked against one
// table from which the help follows too.

import { parseArgs } from 'node:util';
import { argumentProblem } from './usage-error.ts';

export interface NumberOption {
  readonly default: number;
  readonly min?: number;
  readonly max: number;
  readonly what: string;
}

/** Some of a few names, with commas between them. */
export interface NamesOption {
  readonly values: readonly string[];
  /** All unless it is given. */
  readonly default?: readonly string[];
  readonly what: string;
}

/** One of a few names. */
export interface ChoiceOption {
  readonly values: readonly string[];
  readonly default: string;
  readonly what: string;
}

/** What a script takes; N are the names of its numbers, L those of its lists. */
export interface ScriptShape<N extends string, L extends string> {
  /** As in package.json. */
  readonly name: string;
  readonly about: string;
  readonly numbers: Readonly<Record<N, NumberOption>>;
  readonly lists: Readonly<Record<L, NamesOption>>;
  readonly choices?: Readonly<Record<string, ChoiceOption>>;
  /** What each of those means that take no value. */
  readonly flags?: Readonly<Record<string, string>>;
}

export interface Given<N extends string, L extends string> {
  readonly numbers: Readonly<Record<N, number>>;
  readonly lists: Readonly<Record<L, readonly string[]>>;
  readonly choices: Readonly<Record<string, string>>;
  readonly flags: Readonly<Record<string, boolean>>;
  readonly help: boolean;
}

export function usage<N extends string, L extends string>(shape: ScriptShape<N, L>): string {
  const lines = [
    `usage: npm run ${shape.name} -- [option...]`,
    '',
    shape.about,
    '',
    ...numbersOf(shape).map(([name, { min = 1, max, what, default: value }]) =>
      optionLine(`--${name} N`, `${what}, ${min} to ${max} (${value})`),
    ),
    ...listsOf(shape).map(([name, { values, what, default: some }]) =>
      optionLine(`--${name} NAMES`, `${what}: some of ${values.join(', ')} (${some ?? 'all'})`),
    ),
    ...Object.entries(shape.choices ?? {}).map(([name, { values, what, default: one }]) =>
      optionLine(`--${name} NAME`, `${what}: one of ${values.join(', ')} (${one})`),
    ),
    ...Object.entries(shape.flags ?? {}).map(([name, what]) => optionLine(`--${name}`, what)),
    optionLine('--help', 'this text'),
    '',
    'Exit codes: 0 when every bar is met, 1 when one is missed or a run fails, 2 when the',
    'arguments are wrong or a program is missing.',
  ];
  return lines.join('\n');
}

/** The arguments, or what is wrong with them. */
export function parseGiven<N extends string, L extends string>(
  shape: ScriptShape<N, L>,
  given: readonly string[],
): Given<N, L> | string {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {
    help: { type: 'boolean', short: 'h' },
  };
  const { choices: known = {}, flags: signs = {} } = shape;
  const taking = [...numbersOf(shape), ...listsOf(shape), ...Object.entries(known)];
  for (const [name] of taking) options[name] = { type: 'string' };
  for (const name of Object.keys(signs)) options[name] = { type: 'boolean' };
  let values: Readonly<Record<string, string | boolean | undefined>>;
  try {
    values = parseArgs({ args: [...given], options }).values;
  } catch (error) {
    return argumentProblem(error, Object.keys(options));
  }
  const numbers = {} as Record<N, number>;
  for (const [name, { min = 1, max, default: value }] of numbersOf(shape)) {
    const text = values[name] ?? String(value);
    numbers[name] = /^\d{1,9}$/.test(String(text)) ? Number(text) : -1;
    if (numbers[name] < min || numbers[name] > max) {
      return `--${name} takes a whole number from ${min} to ${max}`;
    }
  }
  const lists = {} as Record<L, readonly string[]>;
  for (const [name, { values: all, default: some = all }] of listsOf(shape)) {
    const names = values[name] === undefined ? some : String(values[name]).split(',');
    const unknown = names.find((one) => !all.includes(one));
    if (unknown !== undefined) return `--${name} takes some of ${all.join(', ')}, not '${unknown}'`;
    lists[name] = all.filter((one) => names.includes(one));
  }
  const choices: Record<string, string> = {};
  for (const [name, { values: all, default: one }] of Object.entries(known)) {
    choices[name] = String(values[name] ?? one);
    if (!all.includes(choices[name])) return `--${name} takes one of ${all.join(', ')}`;
  }
  const flags: Record<string, boolean> = {};
  for (const name of Object.keys(signs)) flags[name] = values[name] === true;
  return { numbers, lists, choices, flags, help: values['help'] === true };
}

function numbersOf<N extends string>(shape: ScriptShape<N, string>): [N, NumberOption][] {
  return Object.entries(shape.numbers) as [N, NumberOption][];
}

function listsOf<L extends string>(shape: ScriptShape<string, L>): [L, NamesOption][] {
  return Object.entries(shape.lists) as [L, NamesOption][];
}

const COLUMN = 18;

function optionLine(left: string, right: string): string {
  return `  ${left.padEnd(COLUMN)}${right}`;
}
