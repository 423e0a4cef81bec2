// How far a response is, which call sends it, and what is known of it at its end.

export const Phase = {
  /** Nothing was sent. */
  Open: 0,
  /** The head was sent, content follows. */
  Streaming: 1,
  /** All of it was handed to the connection. */
  Ended: 2,
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

/** Which call sends a response in several steps: no other may send then. */
export const Writer = {
  None: 0,
  /** write() and end(). */
  Chunks: 1,
  Stream: 2,
  File: 3,
  Events: 4,
} as const;
export type Writer = (typeof Writer)[keyof typeof Writer];

/** What the server found out when a response was sent, or cut. */
export interface Summary {
  readonly status: number;
  /** Bytes of content that the kernel took, without the head. */
  readonly bytes: number;
  /** From the request's head to the last byte that the kernel took. */
  readonly durationMs: number;
  /** False when the response was cut: the client went away, or it could not be finished. */
  readonly complete: boolean;
}
