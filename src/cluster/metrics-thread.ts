// The thread that composes large responses to requests for metrics. It runs with less priority
// than the reactor, and on any core that the process may use.

import { setPriority } from 'node:os';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { pinTo } from '../driver/linux/affinity.ts';
import { ComposedDocuments, type FromComposer, type ToComposer } from './metrics-documents.ts';

/** Of 19: of a core that requests need as well, this thread has a tenth. */
const NICE = 10;

/** What the thread is started with. */
export interface ThreadData {
  /** The cores of the process; empty for those that the thread has anyway. */
  readonly cores: readonly number[];
}

/** What the thread uses of its system. */
export interface ThreadSystem {
  readonly platform: NodeJS.Platform;
  pinTo(...cores: readonly number[]): unknown;
  setPriority(pid: number, priority: number): void;
}

const NODE: ThreadSystem = { platform: process.platform, pinTo, setPriority };

/** Composes what it is asked for on `port`. */
export function beginComposing(
  port: Pick<MessagePort, 'on' | 'postMessage'>,
  { cores }: ThreadData,
  system: ThreadSystem = NODE,
): void {
  if (cores.length > 0) system.pinTo(...cores);
  // On Linux alone 0 is the thread; elsewhere it is the process.
  if (system.platform === 'linux') system.setPriority(0, NICE);
  const documents = new ComposedDocuments((message: FromComposer) => port.postMessage(message));
  port.on('message', (message: ToComposer) => documents.received(message));
}

if (parentPort !== null) beginComposing(parentPort, workerData as ThreadData);
