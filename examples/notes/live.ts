// Live updates: the open event streams of each user. Another process has streams of its own, so
// this application runs in one.

import type { EventStream, Request, Response } from 'vibing';

/** Pages that one user may have open; a further one ends the updates of the oldest. */
const STREAMS_MAX = 10;
const HEARTBEAT_MS = 15_000;

const streams = new Map<number, Set<EventStream>>();

/** Opens a stream until its client disconnects, or `closing` aborts. */
export function subscribe(userId: number, req: Request, res: Response, closing: AbortSignal): void {
  const events = res.events({ heartbeatMs: HEARTBEAT_MS });
  // A stream that is opened while the server closes would delay its end.
  if (closing.aborted) events.close();
  // Also where a HEAD was sent, or the client has left.
  if (events.closed) return;
  const own = streams.get(userId) ?? new Set();
  streams.set(userId, own.add(events));
  if (own.size > STREAMS_MAX) replaceOldest(own);
  req.signal.addEventListener('abort', () => {
    own.delete(events);
    if (own.size === 0 && streams.get(userId) === own) streams.delete(userId);
  });
}

/** At this event the page does not connect again: it would replace the next one. */
function replaceOldest(own: Set<EventStream>): void {
  const [oldest] = own;
  if (oldest === undefined) return;
  own.delete(oldest);
  void oldest.send('', { event: 'replaced' });
  oldest.close();
}

/** Notifies the pages of a user that the notes have changed. */
export function announce(userId: number): void {
  for (const events of streams.get(userId) ?? []) void events.send('', { event: 'changed' });
}

/** Ends all streams, so that the server can close. */
export function closeStreams(): void {
  for (const own of streams.values()) for (const events of own) events.close();
  streams.clear();
}
