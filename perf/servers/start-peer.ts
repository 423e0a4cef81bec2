// Starts the servers that perf:peers measures, and says why one of them cannot run here.

import { existsSync } from 'node:fs';
import type { Peer, ServerPeer } from '../catalog/peers.ts';
import { CONNECTIONS, SERVER_CORE } from '../catalog/setup.ts';
import {
  freePort,
  perfScript,
  type ServerChild,
  startCommand,
  startServer,
} from '../measure/child-process.ts';
import { floorInCProblem } from '../measure/floor-in-c.ts';
import { packageFolder } from '../measure/packages.ts';
import { hasNginx, NGINX_MISSING, startNginx } from './nginx.ts';
import { startVibing } from './start-vibing.ts';

const PEERS_FOLDER = `${packageFolder('peers')}/`;
const INSTALL = 'npm ci --prefix perf/packages/peers';
/** Bun's packages for Linux, the fastest first; none of their scripts has to run. */
const BUN_PACKAGES = ['x64', 'aarch64', 'x64-baseline'];
/** uWebSockets.js is not on the npm registry: its release is unpacked here by hand. */
const UWS_PATH = `${PEERS_FOLDER}node_modules/uWebSockets.js/uws.js`;

/** Rejects with the reason when it cannot run here. */
export async function startPeer(peer: ServerPeer): Promise<ServerChild> {
  const core = SERVER_CORE;
  switch (peer) {
    case 'uring':
    case 'epoll':
      return startVibing(peer);
    case 'nginx':
      return startNginx(core, CONNECTIONS);
    case 'bun':
      return startBun('servers/bun.ts');
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

/** Why a server is not installed; null when it is. */
export function peerProblem(peer: Peer): string | null {
  if (peer === 'floor-c') return floorInCProblem();
  if (peer === 'nginx' && !hasNginx()) return NGINX_MISSING;
  if (peer === 'bun' && bunBinary() === '') return `Bun is not installed: ${INSTALL}`;
  if (peer === 'fastify' && !existsSync(`${PEERS_FOLDER}node_modules/fastify/package.json`)) {
    return `fastify is not installed: ${INSTALL}`;
  }
  if (peer === 'uws' && !existsSync(UWS_PATH)) {
    return (
      'uWebSockets.js is not installed: ' +
      'unpack its GitHub release into perf/packages/peers/node_modules/'
    );
  }
  return null;
}

/** Bun with one of the scripts of this folder, which gets a port. */
export async function startBun(script: string): Promise<ServerChild> {
  const binary = bunBinary();
  if (binary === '') throw new Error(`Bun is not installed: ${INSTALL}`);
  const command = [binary, perfScript(script), String(await freePort())];
  return startCommand('Bun', command, { core: SERVER_CORE });
}

/** '' when there is none. */
function bunBinary(): string {
  const paths = BUN_PACKAGES.map(
    (name) => `${PEERS_FOLDER}node_modules/@oven/bun-linux-${name}/bin/bun`,
  );
  // Bun's install script, where it was allowed to run, moves the binary here.
  paths.push(`${PEERS_FOLDER}node_modules/bun/bin/bun.exe`);
  return paths.find((path) => existsSync(path)) ?? '';
}
