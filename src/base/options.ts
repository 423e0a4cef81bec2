// Options of functions that users call: a misspelt one must not silently mean the default.

import { nearMiss } from './near-miss.ts';

/** Throws a TypeError that names what is unknown and what may have been meant. */
export function checkOptions(owner: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`${owner}: options are an object`);
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const near = nearMiss(name, known);
    const hint = near === undefined ? `it knows ${known.join(', ')}` : `did you mean ${near}?`;
    throw new TypeError(`${owner}: there is no option ${JSON.stringify(name)}; ${hint}`);
  }
}
