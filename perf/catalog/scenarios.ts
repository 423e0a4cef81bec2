// The one catalogue of what servers are measured with. perf runs all scenarios, the other commands
// those that are named in the lists at the end.

import { BEARER, CATALOGUE, type Order, receiptOf, USER } from '../servers/responses.ts';
import {
  browserRequest,
  equallyLong,
  get,
  getGzip,
  getWith,
  post,
  revalidate,
  type ScenarioRequest,
} from './requests.ts';
import { CONNECTIONS } from './setup.ts';

export interface Scenario {
  readonly name: string;
  /** In a few words, for tables and pages. */
  readonly about: string;
  /** Every connection sends them in turn. */
  readonly requests: readonly ScenarioRequest[];
  readonly connections: number;
  /** Requests that a connection has in flight. */
  readonly depth: number;
  /** False: a connection for every request. */
  readonly keepAlive: boolean;
  /** Connections without requests, in addition to those that send them. */
  readonly idleConnections: number;
  /**
   * `epoll` responds to blank lines: any head, no body. `sized` counts bytes: requests with bodies,
   * and responses larger than a socket's send buffer.
   */
  readonly floor: 'epoll' | 'sized';
  /** Whether it is measured at 10,000 requests a second and at half of its maximum, too. */
  readonly atRates: boolean;
  /** Whether `perf --quick` includes it. */
  readonly isQuick: boolean;
}

const PLAIN = {
  connections: CONNECTIONS,
  depth: 1,
  keepAlive: true,
  idleConnections: 0,
  floor: 'epoll',
  atRates: false,
  isQuick: false,
} as const;

const HELLO = 'Hello, World!';
const hello = get('/', HELLO);
const KIB = 1024;

/** The response is the sum of both values of the query, and of the body where there is one. */
const SUM_TARGET = '/baseline11?a=13&b=42';
const SUM_REQUESTS = equallyLong([
  get(SUM_TARGET, '55'),
  post(SUM_TARGET, Buffer.from('20'), 'length', '75'),
  post(SUM_TARGET, Buffer.from('20'), 'chunked', '75'),
]);

const ORDER: Order = {
  customer: 'Ada Lovelace',
  lines: [
    { item: 'gear', count: 12, cents: 350 },
    { item: 'punched card', count: 500, cents: 2 },
  ],
};

