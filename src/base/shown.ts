// Formats given values for messages: on one line, and short.

import { safeJson } from './log-text.ts';

const SHOWN_LENGTH_MAX = 60;

/** A value on one line, in about sixty characters at most. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'string') return quoted(value);
  return String(value);
}

/** Text in quotes, truncated when it is long. */
export function quoted(text: string): string {
  const characters = [...text.slice(0, SHOWN_LENGTH_MAX * 2)];
  const clipped = characters.length > SHOWN_LENGTH_MAX;
  const kept = clipped ? `${characters.slice(0, SHOWN_LENGTH_MAX).join('')}...` : text;
  return safeJson(kept);
}
