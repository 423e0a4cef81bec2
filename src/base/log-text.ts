// Text from outside on its way to a log or a terminal: a peer may begin no line of its own, and no
// terminal may obey it. What is not safe is shown by its number, as `\x1b` or `\u2028`.

import { LOG_ENTRY_CHARACTERS_MAX } from './fixed-limits.ts';

/**
 * Everything but what is safe. Unsafe are C0, DEL and C1 controls, line and paragraph separators,
 * marks that change the direction of text, and halves of surrogate pairs.
 */
const UNSAFE =
  /[^\x20-\x7e\xa0-\u061b\u061d-\u200d\u2010-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\u{10ffff}]/gu;

/** What stands before every line of a log entry but the first. */
const CONTINUATION = '\n  ';

/** One line that is safe to show. */
export function logText(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/**
 * An entry of a log. One with line ends, such as the stack of an error, continues in lines that are
 * indented, so that none of them looks like the beginning of an entry. A very long one is cut.
 */
export function logEntry(text: string): string {
  const more = text.length - LOG_ENTRY_CHARACTERS_MAX;
  const kept = more > 0 ? text.slice(0, LOG_ENTRY_CHARACTERS_MAX) : text;
  const shown = kept.split('\n').map(logText).join(CONTINUATION);
  return more > 0 ? `${shown} ... (${more} more characters)` : shown;
}

/** A value as JSON that is safe to show; it parses to the same value. */
export function safeJson(value: unknown, indent?: number): string {
  // Line ends are our own, between its parts.
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
