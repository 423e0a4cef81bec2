// Values that were given, as messages show them: on one line, and short.

const SHOWN_LENGTH_MAX = 60;

/** A value on one line, in at most some sixty characters. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'string') return quoted(value);
  return String(value);
}

/** Text in quotes, cut where it is long. */
export function quoted(text: string): string {
  const characters = [...text.slice(0, SHOWN_LENGTH_MAX * 2)];
  const clipped = characters.length > SHOWN_LENGTH_MAX;
  const kept = clipped ? `${characters.slice(0, SHOWN_LENGTH_MAX).join('')}...` : text;
  // JSON leaves some controls and line ends of Unicode as they are.
  return JSON.stringify(kept).replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
