// What can be sent as content. Anything else is refused before a byte of the answer is on its way.

/** Throws a TypeError for what is neither text nor bytes. */
export function checkContent(content: unknown): asserts content is string | Uint8Array {
  if (typeof content === 'string' || content instanceof Uint8Array) return;
  throw new TypeError('content is a string or bytes (a Uint8Array); json() takes other values');
}
