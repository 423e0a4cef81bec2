// Which middleware, handlers and error handlers a request passes, compared with a slow and simple
// model: programs of routes, middleware and groups in any order, and requests in any spelling of
// their path.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Handler, Middleware } from '../../src/exchange/handler.ts';
import { HttpError } from '../../src/exchange/http-error.ts';
import { Found } from '../../src/route/match.ts';
import type { Group } from '../../src/server/group.ts';
import { ConnectionFixture } from '../../testing/connection-fixture.ts';
import { seeded } from '../../testing/splits.ts';
import * as model from '../route/fixtures/fixture.ts';

/** One call of a program. */
type Call =
  | { readonly kind: 'use'; readonly path: string }
  | { readonly kind: 'route'; readonly method: string; readonly path: string; readonly own: number }
  | { readonly kind: 'group'; readonly path: string; readonly calls: readonly Call[] }
  | { readonly kind: 'onError' | 'notFound' };

interface Wanted {
  /** Not null: path, and mostly the method, are those of the route with this number. */
  readonly aim: number | null;
  readonly method: string;
  /** Decoded segments, '/' within one is encoded. */
  readonly segments: readonly string[];
  readonly throws: boolean;
  /** Numbers that choose among the spellings. */
  readonly spelling: readonly number[];
}

interface ModelScope {
  readonly name: string;
  readonly parent: ModelScope | null;
  readonly path: string;
  onError: boolean;
  notFound: boolean;
}

interface ModelMiddleware {
  readonly name: string;
  readonly scope: ModelScope;
  readonly path: string;
}

interface ModelRoute {
  readonly text: string;
  readonly scope: ModelScope;
  /** What was added before it. */
  readonly before: readonly ModelMiddleware[];
  readonly own: number;
}

/** A program, run on a server and kept as lists. */
class Program {
  readonly fixture = new ConnectionFixture(() => {}, { limits: { headBytesMax: 4096 } });
  readonly middleware: ModelMiddleware[] = [];
  readonly routes: ModelRoute[] = [];
  readonly scopes: ModelScope[] = [];
  /** What the last request passed. */
  trace: string[] = [];
  #names = 0;

  constructor(calls: readonly Call[]) {
    this.fixture.application.fallback((_request, _response, next) => next());
    this.#run(calls, this.fixture.group, this.#scope(null, ''));
  }

