// Fields of a form or a query as an object, for schemas.

import { unsafeKey } from './json-text.ts';

/**
 * The values by name: one value as itself, several of one name as an array in their order. The
 * object has no prototype. Throws HttpError 400 for the name `__proto__`, as for JSON; `what` is
 * its subject.
 */
export function formRecord(
  entries: Iterable<[string, unknown]>,
  what: string,
): Record<string, unknown> {
  const lists = new Map<string, unknown[]>();
  for (const [name, value] of entries) {
    if (name === '__proto__') throw unsafeKey(name, what);
    const list = lists.get(name);
    if (list === undefined) lists.set(name, [value]);
    else list.push(value);
  }
  const record: Record<string, unknown> = Object.create(null);
  for (const [name, list] of lists) record[name] = list.length === 1 ? list[0] : list;
  return record;
}
