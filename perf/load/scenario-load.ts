// The requests of a scenario as a load of src/load, byte by byte as the catalogue has them.

import { type LoadOptions, type Prepared, prepareLoad } from '../../src/load/options.ts';
import { runPrepared } from '../../src/load/run-load.ts';
import { bytesOf } from '../catalog/requests.ts';
import type { Scenario } from '../catalog/scenarios.ts';
import { LOAD_CORE } from '../catalog/setup.ts';

export { runPrepared };

type Options = Pick<LoadOptions, 'durationMs' | 'rate' | 'timeoutMs' | 'warmUpMs'>;

export function preparedLoad(scenario: Scenario, port: number, options: Options): Prepared {
  const prepared = prepareLoad({
    url: `http://127.0.0.1:${port}/`,
    connections: scenario.connections,
    pipelining: scenario.depth,
    keepAlive: scenario.keepAlive,
    core: LOAD_CORE,
    ...options,
  });
  if (!('requests' in prepared)) throw new Error(prepared.join('; '));
  const requests = scenario.requests.map((request) => ({
    name: `${request.method} ${request.target}`,
    bytes: bytesOf(request),
    isHead: false,
    expected: null,
    weight: 1,
  }));
  return { ...prepared, requests };
}
