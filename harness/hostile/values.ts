// Values that hostile handlers throw and return.

import { HttpError } from '../../src/exchange/http-error.ts';
import type { Returned, Thrown } from './grammar.ts';

/** A value to throw, with the mark of its request. */
export function thrownOf(kind: Thrown, mark: string): unknown {
  switch (kind) {
    case 'nothing':
    case 'undefined':
      return undefined;
    case 'Error':
      return new Error(mark);
    case 'HttpError':
      return new HttpError(418, mark);
    case 'null':
      return null;
    case 'text':
      return mark;
    case 'frozen object':
      return Object.freeze({ status: 200, message: mark });
    case 'proxy':
      return hostileProxy({});
    case 'thenable':
      return thenable((done) => done());
    case 'error with getters':
      return errorWithGetters();
    default:
      return kind satisfies never;
  }
}

/** Throws at every access. */
function hostileProxy(target: object): object {
  const trap = (): never => {
    throw new Error('the proxy was read');
  };
  return new Proxy(target, { get: trap, has: trap, getPrototypeOf: trap, ownKeys: trap });
}

function errorWithGetters(): Error {
  const error = new Error('getters');
  const get = (): never => {
    throw new Error('the getter was read');
  };
  for (const name of ['message', 'stack', 'status', 'name']) {
    Object.defineProperty(error, name, { get });
  }
  return error;
}

/** A return value; `flow` settles at the end of the steps. */
export function returnedOf(kind: Returned, flow: Promise<void>): unknown {
  switch (kind) {
    case 'promise':
      return flow;
    case 'nothing':
      return undefined;
    case 'a promise that never settles':
      return new Promise<void>(() => {});
    case 'number':
      return 7;
    case 'function':
      return () => flow;
    case 'proxy of a promise':
      return new Proxy(flow, {});
    case 'thenable whose then cannot be read':
      return Object.defineProperty({}, 'then', {
        get: () => {
          throw new Error('then cannot be read');
        },
      });
    default:
      return thenableOf(kind, flow);
  }
}

type Thenables = Extract<Returned, `thenable${string}`>;
type OddThenable = Exclude<Thenables, 'thenable whose then cannot be read'>;
type Settle = (value?: unknown) => void;

function thenableOf(kind: OddThenable, flow: Promise<void>): object {
  const odd = new Error('an odd thenable');
  const thens: Readonly<Record<OddThenable, (resolve: Settle, reject: Settle) => void>> = {
    thenable: (resolve, reject) => void flow.then(resolve, reject),
    'thenable that settles at once': (resolve) => resolve(),
    'thenable that settles twice': (resolve, reject) => {
      resolve();
      reject(odd);
      resolve();
    },
    'thenable whose then throws': () => {
      throw odd;
    },
    'thenable of a thenable': (resolve) => resolve(thenable((done) => done())),
  };
  return thenable(thens[kind]);
}

function thenable(then: (resolve: Settle, reject: Settle) => void): object {
  return Object.defineProperty({}, 'then', { value: then });
}
