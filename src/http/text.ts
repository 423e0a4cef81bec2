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

/** Longer texts are decoded by Node: the call out of JavaScript costs more than a short text. */
const SHORT_BYTES_MAX = 12;
const { fromCharCode } = String;

/** As utf8(); about twice as fast for short texts in ASCII. */
export function shortUtf8(bytes: Uint8Array, from: number, to: number): string {
  if (to - from > SHORT_BYTES_MAX) return utf8(bytes, from, to);
  for (let at = from; at < to; at++) {
    if (bytes[at] >= 0x80) return utf8(bytes, from, to);
  }
  return to - from <= 8 ? upTo8(bytes, from, to - from) : upTo12(bytes, from, to - from);
}

/** Only a fixed number of arguments makes a string fast. */
function upTo8(b: Uint8Array, p: number, length: number): string {
  switch (length) {
    case 1:
      return fromCharCode(b[p]);
    case 2:
      return fromCharCode(b[p], b[p + 1]);
    case 3:
      return fromCharCode(b[p], b[p + 1], b[p + 2]);
    case 4:
      return fromCharCode(b[p], b[p + 1], b[p + 2], b[p + 3]);
    case 5:
      return fromCharCode(b[p], b[p + 1], b[p + 2], b[p + 3], b[p + 4]);
    case 6:
      return fromCharCode(b[p], b[p + 1], b[p + 2], b[p + 3], b[p + 4], b[p + 5]);
    case 7:
      return fromCharCode(b[p], b[p + 1], b[p + 2], b[p + 3], b[p + 4], b[p + 5], b[p + 6]);
    case 8:
      return fromCharCode(
        b[p],
        b[p + 1],
        b[p + 2],
        b[p + 3],
        b[p + 4],
        b[p + 5],
        b[p + 6],
        b[p + 7],
      );
    default:
      return '';
  }
}

function upTo12(b: Uint8Array, p: number, length: number): string {
  switch (length) {
    case 9:
      return fromCharCode(
        b[p],
        b[p + 1],
        b[p + 2],
        b[p + 3],
        b[p + 4],
        b[p + 5],
        b[p + 6],
        b[p + 7],
        b[p + 8],
      );
    case 10:
      return fromCharCode(
        b[p],
        b[p + 1],
        b[p + 2],
        b[p + 3],
        b[p + 4],
        b[p + 5],
        b[p + 6],
        b[p + 7],
        b[p + 8],
        b[p + 9],
      );
    case 11:
      return fromCharCode(
        b[p],
        b[p + 1],
        b[p + 2],
        b[p + 3],
        b[p + 4],
        b[p + 5],
        b[p + 6],
        b[p + 7],
        b[p + 8],
        b[p + 9],
        b[p + 10],
      );
    default:
      return fromCharCode(
        b[p],
        b[p + 1],
        b[p + 2],
        b[p + 3],
        b[p + 4],
        b[p + 5],
        b[p + 6],
        b[p + 7],
        b[p + 8],
        b[p + 9],
        b[p + 10],
        b[p + 11],
      );
  }
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
