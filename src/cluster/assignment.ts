// What this process was started for, if a primary of ours did.

import cluster from 'node:cluster';
import type { ServerOptions } from '../server/config/config.ts';
import { ASSIGNMENT_VARIABLE, type Assignment } from './messages.ts';

/** Null in a process that is no worker of ours. */
export const assignment: Assignment | null = takeAssignment();

export function isWorker(): boolean {
  return assignment !== null;
}

/** What a worker runs with instead of what it would read; null where there is no such thing. */
export function acceptedOptions(): ServerOptions | null {
  return assignment?.options ?? null;
}

/** What this process starts itself must not take the assignment for its own. */
function takeAssignment(): Assignment | null {
  const text = process.env[ASSIGNMENT_VARIABLE];
  delete process.env[ASSIGNMENT_VARIABLE];
  return cluster.isWorker && text !== undefined ? JSON.parse(text) : null;
}
