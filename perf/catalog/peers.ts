// The servers that perf:peers compares: their names in tables, and which scenarios each supports.

export const PEERS = [
  'floor',
  'floor-c',
  'uring',
  'epoll',
  'nginx',
  'bun',
  'uws',
  'fastify',
  'node-http',
  'node-net',
] as const;
export type Peer = (typeof PEERS)[number];

/** They depend on the scenario, so each scenario starts its own. */
export const FLOOR_PEERS = ['floor', 'floor-c'] as const;
export type FloorPeer = (typeof FLOOR_PEERS)[number];
export type ServerPeer = Exclude<Peer, FloorPeer>;

export function isFloor(peer: Peer): peer is FloorPeer {
  return FLOOR_PEERS.some((floor) => floor === peer);
}

export const PEER_NAMES: Readonly<Record<Peer, string>> = {
  floor: 'floor',
  'floor-c': 'floor in C',
  uring: 'Vibing, io_uring',
  epoll: 'Vibing, epoll',
  nginx: 'nginx',
  bun: 'Bun.serve',
  uws: 'uWebSockets.js',
  fastify: 'fastify',
  'node-http': 'node:http',
  'node-net': 'node:net, fixed response',
};

/** The same for names that were read from a file. */
export const SERVER_NAMES: Readonly<Record<string, string>> = PEER_NAMES;

/** Scenarios that more servers than ours support, in the order of the tables. */
export const PEER_SCENARIOS = [
  'hello',
  'static-1k',
  'static-16k',
  'static-64k',
  'static-256k',
  'static-1m',
  'not-modified',
  'not-found',
  'json',
  'json-middleware',
  'post-json',
  'gzip-json',
  'pipelined-16',
  'browser-headers',
  'baseline',
  'echo-10k',
  'close',
] as const;

/** Without code of a user: text and files. */
const FILES = PEER_SCENARIOS.filter((name) => /^(static|not)-/.test(name));
const FIXED = ['hello', ...FILES, 'pipelined-16', 'browser-headers', 'close'];
/** Without files: these servers have no fast file handler of their own. */
const CODE = PEER_SCENARIOS.filter((name) => !FILES.includes(name));

/** What takes code of the user around a handler. */
const ADDED = ['json-middleware', 'post-json', 'gzip-json'];

const SUPPORTED: Readonly<Record<Peer, readonly string[]>> = {
  floor: PEER_SCENARIOS,
  'floor-c': PEER_SCENARIOS,
  uring: PEER_SCENARIOS,
  epoll: PEER_SCENARIOS,
  nginx: FIXED,
  // It has no handler that responds to a condition or for files that do not exist.
  bun: PEER_SCENARIOS.filter((name) => !name.startsWith('not-')),
  uws: CODE.filter((name) => !ADDED.includes(name)),
  fastify: CODE,
  'node-http': CODE.filter((name) => name !== 'json-middleware' && name !== 'gzip-json'),
  'node-net': ['hello', 'pipelined-16', 'browser-headers', 'close'],
};

/** The server of ours that others are compared with; null when none ran. */
export function ownServer(names: readonly string[]): 'uring' | 'epoll' | null {
  if (names.includes('uring')) return 'uring';
  return names.includes('epoll') ? 'epoll' : null;
}

export function supports(peer: Peer, scenario: string): boolean {
  return SUPPORTED[peer].includes(scenario);
}
