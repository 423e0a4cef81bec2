// The servers that perf:peers knows, by the names they have in tables.

export const PEERS = [
  'floor',
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

export const PEER_NAMES: Readonly<Record<Peer, string>> = {
  floor: 'floor',
  uring: 'Vibing, io_uring',
  epoll: 'Vibing, epoll',
  nginx: 'nginx',
  bun: 'Bun.serve',
  uws: 'uWebSockets.js',
  fastify: 'fastify',
  'node-http': 'node:http',
  'node-net': 'node:net, fixed answer',
};

/** For names from a file. */
export const SERVER_NAMES: Readonly<Record<string, string>> = PEER_NAMES;
