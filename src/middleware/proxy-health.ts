// Active health checks of upstream servers: each worker requests a path of each of them, again and
// again, and sends clients to those that respond.

import type { Upstream, UpstreamExchange } from '../async-io/upstream.ts';
import { checkOptions, type OptionRule, wholeNumberIn } from '../base/options.ts';
import type { Services } from '../exchange/exchange.ts';
import type { ProxyServer } from './proxy-servers.ts';

/** Option `health` of proxy(). */
export interface ProxyHealth {
  /** The target that is requested, as '/healthz'. An upstream is healthy when it responds 2xx. */
  readonly path: string;
  /** Milliseconds between two checks of an upstream. Default 5,000. */
  readonly intervalMs?: number;
  /** How long a check may take, in milliseconds. Default 2,000. */
  readonly timeoutMs?: number;
  /** So many checks in a row that fail take an upstream out. Default 3. */
  readonly unhealthy?: number;
  /** So many checks in a row that succeed bring it back. Default 2. */
  readonly healthy?: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const CHECKS_MAX = 1_000;
/** A check needs a status: a longer content is not read. */
const CONTENT_BYTES_MAX = 65_536;
const TARGET = /^\/[\x21\x23-\x7e]*$/;

const PATH: OptionRule = {
  wanted: "a target such as '/healthz'",
  fits: (value) => typeof value === 'string' && TARGET.test(value),
};

const OPTIONS = {
  path: PATH,
  intervalMs: wholeNumberIn(1, DAY_MS),
  timeoutMs: wholeNumberIn(1, DAY_MS),
  unhealthy: wholeNumberIn(1, CHECKS_MAX),
  healthy: wholeNumberIn(1, CHECKS_MAX),
} as const;

/** Throws a TypeError for invalid options. */
export function checkHealth(health: ProxyHealth): void {
  checkOptions('proxy: health', health, OPTIONS);
  if (health.path === undefined) {
    throw new TypeError("proxy: health: path is missing, a target such as '/healthz'");
  }
}

/** The options with their defaults. */
export function healthWithDefaults(health: ProxyHealth): Required<ProxyHealth> {
  const { path, intervalMs = 5_000, timeoutMs = 2_000, unhealthy = 3, healthy = 2 } = health;
  return { path, intervalMs, timeoutMs, unhealthy, healthy };
}

/** Checks a server until the server of the proxy has closed. `upstream` is for checks alone. */
export async function checkAgainAndAgain(
  server: ProxyServer,
  upstream: Upstream,
  health: Required<ProxyHealth>,
  services: Services,
): Promise<void> {
  let inFlight: UpstreamExchange | null = null;
  services.onEnd(() => inFlight?.destroy());
  // Checks in a row whose result differs from what is known.
  let others = 0;
  while (!services.ended) {
    inFlight = beginCheck(server, upstream, health);
    const problem = await problemOf(inFlight, health);
    inFlight = null;
    if (services.ended) return;
    const isKnown = (problem !== null) === server.isDown;
    others = isKnown ? 0 : others + 1;
    if (others >= (server.isDown ? health.healthy : health.unhealthy)) {
      others = 0;
      server.isDown = !server.isDown;
      const news = server.isDown ? `is avoided: ${problem}` : 'is healthy again';
      services.logError(`proxy: ${server.name} ${news}`);
    }
    await services.pause(health.intervalMs);
  }
}

function beginCheck(
  { host }: ProxyServer,
  upstream: Upstream,
  { path }: Required<ProxyHealth>,
): UpstreamExchange {
  const fields = { Host: host, 'User-Agent': 'vibing' };
  return upstream.send({ method: 'GET', target: path, fields, bodyBytes: 0 });
}

/** What is wrong with a server, by its response; null when it is healthy. */
async function problemOf(
  exchange: UpstreamExchange,
  { timeoutMs }: Required<ProxyHealth>,
): Promise<string | null> {
  exchange.limitTo(timeoutMs);
  try {
    exchange.end();
    const { content, status } = await exchange.response;
    let bytes = 0;
    for await (const chunk of content) {
      bytes += chunk.length;
      // Leaving the loop closes the connection.
      if (bytes > CONTENT_BYTES_MAX) break;
    }
    return status >= 200 && status <= 299 ? null : `its health check responds ${status}`;
  } catch (error) {
    return `its health check fails: ${(error as Error).message}`;
  } finally {
    exchange.destroy();
  }
}
