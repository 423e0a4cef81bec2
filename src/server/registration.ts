// Checks the arguments of the methods that register routes and middleware. An argument that would
// have no effect throws a TypeError that says what to write instead.

import { shown } from '../base/shown.ts';
import type { Handler, Middleware } from '../exchange/handler.ts';
import { Method, methodNumber } from '../http/method.ts';
import type { ErrorHandler } from './application.ts';

export type RouteArguments = [pattern: string, handler: Handler];

const HANDLER = '(request, response) => { ... }';
const MIDDLEWARE = '(request, response, next) => { ... }';

/** For `get(...given)` and the like; `before` is what precedes the pattern in a message. */
export function checkRoute(call: string, given: readonly unknown[], before = ''): void {
  const [pattern, handler] = given;
  if (typeof pattern !== 'string') {
    const wanted = "the pattern is a string that begins with '/'";
    throw new TypeError(`${call}(): ${wanted}, given ${shown(pattern)}`);
  }
  const route = `${call}(${before}${shown(pattern)})`;
  if (given.length > 2) {
    const instead = `call use(${shown(pattern)}, middleware) for what runs before the handler`;
    throw new TypeError(`${route} takes one handler, given ${given.length - 1}: ${instead}`);
  }
  if (typeof handler !== 'function') {
    throw new TypeError(`${route}: its handler is ${HANDLER}, given ${shown(handler)}`);
  }
  checkRuns(route, handler);
}

/** Throws a TypeError for a function whose body never runs when it is called as a handler. */
function checkRuns(call: string, handler: unknown): void {
  const source = Function.prototype.toString.call(handler);
  if (/^class\b/.test(source)) {
    throw new TypeError(`${call}: given a class, which cannot be called; give a function`);
  }
  if (/Generator/.test(Object.prototype.toString.call(handler))) {
    const instead = 'give a function or an async function';
    throw new TypeError(`${call}: given a generator, whose body is not run; ${instead}`);
  }
}

/** Other frameworks take a middleware with four parameters as an error handler. */
function checkMiddleware(call: string, middleware: (...given: never[]) => unknown): void {
  checkRuns(call, middleware);
  if (middleware.length <= 3) return;
  const instead = 'errors go to onError((error, request, response) => { ... })';
  const given = `given ${middleware.length}`;
  throw new TypeError(`${call}: a middleware has three parameters, ${given}: ${instead}`);
}

/** For `on(method, pattern, handler)`. */
export function checkOn(given: readonly unknown[]): void {
  const [method, ...route] = given;
  if (typeof method !== 'string') {
    const wanted = "its first argument is the name of a method, such as 'PURGE'";
    throw new TypeError(`on(): ${wanted}, given ${shown(method)}`);
  }
  const upper = method.toUpperCase();
  if (method !== upper && methodNumber(upper) !== Method.Other) {
    const hint = `methods are case-sensitive; did you mean ${shown(upper)}?`;
    throw new TypeError(`on(${shown(method)}): no client sends this method: ${hint}`);
  }
  if (method === 'CONNECT') {
    throw new TypeError('on("CONNECT"): no route gets CONNECT requests, which get 501');
  }
  checkRoute('on', route, `${shown(method)}, `);
}

/** The prefix and the middleware of `use(...given)`. */
export function useArguments(given: readonly unknown[]): [prefix: string, middleware: Middleware] {
  const [first, second] = given;
  if (typeof first === 'function') {
    if (given.length > 1) throw new TypeError(`use() ${oneOnly(given.length)}`);
    checkMiddleware('use()', first as Middleware);
    return ['/', first as Middleware];
  }
  if (typeof first !== 'string') {
    const wanted = `use(${MIDDLEWARE}) or use('/prefix', ${MIDDLEWARE})`;
    throw new TypeError(`use(): it takes ${wanted}, given ${shown(first)}`);
  }
  if (given.length > 2) throw new TypeError(`use(${shown(first)}) ${oneOnly(given.length - 1)}`);
  if (typeof second !== 'function') {
    const problem = `its middleware is ${MIDDLEWARE}, given ${shown(second)}`;
    throw new TypeError(`use(${shown(first)}): ${problem}`);
  }
  checkMiddleware(`use(${shown(first)})`, second as Middleware);
  return [first, second as Middleware];
}

function oneOnly(count: number): string {
  return `takes one middleware, given ${count}: call it once for each, in their order`;
}

/** For `notFound(handler)`. */
export function checkNotFound(given: readonly unknown[]): asserts given is [Handler] {
  const [handler] = given;
  if (given.length !== 1 || typeof handler !== 'function') {
    const came = given.length > 1 ? `${given.length} arguments` : shown(handler);
    throw new TypeError(`notFound(): it takes ${HANDLER}, given ${came}`);
  }
  checkRuns('notFound()', handler);
}

export function checkErrorHandler(given: readonly unknown[]): asserts given is [ErrorHandler] {
  const [handler] = given;
  if (given.length === 1 && typeof handler === 'function') return;
  const wanted = '(error, request, response) => { ... }';
  const came = given.length > 1 ? `${given.length} arguments` : shown(handler);
  throw new TypeError(`onError(): it takes ${wanted}, given ${came}`);
}
