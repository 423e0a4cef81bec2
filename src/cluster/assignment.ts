// The assignment that the primary passed to this process, if it is a worker.

import type { ServerOptions } from '../server/config/config.ts';
import { ASSIGNMENT_VARIABLE, type Assignment } from './messages.ts';
import { nodeCluster } from './node-cluster.ts';

/** Null in a process that is not a worker of Vibing. */
export const assignment: Assignment | null = takeAssignment();

export function isWorker(): boolean {
  return assignment !== null;
}

/** The configuration that a worker must use instead of reading one; null to read it. */
export function acceptedOptions(): ServerOptions | null {
  return assignment?.options ?? null;
}

/** Deletes the variable: children of this process must not take the assignment for theirs. */
function takeAssignment(): Assignment | null {
  const text = process.env[ASSIGNMENT_VARIABLE];
  delete process.env[ASSIGNMENT_VARIABLE];
  if (text === undefined) return null;
  return nodeCluster().isWorker ? JSON.parse(text) : null;
}
