// The servers that perf:peers measures in turn, and why one of them cannot run here.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePort, perfScript, type ServerChild, startCommand, startServer } from './child.ts';
import { hasNginx, NGINX_MISSING, startNginx } from './nginx.ts';
import { CONNECTIONS, SERVER_CORE } from './workloads.ts';

export const PEERS = ['floor', 'uring', 'epoll', 'nginx', 'bun'] as const;
export type Peer = (typeof PEERS)[number];

export const PEER_NAMES: Readonly<Record<Peer, string>> = {
  floor: 'uring floor',
  uring: 'vibing uring',
  epoll: 'vibing epoll',
  nginx: 'nginx',
  bun: 'Bun.serve',
};

const BUN_MISSING = 'Bun is not installed: npm ci --prefix perf/peers';
/** Its packages for Linux, the fastest first; no script of theirs has to run. */
const BUN_PACKAGES = ['x64', 'aarch64', 'x64-baseline'];

/** Compiled, this file lies in build/perf/. */
const PEERS_FOLDER = fileURLToPath(new URL('../../perf/peers/', import.meta.url));

/** Starts one; rejects with the reason when it cannot run here. */
export async function startPeer(peer: Peer): Promise<ServerChild> {
  if (peer === 'floor') {
    const args = [String(await freePort()), 'hello'];
    return startServer('floor/uring.ts', { args, core: SERVER_CORE });
  }
  if (peer === 'nginx') return startNginx(SERVER_CORE, CONNECTIONS);
  if (peer === 'bun') return startBun();
  return startVibing(peer);
}

/** Rejects as well when another driver came up than was asked for. */
export async function startVibing(
  driver: string,
  settings: readonly string[] = [],
  descriptors = 0,
): Promise<ServerChild> {
  const args = ['--driver', driver, ...settings.flatMap((setting) => ['--set', setting])];
  const server = await startServer('servers/vibing.ts', { args, core: SERVER_CORE, descriptors });
  if (driver === 'auto' || server.line.includes(` ${driver} `)) return server;
  await server.stop();
  throw new Error(`not what was asked: ${server.line}`);
}

/** Why it is not even tried, or null. */
export function peerProblem(peer: Peer): string | null {
  if (peer === 'nginx' && !hasNginx()) return NGINX_MISSING;
  return peer === 'bun' && bunBinary() === '' ? BUN_MISSING : null;
}

async function startBun(): Promise<ServerChild> {
  const binary = bunBinary();
  if (binary === '') throw new Error(BUN_MISSING);
  const command = [binary, perfScript('servers/bun.ts'), String(await freePort())];
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
