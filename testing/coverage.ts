// Coverage costs a process a third of its time. Tests of the tools next to src/ leave it out, for
// themselves and for the processes they start; so do tests that start many processes or move many
// bytes through code that other tests cover.

import { stopCoverage } from 'node:v8';

/** Called when a test file is loaded. No effect without coverage. */
export function leaveOutOfCoverage(): void {
  // Node passes this variable to every child, also where its environment is given.
  if (process.env['NODE_V8_COVERAGE'] === undefined) return;
  delete process.env['NODE_V8_COVERAGE'];
  stopCoverage();
}
