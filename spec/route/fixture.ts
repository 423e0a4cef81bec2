// Shared by the router's tests: routes by name, one-line searches, and a slow, simple matcher.

import assert from 'node:assert/strict';
import { Method, methodNumber } from '../../src/http/method.ts';
import { Found, Match } from '../../src/route/match.ts';
import { Router } from '../../src/route/router.ts';

/** 'GET /a/:b': also the route's value, so that a result identifies its route. */
export type RouteText = string;

export interface RawResponse {
  found: Found;
  route: RouteText | null;
  params: Record<string, string>;
}

export function routerOf(routes: readonly RouteText[]): Router<RouteText> {
  const router = new Router<RouteText>();
  for (const route of routes) {
    const [method, pattern] = route.split(' ', 2);
    router.add(method, pattern, route);
  }
  return router;
}

/** Searches for a decoded path that is surrounded by other bytes. */
export function search(router: Router<RouteText>, method: string, path: string): RawResponse {
  const before = '/a/b/';
  const bytes = new TextEncoder().encode(`${before}${path}/b/c`);
  const from = before.length;
  const to = bytes.length - '/b/c'.length;
  const match = new Match<RouteText>();
  const number = methodNumber(method);
  const token = number === Method.Other ? method : '';
  const found = router.find(number, token, bytes, from, to, match);
  assert.equal(match.names.length, match.paramCount);
  const params: Record<string, string> = {};
  for (const [index, name] of match.names.entries()) {
    const [start, end] = match.offsets.subarray(2 * index);
    assert(from <= start && start <= end && end <= to, 'a parameter lies in its path');
    params[name] = new TextDecoder().decode(bytes.subarray(start, end));
  }
  return { found, route: match.value, params };
}

export function allowed(router: Router<RouteText>, path: string): string[] {
  const bytes = new TextEncoder().encode(`//${path}/`);
  return router.allowedMethods(bytes, 2, bytes.length - 1);
}

/** The rank of each segment of a pattern for a path in the slow matcher; lower is better. */
interface Fit {
  method: string;
  route: RouteText;
  ranks: string;
  params: Record<string, string>;
}

/** Compares every route with every segment, without a tree or state. Literals are not encoded. */
export function modelSearch(
  routes: readonly RouteText[],
  method: string,
  path: string,
): RawResponse {
  const fits = modelFits(routes, path);
  if (fits.length === 0) return { found: Found.No, route: null, params: {} };
  for (const ranks of [...new Set(fits.map((fit) => fit.ranks))].sort()) {
    const same = fits.filter((fit) => fit.ranks === ranks);
    for (const wanted of method === 'HEAD' ? ['HEAD', 'GET', '*'] : [method, '*']) {
      const fit = same.find((each) => each.method === wanted);
      if (fit !== undefined) return { found: Found.Yes, route: fit.route, params: fit.params };
    }
  }
  return { found: Found.WrongMethod, route: null, params: {} };
}

export function modelAllowed(routes: readonly RouteText[], path: string): string[] {
  const methods = new Set(modelFits(routes, path).map((fit) => fit.method));
  if (methods.size === 0) return [];
  methods.add('OPTIONS');
  if (methods.delete('*')) {
    for (const method of 'GET HEAD POST PUT DELETE PATCH OPTIONS'.split(' ')) methods.add(method);
  }
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods].sort();
}

/** Two routes with the same shape cannot be in one router. */
export function shapeOf(route: RouteText): string {
  return route.replace(/:[^/]+/g, ':');
}

function modelFits(routes: readonly RouteText[], path: string): Fit[] {
  const fits: Fit[] = [];
  if (!path.startsWith('/')) return fits;
  const parts = path.slice(1).split('/');
  for (const route of routes) {
    const [method, pattern] = route.split(' ', 2);
    const wanted = pattern.slice(1).split('/');
    const params: Record<string, string> = {};
    let ranks = '';
    let matches =
      wanted.at(-1) === '*' ? parts.length >= wanted.length : parts.length === wanted.length;
    for (const [index, segment] of wanted.entries()) {
      if (segment === '*') {
        ranks += '2';
        params['*'] = parts.slice(index).join('/');
      } else if (segment.startsWith(':')) {
        ranks += '1';
        params[segment.slice(1)] = parts[index];
        if (parts[index] === '') matches = false;
      } else {
        ranks += '0';
        if (parts[index] !== segment) matches = false;
      }
    }
    if (matches) fits.push({ method, route, ranks, params });
  }
  return fits;
}
