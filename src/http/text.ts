// Strings from bytes and comparisons of bytes with short words; the only file of this folder that
// knows how Node turns bytes into strings.

/** Node's own slicers; they work on any Uint8Array and make no Buffer on the way. */
interface Slicers {
  latin1Slice(this: Uint8Array, from: number, to: number): string;
  utf8Slice(this: Uint8Array, from: number, to: number): string;
}
const slicers = Buffer.prototype as unknown as Slicers;

/** One character a byte: what field values and targets are. */
export function latin1(bytes: Uint8Array, from: number, to: number): string {
  return slicers.latin1Slice.call(bytes, from, to);
}

/** UTF-8; a byte that is not becomes U+FFFD. */
export function utf8(bytes: Uint8Array, from: number, to: number): string {
  return slicers.utf8Slice.call(bytes, from, to);
}

/** The bytes of ASCII text, for tables made when a module loads. */
export function asciiBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}

/**
 * Whether the span is `word` (lower-case letters, digits and '-') in any case. The exact test in
 * the loop matters: setting bit 5 of any byte would take control characters for digits.
 */
export function equalsWord(bytes: Uint8Array, from: number, to: number, word: Uint8Array): boolean {
  const length = word.length;
  if (to - from !== length) return false;
  for (let index = 0; index < length; index++) {
    const byte = bytes[from + index];
    const lower = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    if (lower !== word[index]) return false;
  }
  return true;
}
