// Strings from bytes, and comparisons of bytes with short words. The only file of this folder that
// depends on how Node decodes bytes.

/** Node's own decoders; they work on any Uint8Array without creating a Buffer. */
interface Decoders {
  latin1Slice(this: Uint8Array, from: number, to: number): string;
  utf8Slice(this: Uint8Array, from: number, to: number): string;
}
const decoders = Buffer.prototype as unknown as Decoders;

/** One character for each byte, as for field values and targets. */
export function latin1(bytes: Uint8Array, from: number, to: number): string {
  return decoders.latin1Slice.call(bytes, from, to);
}

/** UTF-8; invalid bytes become U+FFFD. */
export function utf8(bytes: Uint8Array, from: number, to: number): string {
  return decoders.utf8Slice.call(bytes, from, to);
}

/** The bytes of ASCII text, for tables that are built when a module loads. */
export function asciiBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}

/**
 * Whether the span equals `word` (lower-case letters, digits and '-') in any case. Only letters are
 * folded: with bit 5 set in every byte, control characters would equal digits.
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

/**
 * Without space, tab, CR and LF at both ends of characters [from, to). It is less than what trim()
 * removes, and what HTTP and the Fetch standard mean by white space.
 */
export function trimmed(text: string, from = 0, to: number = text.length): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (start < end && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;
}
