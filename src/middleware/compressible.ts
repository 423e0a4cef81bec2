// Which media types compress() encodes.

import type { OptionRule } from '../base/options.ts';
import { isToken } from '../http/response-fields.ts';

/**
 * Types that compress well. Streams of events are left out: a handler that sends them one by one
 * has little to compress, and each stream would keep the memory of an encoder.
 */
const COMPRESSIBLE: readonly RegExp[] = [
  /^text\/(?!event-stream$)/,
  /^application\/(?:json|javascript|xml|wasm|graphql|rtf|x-sh|x-ndjson|x-javascript)$/,
  /[+](?:json|xml|text|yaml)$/,
  /^application\/(?:yaml|sql|toml|ld\+json|x-www-form-urlencoded|vnd\.ms-fontobject)$/,
  /^font\/(?:ttf|otf|collection)$/,
  /^image\/(?:bmp|x-icon|vnd\.microsoft\.icon)$/,
];

export const TYPES: OptionRule = {
  wanted: "a list of media types, as 'text/html', 'text/*' or '+json'",
  fits: (value) => Array.isArray(value) && value.every(isPattern),
};

/** How many values of Content-Type are remembered: programs have few. */
const KNOWN_MAX = 256;

/** A test of Content-Type values against a list of types, by default those that compress well. */
export function typeTest(types: readonly string[] | undefined): (type: string) => boolean {
  const known = new Map<string, boolean>();
  const patterns = types?.map((type) => type.toLowerCase());
  return (type) => {
    const before = known.get(type);
    if (before !== undefined) return before;
    const essence = type.split(';', 1)[0].trim().toLowerCase();
    const fits =
      patterns === undefined
        ? COMPRESSIBLE.some((one) => one.test(essence))
        : patterns.some((pattern) => matches(pattern, essence));
    if (known.size < KNOWN_MAX) known.set(type, fits);
    return fits;
  };
}

function matches(pattern: string, type: string): boolean {
  if (pattern.startsWith('+')) return type.endsWith(pattern);
  if (pattern.endsWith('/*')) return type.startsWith(pattern.slice(0, -1));
  return type === pattern;
}

function isPattern(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  if (value.startsWith('+')) return isToken(value.slice(1));
  const [type, subtype, ...rest] = value.split('/');
  return rest.length === 0 && isToken(type) && type !== '*' && isToken(subtype ?? '');
}
