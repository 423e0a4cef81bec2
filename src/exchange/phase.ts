// How far an answer is, and what is known of it at its end.

export const Phase = {
  /** Nothing was sent. */
  Open: 0,
  /** The head was sent, content follows. */
  Streaming: 1,
  /** All of it was handed to the connection. */
  Ended: 2,
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

/** What the server found out when an answer was handed over. */
export interface Summary {
  readonly status: number;
  /** Bytes of content, without the head. */
  readonly bytes: number;
  readonly durationMs: number;
  /** False when the answer was cut: the client went away, or it could not be finished. */
  readonly complete: boolean;
}
