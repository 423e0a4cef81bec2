// Heartbeats of event streams: one timer for all streams of a server with the same interval, not
// one for each.

import type { Services } from './exchange.ts';

/** Beats if nothing was sent since `sinceMs`. False when the stream is closed. */
export type Heartbeat = (sinceMs: number) => boolean;

/** Each interval has so many checks: no stream is silent for longer than its interval. */
const CHECKS = 4;

/** The streams of each server, by their interval. */
const groups = new WeakMap<Services, Map<number, Set<Heartbeat>>>();

/** From now on `beat` is called until it returns false. */
export function addHeartbeat(services: Services, intervalMs: number, beat: Heartbeat): void {
  let byInterval = groups.get(services);
  if (byInterval === undefined) {
    byInterval = new Map();
    groups.set(services, byInterval);
  }
  const beats = byInterval.get(intervalMs);
  if (beats !== undefined) {
    beats.add(beat);
    return;
  }
  const started = new Set([beat]);
  byInterval.set(intervalMs, started);
  void run(services, intervalMs, started).then(() => byInterval.delete(intervalMs));
}

async function run(services: Services, intervalMs: number, beats: Set<Heartbeat>): Promise<void> {
  const checkMs = Math.ceil(intervalMs / CHECKS);
  while (beats.size > 0) {
    await services.pause(checkMs);
    // A stream that was silent for as long as this would be too late at the next check.
    const sinceMs = services.nowMs() - (intervalMs - checkMs);
    for (const beat of beats) if (!beat(sinceMs)) beats.delete(beat);
  }
}
