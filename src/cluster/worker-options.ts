// The options of V8 and Node that a worker process is started with: those of this process, or those
// that the program gave node:cluster, and a young generation that suits a server.

import cluster from 'node:cluster';
import { totalmem } from 'node:os';
import { decidesYoungGeneration, youngGenerationOptions } from '../driver/young-generation.ts';

/** For each of `count` workers. */
export function workerOptions(count: number): string[] {
  const given = cluster.settings.execArgv ?? process.execArgv;
  if (decidesYoungGeneration([...given, process.env['NODE_OPTIONS'] ?? ''])) return [...given];
  return [...given, ...youngGenerationOptions(memoryBytes() / count)];
}

/** What the machine has, or what the control groups grant of it. */
function memoryBytes(): number {
  const granted = process.constrainedMemory();
  return granted > 0 ? Math.min(granted, totalmem()) : totalmem();
}
