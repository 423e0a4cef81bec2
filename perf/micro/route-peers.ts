// Measures searches in sets of routes, beside the routers of fastify and hono. Theirs take strings,
// and return parameters as strings; ours takes the bytes of a request. So it is measured twice:
// alone, as a request is routed, and with its parameters read.

import findMyWay from 'find-my-way';
import { RegExpRouter } from 'hono/router/reg-exp-router';
import { TrieRouter } from 'hono/router/trie-router';
import { do_not_optimize as keep } from 'mitata';
import { methodNumber } from '../../src/http/method.ts';
import { segmentString } from '../../src/http/target.ts';
import { Found, Match } from '../../src/route/match.ts';
import { Router } from '../../src/route/router.ts';
import type { BenchCase } from '../bench/case.ts';
import { ROUTE_SETS, type RouteSet } from '../catalog/route-sets.ts';

type Search = (method: string, path: string) => unknown;

export function routeSetCases(): readonly BenchCase[] {
  return ROUTE_SETS.flatMap((set) => {
    const name = `${set.name} set (${set.routes.length} routes)`;
    const requests = set.requests.map((request) => request.split(' ') as [string, string]);
    const operations = requests.length;
    const peers: readonly (readonly [string, Search])[] = [
      ['find-my-way', findMyWaySearch(set)],
      ['hono TrieRouter', honoSearch(set, new TrieRouter<string>())],
      ...(set.fitsRegExpRouter
        ? [['hono RegExpRouter', honoSearch(set, new RegExpRouter<string>())] as const]
        : []),
    ];
    const ours = `${name}, with parameters`;
    return [
      { name, operations, run: ownSearch(set, false) },
      { name: ours, operations, run: ownSearch(set, true) },
      ...peers.map(([peer, search]) => ({
        name: `${name}, ${peer}`,
        operations,
        versus: ours,
        run: () => {
          for (const [method, path] of requests) keep(search(method, path));
        },
      })),
    ];
  });
}

function ownSearch({ routes, requests }: RouteSet, readsParams: boolean): () => void {
  const router = new Router<string>();
  for (const route of routes) {
    const [method, pattern] = route.split(' ');
    router.add(method, pattern, route);
  }
  const heads = requests.map((request) => {
    const [method, path] = request.split(' ');
    const bytes = new TextEncoder().encode(`${request} HTTP/1.1`);
    const from = method.length + 1;
    return { method: methodNumber(method), bytes, from, to: from + path.length };
  });
  const match = new Match<string>();
  return () => {
    for (const { method, bytes, from, to } of heads) {
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

function honoSearch(
  { routes, requests }: RouteSet,
  router: RegExpRouter<string> | TrieRouter<string>,
): Search {
  for (const route of routes) {
    const [method, pattern] = route.split(' ');
    router.add(method, pattern, route);
  }
  checked(requests, (method, path) => router.match(method, path)[0].length > 0);
  return (method, path) => router.match(method, path);
}

function checked(requests: readonly string[], finds: (method: string, path: string) => boolean) {
  for (const request of requests) {
    const [method, path] = request.split(' ');
    if (!finds(method, path)) throw new Error(`a peer finds no route for ${request}`);
  }
}
