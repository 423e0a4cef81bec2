// The assignment that the primary passed to this process, if it is a worker.

import type { ServerOptions } from '../server/config/config.ts';
import { ASSIGNMENT_VARIABLE, type Assignment } from './messages.ts';
import { nodeCluster } from './node-cluster.ts';

/** Null in a process that is not a worker of Vibing. */
export const assignment: Assignment | null = takeAssignment(
  process.env,
  () => nodeCluster().isWorker,
);

export function isWorker(): boolean {
  return assignment !== null;
}

/** The configuration that a worker must use instead of reading one; null to read it. */
export function acceptedOptions(): ServerOptions | null {
  return assignment?.options ?? null;
}

/** Deletes the variable: children of this process must not take the assignment for theirs. */
export function takeAssignment(
  env: Record<string, string | undefined>,
  isClusterWorker: () => boolean,
): Assignment | null {
  const text = env[ASSIGNMENT_VARIABLE];
  delete env[ASSIGNMENT_VARIABLE];
  if (text === undefined) return null;
  return isClusterWorker() ? JSON.parse(text) : null;
}
