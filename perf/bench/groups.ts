// All groups of micro-benchmarks, each with the file below perf/micro/ that has its cases.
// spec/perf/bench.test.ts checks that no file is left out.

import { chunkedCases } from '../micro/chunked.ts';
import { connectionCases } from '../micro/connection.ts';
import { dateCases } from '../micro/date.ts';
import { deadlinesCases } from '../micro/deadlines.ts';
import { driverCases } from '../micro/driver.ts';
import { encodeCases } from '../micro/encode.ts';
import { fetchCases } from '../micro/fetch.ts';
import { foreignCases } from '../micro/foreign.ts';
import { loadCases } from '../micro/load.ts';
import { metricsCases } from '../micro/metrics.ts';
import { parserCases } from '../micro/parse-head.ts';
import { poolsCases } from '../micro/pools.ts';
import { routeCases } from '../micro/route.ts';
import { routeSetCases } from '../micro/route-peers.ts';
import { staticCases } from '../micro/static.ts';
import type { BenchCase } from './case.ts';

export interface BenchGroup {
  readonly name: string;
  readonly file: string;
  readonly what: string;
  readonly cases: () => readonly BenchCase[] | Promise<readonly BenchCase[]>;
}

export const GROUPS: readonly BenchGroup[] = [
  {
    name: 'parser',
    file: 'parse-head.ts',
    what: 'heads of requests, versus llhttp',
    cases: parserCases,
  },
  { name: 'chunked', file: 'chunked.ts', what: 'chunked bodies', cases: chunkedCases },
  { name: 'encoder', file: 'encode.ts', what: 'heads of responses', cases: encodeCases },
  { name: 'date', file: 'date.ts', what: 'HTTP dates, formatted and parsed', cases: dateCases },
  { name: 'router', file: 'route.ts', what: 'middleware, routes and byte maps', cases: routeCases },
  {
    name: 'routers',
    file: 'route-peers.ts',
    what: 'sets of routes, versus the routers of fastify and hono',
    cases: routeSetCases,
  },
  {
    name: 'deadlines',
    file: 'deadlines.ts',
    what: 'timeouts armed, extended, expired',
    cases: deadlinesCases,
  },
  { name: 'metrics', file: 'metrics.ts', what: 'what metrics count', cases: metricsCases },
  { name: 'pools', file: 'pools.ts', what: 'blocks, exchanges, rings', cases: poolsCases },
  { name: 'static', file: 'static.ts', what: 'cached files', cases: staticCases },
  {
    name: 'connection',
    file: 'connection.ts',
    what: 'a full request above the driver',
    cases: connectionCases,
  },
  {
    name: 'fetch',
    file: 'fetch.ts',
    what: 'a full request that is a Request, and its Response',
    cases: fetchCases,
  },
  {
    name: 'driver',
    file: 'driver.ts',
    what: 'a message on loopback, most of it the kernel',
    cases: driverCases,
  },
  {
    name: 'foreign',
    file: 'foreign.ts',
    what: 'a call of the C library: koffi, and node:ffi where Node has it',
    cases: foreignCases,
  },
  {
    name: 'load',
    file: 'load.ts',
    what: 'responses as the load generator reads them',
    cases: loadCases,
  },
];

/** All when none is named. */
export function groupsNamed(names: readonly string[]): readonly BenchGroup[] {
  return GROUPS.filter(({ name }) => names.length === 0 || names.includes(name));
}