  #scope(parent: ModelScope | null, path: string): ModelScope {
    const name = `scope ${this.scopes.length}`;
    const scope = { name, parent, path, onError: false, notFound: false };
    this.scopes.push(scope);
    return scope;
  }

  #run(calls: readonly Call[], group: Group<string>, scope: ModelScope): void {
    for (const call of calls) {
      if (call.kind === 'use') {
        const name = `use ${this.middleware.length}`;
        this.middleware.push({ name, scope, path: joined(scope.path, call.path) });
        group.use(call.path, this.#noting(name));
      } else if (call.kind === 'route') {
        this.#route(call.method, this.#unique(call.path), call.own, group, scope);
      } else if (call.kind === 'group') {
        const path = this.#unique(call.path);
        group.group(path, (inner) => {
          const whole = joined(scope.path, path);
          this.#run(call.calls, inner, this.#scope(scope, whole === '/' ? '' : whole));
        });
      } else if (!scope[call.kind]) {
        scope[call.kind] = true;
        if (call.kind === 'notFound') {
          group.notFound((_request, response) => response.text(`${scope.name} notFound`));
        } else {
          group.onError((error, _request, response) => {
            const status = error instanceof HttpError ? error.status : 500;
            response.status(status).text(`${scope.name} onError`);
          });
        }
      }
    }
  }

  #route(method: string, path: string, own: number, group: Group<string>, scope: ModelScope) {
    const text = `${method} ${joined(scope.path, path)}`;
    if (this.routes.some((route) => model.shapeOf(route.text) === model.shapeOf(text))) return;
    this.routes.push({ text, scope, before: [...this.middleware], own });
    const middleware = Array.from({ length: own }, (_, index) => this.#noting(`own ${index}`));
    const handler: Handler = (request, response) => {
      this.trace.push(`${method} ${request.route} ${JSON.stringify(request.params)}`);
      if (request.query.has('throw')) throw new HttpError(418);
      response.text('handled');
    };
    if (method === '*') group.all(path, ...middleware, handler);
    else group.on(method, path, ...middleware, handler);
  }

  #noting(name: string): Middleware {
    return (request, _response, next) => {
      this.trace.push(`${name} ${request.path}`);
      return next();
    };
  }

  #unique(path: string): string {
    return path.replace(/:p/g, () => `:p${this.#names++}`);
  }

  /** The request, aimed at its route if it has one. */
  aimed(wanted: Wanted): Wanted {
    const { aim, segments } = wanted;
    if (aim === null || this.routes.length === 0) return wanted;
    const [method, pattern] = this.routes[aim % this.routes.length].text.split(' ');
    const parts = pattern
      .slice(1)
      .split('/')
      .flatMap((each) => (each === '*' ? segments : [sampleOf(each, aim)]));
    if (aim % 3 === 0) return { ...wanted, segments: parts };
    return { ...wanted, method: method === '*' ? 'PATCH' : method, segments: parts };
  }

  /** What a request passes, and its status and text; the Allow of one that no route takes. */
  expected({ method, segments, throws }: Wanted): unknown[] {
    const path = `/${segments.map((segment) => segment.replaceAll('/', '\0')).join('/')}`;
    const texts = this.routes.map(({ text }) => text);
    const found = model.modelSearch(texts, method, path);
    const route = this.routes.find(({ text }) => text === found.route);
    const chain = route?.before.filter(({ scope }) => isWithin(route.scope, scope));
    const trace = (chain ?? this.middleware).flatMap((each) => {
      const rest = below(each.path, path);
      return rest === null ? [] : [`${each.name} ${rest.replaceAll('\0', '%2F')}`];
    });
    if (route === undefined) return [trace, ...this.#unrouted(method, path, found.found)];
    const rest = path.replaceAll('\0', '%2F');
    for (let index = 0; index < route.own; index++) trace.push(`own ${index} ${rest}`);
    const params = Object.entries(found.params).map(([name, value]) => [
      name,
      value.replaceAll('\0', '/'),
    ]);
    const pattern = route.text.split(' ')[1];
    const json = JSON.stringify(Object.fromEntries(params));
    trace.push(`${route.text.split(' ')[0]} ${pattern} ${json}`);
    if (!throws) return [trace, 200, method === 'HEAD' ? '' : 'handled', ''];
    return [trace, 418, ...this.#errorText(scopesFrom(route.scope), 418, method), ''];
  }

  #unrouted(method: string, path: string, found: Found): unknown[] {
    const scopes = this.scopes.filter((scope) => below(scope.path, path) !== null);
    const depthOf = (scope: ModelScope): number => scopesFrom(scope).length;
    scopes.sort(
      (one, other) =>
        partsOf(other.path).length - partsOf(one.path).length || depthOf(other) - depthOf(one),
    );
    if (found === Found.No) {
      const scope = scopes.find(({ notFound }) => notFound);
      if (scope === undefined) return [404, ...this.#errorText(scopes, 404, method), ''];
      return [404, method === 'HEAD' ? '' : `${scope.name} notFound`, ''];
    }
    const allow = model.modelAllowed(
      this.routes.map(({ text }) => text),
      path,
    );
    if (method === 'OPTIONS') return [204, '', allow.join(', ')];
    const isKnown = method !== 'BREW' || this.routes.some(({ text }) => text.startsWith('BREW '));
    const status = isKnown ? 405 : 501;
    return [status, ...this.#errorText(scopes, status, method), allow.join(', ')];
  }

  #errorText(scopes: readonly ModelScope[], status: number, method: string): string[] {
    if (method === 'HEAD') return [''];
    const scope = scopes.find(({ onError }) => onError);
    if (scope !== undefined) return [`${scope.name} onError`];
    const phrases: Record<number, string> = {
      404: 'Not Found',
      405: 'Method Not Allowed',
      418: "I'm a teapot",
      501: 'Not Implemented',
    };
    return [`${phrases[status]}\n`];
  }

  /** The same of the server. */
  async ask({ method, segments, throws, spelling }: Wanted): Promise<unknown[]> {
    this.trace = [];
    const client = this.fixture.open();
    const target = `${spelled(segments, spelling)}${throws ? '?throw' : ''}`;
    client.send(`${method} ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    // An error may be caught by middleware until Node's loop has turned once.
    if (throws) await new Promise(setImmediate);
    if (throws) this.fixture.turn();
    const response = client.take();
    client.breakOff();
    const [head, text] = response.split('\r\n\r\n');
    const allow = /^Allow: (.*)$/im.exec(head)?.[1] ?? '';
    return [this.trace, Number(head.slice(9, 12)), text, allow.trim()];
  }
}

function joined(prefix: string, path: string): string {
  return path === '/' && prefix !== '' ? prefix : `${prefix}${path}`;
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '');
}

/** A segment that one of a pattern matches. */
function sampleOf(segment: string, choice: number): string {
  const values = ['a', 'b', '1', 'é', 'a/b'];
  const texts = model.tokensOf(segment).map(({ literal, name, constraint }) => {
    if (name === null) return literal;
    return constraint === 'int' ? '12' : values[choice % values.length];
  });
  return texts.join('');
}

/** The path below a prefix, null when it is elsewhere. */
function below(prefix: string, path: string): string | null {
  const parts = path.slice(1).split('/');
  for (const wanted of partsOf(prefix)) {
    const part = parts.shift();
    if (part === undefined || model.matchTokens(model.tokensOf(wanted), part) === null) return null;
  }
  return `/${parts.join('/')}`;
}

function scopesFrom(scope: ModelScope): ModelScope[] {
  return [scope, ...(scope.parent === null ? [] : scopesFrom(scope.parent))];
}

function isWithin(scope: ModelScope, outer: ModelScope): boolean {
  return scopesFrom(scope).includes(outer);
}

/** A target whose path, decoded and normalized, has these segments. */
function spelled(segments: readonly string[], choices: readonly number[]): string {
  let used = 0;
  const choose = (count: number): number => (choices[used++ % choices.length] + used) % count;
  const extras = ['', '', '', '', './', '%2e/', 'x/../', '/', 'y/%2E./', '//./'];
  const hex = (byte: number): string => {
    const text = byte.toString(16).padStart(2, '0');
    return `%${choose(2) === 0 ? text : text.toUpperCase()}`;
  };
  return segments
    .map((segment) => {
      const bytes = [...new TextEncoder().encode(segment)].map((byte) => {
        const character = String.fromCharCode(byte);
        const isPlain = /[\w.~:*-]/.test(character) && choose(4) > 0;
        return isPlain ? character : hex(byte);
      });
      return `/${extras[choose(extras.length)]}${bytes.join('')}`;
    })
    .join('');
}

const LITERALS = ['a', 'b', 'é', 'c'];
const prefix = fc.oneof(
  fc.constant('/'),
  fc.constantFrom(...LITERALS).map((literal) => `/${literal}`),
  fc
    .tuple(fc.constantFrom(...LITERALS), fc.constantFrom(...LITERALS))
    .map((all) => `/${all.join('/')}`),
);
const part = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...LITERALS) },
  { weight: 2, arbitrary: fc.constant(':p') },
  fc.constantFrom(':p(int)', ':p.b', 'a:p', ':p-:p'),
);
const groupPath = fc.oneof(
  { weight: 4, arbitrary: prefix },
  { weight: 2, arbitrary: part.map((one) => `/${one}`) },
);
const routePath = fc
  .tuple(fc.array(part, { maxLength: 3 }), fc.constantFrom('', '', '', '/', '/*'))
  .map(([parts, end]) => {
    const path = parts.map((one) => `/${one}`).join('');
    return path === '' || end !== '' ? `${path}${end === '' ? '/' : end}` : path;
  });
const method = fc.constantFrom('GET', 'GET', 'GET', 'POST', 'HEAD', '*', 'BREW', 'OPTIONS');
const { calls } = fc.letrec<{ calls: Call[]; call: Call }>((tie) => ({
  calls: fc.array(tie('call'), { maxLength: 9, depthIdentifier: 'calls' }),
  call: fc.oneof(
    { depthSize: 'small', depthIdentifier: 'calls' },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('use' as const), path: prefix }) },
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('route' as const),
        method,
        path: routePath,
        own: fc.constantFrom(0, 0, 1, 2),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('onError', 'notFound') }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('group' as const),
        path: groupPath,
        calls: tie('calls'),
      }),
    },
  ),
}));
const segment = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...LITERALS) },
  fc.constantFrom('1', '12', 'x.b', 'ax', '1-2', 'a/b', '/', 'A', 'B', 'aé'),
);
const wanted: fc.Arbitrary<Wanted> = fc.record({
  aim: fc.option(fc.nat({ max: 99 }), { freq: 3 }),
  method: method.map((name) => (name === '*' ? 'PUT' : name)),
  segments: fc
    .tuple(fc.array(segment, { maxLength: 4 }), fc.boolean())
    .map(([all, isOpen]) => (isOpen || all.length === 0 ? [...all, ''] : all)),
  throws: fc.constantFrom(true, false, false, false),
  spelling: fc.array(fc.nat({ max: 999 }), { minLength: 3, maxLength: 3 }),
});

test('any program and any spelling of a path has the same result as the model', async (context) => {
  const seen = new Map<unknown, number>();
  const property = fc.asyncProperty(
    fc.array(calls, { minLength: 1, maxLength: 3 }),
    fc.array(wanted, { minLength: 1, maxLength: 12, size: 'max' }),
    async (parts, requests) => {
      const program = new Program(parts.flat());
      for (const each of requests) {
        const request = program.aimed(each);
        const expected = program.expected(request);
        assert.deepEqual(await program.ask(request), expected);
        const [trace, status] = expected;
        const passed = (trace as string[]).filter((line) => line.startsWith('use')).length;
        const kinds = status === 200 ? [status, `passed ${Math.min(passed, 2)}`] : [status];
        for (const kind of kinds) seen.set(kind, (seen.get(kind) ?? 0) + 1);
      }
    },
  );
  await fc.assert(property, seeded(context, 160));
  context.diagnostic(JSON.stringify([...seen]));
  for (const kind of [200, 204, 404, 405, 418, 501, 'passed 0', 'passed 1', 'passed 2']) {
    assert.ok((seen.get(kind) ?? 0) > 3, `the property saw ${kind}`);
  }
});
