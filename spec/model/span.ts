// Spans of a message that lies at the beginning of its memory: taken out, put in, doubled. Each
// gives the new length; one that asks for more than the memory has changes nothing.

export function remove(bytes: Uint8Array, length: number, from: number, to: number): number {
  bytes.copyWithin(from, to, length);
  return length - (to - from);
}

/** One byte for each character. */
export function insertText(bytes: Uint8Array, length: number, at: number, text: string): number {
  return replaceText(bytes, length, at, at, text);
}

export function replaceText(
  bytes: Uint8Array,
  length: number,
  from: number,
  to: number,
  text: string,
): number {
  const size = length - (to - from) + text.length;
  if (size > bytes.length) return length;
  if (text.length !== to - from) bytes.copyWithin(from + text.length, to, length);
  for (let index = 0; index < text.length; index++) bytes[from + index] = text.charCodeAt(index);
  return size;
}

/** Puts a copy of [from, to) at `at`. */
export function duplicate(
  bytes: Uint8Array,
  length: number,
  from: number,
  to: number,
  at: number,
): number {
  const count = to - from;
  if (length + count > bytes.length) return length;
  bytes.copyWithin(at + count, at, length);
  // What lies behind `at` has moved, the source maybe with it, or it was cut in two.
  const before = Math.max(0, Math.min(to, at) - from);
  bytes.copyWithin(at, from, from + before);
  bytes.copyWithin(at + before, from + before + count, to + count);
  return length + count;
}
