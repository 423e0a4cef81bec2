// Measures searches in sets of routes, next to the routers of fastify and hono. Each begins with
// what its server has: ours with the bytes of a request, theirs with a string. A server that has
// the bytes must make that string first, so theirs are measured with and without that. With
// parameters means that the handler has the value of each, decoded: by our `req.params`, by
// find-my-way's result, which has them in any case, and as the request of hono reads one by its
// name.

import findMyWay from 'find-my-way';
import { RegExpRouter } from 'hono/router/reg-exp-router';
import { TrieRouter } from 'hono/router/trie-router';
import { do_not_optimize as keep } from 'mitata';
import { methodNumber } from '../../src/http/method.ts';
import { segmentString } from '../../src/http/target.ts';
import { latin1 } from '../../src/http/text.ts';
import { Found, Match } from '../../src/route/match.ts';
import { Router } from '../../src/route/router.ts';
import type { BenchCase } from '../bench/case.ts';
import { ROUTE_SETS, type RouteSet } from '../catalog/route-sets.ts';

/** Of the memory for a request. */
const BLOCK_BYTES = 1024;

type Search = (method: string, path: string) => unknown;

export function routeSetCases(): readonly BenchCase[] {
  return ROUTE_SETS.flatMap((set) => {
    const name = `${set.name} set (${set.routes.length} routes)`;
    const operations = set.requests.length;
    const ours = `${name}, with parameters`;
    const peers: readonly (readonly [string, Search])[] = [
      ['find-my-way', findMyWaySearch(set)],
      ...honoSearches('hono TrieRouter', set, () => new TrieRouter<string>()),
      ...(set.fitsRegExpRouter
        ? honoSearches('hono RegExpRouter', set, () => new RegExpRouter<string>())
        : []),
    ];
    return [
      { name, operations, run: ownSearch(set, false) },
      { name: ours, operations, run: ownSearch(set, true) },
      ...peers.flatMap(([peer, search]) => {
        const versus = peer.endsWith('no parameters') ? name : ours;
        const [ready, made] = [readyTargets(set), madeTargets(set)];
        return [
          { name: `${name}, ${peer}`, operations, versus, run: made(search) },
          { name: `${name}, ${peer}, string is ready`, operations, versus, run: ready(search) },
        ];
      }),
    ];
  });
}

/** Searches with the same strings each time. V8 has their hashes already. */
function readyTargets({ requests }: RouteSet): (search: Search) => () => void {
  const all = requests.map((request) => request.split(' ') as [string, string]);
  return (search) => () => {
    for (const [method, path] of all) keep(search(method, path));
  };
}

/** Makes the string of a path from the bytes of its request for each search. */
function madeTargets({ requests }: RouteSet): (search: Search) => () => void {
  const all = requests.map((request) => {
    const [method, path] = request.split(' ');
    return { method, bytes: Buffer.from(path) };
  });
  return (search) => () => {
    for (const { method, bytes } of all) {
      keep(search(method, latin1(bytes, 0, bytes.length)));
    }
  };
}

function ownSearch({ routes, requests }: RouteSet, readsParams: boolean): () => void {
  const router = new Router<string>();
  for (const route of routes) {
    const [method, pattern] = route.split(' ');
    router.add(method, pattern, route);
  }
  // All in one memory, as the blocks of a server are.
  const bytes = new Uint8Array(requests.length * BLOCK_BYTES);
  const heads = requests.map((request, index) => {
    const [method, path] = request.split(' ');
    const from = index * BLOCK_BYTES + method.length + 1;
    bytes.set(new TextEncoder().encode(`${request} HTTP/1.1`), index * BLOCK_BYTES);
    return { method: methodNumber(method), from, to: from + path.length };
  });
  const match = new Match<string>();
  return () => {
    for (const { method, from, to } of heads) {
      if (router.find(method, '', bytes, from, to, match) !== Found.Yes) {
        throw new Error('a request has no route');
      }
      keep(readsParams ? paramsOf(match, bytes) : match.value);
    }
  };
}

/** As the handle of a request does. */
function paramsOf(match: Match<string>, bytes: Uint8Array): Record<string, string> {
  const params: Record<string, string> = Object.create(null);
  for (let index = 0; index < match.paramCount; index++) {
    const [from, to] = [match.offsets[2 * index], match.offsets[2 * index + 1]];
    params[match.names[index]] = segmentString(bytes, from, to);
  }
  return params;
}

function findMyWaySearch({ routes, requests }: RouteSet): Search {
  const router = findMyWay();
  for (const route of routes) {
    const [method, pattern] = route.split(' ');
    router.on(method as 'GET', pattern, () => {});
  }
  const search: Search = (method, path) => router.find(method as 'GET', path);
  checked(requests, (method, path) => search(method, path) !== null);
  return search;
}

/** A search alone, and one after which the request of hono reads each parameter by its name. */
function honoSearches(
  name: string,
  { routes, requests }: RouteSet,
  make: () => RegExpRouter<string> | TrieRouter<string>,
): readonly (readonly [string, Search])[] {
  const router = make();
  for (const route of routes) {
    const [method, pattern] = route.split(' ');
    router.add(method, pattern, route);
  }
  const found: Search = (method, path) => router.match(method, path);
  const read: Search = (method, path) => {
    const [[[, params]], values] = router.match(method, path);
    for (const param in params) keep(decoded(valueAt(params[param], values)));
  };
  checked(requests, (method, path) => router.match(method, path)[0].length > 0);
  return [
    [name, read],
    [`${name}, no parameters`, found],
  ];
}

/** The routers of hono return the value, or where it is in a list. */
function valueAt(at: string | number, values: readonly string[] | undefined): string {
  return typeof at === 'string' ? at : (values?.[at] ?? '');
}

function decoded(value: string): string {
  return value.includes('%') ? decodeURIComponent(value) : value;
}

function checked(requests: readonly string[], finds: (method: string, path: string) => boolean) {
  for (const request of requests) {
    const [method, path] = request.split(' ');
    if (!finds(method, path)) throw new Error(`a peer finds no route for ${request}`);
  }
}
