// The limits of the simulated server, drawn from the seed: small pools and short timeouts, so that
// rare states are common here.

import { Random } from '../../testing/random.ts';
import type { ServerFacts } from '../clients/server-facts.ts';

export interface Settings extends ServerFacts {
  readonly connectionTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly headTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly bodyTotalTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly lingerTimeoutMs: number;
  readonly drainLingerMs: number;
  readonly shutdownTimeoutMs: number;
  readonly connectionsMax: number;
  readonly overloadWaitMs: number;
  readonly backlog: number;
  readonly requestsPerConnectionMax: number;
  readonly pipelineDepthMax: number;
  readonly blockCount: number;
  readonly sendQueueBytesMax: number;
}

export function drawSettings(seed: number): Settings {
  const random = new Random(seed, 'settings');
  const keepAliveTimeoutMs = random.pick([400, 1500, 5000]);
  return {
    // Another value, so that it matters which of the two a connection has.
    connectionTimeoutMs: 2 * keepAliveTimeoutMs,
    keepAliveTimeoutMs,
    headTimeoutMs: random.pick([300, 1000, 3000]),
    bodyTimeoutMs: random.pick([300, 1000, 3000]),
    bodyTotalTimeoutMs: random.pick([1000, 5000, 20_000]),
    writeTimeoutMs: random.pick([300, 1000, 3000]),
    handlerTimeoutMs: random.pick([1500, 4000]),
    lingerTimeoutMs: random.pick([50, 500, 2000]),
    drainLingerMs: random.pick([0, 100, 500]),
    shutdownTimeoutMs: random.pick([0, 300, 3000, 10_000]),
    connectionsMax: random.pick([3, 8, 24, 64, 64]),
    overloadWaitMs: random.pick([0, 100, 1000]),
    backlog: random.pick([4, 16, 64]),
    requestsPerConnectionMax: random.pick([0, 0, 0, 3, 10]),
    pipelineDepthMax: random.pick([1, 4, 1024]),
    blockCount: random.pick([16, 16, 32, 96]),
    sendQueueBytesMax: random.pick([1024, 8192, 65536]),
    bodyBytesMax: random.pick([1000, 20_000, 70_000]),
    discardBytesMax: random.pick([0, 4096, 262_144]),
    targetBytesMax: 2048,
    headBytesMax: 4096,
    bodyBytesUsual: 12_000,
  };
}

/** The settings that are options of the server. */
export function serverOptions(settings: Settings): Record<string, number> {
  const { bodyBytesUsual: _, ...options } = settings;
  return options;
}
