// The ways a connection can end, as its client sees them. Each has to occur in 1,000 runs.

export const ENDINGS = [
  "client's end",
  "client's close",
  "client's reset",
  'Connection: close',
  'idle',
  'evicted',
  'turned away',
  'connect rejected',
  'drained',
  'shutdown timeout',
  'server closing',
  'write timeout',
  'stopped reading',
  'response truncated',
  'unread body',
  'data after the end',
  'reset after the last response',
  'early reset by the client',
  'early close by the client',
  'injected fault',
] as const;

export type PlainEnding = (typeof ENDINGS)[number];

/** With the hostile application handlers may truncate responses, and clients give up on some. */
export const HOSTILE_ENDINGS = ['truncated by a handler', 'given up by the client'] as const;

export type Ending = PlainEnding | (typeof HOSTILE_ENDINGS)[number] | 'violation';
