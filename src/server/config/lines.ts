// The lines that tell what is wrong with a configuration. Each is one line whatever was given, and
// names the place, the key, what was given and what is allowed.

import { nearMiss } from '../../base/near-miss.ts';
import { quoted, shown } from '../../base/shown.ts';
import type { ConfigKey } from './keys.ts';
import { allowedBy, type Form, meantBy } from './rules.ts';

/** A value that its key refuses. */
export function refusedLine(where: string, key: ConfigKey, given: unknown, form: Form): string {
  const meant = meantBy(key.rule, given, form);
  const allowed = allowedBy(key.rule, form);
  const name = nameIn(form, key);
  return `${where}: ${name}: given ${shown(given)}, allowed: ${allowed}${guess(meant)}`;
}

/** A key as it is spelled where values have this form. */
export function nameIn(form: Form, key: ConfigKey): string {
  return form === 'option' ? key.option : key.key;
}

/** A key that there is not; `names` are those there are, as spelled in that place. */
export function unknownLine(
  where: string,
  name: string,
  given: unknown,
  names: readonly string[],
): string {
  const meant = nearMiss(name, names);
  const advice = meant === undefined ? '; "vibing help serve" lists the keys' : guess(meant);
  return `${where}: ${shownName(name)}: no such key, given ${shown(given)}${advice}`;
}

/** The end of a line that has a proposal to make. */
export function guess(meant: string | undefined): string {
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}

/** A name as it is when it is plain, else quoted. */
export function shownName(name: string): string {
  return /^[\w$.-]{1,60}$/.test(name) ? name : quoted(name);
}
