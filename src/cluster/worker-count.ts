// How many processes a configuration asks for.

import { availableParallelism } from 'node:os';
import type { Config } from '../server/config.ts';

export function workerCount(config: Config): number {
  return config.workers === 'auto' ? availableParallelism() : config.workers;
}
