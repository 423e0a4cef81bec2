// The rules for values of configuration keys, as data, and the conversion of a value by its rule. A
// value has one of three forms: an option of createServer, JSON of a file, or text.

import { unreachable } from '../../base/assert.ts';
import { ipVersion } from '../../base/ip-address.ts';
import { nearMiss } from '../../base/near-miss.ts';
import { shownWrong } from '../../base/options.ts';
import { type ShapedRule, shapedFrom } from './static-keys.ts';

/** A table of values by name. */
export type Table = Readonly<Record<string, unknown>>;

export type Value = string | number | boolean | readonly string[] | Table;

export type Form = 'option' | 'json' | 'text';

export type Rule =
  /** From `min` to `max`, and 0 as well with `orZero`. */
  | {
      readonly kind: 'integer';
      readonly min: number;
      readonly max: number;
      readonly orZero?: boolean;
    }
  | { readonly kind: 'choice'; readonly values: readonly string[] }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'host' }
  | { readonly kind: 'path'; readonly bytesMax: number }
  /** A count up to `max`, or 'auto'. */
  | { readonly kind: 'workers'; readonly max: number }
  /** Permissions: a number as an option, else octal digits in a string. */
  | { readonly kind: 'mode' }
  | ShapedRule;

const MODE_MAX = 0o777;
const MODE_DIGITS = /^0?[0-7]{3}$/;
/** No leading zeros: they could be taken for octal. */
const PLAIN_DECIMAL = /^(?:0|[1-9][0-9]{0,15})$/;
const HOST_LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
const HOST_NAME = new RegExp(`^${HOST_LABEL}(?:\\.${HOST_LABEL})*\\.?$`, 'i');
const HOST_NAME_LENGTH_MAX = 253;

/** The value of `given`, or undefined when the rule does not allow it. */
export function valueFrom(rule: Rule, given: unknown, form: Form): Value | undefined {
  switch (rule.kind) {
    case 'integer':
      return (
        integerFrom(given, form, rule.min, rule.max) ??
        (rule.orZero === true ? integerFrom(given, form, 0, 0) : undefined)
      );
    case 'choice':
      return rule.values.find((value) => value === given);
    case 'boolean':
      return booleanFrom(given, form);
    case 'host':
      return typeof given === 'string' && isHost(given) ? given : undefined;
    case 'path':
      return typeof given === 'string' && isPath(given, rule.bytesMax) ? given : undefined;
    case 'workers':
      return given === 'auto' ? given : integerFrom(given, form, 1, rule.max);
    case 'mode':
      if (form === 'option') return integerFrom(given, form, 0, MODE_MAX);
      if (typeof given !== 'string' || !MODE_DIGITS.test(given)) return undefined;
      return Number.parseInt(given, 8);
    case 'shaped':
      return shapedValue(rule, given, form);
    default:
      return unreachable(rule);
  }
}

/** The allowed values, to follow "allowed: ". */
export function allowedBy(rule: Rule, form: Form): string {
  switch (rule.kind) {
    case 'integer':
      return `${rule.orZero === true ? '0, or ' : ''}an integer from ${rule.min} to ${rule.max}`;
    case 'choice':
      return rule.values.map((value) => JSON.stringify(value)).join(', ');
    case 'boolean':
      return form === 'text' ? 'true, false, 1 or 0' : 'true or false';
    case 'host':
      return 'an IPv4 or IPv6 address, or a host name';
    case 'path':
      return `a path of 1 to ${rule.bytesMax} bytes`;
    case 'workers':
      return `an integer from 1 to ${rule.max}, or "auto"`;
    case 'mode':
      return form === 'option' ? 'an integer from 0o000 to 0o777' : 'octal digits such as "660"';
    case 'shaped':
      return form === 'text' ? rule.wantedText : rule.wanted;
    default:
      return unreachable(rule);
  }
}

/** A wrong value as a message shows it, with the entry that is wrong. */
export function wrongBy(rule: Rule, given: unknown, form: Form): string {
  if (rule.kind !== 'shaped') return shownWrong(given);
  return shownWrong(given, rule.problem, shapedMeant(rule, given, form));
}

/** The allowed value that was probably meant by an invalid one, as it is written in that form. */
export function meantBy(rule: Rule, given: unknown, form: Form): string | undefined {
  if (rule.kind === 'mode') return modeMeant(given, form);
  if (typeof given !== 'string') return undefined;
  if (rule.kind === 'host') {
    const bare = given.trim().replace(/^\[(.*)\]$/, '$1');
    return isHost(bare) ? JSON.stringify(bare) : undefined;
  }
  const choices = rule.kind === 'choice' ? rule.values : rule.kind === 'workers' ? ['auto'] : [];
  const choice = nearMiss(given, choices);
  if (choice !== undefined) return JSON.stringify(choice);
  if (rule.kind === 'choice' || rule.kind === 'path' || rule.kind === 'shaped') return undefined;
  // A number or a boolean in quotes, or with spaces around it.
  const value = valueFrom(rule, given.trim(), 'text');
  return value === undefined ? undefined : String(value);
}

/** A value as JSON; the inverse of valueFrom for the form 'json'. */
export function jsonFrom(rule: Rule, value: Value): Value {
  return rule.kind === 'mode' ? Number(value).toString(8).padStart(3, '0') : value;
}

function shapedValue(rule: ShapedRule, given: unknown, form: Form): Value | undefined {
  const value = shapedMeant(rule, given, form);
  return rule.fits(value) ? (value as Value) : undefined;
}

function shapedMeant(rule: ShapedRule, given: unknown, form: Form): unknown {
  return form === 'text' ? shapedFrom(rule.shape, String(given)) : given;
}

function integerFrom(given: unknown, form: Form, min: number, max: number): number | undefined {
  let value = given;
  if (form === 'text') {
    if (typeof given !== 'string' || !PLAIN_DECIMAL.test(given)) return undefined;
    value = Number(given);
  }
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) return undefined;
  return value >= min && value <= max ? value : undefined;
}

function booleanFrom(given: unknown, form: Form): boolean | undefined {
  if (form !== 'text') return typeof given === 'boolean' ? given : undefined;
  if (given === 'true' || given === '1') return true;
  return given === 'false' || given === '0' ? false : undefined;
}

function isHost(text: string): boolean {
  if (ipVersion(text) !== 0) return true;
  if (text.length > HOST_NAME_LENGTH_MAX || !HOST_NAME.test(text)) return false;
  // A name that ends in a number would be parsed as an IPv4 address, and is not a valid one.
  return !/(^|\.)[0-9]+\.?$/.test(text);
}

function isPath(text: string, bytesMax: number): boolean {
  return text !== '' && !text.includes('\0') && Buffer.byteLength(text) <= bytesMax;
}

function modeMeant(given: unknown, form: Form): string | undefined {
  const digits = String(given).trim();
  if (!MODE_DIGITS.test(digits)) return undefined;
  return form === 'option' ? `0o${digits.slice(-3)}` : JSON.stringify(digits);
}
