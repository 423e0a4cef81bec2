// Measures the way to a handler: middleware, a search in the router, a lookup in a ByteMap.

import { do_not_optimize as keep } from 'mitata';
import { ByteMap } from '../../src/base/byte-map.ts';
import { DETACHED } from '../../src/connection/detached.ts';
import type { Services } from '../../src/exchange/exchange.ts';
import { Exchange } from '../../src/exchange/exchange.ts';
import type { Middleware } from '../../src/exchange/handler.ts';
import { Method } from '../../src/http/method.ts';
import { Found, Match } from '../../src/route/match.ts';
import { Router } from '../../src/route/router.ts';
import { Chain } from '../../src/server/chain.ts';
import { beginInvocation } from '../../src/server/invocation.ts';
import type { BenchCase } from '../bench/case.ts';

/** Routes of a middle-sized API. */
const PATTERNS = [
  'GET /',
  'GET /health',
  'GET /metrics',
  'GET /api/v1/users',
  'POST /api/v1/users',
  'GET /api/v1/users/me',
  'GET /api/v1/users/:id',
  'PUT /api/v1/users/:id',
  'DELETE /api/v1/users/:id',
  'GET /api/v1/users/:id/posts',
  'GET /api/v1/users/:id/posts/:post',
  'GET /api/v1/posts/:post/comments/:comment',
  'GET /users/:id',
  'GET /users/:id/edit',
  'GET /users/me',
  'GET /files/*',
  'GET /assets/:name.:extension',
  'GET /articles/:title(slug)-:id(int)',
];

const SEARCHES: readonly [name: string, path: string, expected: Found][] = [
  ['static, shortest', '/', Found.Yes],
  ['static, 12 bytes', '/api/v1/users', Found.Yes],
  ['one parameter', '/users/12345', Found.Yes],
  ['one parameter, deep', '/api/v1/users/12345', Found.Yes],
  ['two parameters', '/api/v1/users/12345/posts/678', Found.Yes],
  ['backtracking', '/users/me/edit', Found.Yes],
  ['two parameters in a segment', '/assets/site.css', Found.Yes],
  ['constraints, second try', '/articles/a-title-123', Found.Yes],
  ['wildcard', '/files/css/site.css', Found.Yes],
  ['wildcard, 200 bytes', `/files/${'directory/'.repeat(19)}a.b`, Found.Yes],
  ['miss at once', '/favicon.ico', Found.No],
  ['miss, deep', '/api/v1/users/12345/posts/678/none', Found.No],
];

const ASSETS = 1_000;

export function routeCases(): readonly BenchCase[] {
  const router = new Router<string>();
  for (const route of PATTERNS) {
    const [method, pattern] = route.split(' ', 2);
    router.add(method, pattern, route);
  }
  const map = new ByteMap<number>();
  for (let number = 0; number < ASSETS; number++) {
    map.set(Buffer.from(`/assets/file-${number}.css`), number);
  }
  return [
    ...SEARCHES.map(([name, path, expected]) => {
      const run = searching(router, path, expected);
      return { name: `route, ${name}`, run };
    }),
    { name: 'chain, no middleware', run: passing(0) },
    { name: 'chain, three middleware that return next()', run: passing(3) },
    { name: 'byte map, hit', run: lookingUp(map, '/assets/file-500.css', 500) },
    { name: 'byte map, miss', run: lookingUp(map, '/assets/file-x00.css', -1) },
  ];
}

function searching(router: Router<string>, path: string, expected: Found): () => void {
  const bytes = lineOf(path);
  const match = new Match<string>();
  const to = 4 + path.length;
  const search = (): Found => router.find(Method.GET, '', bytes, 4, to, match);
  if (search() !== expected) throw new Error(`the search for ${path} is wrong`);
  return () => keep(search());
}

/** The parts of a request that the chain reads. */
function passing(steps: number): () => void {
  const tally = { handled: 0, settled: 0 };
  const chain = new Chain();
  const pass: Middleware = (_request, _response, next) => next();
  const services = { settled: () => (tally.settled += 1) } as unknown as Services;
  const exchange = new Exchange(services, DETACHED, 1);
  exchange.reset(DETACHED);
  const invocation = beginInvocation(exchange);
  invocation.endpoint = () => {
    tally.handled += 1;
  };
  invocation.steps = Array.from({ length: steps }, () => ({
    run: pass,
    prefix: null,
    mountBytes: 0,
  }));
  chain.run(invocation);
  if (tally.handled !== 1 || tally.settled !== 1) throw new Error('the chain is wrong');
  return () => chain.run(invocation);
}

function lookingUp(map: ByteMap<number>, path: string, expected: number): () => void {
  const bytes = lineOf(path);
  const to = 4 + path.length;
  const lookUp = (): number => map.get(bytes, 4, to) ?? -1;
  if (lookUp() !== expected) throw new Error(`the lookup of ${path} is wrong`);
  return () => keep(lookUp());
}

function lineOf(path: string): Uint8Array {
  return new TextEncoder().encode(`GET ${path} HTTP/1.1`);
}
