// The thread that composes large responses to requests for metrics. It runs with less priority
// than the reactor, and on any core that the process may use.

import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { pinTo } from '../driver/linux/affinity.ts';
import { ComposedDocuments, type FromComposer, type ToComposer } from './metrics-documents.ts';

/** Of 19: of a core that requests need as well, this thread has a tenth. */
const NICE = 10;

/** What the thread is started with. */
export interface ThreadData {
  /** The cores of the process; empty for those that the thread has anyway. */
  readonly cores: readonly number[];
}

function begin(): void {
  const port = parentPort;
  if (port === null) return;
  const { cores } = workerData as ThreadData;
  if (cores.length > 0) pinTo(...cores);
  // On Linux alone 0 is the thread; elsewhere it is the process.
  if (process.platform === 'linux') setPriority(0, NICE);
  const documents = new ComposedDocuments((message: FromComposer) => port.postMessage(message));
  port.on('message', (message: ToComposer) => documents.received(message));
}

begin();
