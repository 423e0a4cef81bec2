// Checks options of functions that users call: a misspelt one, or one of the wrong type, must not
// silently mean the default.

import { nearMiss } from './near-miss.ts';
import { shown } from './shown.ts';

export interface OptionRule {
  /** Follows 'is', as 'true or false'. */
  readonly wanted: string;
  readonly fits: (value: unknown) => boolean;
  readonly problem?: Problem;
}

/** Null for a value that fits; what is wrong within it, or '' where the value itself is wrong. */
export type Problem = (value: unknown) => string | null;

/** The rule of a value that has entries, of which a message names the wrong one. */
export function ruleWith(wanted: string, problem: Problem): OptionRule {
  return { wanted, problem, fits: (value) => problem(value) === null };
}

/** A list whose items fit. */
export function listOf(problem: Problem): Problem {
  return (value) => {
    if (!Array.isArray(value)) return '';
    for (const item of value) {
      const wrong = problem(item);
      if (wrong !== null) return `${shown(item)}: ${wrong}`;
    }
    return null;
  };
}

/** An object whose names and values fit. */
export function tableOf(ofName: Problem, ofValue: Problem): Problem {
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return '';
    for (const [name, item] of Object.entries(value)) {
      const wrong = ofName(name) ?? ofValue(item);
      if (wrong !== null) return `${shown(name)}: ${wrong}`;
    }
    return null;
  };
}

/** A wrong value in a message, with the entry that is wrong of what it means. */
export function shownWrong(value: unknown, problem?: Problem, meant: unknown = value): string {
  const wrong = problem?.(meant) ?? '';
  return wrong === '' ? shown(value) : `${shown(value)} (${wrong})`;
}

export const BOOLEAN: OptionRule = {
  wanted: 'true or false',
  fits: (value) => typeof value === 'boolean',
};

export const FUNCTION: OptionRule = {
  wanted: 'a function',
  fits: (value) => typeof value === 'function',
};

export const TEXT: OptionRule = {
  wanted: 'a string',
  fits: (value) => typeof value === 'string',
};

/** For values that are checked by themselves. */
export const ANY: OptionRule = { wanted: 'anything', fits: () => true };

/** A number of `what`, which may be left out. */
export function wholeNumberIn(min: number, max: number, what = ''): OptionRule {
  return {
    wanted: `a whole number ${what === '' ? '' : `of ${what} `}from ${min} to ${max}`,
    fits: (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max,
  };
}

/** A count of `what`. */
export function wholeNumber(what: string): OptionRule {
  return {
    wanted: `a whole number of ${what}, 0 or more`,
    fits: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  };
}

export function choice(values: readonly string[]): OptionRule {
  return {
    wanted: `one of ${values.map((value) => `'${value}'`).join(', ')}`,
    fits: (value) => values.some((one) => one === value),
  };
}

/** Throws a TypeError that names the unknown or invalid option, and the one that may be meant. */
export function checkOptions(
  owner: string,
  options: object,
  rules: Readonly<Record<string, OptionRule>>,
): void {
  if (!isPlainObject(options)) {
    throw new TypeError(`${owner}: options are a plain object, given ${shown(options)}`);
  }
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(rules, name)) throw new TypeError(`${owner}: ${unknownOption(name, rules)}`);
    const { wanted, fits, problem } = rules[name];
    // Undefined is the same as left out.
    if (value === undefined || fits(value)) continue;
    throw new TypeError(`${owner}: ${name} is ${wanted}, given ${shownWrong(value, problem)}`);
  }
}

/** False for values whose options would be ignored: a Map, a class with getters, inheritance. */
export function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // An object of another realm has another Object.prototype.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function unknownOption(name: string, rules: Readonly<Record<string, OptionRule>>): string {
  const known = Object.keys(rules);
  const near = nearMiss(name, known);
  const hint = near === undefined ? `it knows ${known.join(', ')}` : `did you mean ${near}?`;
  return `there is no option ${shown(name)}; ${hint}`;
}
