// Parses the arguments of `vibing serve` and `vibing check`: flags of configuration keys, other
// flags, and plain arguments. Values stay text; the configuration checks them.

import { nearMiss } from '../base/near-miss.ts';
import { shown } from '../base/shown.ts';
import type { FlagText } from '../server/config/config.ts';
import { type ConfigKey, KEYS } from '../server/config/keys.ts';
import { shownName, suggestion } from '../server/config/lines.ts';
import type { Rule } from '../server/config/rules.ts';

export interface Flags {
  readonly keys: readonly FlagText[];
  /** The name of the configuration file. */
  readonly config: string | undefined;
  readonly help: boolean;
  /** Arguments that are not flags. */
  readonly plain: readonly string[];
  readonly problems: readonly string[];
}

const CONFIG_FLAG = '--config';
const HELP_FLAGS = ['--help', '-h'];

/** Short names of flags. */
export const SHORT_FLAGS: ReadonlyMap<string, string> = new Map([['-p', '--port']]);

/** The flags by name, such as --port, and the negations of those that can be off. */
const KEY_BY_FLAG: ReadonlyMap<string, ConfigKey> = new Map(KEYS.map((key) => [key.flag, key]));
const KEY_BY_NEGATION: ReadonlyMap<string, ConfigKey> = new Map(
  KEYS.filter(canBeOff).map((key) => [negationOf(key), key]),
);
const FLAG_NAMES = [...KEY_BY_FLAG.keys(), ...KEY_BY_NEGATION.keys(), CONFIG_FLAG, '--help'];

/** Whether false is a value of a key, for which it has a flag such as --no-listing. */
export function canBeOff({ rule }: ConfigKey): boolean {
  return (
    rule.kind === 'boolean' || (rule.kind === 'shaped' && rule.shape === 'value') || isBare(rule)
  );
}

/** Whether the flag of a key alone, as --listing, means true; a value follows a `=`. */
function isBare(rule: Rule): boolean {
  return rule.kind === 'boolean' || (rule.kind === 'shaped' && rule.shape === 'toggle');
}

/** `--spa=app.html` for a flag whose value stands behind a space, as in `--spa app.html`. */
export function withEquals(flag: string | undefined, value: string): string | undefined {
  const rule = KEY_BY_FLAG.get(flag ?? '')?.rule;
  if (rule === undefined || !isBare(rule)) return undefined;
  const fits = rule.kind !== 'boolean' || /^(true|false)$/.test(value);
  return fits ? `${flag}=${value}` : undefined;
}

/** The flag that sets a key to false. */
export function negationOf(key: ConfigKey): string {
  return `--no-${key.flag.slice('--'.length)}`;
}

/** Parses `args`, which are without the command. Of a repeated flag the last value is used. */
export function parseFlags(args: readonly string[]): Flags {
  const parse = new FlagParse(args);
  while (parse.at < args.length) parse.next();
  const { keys, config, help, plain, problems } = parse;
  return { keys, config, help, plain, problems };
}

class FlagParse implements Flags {
  readonly args: readonly string[];
  at: number;
  readonly keys: FlagText[];
  config: string | undefined;
  help: boolean;
  readonly plain: string[];
  readonly problems: string[];

  constructor(args: readonly string[]) {
    this.args = args;
    this.at = 0;
    this.keys = [];
    this.config = undefined;
    this.help = false;
    this.plain = [];
    this.problems = [];
  }

  next(): void {
    const arg = this.args[this.at];
    this.at += 1;
    if (arg === '--') {
      this.plain.push(...this.args.slice(this.at));
      this.at = this.args.length;
    } else if (!arg.startsWith('-') || arg === '-') this.plain.push(arg);
    else if (HELP_FLAGS.includes(arg)) this.help = true;
    else this.#flag(arg);
  }

  #flag(arg: string): void {
    const equals = arg.indexOf('=');
    const given = equals === -1 ? arg : arg.slice(0, equals);
    const flag = SHORT_FLAGS.get(given) ?? given;
    const inline = equals === -1 ? undefined : arg.slice(equals + 1);
    const key = KEY_BY_FLAG.get(flag);
    const negated = KEY_BY_NEGATION.get(flag);
    if (flag === CONFIG_FLAG) this.config = this.#value(flag, inline) ?? this.config;
    else if (negated !== undefined) this.#negation(flag, negated, inline);
    else if (HELP_FLAGS.includes(flag)) this.#wantsNone(flag, inline);
    else if (key === undefined) this.#unknown(flag, inline);
    else {
      const bare = isBare(key.rule) && inline === undefined;
      const text = bare ? 'true' : this.#value(flag, inline);
      if (text !== undefined) this.keys.push({ where: flag, key, text });
    }
  }

  /** The value of a flag that needs one: the next argument, unless that looks like a flag. */
  #value(flag: string, inline: string | undefined): string | undefined {
    if (inline !== undefined) return inline;
    const value = this.#plainNext();
    if (value === undefined) {
      this.problems.push(`${flag}: given no value, allowed: ${flag} VALUE or ${flag}=VALUE`);
    }
    return value;
  }

  #negation(flag: string, key: ConfigKey, inline: string | undefined): void {
    if (inline === undefined) this.keys.push({ where: flag, key, text: 'false' });
    else this.#wantsNone(flag, inline);
  }

  #wantsNone(flag: string, inline: string | undefined): void {
    this.problems.push(`${flag}: given ${shown(inline)}, allowed: ${flag} without a value`);
  }

  #unknown(flag: string, inline: string | undefined): void {
    const meant = nearMiss(flag, FLAG_NAMES);
    const advice =
      meant === undefined ? '; "vibing help serve" lists the flags' : suggestion(meant);
    this.problems.push(`${shownName(flag)}: no such flag${advice}`);
    // The next argument is the value of the intended flag, not a directory.
    const key = meant === undefined ? undefined : KEY_BY_FLAG.get(meant);
    const takesValue = meant === CONFIG_FLAG || (key !== undefined && !isBare(key.rule));
    if (inline === undefined && takesValue) this.#plainNext();
  }

  /** Takes the next argument if it may be a value: not a flag, or a negative number. */
  #plainNext(): string | undefined {
    const next = this.args[this.at];
    if (next === undefined || /^-(?![0-9])/.test(next)) return undefined;
    this.at += 1;
    return next;
  }
}
