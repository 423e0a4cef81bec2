// Quoted strings (RFC 9110 5.6.4), which are also the strings of structured fields (RFC 9651
// 3.3.3).

/** Printable ASCII text in quotes. */
export function quotedString(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
