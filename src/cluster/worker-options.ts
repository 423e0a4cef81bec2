// The options of Node and V8 for worker processes: those of this process, or those that the program
// set in node:cluster, with generations of the heap for a server.

import { totalmem } from 'node:os';
import { decidesSizes, generationOptions } from '../driver/young-generation.ts';
import { nodeCluster } from './node-cluster.ts';

/** For each of `count` workers. */
export function workerOptions(count: number): string[] {
  const { settings } = nodeCluster();
  const given = settings.execArgv ?? process.execArgv;
  if (decidesSizes([...given, process.env['NODE_OPTIONS'] ?? ''])) return [...given];
  return [...given, ...generationOptions(memoryBytes() / count)];
}

/** The memory of the machine, or the limit of the control groups. */
function memoryBytes(): number {
  const granted = process.constrainedMemory();
  return granted > 0 ? Math.min(granted, totalmem()) : totalmem();
}
