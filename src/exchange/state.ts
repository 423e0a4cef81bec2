// The states of an exchange: how far its response is, which call sends it, whether its handler has
// settled, whether its client can still be reached, and where its head lies.

/** How far the response is. */
export const Phase = {
  /** Nothing was sent. */
  Open: 0,
  /** The head was sent, content follows. */
  Streaming: 1,
  /** All of it was handed to the connection. */
  Ended: 2,
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

/** Which call sends a response that is not sent at once. No other call may send then. */
export const Writer = {
  None: 0,
  /** write() and end(). */
  Chunks: 1,
  Stream: 2,
  File: 3,
  Events: 4,
  /** A call that sends all at once, while its content is compressed. */
  Full: 5,
} as const;
export type Writer = (typeof Writer)[keyof typeof Writer];

/** The middleware and the handler of the request, and every promise that they started. */
export const Handling = {
  Running: 0,
  /** Running, and the server has given up the response: an error is the handler's own mistake. */
  Abandoned: 1,
  Settled: 2,
} as const;
export type Handling = (typeof Handling)[keyof typeof Handling];

/** Whether content can still reach the client. */
export const Liveness = {
  Live: 0,
  /** The response ended at its head, as it has no content. What is written is dropped. */
  HeadOnly: 1,
  /** Nothing more of the response can reach the client. */
  Gone: 2,
} as const;
export type Liveness = (typeof Liveness)[keyof typeof Liveness];

/** Where the head of the request lies. */
export const HeadMemory = {
  None: 0,
  /** In received memory, which has to stay. */
  Borrowed: 1,
  /** In received memory that may be overwritten: no handle reads it. */
  Released: 2,
  /** In a copy. The record is not used again: references to it may be kept. */
  Copied: 3,
} as const;
export type HeadMemory = (typeof HeadMemory)[keyof typeof HeadMemory];

/** What the handler does with the body of the request. */
export const BodyUse = {
  Unread: 0,
  Reading: 1,
  /** The handler left its iterator before the end of the body. */
  Left: 2,
} as const;
export type BodyUse = (typeof BodyUse)[keyof typeof BodyUse];

/** Whether a full response has an entity tag with which preconditions are checked. */
export const EtagUse = {
  None: 0,
  /** The handler has set it. */
  Given: 1,
  /** It follows from the content. */
  Computed: 2,
  /** The same, as a weak tag. */
  ComputedWeak: 3,
} as const;
export type EtagUse = (typeof EtagUse)[keyof typeof EtagUse];
