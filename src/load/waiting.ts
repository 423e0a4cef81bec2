// Who asks again only when it is answered hides who is not: the requests that a closed loop leaves
// unanswered stand in none of its latencies, and are told by themselves.

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
