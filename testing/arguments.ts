// The arguments of commands: whole numbers, names, texts and flags, checked against one table from
// which the help text is made too.

import { parseArgs } from 'node:util';
import { argumentProblem } from './usage-error.ts';

export interface NumberOption {
  readonly default: number;
  readonly min?: number;
  readonly max: number;
  readonly what: string;
}

/** Some of a few names, separated by commas. */
export interface NamesOption {
  readonly values: readonly string[];
  /** All values unless it is given. */
  readonly default?: readonly string[];
  readonly what: string;
}

/** One of a few names. */
export interface ChoiceOption {
  readonly values: readonly string[];
  readonly default: string;
  readonly what: string;
}

/** Any text, such as a path; '' when it is not given. */
export interface TextOption {
  /** Stands for the value in the help text: FILE. */
  readonly value: string;
  readonly what: string;
}

export interface Positionals {
  /** As in the usage line: 'BASE HEAD', '[group...]'. */
  readonly usage: string;
  /** Lines of the help text that list what they may be. */
  readonly lines?: readonly string[];
  /** What is wrong with them, or null. */
  check(given: readonly string[]): string | null;
}

/** What a command takes; N are the names of its numbers, L those of its lists. */
export interface CommandShape<N extends string, L extends string> {
  /** As in package.json. */
  readonly name: string;
  readonly about: string;
  readonly numbers: Readonly<Record<N, NumberOption>>;
  readonly lists: Readonly<Record<L, NamesOption>>;
  readonly choices?: Readonly<Record<string, ChoiceOption>>;
  readonly texts?: Readonly<Record<string, TextOption>>;
  /** By name, what each flag does. */
  readonly flags?: Readonly<Record<string, string>>;
  readonly positionals?: Positionals;
  /** The last lines of the help text. */
  readonly exitCodes?: string;
}

export interface Given<N extends string, L extends string> {
  readonly numbers: Readonly<Record<N, number>>;
  readonly lists: Readonly<Record<L, readonly string[]>>;
  readonly choices: Readonly<Record<string, string>>;
  readonly texts: Readonly<Record<string, string>>;
  readonly flags: Readonly<Record<string, boolean>>;
  readonly positionals: readonly string[];
  readonly help: boolean;
}

const EXIT_CODES =
  'Exit codes: 0 when every threshold is met, 1 when one is missed or a run fails, 2 when the\n' +
  'arguments are wrong or a program is missing.';

export function usage<N extends string, L extends string>(shape: CommandShape<N, L>): string {
  const { choices = {}, exitCodes = EXIT_CODES, flags = {}, positionals, texts = {} } = shape;
  const arguments_ = positionals === undefined ? '' : ` ${positionals.usage}`;
  return [
    `usage: npm run ${shape.name} -- [option...]${arguments_}`,
    '',
    shape.about,
    '',
    ...(positionals?.lines === undefined ? [] : [...positionals.lines, '']),
    ...numbersOf(shape).map(([name, { min = 1, max, what, default: value }]) =>
      optionLine(`--${name} N`, `${what}, ${min} to ${max} (${value})`),
    ),
    ...listsOf(shape).map(([name, { values, what, default: some }]) =>
      optionLine(`--${name} NAMES`, `${what}: some of ${values.join(', ')} (${some ?? 'all'})`),
    ),
    ...Object.entries(choices).map(([name, { values, what, default: one }]) =>
      optionLine(`--${name} NAME`, `${what}: one of ${values.join(', ')} (${one})`),
    ),
    ...Object.entries(texts).map(([name, { value, what }]) =>
      optionLine(`--${name} ${value}`, what),
    ),
    ...Object.entries(flags).map(([name, what]) => optionLine(`--${name}`, what)),
    optionLine('--help', 'print this text'),
    '',
    exitCodes,
  ].join('\n');
}

type Values = Readonly<Record<string, string | boolean | undefined>>;

/** The arguments, or what is wrong with them. */
export function parseGiven<N extends string, L extends string>(
  shape: CommandShape<N, L>,
  given: readonly string[],
): Given<N, L> | string {
  const { choices: known = {}, flags: flagNames = {}, texts: textNames = {} } = shape;
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {
    help: { type: 'boolean', short: 'h' },
  };
  for (const table of [shape.numbers, shape.lists, known, textNames]) {
    for (const name of Object.keys(table)) options[name] = { type: 'string' };
  }
  for (const name of Object.keys(flagNames)) options[name] = { type: 'boolean' };
  let values: Values;
  let positionals: readonly string[];
  try {
    const allowPositionals = shape.positionals !== undefined;
    ({ values, positionals } = parseArgs({ args: [...given], options, allowPositionals }));
  } catch (error) {
    return argumentProblem(error, Object.keys(options));
  }
  const numbers = numbersIn(shape, values);
  if (typeof numbers === 'string') return numbers;
  const lists = listsIn(shape, values);
  if (typeof lists === 'string') return lists;
  const choices: Record<string, string> = {};
  for (const [name, { values: all, default: one }] of Object.entries(known)) {
    choices[name] = String(values[name] ?? one);
    if (!all.includes(choices[name])) return `--${name} takes one of ${all.join(', ')}`;
  }
  const texts: Record<string, string> = {};
  for (const name of Object.keys(textNames)) texts[name] = String(values[name] ?? '');
  const flags: Record<string, boolean> = {};
  for (const name of Object.keys(flagNames)) flags[name] = values[name] === true;
  const help = values['help'] === true;
  const problem = help ? null : (shape.positionals?.check(positionals) ?? null);
  return problem ?? { numbers, lists, choices, texts, flags, positionals, help };
}

function numbersIn<N extends string>(
  shape: CommandShape<N, string>,
  values: Values,
): Record<N, number> | string {
  const numbers = {} as Record<N, number>;
  for (const [name, { min = 1, max, default: value }] of numbersOf(shape)) {
    const text = values[name] ?? String(value);
    numbers[name] = /^\d{1,9}$/.test(String(text)) ? Number(text) : -1;
    if (numbers[name] < min || numbers[name] > max) {
      return `--${name} takes a whole number from ${min} to ${max}`;
    }
  }
  return numbers;
}

function listsIn<L extends string>(
  shape: CommandShape<string, L>,
  values: Values,
): Record<L, readonly string[]> | string {
  const lists = {} as Record<L, readonly string[]>;
  for (const [name, { values: all, default: some = all }] of listsOf(shape)) {
    const names = values[name] === undefined ? some : String(values[name]).split(',');
    const unknown = names.find((one) => !all.includes(one));
    if (unknown !== undefined) return `--${name} takes some of ${all.join(', ')}, not '${unknown}'`;
    lists[name] = all.filter((one) => names.includes(one));
  }
  return lists;
}

function numbersOf<N extends string>(shape: CommandShape<N, string>): [N, NumberOption][] {
  return Object.entries(shape.numbers) as [N, NumberOption][];
}

function listsOf<L extends string>(shape: CommandShape<string, L>): [L, NamesOption][] {
  return Object.entries(shape.lists) as [L, NamesOption][];
}

const COLUMN = 18;

function optionLine(left: string, right: string): string {
  return `  ${left.padEnd(COLUMN)}${left.length < COLUMN ? '' : ' '}${right}`;
}
