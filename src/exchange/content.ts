// What can be sent as content. Anything else throws before a byte of the response is sent.

import { shown } from '../base/shown.ts';

/** Content of a full response; null where there is none. */
export type Content = string | Uint8Array | null;

/** Content up to this size is copied behind its head: a copy costs less than a second send. */
export const INLINE_BYTES = 16_384;

/** Throws a TypeError for what is neither text nor bytes. */
export function checkContent(content: unknown): asserts content is string | Uint8Array {
  if (typeof content === 'string' || content instanceof Uint8Array) return;
  checkAwaited(content);
  const what = 'content is a string or bytes (a Uint8Array)';
  throw new TypeError(`${what}, given ${shown(content)}; json() takes other values`);
}

/** The JSON text of a value. Throws a TypeError where there is none, and for a promise. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value);
  if (text === undefined) throw new TypeError('json() cannot send undefined or a function');
  // A promise has no members of its own.
  if (text === '{}') checkAwaited(value);
  return text;
}

function checkAwaited(value: unknown): void {
  if (!(value instanceof Promise)) return;
  // Its rejection must not end the process.
  value.catch(() => {});
  throw new TypeError('content is not a promise: await it first');
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
