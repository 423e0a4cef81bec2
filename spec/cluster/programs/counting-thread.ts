// A thread that composes nothing: the first chunk of each document is as long as the number of
// documents that were cancelled before, and one byte more.

import { parentPort } from 'node:worker_threads';
import type { FromComposer, ToComposer } from '../../../src/cluster/metrics-documents.ts';

let cancelled = 0;

parentPort?.on('message', (message: ToComposer) => {
  const { id, kind } = message;
  const post = (chunk: FromComposer): void => parentPort?.postMessage(chunk);
  if (kind === 'cancel') cancelled += 1;
  else if (kind === 'begin') post({ id, slot: 0, bytes: cancelled + 1 });
  else post({ id, slot: message.slot, bytes: 0 });
});
