// The servers that perf:peers measures in turn, what each can be asked, and why one of them cannot
// run here.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePort, perfScript, type ServerChild, startCommand, startServer } from '../measure/child-process.ts';
import { hasNginx, NGINX_MISSING, startNginx } from './nginx.ts';
import type { Peer } from '../catalog/peers.ts';
import { CONNECTIONS, SERVER_CORE } from '../catalog/setup.ts';

const INSTALL = 'npm ci --prefix perf/peers';
/** Its packages for Linux, the fastest first; no script of theirs has to run. */
const BUN_PACKAGES = ['x64', 'aarch64', 'x64-baseline'];

/** Compiled, this file lies in build/perf/. */
export const PEERS_FOLDER: string = fileURLToPath(new URL('../../../perf/peers/', import.meta.url));

/** Any scenario that is asked in peers, in this order. */
export const PEER_SCENARIOS = [
  'hello',
  'static-1k',
  'static-16k',
  'json',
  'pipelined-16',
  'browser-headers',
  'baseline',
  'echo-10k',
  'close',
] as const;

/** Without code of a user: text and files. */
const FIXED = ['hello', 'static-1k', 'static-16k', 'pipelined-16', 'browser-headers', 'close'];
/** Without files: neither has any of its own that it would call fast. */
const CODE = PEER_SCENARIOS.filter((name) => !name.startsWith('static'));

const CAN: Readonly<Record<Peer, readonly string[]>> = {
  floor: PEER_SCENARIOS,
  uring: PEER_SCENARIOS,
  epoll: PEER_SCENARIOS,
  nginx: FIXED,
  bun: PEER_SCENARIOS,
  uws: CODE,
  fastify: CODE,
  'node-http': CODE,
  'node-net': ['hello', 'pipelined-16', 'browser-headers', 'close'],
};

export function canRespond(peer: Peer, scenario: string): boolean {
  return CAN[peer].includes(scenario);
}

/** Starts one; rejects with the reason when it cannot run here. The floor follows the scenario. */
export async function startPeer(peer: Exclude<Peer, 'floor'>): Promise<ServerChild> {
  const core = SERVER_CORE;
  switch (peer) {
    case 'uring':
    case 'epoll':
      return startVibing(peer);
    case 'nginx':
      return startNginx(core, CONNECTIONS);
    case 'bun':
      return startBun();
    case 'uws':
      return startServer('servers/uws.ts', { core, args: [UWS_PATH] });
    case 'fastify':
      return startServer('servers/fastify.ts', { core, args: [`${PEERS_FOLDER}package.json`] });
    case 'node-http':
      return startServer('servers/node-http.ts', { core });
    case 'node-net': {
      const args = [String(await freePort()), 'hello'];
      return startServer('floor/net.ts', { core, args });
    }
  }
}

/** Rejects as well when another driver came up than was asked for. */
export async function startVibing(
  driver: string,
  settings: readonly string[] = [],
  descriptors = 0,
  nodeFlags: readonly string[] = [],
): Promise<ServerChild> {
  const args = ['--driver', driver, ...settings.flatMap((setting) => ['--set', setting])];
  const options = { args, core: SERVER_CORE, descriptors, nodeFlags };
  const server = await startServer('servers/vibing.ts', options);
  if (driver === 'auto' || server.line.includes(` ${driver} `)) return server;
  await server.stop();
  throw new Error(`not what was asked: ${server.line}`);
}

/** Its package is not on the npm registry: who has it puts it here. */
const UWS_PATH = `${PEERS_FOLDER}node_modules/uWebSockets.js/uws.js`;

/** Why it is not even tried, or null. */
export function peerProblem(peer: Peer): string | null {
  if (peer === 'nginx' && !hasNginx()) return NGINX_MISSING;
  if (peer === 'bun' && bunBinary() === '') return `Bun is not installed: ${INSTALL}`;
  if (peer === 'fastify' && !existsSync(`${PEERS_FOLDER}node_modules/fastify/package.json`)) {
    return `fastify is not installed: ${INSTALL}`;
  }
  if (peer === 'uws' && !existsSync(UWS_PATH)) {
    return 'uWebSockets.js is not on the registry; its release goes into perf/peers/node_modules/';
  }
  return null;
}

async function startBun(): Promise<ServerChild> {
  const command = [bunBinary(), perfScript('servers/bun.ts'), String(await freePort())];
  return startCommand('Bun', command, { core: SERVER_CORE });
}

/** '' when there is none. */
function bunBinary(): string {
  const paths = BUN_PACKAGES.map(
    (name) => `${PEERS_FOLDER}node_modules/@oven/bun-linux-${name}/bin/bun`,
  );
  // Where its install script was allowed to run, that has moved the binary.
  paths.push(`${PEERS_FOLDER}node_modules/bun/bin/bun.exe`);
  return paths.find((path) => existsSync(path)) ?? '';
}
