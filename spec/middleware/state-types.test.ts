// The types of what middleware of the package sets in the state of requests. The compiler checks
// this file before any test runs; the tests below only run the same registrations.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createServer, type Middleware, type Server, type State } from '../../src/index.ts';
import {
  accessLog,
  basicAuth,
  bearerAuth,
  type Claims,
  type JwtClaims,
  jwt,
  requestId,
  serverTiming,
  type Timing,
  timing,
  type VerifyToken,
} from '../../src/middleware/index.ts';

/** True for equal types; unlike assignability it distinguishes any, unknown and never. */
type Equal<One, Other> =
  (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;

/** Compiles for type arguments `true` alone. */
function holds<One extends true, Two extends true = true>(..._claims: (One | Two)[]): void {}

/** An interface, which has no index signature. */
interface Person {
  readonly sub: string;
  readonly roles: readonly string[];
}

const ANN: Person = { sub: 'ann', roles: ['reader'] };
const findPerson = async (token: string): Promise<Person | false> => token === 'a' && ANN;
const users = basicAuth({ users: { ann: 'correct horse' } });

describe('the state that middleware of the package sets', () => {
  it('has a type on the route of the middleware', () => {
    const server = createServer();
    server.get('/user', users, ({ state }) => {
      holds<Equal<typeof state.user, string>>();
      // @ts-expect-error: serverTiming() does not run.
      state.timing('a');
    });
    server.get('/id/:x', requestId(), ({ state, params }) => {
      holds<Equal<typeof state.requestId, string>, Equal<typeof params.x, string>>();
      // @ts-expect-error: basicAuth() does not run.
      state.user.length;
    });
    server.get('/timing', serverTiming(), (request) => {
      holds<Equal<typeof request.state.timing, Timing>>();
      timing(request)('a');
    });
    server.get('/all', users, requestId(), serverTiming(), ({ state }) => {
      holds<Equal<typeof state.user, string>, Equal<typeof state.requestId, string>>();
      holds<Equal<typeof state.timing, Timing>>();
    });
  });

  it('has a type on what use() returns, and in groups', () => {
    const server = createServer();
    const identified = server.use(accessLog()).use(requestId()).use(users);
    identified.get('/', ({ state }) => {
      holds<Equal<typeof state.requestId, string>, Equal<typeof state.user, string>>();
    });
    identified.group('/people/:id', (people) => {
      people.get('/', ({ state }) => holds<Equal<typeof state.user, string>>());
      people.use(bearerAuth({ verify: findPerson })).get('/claims', ({ state }) => {
        holds<Equal<typeof state.claims, Person>, Equal<typeof state.requestId, string>>();
      });
      people.get('/none', ({ state }) => {
        // @ts-expect-error: bearerAuth() adds to what use() returns.
        state.claims.sub;
      });
    });
    server.get('/none', ({ state }) => {
      holds<Equal<typeof state, State>>();
      // @ts-expect-error: the server as it was has no identifiers.
      state.requestId.length;
    });
    server.use('/below', users).get('/c', ({ state }) => {
      // @ts-expect-error: below a prefix only, so routes cannot rely on it.
      state.user.length;
    });
  });

  it('is what middleware of a program may need', () => {
    const named: Middleware<{ name: string }, { user: string }> = ({ state }, _response, next) => {
      state.name = state.user.toUpperCase();
      return next();
    };
    const server = createServer();
    server.get('/a', users, named, ({ state }) => holds<Equal<typeof state.name, string>>());
    server.use(users).use(named);
    // @ts-expect-error: nothing before it sets the user.
    server.get('/b', named, () => {});
    // @ts-expect-error: requestId() does not set the user.
    server.use(requestId()).use(named);
  });

  it('fits declarations without types', () => {
    const guards: readonly Middleware[] = [users, requestId(), serverTiming()];
    const server = createServer();
    for (const guard of guards) server.use(guard);
    const define = (any: Server): unknown => any.get('/b', () => {});
    define(server.use(users).use(bearerAuth({ verify: findPerson })));
    const guard: Middleware = bearerAuth({ verify: findPerson });
    server.get('/c', guard, ({ state }) => {
      holds<Equal<(typeof state)['claims'], unknown>>();
    });
  });
});

describe('the claims of bearerAuth()', () => {
  it('have the type that verify() returns', () => {
    const server = createServer();
    const tokens = new Map([['t', { sub: 'ann', scope: 'read' }]]);
    const verify = (token: string) => tokens.get(token) ?? (false as const);
    server.get('/map', bearerAuth({ verify }), ({ state }) => {
      holds<Equal<typeof state.claims, { sub: string; scope: string }>>();
      // @ts-expect-error: the claims have no such property.
      state.claims.roles;
    });
    server.get('/inline', bearerAuth({ verify: (t) => t === 'a' && { id: 7 } }), ({ state }) => {
      holds<Equal<typeof state.claims.id, number>>();
    });
    server.get(
      '/async',
      bearerAuth({ verify: async (token) => (token === 'a' ? ANN : false), scopes: ['a'] }),
      ({ state }) => holds<Equal<typeof state.claims, Person>>(),
    );
    server.get('/given', bearerAuth<Person>({ verify: findPerson }), ({ state }) => {
      holds<Equal<typeof state.claims, Person>>();
    });
  });

  it('are Claims where verify() is declared so', () => {
    const declared: VerifyToken = () => false;
    createServer().get('/', bearerAuth({ verify: declared }), ({ state }) => {
      holds<Equal<typeof state.claims, Claims>, Equal<(typeof state.claims)['a'], unknown>>();
    });
  });

  it('of jwt() are those of RFC 7519', () => {
    const verify = jwt({ key: new Uint8Array(32), algorithms: ['HS256'] });
    createServer().get('/', bearerAuth({ verify }), ({ state: { claims } }) => {
      holds<Equal<typeof claims, JwtClaims>, Equal<typeof claims.sub, string | undefined>>();
      holds<Equal<typeof claims.exp, number>, Equal<(typeof claims)['role'], unknown>>();
    });
  });

  it('are an object: what cannot be claims does not compile', () => {
    // @ts-expect-error: true is not claims.
    bearerAuth({ verify: () => true });
    // @ts-expect-error: nor is a promise of it.
    bearerAuth({ verify: async () => true });
    // @ts-expect-error: nor a text.
    bearerAuth({ verify: () => 'ann' });
    // @ts-expect-error: no claims are false, not null.
    bearerAuth({ verify: async () => (Date.now() > 0 ? ANN : null) });
    // @ts-expect-error: verify is missing.
    assert.throws(() => bearerAuth({}), TypeError);
    // @ts-expect-error: a password is right or wrong.
    basicAuth({ verify: () => 'ann' });
  });
});
