// How many processes a configuration asks for.

import type { Config } from '../server/config/config.ts';
import { availableCores } from './cores.ts';

export function workerCount(config: Config): number {
  return config.workers === 'auto' ? availableCores() : config.workers;
}
