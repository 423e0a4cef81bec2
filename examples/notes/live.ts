// Live updates: the open event streams of each user. Another process has streams of its own, so
// this application runs in one.

import { type EventStream, HttpError } from 'vibing';

/** Pages that one user may have open. */
const STREAMS_MAX = 10;

const streams = new Map<number, Set<EventStream>>();

/** Call it before the stream is opened: throws a 429 for one too many. */
export function checkStreams(userId: number): void {
  if ((streams.get(userId)?.size ?? 0) < STREAMS_MAX) return;
  throw new HttpError(429, `at most ${STREAMS_MAX} pages can be open at the same time`);
}

/** Adds a stream until its client disconnects, when `signal` aborts. */
export function subscribe(userId: number, events: EventStream, signal: AbortSignal): void {
  const own = streams.get(userId) ?? new Set();
  streams.set(userId, own.add(events));
  signal.addEventListener('abort', () => {
    own.delete(events);
    if (own.size === 0 && streams.get(userId) === own) streams.delete(userId);
  });
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
