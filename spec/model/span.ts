// Changes to spans of a message at the beginning of its memory: remove, insert, replace, duplicate.
// Each returns the new length, and has no effect when the result exceeds the memory.

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

/** Inserts a copy of [from, to) at `at`. */
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
  // The bytes behind `at` have moved, and maybe all or a part of the source with them.
  const before = Math.max(0, Math.min(to, at) - from);
  bytes.copyWithin(at, from, from + before);
  bytes.copyWithin(at + before, from + before + count, to + count);
  return length + count;
}
