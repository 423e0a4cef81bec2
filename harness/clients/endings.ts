// How a connection can end, as its client sees it. What a client or its judge may call an end
// stands here, and the table wants each of them.

export const ENDINGS = [
  "client's end",
  "client's close",
  "client's reset",
  'Connection: close',
  'idle',
  'evicted',
  'turned away',
  'refused',
  'drained',
  'cut off',
  'server closing',
  'write timeout',
  'stopped reading',
  'answer cut',
  'unread body',
  'sent on after the end',
  'reset after the last answer',
  'reset by the client',
  'left by the client',
  'injected fault',
] as const;

export type PlainEnding = (typeof ENDINGS)[number];

/** With the hostile application a handler may cut its answer, and clients give up on some. */
export const HOSTILE_ENDINGS = ['cut by a handler', 'given up by the client'] as const;

export type Ending = PlainEnding | (typeof HOSTILE_ENDINGS)[number] | 'violation';