export const SCENARIOS: readonly Scenario[] = [
  {
    ...PLAIN,
    name: 'hello',
    about: 'GET /, 13 bytes of text from a handler',
    requests: [hello],
    atRates: true,
    isQuick: true,
  },
  {
    ...PLAIN,
    name: 'static-1k',
    about: 'a file of 1 KiB',
    requests: [get('/file-1k.txt', KIB)],
    atRates: true,
    isQuick: true,
  },
  {
    ...PLAIN,
    name: 'static-16k',
    about: 'a file of 16 KiB',
    requests: [get('/file-16k.txt', 16 * KIB)],
    floor: 'sized',
    atRates: true,
  },
  {
    ...PLAIN,
    name: 'static-64k',
    about: 'a file of 64 KiB',
    requests: [get('/file-64k.txt', 64 * KIB)],
    floor: 'sized',
  },
  {
    ...PLAIN,
    name: 'static-256k',
    about: 'a file of 256 KiB',
    requests: [get('/file-256k.txt', 256 * KIB)],
    floor: 'sized',
  },
  {
    ...PLAIN,
    name: 'static-1m',
    about: 'a file of 1 MiB',
    requests: [get('/file-1m.txt', KIB * KIB)],
    connections: 16,
    floor: 'sized',
  },
  {
    ...PLAIN,
    name: 'not-modified',
    about: 'a file of 1 KiB that the client has: 304',
    requests: [revalidate('/file-1k.txt')],
    floor: 'sized',
  },
  {
    ...PLAIN,
    name: 'not-found',
    about: 'a file that does not exist: 404',
    requests: [{ ...get('/file-none.txt', 'any'), status: 404 }],
    floor: 'sized',
  },
  {
    ...PLAIN,
    name: 'json',
    about: 'GET /users/42, an object made into JSON for each request',
    requests: [get('/users/42', JSON.stringify(USER))],
    floor: 'sized',
    atRates: true,
    isQuick: true,
  },
  {
    ...PLAIN,
    name: 'json-middleware',
    about: 'json behind three middleware: a field, a value for the handler, a bearer token',
    requests: [getWith('/checked/users/42', [['Authorization', BEARER]], JSON.stringify(USER))],
    floor: 'sized',
  },
  {
    ...PLAIN,
    name: 'post-json',
    about: 'POST of an object as JSON, of which another one is made',
    requests: [
      post(
        '/orders',
        Buffer.from(JSON.stringify(ORDER)),
        'length',
        JSON.stringify(receiptOf(ORDER)),
        'application/json',
      ),
    ],
    floor: 'sized',
  },
  {
    ...PLAIN,
    name: 'gzip-json',
    about: '10 KB of JSON, made and compressed with gzip for each request',
    requests: [getGzip('/catalogue', JSON.stringify(CATALOGUE))],
    floor: 'sized',
  },
  {
    ...PLAIN,
    name: 'pipelined-16',
    about: 'hello, pipelined',
    requests: [hello],
    depth: 16,
    isQuick: true,
  },
  {
    ...PLAIN,
    name: 'browser-headers',
    about: 'hello with the 16 fields and the cookies of a browser',
    requests: [browserRequest('/', HELLO)],
    atRates: true,
  },
  {
    ...PLAIN,
    name: 'baseline',
    about: 'GET, POST and chunked POST in turn: the sum of a query and a body (HttpArena)',
    requests: SUM_REQUESTS,
    floor: 'sized',
    atRates: true,
    isQuick: true,
  },
  {
    ...PLAIN,
    name: 'echo-10k',
    about: 'POST of 10 KB, sent back',
    requests: [post('/mirror', Buffer.alloc(10_000, 'e'), 'length', 10_000)],
    floor: 'sized',
    atRates: true,
  },
  {
    ...PLAIN,
    name: 'echo-100k',
    about: 'POST of 100 KB, sent back',
    requests: [post('/mirror', Buffer.alloc(100_000, 'e'), 'length', 100_000)],
    connections: 16,
    floor: 'sized',
  },
  ...[1, 32, 256, 1_024].map((connections) => ({
    ...PLAIN,
    name: `connections-${connections}`,
    about: 'hello',
    requests: [hello],
    connections,
    atRates: connections === 1_024,
  })),
  {
    ...PLAIN,
    name: 'close',
    about: 'hello, a new connection for every request',
    requests: [{ ...hello, fields: [['Connection', 'close']] }],
    keepAlive: false,
  },
  {
    ...PLAIN,
    name: 'idle-10k',
    about: 'hello, with 10,000 idle connections',
    requests: [hello],
    idleConnections: 10_000,
  },
];

export const SCENARIO_NAMES: readonly string[] = SCENARIOS.map(({ name }) => name);

export function scenarioOf(name: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name);
  if (found === undefined) throw new Error(`no scenario is called ${name}`);
  return found;
}

/** What the gate compares with the floor by rate. */
export const GATE_SCENARIOS = ['hello', 'static-1k', 'pipelined-16', 'browser-headers'] as const;
export type GateScenario = (typeof GATE_SCENARIOS)[number];

/** What profilers and perf:compare may choose from: no scenario needs a server set up for it. */
export const PROFILE_SCENARIOS: readonly string[] = SCENARIOS.filter(
  ({ connections, idleConnections, keepAlive }) =>
    connections <= CONNECTIONS && idleConnections === 0 && keepAlive,
).map(({ name }) => name);

/** What perf:floor measures. */
export interface FloorWorkload {
  readonly name: 'hello' | 'static-1k' | 'pipelined-16' | 'net';
  readonly scenario: Scenario;
  readonly driver: 'epoll' | 'net';
  /** The script of the floor, below perf/. */
  readonly floor: string;
}

const onEpoll = (name: 'hello' | 'static-1k' | 'pipelined-16'): FloorWorkload => {
  return { name, scenario: scenarioOf(name), driver: 'epoll', floor: 'floor/epoll.ts' };
};

export const FLOOR_WORKLOADS: readonly FloorWorkload[] = [
  onEpoll('hello'),
  onEpoll('static-1k'),
  onEpoll('pipelined-16'),
  { name: 'net', scenario: scenarioOf('hello'), driver: 'net', floor: 'floor/net.ts' },
];
