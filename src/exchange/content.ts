// What can be sent as content. Anything else throws before a byte of the response is sent.

/** Content of a full response; null where there is none. */
export type Content = string | Uint8Array | null;

/** Content up to this size is copied behind its head: a copy costs less than a second send. */
export const INLINE_BYTES = 8192;

/** Throws a TypeError for what is neither text nor bytes. */
export function checkContent(content: unknown): asserts content is string | Uint8Array {
  if (typeof content === 'string' || content instanceof Uint8Array) return;
  throw new TypeError('content is a string or bytes (a Uint8Array); json() takes other values');
}

/** The length in bytes; 0 where there is none. */
export function lengthOf(content: Content): number {
  if (content === null) return 0;
  return typeof content === 'string' ? Buffer.byteLength(content) : content.length;
}

/**
 * Copies content over INLINE_BYTES; the response writer copies shorter content. The kernel reads it
 * later: a handler that fills its buffer again for another client must not change it.
 */
export function ownContent<T extends Content>(content: T): T | Uint8Array {
  if (content === null || typeof content === 'string') return content;
  if (content.length <= INLINE_BYTES) return content;
  return new Uint8Array(content);
}
