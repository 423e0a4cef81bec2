// Where a connection stands with what it receives.

export const Reading = {
  /** Waiting for a request, or in the middle of its head. */
  Head: 0,
  /** A handler runs, its request's body is not consumed. */
  Body: 1,
  /** The request is consumed, its answer is not handed over. */
  RawResponse: 2,
  /** Nothing more is read as a request. */
  Stopped: 3,
} as const;
export type Reading = (typeof Reading)[keyof typeof Reading];
