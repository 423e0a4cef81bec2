// On `net`, node:cluster binds the unix socket of the workers in the primary, when the first of
// them asks for it. The mask of the primary is set meanwhile, so that the file is never more open
// than its mode; the worker sets the mode itself afterwards.

import type { Worker } from 'node:cluster';

/** The message with which a worker asks node:cluster for a listener. */
const QUERY = 'queryServer';

export function bindWithMode(worker: Worker, mode: number): void {
  const child = worker.process;
  let before: number | null = null;
  child.prependListener('internalMessage', ({ act }: { readonly act?: unknown }) => {
    if (act === QUERY) before = process.umask(~mode & 0o777);
  });
  child.on('internalMessage', () => {
    if (before !== null) process.umask(before);
    before = null;
  });
}
