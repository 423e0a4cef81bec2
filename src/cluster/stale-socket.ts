// The file of a unix socket that a dead server left behind. Where Node's own cluster listens for
// all workers, the primary clears it away: a worker that did so would leave the others out of step.

import { lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';

/** Removes `path` if it is a socket at which nobody listens. Whatever else it is stays. */
export async function removeStaleSocket(path: string): Promise<void> {
  if (!(await isRefused(path))) return;
  try {
    if (lstatSync(path).isSocket()) unlinkSync(path);
  } catch {
    // Listening is going to say what is wrong.
  }
}

function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.on('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}
