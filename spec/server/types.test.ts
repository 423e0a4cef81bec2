// The types of handlers: parameters follow from patterns and prefixes, state from middleware. The
// compiler checks this file before any test runs; the tests below only run the same registrations.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  createServer,
  type Group,
  type Handler,
  type Middleware,
  type Params,
  type PathParams,
  type Request,
  type Response,
  type Server,
  type State,
} from '../../src/index.ts';
import { cors } from '../../src/middleware/cors.ts';
import { proxy } from '../../src/middleware/proxy.ts';

/** True for equal types; unlike assignability it distinguishes any, unknown and never. */
type Equal<One, Other> =
  (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;

/** Compiles for type arguments `true` alone. */
function holds<One extends true, Two extends true = true>(..._claims: (One | Two)[]): void {}

interface User {
  readonly name: string;
}

const auth: Middleware<{ user: User }> = (request, _response, next) => {
  holds<Equal<(typeof request.state)['user'], User | undefined>>();
  request.state.user = { name: 'ann' };
  return next();
};
const region: Middleware<{ region: string }> = async (request, _response, next) => {
  // @ts-expect-error: the type of what it adds.
  request.state.region = 5;
  request.state.region = 'eu';
  await next();
};
const admin: Middleware<{ isAdmin: true }, { user: User }> = (request, _response, next) => {
  holds<Equal<(typeof request.state)['user'], User>>();
  request.state.isAdmin = true;
  return next();
};

describe('parameters', () => {
  it('are those of the pattern', () => {
    holds<Equal<keyof PathParams<'/'>, never>>();
    holds<Equal<PathParams<'/users/:id'>, { readonly id: string }>>();
    holds<Equal<PathParams<'/files/*'>, { readonly '*': string }>>();
    holds<Equal<PathParams<'/a%3Ab/:_x1/b'>, { readonly _x1: string }>>();
    holds<
      Equal<
        keyof PathParams<'/:year-:Month/v:a.:b(int).json/*'>,
        'year' | 'Month' | 'a' | 'b' | '*'
      >
    >();
    holds<Equal<PathParams<'/:a/x' | '/:b'>, { readonly a: string } | { readonly b: string }>>();
    holds<Equal<PathParams<string>, Readonly<Record<string, string | undefined>>>>();
    const server = createServer();
    server.get('/users/:id', (request, response) => {
      holds<Equal<typeof request.params, { readonly id: string }>>();
      // @ts-expect-error: the pattern has no such parameter.
      request.params.name;
      // @ts-expect-error: parameters are not assigned.
      request.params.id = 'x';
      response.text(request.params.id);
    });
    server.get('/none', (request) => {
      // @ts-expect-error: the pattern has no parameter.
      request.params.id;
    });
    server.on('PURGE', '/purge/:key(hex)/*', (request) => {
      holds<Equal<typeof request.params, { readonly key: string; readonly '*': string }>>();
    });
    for (const add of [server.head, server.post, server.put, server.patch, server.delete]) {
      add('/x/:y', (request) => holds<Equal<typeof request.params.y, string>>());
    }
    server.options('/x/:y', ({ params }) => holds<Equal<typeof params.y, string>>());
    server.all('/x/:y', ({ params }) => holds<Equal<typeof params.y, string>>());
  });

  it('of a pattern that is only known as text may be absent', () => {
    const pattern: string = '/:any';
    createServer().get(pattern, (request) => {
      holds<Equal<(typeof request.params)[string], string | undefined>>();
    });
  });

  it('of groups are added', () => {
    createServer().group('/orgs/:org', (orgs) => {
      orgs.get('/', ({ params }) => holds<Equal<keyof typeof params, 'org'>>());
      orgs.group('/teams/:team(int)', (teams) => {
        teams.get('/:member', ({ params }) => {
          holds<Equal<keyof typeof params, 'org' | 'team' | 'member'>>();
          // @ts-expect-error: no pattern around it has this parameter.
          params.id;
        });
      });
    });
  });
});

describe('a function elsewhere', () => {
  const inner = (group: Group): void => {
    group.get('/inner/:id', ({ params }, response) => {
      holds<Equal<typeof params, { readonly id: string }>>();
      // @ts-expect-error: the prefix has it, and this function does not know the prefix.
      params.org;
      response.json(params);
    });
  };
  const outer = (group: Group): void => void group.group('/deep/:at', inner);
  const ofUser = (group: Group<'', State & { user: User }>): void => {
    group.get('/user', ({ state }, response) => response.text(state.user.name));
  };

  it('adds to a group of any prefix, with the parameters of its own patterns', async () => {
    const server = createServer();
    server.group('/a', inner).group('/:org', outer);
    server.group('/b', (group) => void group.group('/c', inner).use(auth).group('/d', inner));
    // @ts-expect-error: nothing sets the user.
    server.group('/none', ofUser);
    server.use(auth).group('/with', ofUser);
    outer(server);
    for (const target of ['/a/inner/1', '/b/c/inner/1', '/b/d/inner/1']) {
      assert.deepEqual(await (await server.inject(target)).json(), { id: '1' });
    }
    assert.equal(await (await server.inject('/with/user')).text(), 'ann');
  });
});

describe('state', () => {
  it('has what middleware of the route adds', () => {
    const server = createServer();
    server.get('/none', (request) => {
      holds<Equal<typeof request.state, State>>();
      holds<Equal<(typeof request.state)['user'], unknown>>();
    });
    server.get('/one/:id', auth, (request) => {
      holds<Equal<(typeof request.state)['user'], User>, Equal<typeof request.params.id, string>>();
      holds<Equal<(typeof request.state)['region'], unknown>>();
    });
    server.get('/two/:id', auth, region, ({ state, params }) => {
      holds<Equal<typeof state.user, User>, Equal<typeof state.region, string>>();
      holds<Equal<typeof params.id, string>>();
    });
    server.post('/three', auth, admin, region, ({ state }) => {
      holds<Equal<typeof state.isAdmin, true>, Equal<typeof state.region, string>>();
    });
    const forward = proxy({ upstreams: ['http://127.0.0.1:1'] });
    server.all('/forwarded/:id/*', auth, forward).all('/*', forward).use('/x', forward);
    server.use(forward).get('/after', auth, ({ state }) => {
      holds<Equal<typeof state.user, User>>();
    });
    server.put(
      '/own',
      auth,
      (_request, _response, next) => next(),
      cors(),
      ({ state }) => {
        holds<Equal<typeof state.user, User>>();
      },
    );
    server.put('/many', cors(), cors(), cors(), cors(), auth, (request) => {
      holds<Equal<typeof request.params, Params>>();
    });
    // @ts-expect-error: nothing before it adds the user.
    server.get('/unsafe', admin, () => {});
    // @ts-expect-error: nothing before it adds the user.
    server.get('/unsafe/order', admin, auth, () => {});
  });

  it('has what use() adds, on what it returns', () => {
    const server = createServer();
    const authorized = server.use(auth).use(admin).use(cors());
    holds<Equal<typeof authorized extends Server ? true : false, true>>();
    authorized.get('/a', ({ state }) => holds<Equal<typeof state.user, User>>());
    authorized.get('/b/:id', region, ({ state, params }) => {
      holds<Equal<typeof state.isAdmin, true>, Equal<typeof state.region, string>>();
      holds<Equal<typeof params.id, string>>();
    });
    authorized.group('/g', (group) => {
      group.use(region).get('/a', ({ state }) => {
        holds<Equal<typeof state.region, string>, Equal<typeof state.user, User>>();
      });
    });
    // @ts-expect-error: the server as it was does not have the user.
    server.use(admin);
    // Below a prefix only, so routes cannot rely on it.
    server.use('/below', auth).get('/c', ({ state }) => {
      holds<Equal<(typeof state)['user'], unknown>>();
    });
  });
});

describe('declared handlers', () => {
  it('of a Request fit every route', () => {
    const show = (request: Request, response: Response): void => {
      response.text(request.params['id'] ?? '');
    };
    const later: Handler = async (_request, response) => response.empty();
    const server = createServer();
    const pattern: string = '/x';
    server.get('/a/:id', show).post('/a/:id', later).put('/a/:id', auth, show);
    server.get(pattern, show).use(auth).delete('/a/:id', show);
    const guards: readonly Middleware[] = [auth, region, cors()];
    for (const guard of guards) server.use(guard);
    const define = (any: Server): unknown => any.get('/b', show);
    define(server.use(region));
  });

  it('of parameters and state fit the routes that have them', () => {
    const show: Handler<{ id: string }, { user: User }> = ({ params, state }, response) => {
      response.text(params.id + state.user.name);
    };
    const server = createServer();
    server.get('/a/:id', auth, show).use(auth).get('/b/:id/c/:more', show);
    // @ts-expect-error: the pattern has another parameter.
    server.get('/x/:name', auth, show);
    // @ts-expect-error: no middleware adds the user.
    server.get('/c/:id', show);
  });

  it('are functions: what cannot be one does not compile', () => {
    const server = createServer();
    // @ts-expect-error: the handler is missing.
    assert.throws(() => server.get('/a'), TypeError);
    // @ts-expect-error: a list is no middleware.
    assert.throws(() => server.get('/a', [auth], () => {}), TypeError);
    // @ts-expect-error: a handler is called with two arguments.
    assert.throws(() => server.get('/a', (_request, _response, next) => next()), TypeError);
    // @ts-expect-error: the function of a group returns nothing.
    assert.throws(() => server.group('/a'), TypeError);
  });
});
