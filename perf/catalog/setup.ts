// What perf/experiments/floor-ratios.ts measures, and the bars: how near to the floor each must come.

import type { Summary } from '../measure/pairs.ts';

export const CONNECTIONS = 64;
export const PIPELINE_DEPTH = 16;
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

export interface Workload {
  readonly name: string;
  readonly path: string;
  readonly driver: 'epoll' | 'net';
  /** The floor's script, and what it answers. */
  readonly floor: string;
  readonly response: 'hello' | '1024';
  /** Requests that a connection sends at once. */
  readonly depth: number;
  /** The least median of ratios. */
  readonly bar: number;
  readonly why: string;
}

export const WORKLOADS: readonly Workload[] = [
  {
    name: 'hello',
    path: '/',
    driver: 'epoll',
    floor: 'floor/epoll.ts',
    response: 'hello',
    depth: 1,
    bar: 0.9,
    why: '0.90 of the floor',
  },
  {
    name: 'static-1k',
    path: '/file-1k.txt',
    driver: 'epoll',
    floor: 'floor/epoll.ts',
    response: '1024',
    depth: 1,
    bar: 0.85,
    why: '0.85 of the floor',
  },
  {
    name: 'pipelined-16',
    path: '/',
    driver: 'epoll',
    floor: 'floor/epoll.ts',
    response: 'hello',
    depth: PIPELINE_DEPTH,
    bar: 0.588,
    why: '500,000/s where the floor gives 850,000/s',
  },
  {
    name: 'net',
    path: '/',
    driver: 'net',
    floor: 'floor/net.ts',
    response: 'hello',
    depth: 1,
    bar: 0.85,
    why: '0.85 of bare node:net',
  },
];

/** How a workload's figures came about, to stand beside them. */
export function conditions(workload: Workload, responseBytes: number): string {
  const pipelining = workload.depth === 1 ? 'no pipelining' : `pipelining ${workload.depth}`;
  return (
    `GET ${workload.path}, ${responseBytes} bytes an answer, driver ${workload.driver}, ` +
    `${CONNECTIONS} connections, ${pipelining}, one core (${SERVER_CORE}), ` +
    `load on core ${LOAD_CORE}`
  );
}

export function passes(workload: Workload, ratios: Summary): boolean {
  return ratios.median >= workload.bar;
}
