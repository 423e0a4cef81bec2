// What the callbacks of a response receive: beforeSend() and afterSend().

import type { Content } from './content.ts';

/**
 * A response just before it is sent. A beforeSend() callback may change its status, its fields and,
 * unless it is streamed, its content. Usable only during the callback.
 */
export interface Outgoing {
  status: number;
  /** The content of a full response; null where it has none or is streamed. */
  content: Content;
  /** True when the content follows in chunks: `content` then means nothing. */
  readonly streamed: boolean;
  /** The first value of a field that is set; undefined without one. */
  header(name: string): string | undefined;
  /** Sets a field, instead of any of that name. */
  setHeader(name: string, value: string): void;
  /** Adds a field line to those of the same name. */
  appendHeader(name: string, value: string): void;
  /** Removes all fields of the name; `Vary` stays. */
  removeHeader(name: string): void;
}

/** What an afterSend() callback learns about a response that was sent, or truncated. */
export interface Summary {
  readonly status: number;
  /** Bytes of content that the kernel took, without the head. */
  readonly bytes: number;
  /** From the request's head to the last byte that the kernel took. */
  readonly durationMs: number;
  /** False when the response was truncated: the client left, or it could not be finished. */
  readonly complete: boolean;
}
