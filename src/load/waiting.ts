// Requests of a closed loop without a response at its end. They are in no latency, so a report
// lists them separately: otherwise a server that stops responding would not show.

import type { ConnectionPool } from './connection-pool.ts';

export interface Waiting {
  readonly count: number;
  readonly mostMs: number;
}

/** The requests in flight that have waited for longer than `longestMs`. */
export function waitingIn({ clients, dues, nowMs }: ConnectionPool, longestMs: number): Waiting {
  let count = 0;
  let mostMs = 0;
  for (const client of clients) {
    client.eachDue(dues, (dueMs) => {
      if (nowMs - dueMs <= longestMs) return;
      count += 1;
      mostMs = Math.max(mostMs, nowMs - dueMs);
    });
  }
  return { count, mostMs };
}
