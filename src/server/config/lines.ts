// The problem lines of a configuration. Each is one line for any given value, and names the place,
// the key, the given value and what is allowed.

import { nearMiss } from '../../base/near-miss.ts';
import { quoted, shown } from '../../base/shown.ts';
import type { ConfigKey } from './keys.ts';
import { allowedBy, type Form, meantBy, wrongBy } from './rules.ts';

/** The line for a value that its key does not allow. */
export function invalidLine(where: string, key: ConfigKey, given: unknown, form: Form): string {
  const meant = meantBy(key.rule, given, form);
  const allowed = allowedBy(key.rule, form);
  const name = nameIn(form, key);
  const wrong = wrongBy(key.rule, given, form);
  return `${where}: ${name}: given ${wrong}, allowed: ${allowed}${suggestion(meant)}`;
}

/** The spelling of a key for values of this form. */
export function nameIn(form: Form, key: ConfigKey): string {
  return form === 'option' ? key.option : key.key;
}

/** The line for an unknown key; `names` are the known ones, as spelled in that place. */
export function unknownLine(
  where: string,
  name: string,
  given: unknown,
  names: readonly string[],
): string {
  const meant = nearMiss(name, names);
  const advice = meant === undefined ? '; "vibing help serve" lists the keys' : suggestion(meant);
  return `${where}: ${shownName(name)}: no such key, given ${shown(given)}${advice}`;
}

/** The end of a line: a suggestion, if there is one. */
export function suggestion(meant: string | undefined): string {
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}

/** A name, quoted unless it is plain. */
export function shownName(name: string): string {
  return /^[\w$.-]{1,60}$/.test(name) ? name : quoted(name);
}
