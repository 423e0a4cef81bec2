// The formats of lines of the access log. No request can end a line, or the quotes around a value.

import { escaped, safeJson } from '../base/log-text.ts';
import {
  checkLogField,
  LOG_FIELD_NAMES,
  LOG_FIELDS,
  type LogEntry,
  type LogField,
} from './log-entry.ts';

export function common(entry: LogEntry): string {
  const time = new Date(entry.timeMs);
  const { method, target, version } = entry;
  const line = method === '' ? target || '-' : `${method} ${target} HTTP/${version}`;
  const bytes = entry.bytes === 0 ? '-' : String(entry.bytes);
  return `${entry.address || '-'} - - [${clock(time)}] "${quoted(line)}" ${entry.status} ${bytes}`;
}

export function combined(entry: LogEntry): string {
  const referer = quoted(entry.referer || '-');
  return `${common(entry)} "${referer}" "${quoted(entry.userAgent || '-')}"`;
}

/** A line of JSON with these fields; null: all of them, and `complete` only when it is false. */
export function jsonOf(fields: readonly LogField[] | null): (entry: LogEntry) => string {
  if (fields === null) {
    const usual = LOG_FIELD_NAMES.filter((name) => name !== 'complete' && name !== 'host');
    return (entry) => json(entry, entry.complete ? usual : [...usual, 'complete']);
  }
  return (entry) => json(entry, fields);
}

/** Fields that a response does not have are left out. */
function json(entry: LogEntry, fields: readonly LogField[]): string {
  const line: Record<string, unknown> = {};
  for (const name of fields) line[name] = LOG_FIELDS[name](entry);
  return safeJson(line);
}

/**
 * A line by a template: `{name}` is the value of a field, `-` where a response has none. Throws a
 * TypeError for names of no field, and for characters that would break lines.
 */
export function templateOf(template: string): (entry: LogEntry) => string {
  if (/[^\x20-\x7e]/.test(template)) {
    throw new TypeError('accessLog: a template is ASCII text on one line');
  }
  const [first, ...rest] = template.split(/\{(\w+)\}/);
  const parts: { readonly name: LogField; readonly after: string }[] = [];
  for (let index = 0; index < rest.length; index += 2) {
    const name = rest[index];
    checkLogField(name);
    parts.push({ name, after: rest[index + 1] });
  }
  return (entry) => {
    let line = first;
    for (const { name, after } of parts) {
      const value = LOG_FIELDS[name](entry);
      const text = value === undefined || value === '' ? '-' : quoted(String(value));
      line += text + after;
    }
    return line;
  };
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** `10/Oct/2000:13:55:36 +0000`. */
function clock(time: Date): string {
  const iso = time.toISOString();
  const month = MONTHS[time.getUTCMonth()];
  return `${iso.slice(8, 10)}/${month}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}

/** Escapes what would end the quotes or the line. Log tools expect ASCII. */
function quoted(text: string): string {
  return text.replace(/["\\]|[^\x20-\x7e]/g, (character) =>
    character === '"' || character === '\\' ? `\\${character}` : escaped(character),
  );
}
