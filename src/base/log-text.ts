// Makes text from outside safe for a log or a terminal: it cannot begin a line of its own nor
// control the terminal. Unsafe characters are shown by their number, as `\x1b` or `\u2028`.

import { LOG_ENTRY_CHARACTERS_MAX } from './fixed-limits.ts';

/**
 * Unsafe characters, as the complement of safe ones: C0, DEL and C1 controls, line and paragraph
 * separators, marks that change the direction of text, and halves of surrogate pairs.
 */
const UNSAFE =
  /[^\x20-\x7e\xa0-\u061b\u061d-\u200d\u2010-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\u{10ffff}]/gu;

/** Precedes each line of a log entry but the first. */
const CONTINUATION = '\n  ';

/** One line that is safe to show. */
export function logText(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/**
 * An entry of a log. One with line ends, such as the stack of an error, continues in indented
 * lines, so that none of them looks like the beginning of an entry. A very long one is truncated.
 */
export function logEntry(text: string): string {
  const more = text.length - LOG_ENTRY_CHARACTERS_MAX;
  const kept = more > 0 ? text.slice(0, LOG_ENTRY_CHARACTERS_MAX) : text;
  const shown = kept.split('\n').map(logText).join(CONTINUATION);
  return more > 0 ? `${shown} ... (${more} more characters)` : shown;
}

/** A value as JSON that is safe to show; it parses to the same value. */
export function safeJson(value: unknown, indent?: number): string {
  // Only JSON.stringify() makes line ends, between the parts.
  return JSON.stringify(value, null, indent).replace(UNSAFE, (character) =>
    character === '\n' ? character : `\\u${hexadecimal(character.charCodeAt(0), 4)}`,
  );
}

/** A character of one code unit by its number. */
export function escaped(character: string): string {
  const code = character.charCodeAt(0);
  return code < 256 ? `\\x${hexadecimal(code, 2)}` : `\\u${hexadecimal(code, 4)}`;
}

function hexadecimal(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
