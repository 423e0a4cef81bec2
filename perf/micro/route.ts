// Micro-benchmark of finding by path: what a search in the router and a look-up in a ByteMap cost,
// in nanoseconds, the best and the median of many runs. Run: node build/perf/micro/route.js

import { ByteMap } from '../../src/base/byte-map.ts';
import { Method } from '../../src/http/method.ts';
import { Found, Match } from '../../src/route/match.ts';
import { Router } from '../../src/route/router.ts';

/** Short runs and many: on a shared machine some of them are left alone. */
const SEARCHES = 100_000;
const RUNS = 51;

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
];

const CASES: [name: string, path: string, expected: Found][] = [
  ['static, shortest', '/', Found.Yes],
  ['static, 12 bytes', '/api/v1/users', Found.Yes],
  ['one parameter', '/users/12345', Found.Yes],
  ['one parameter, deep', '/api/v1/users/12345', Found.Yes],
  ['two parameters', '/api/v1/users/12345/posts/678', Found.Yes],
  ['backtracking', '/users/me/edit', Found.Yes],
  ['wildcard', '/files/css/site.css', Found.Yes],
  ['wildcard, 200 bytes', `/files/${'directory/'.repeat(19)}a.b`, Found.Yes],
  ['miss at once', '/favicon.ico', Found.No],
  ['miss, deep', '/api/v1/users/12345/posts/678/none', Found.No],
];

function main(): void {
  const router = new Router<string>();
  for (const route of PATTERNS) {
    const [method, pattern] = route.split(' ', 2);
    router.add(method, pattern, route);
  }
  // All cases run before any counts: the router is as polymorphic as it will be in a server.
  for (const [name, path, expected] of CASES) {
    if (search(router, path, SEARCHES) !== expected * SEARCHES) throw new Error(`${name}: wrong`);
  }
  for (const [name, path] of CASES) measure(name, () => search(router, path, SEARCHES));

  const map = new ByteMap<number>();
  for (let number = 0; number < 1_000; number++) {
    map.set(new TextEncoder().encode(`/assets/file-${number}.css`), 1);
  }
  measure('byte map, hit', () => lookUp(map, '/assets/file-500.css'));
  measure('byte map, miss', () => lookUp(map, '/assets/file-x00.css'));
}

function measure(name: string, run: () => number): void {
  const times: number[] = [];
  for (let count = 0; count < RUNS; count++) {
    const begin = process.hrtime.bigint();
    run();
    times.push(Number(process.hrtime.bigint() - begin) / SEARCHES);
  }
  times.sort((left, right) => left - right);
  const best = times[0].toFixed(1).padStart(7);
  const median = times[RUNS >> 1].toFixed(1).padStart(7);
  console.log(`${name.padEnd(22)} best ${best} ns   median ${median} ns`);
}

/** The sum of the answers, so that no search can be left out. */
function search(router: Router<string>, path: string, count: number): number {
  const bytes = new TextEncoder().encode(`GET ${path} HTTP/1.1`);
  const match = new Match<string>();
  const to = 4 + path.length;
  let sum = 0;
  for (let index = 0; index < count; index++) {
    sum += router.find(Method.GET, '', bytes, 4, to, match);
  }
  return sum;
}

function lookUp(map: ByteMap<number>, path: string): number {
  const bytes = new TextEncoder().encode(`GET ${path} HTTP/1.1`);
  const to = 4 + path.length;
  let sum = 0;
  for (let index = 0; index < SEARCHES; index++) sum += map.get(bytes, 4, to) ?? 0;
  return sum;
}

main();
