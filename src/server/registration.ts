// Checks the arguments of the methods that register routes and middleware. An argument that would
// have no effect throws a TypeError that says what to write instead.

import { shown } from '../base/shown.ts';
import type { Handler, Middleware } from '../exchange/handler.ts';
import { makerName } from '../exchange/makers.ts';
import { Method, methodNumber } from '../http/method.ts';
import type { ErrorHandler } from './scope.ts';

const HANDLER = '(request, response) => { ... }';
const MIDDLEWARE = '(request, response, next) => { ... }';

/** What the arguments of `get()` and the like mean. */
export interface RouteArguments {
  readonly pattern: string;
  readonly middleware: readonly Middleware[];
  readonly handler: Handler;
}

/** For `get(...given)` and the like; `before` is what precedes the pattern in a message. */
export function routeArguments(
  call: string,
  given: readonly unknown[],
  before = '',
): RouteArguments {
  const [pattern, ...functions] = given;
  if (typeof pattern !== 'string') {
    const wanted = "the pattern is a string that begins with '/'";
    throw new TypeError(`${call}(): ${wanted}, given ${shown(pattern)}`);
  }
  const route = `${call}(${before}${shown(pattern)})`;
  const handler = functions.pop();
  const middleware = functions.map((run, index) => {
    const what = `${route}: middleware ${index + 1} of ${functions.length}`;
    if (typeof run !== 'function') {
      const wanted = `it is ${MIDDLEWARE}, and the last function is the handler`;
      throw new TypeError(`${what}: ${wanted}; given ${shown(run)}`);
    }
    checkMiddleware(what, run as Middleware);
    return run as Middleware;
  });
  if (typeof handler !== 'function') {
    throw new TypeError(`${route}: its handler is ${HANDLER}, given ${shown(handler)}`);
  }
  checkRuns(route, handler);
  if (handler.length > 2) {
    const given = `given a function with ${handler.length} parameters`;
    const instead = `add a handler behind it if it is middleware`;
    throw new TypeError(
      `${route}: its handler, the last function, is ${HANDLER}, ${given}: ${instead}`,
    );
  }
  return { pattern, middleware, handler: handler as Handler };
}

/** Throws a TypeError for a function that does nothing useful when it is called as a handler. */
function checkRuns(call: string, handler: object): void {
  const maker = makerName(handler);
  if (maker !== undefined) {
    throw new TypeError(`${call}: given ${maker} itself: call it, as in ${maker}()`);
  }
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

/** The method for `on(method, pattern, ...)`. */
export function methodArgument(given: readonly unknown[]): string {
  const [method] = given;
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
  return method;
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

/** The prefix and the function of `group(...given)`. */
export function checkGroup(
  given: readonly unknown[],
): asserts given is [prefix: string, define: (group: never) => unknown] {
  const [prefix, define] = given;
  const wanted = "group('/prefix', (group) => { ... })";
  if (typeof prefix !== 'string') {
    throw new TypeError(`group(): it takes ${wanted}, given ${shown(prefix)}`);
  }
  const call = `group(${shown(prefix)})`;
  if (typeof define !== 'function' || given.length > 2) {
    const came = given.length > 2 ? `${given.length} arguments` : shown(define);
    throw new TypeError(`${call}: it takes ${wanted}, given ${came}`);
  }
  checkRuns(call, define);
}

/** A function of a group that returns a promise would add routes later, behind others. */
export function checkDefined(prefix: string, result: unknown): void {
  if (typeof result !== 'object' || result === null || !('then' in result)) return;
  if (result instanceof Promise) result.catch(() => {});
  const instead = 'wait before the group is made';
  throw new TypeError(`group(${shown(prefix)}): its function returned a promise: ${instead}`);
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
