// The order of registration in a running server: a middleware covers what is added after it; groups
// with middleware, error handlers and parameters of their own; middleware of one route.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { Middleware } from '../../src/exchange/handler.ts';
import { HttpError } from '../../src/exchange/http-error.ts';
import { createServer } from '../../src/index.ts';
import type { Server } from '../../src/server/server.ts';
import { serveStatic } from '../../src/static/serve-static.ts';
import { get, post, request } from '../../testing/raw-client.ts';
import type { RawResponse } from '../../testing/raw-response.ts';
import { onEachDriver, oneDriver, wait, withServer } from '../../testing/with-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'vibing-order-'));
writeFileSync(join(folder, 'index.html'), 'file');
writeFileSync(join(folder, 'about.html'), 'about file');
after(() => rmSync(folder, { recursive: true }));

/** Adds its name to the field X-Passed of the response. */
function passing(name: string): Middleware {
  return (_request, response, next) => {
    response.appendHeader('X-Passed', name);
    return next();
  };
}

function passed(response: RawResponse): string {
  return response.all('x-passed').join(' ');
}

onEachDriver('a middleware', (add) => {
  add('covers what is added after it, and every request without a route', async (driver) => {
    const routes = (server: Server) => {
      server.get('/before', (_request, response) => response.text('before'));
      server.use(passing('one'));
      server.get('/between', (_request, response) => response.text('between'));
      server.use(passing('two')).use('/deep', passing('deep'));
      server.get('/deep/:id', (request, response) => response.text(request.params.id));
      server.get('/:section/last', (request, response) => response.text(request.params.section));
      server.use('/deep', passing('late'));
    };
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      for (const [bytes, status, names] of [
        [get('/before'), 200, ''],
        [request('HEAD', '/before'), 200, ''],
        [get('/between'), 200, 'one'],
        [get('/deep/7'), 200, 'one two deep'],
        [get('/deep/last'), 200, 'one two deep'],
        [get('/other/last'), 200, 'one two'],
        [post('/before', ''), 405, 'one two'],
        [request('OPTIONS', '/before'), 204, 'one two'],
        [request('BREW', '/before'), 501, 'one two'],
        [get('/deep'), 404, 'one two deep late'],
        [post('/deep/7', ''), 405, 'one two deep late'],
        [get('/%'), 400, 'one two'],
        [request('OPTIONS', '*'), 204, 'one two'],
      ] as const) {
        const response = await client.ask(bytes);
        assert.deepEqual([bytes, response.status, passed(response)], [bytes, status, names]);
      }
    });
  });

  add('behind routes serves files only where no route responds', async (driver) => {
    const routes = (server: Server) => {
      server.get('/', (_request, response) => response.text('route'));
      server.use('/', serveStatic(folder));
      server.get('/about.html', (_request, response) => response.text('behind the files'));
    };
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      assert.equal((await client.ask(get('/'))).text, 'route');
      assert.equal((await client.ask(get('/index.html'))).text, 'file');
      assert.equal((await client.ask(get('/about.html'))).text, 'about file');
      assert.equal((await client.ask(post('/', ''))).status, 405);
      assert.equal((await client.ask(get('/none'))).status, 404);
    });
  });

  add('of one route runs behind those before it, and for this route only', async (driver) => {
    const seen: string[] = [];
    const routes = (server: Server) => {
      server.use(passing('all'));
      const note: Middleware = (request, _response, next) => {
        seen.push(`${request.path} ${request.route} ${request.params['id']}`);
        return next();
      };
      const refuse: Middleware = (_request, response) => response.status(403).text('no');
      server.get('/a/:id', note, passing('own'), (request, response) => {
        response.text(request.params.id);
      });
      server.post('/a/:id', refuse, () => assert.fail('the handler must not run'));
      server.on('PURGE', '/a/:id', passing('purge'), (_request, response) => response.empty());
      server.use(passing('late'));
    };
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const found = await client.ask(get('/a/x%2fy'));
      assert.deepEqual([found.text, passed(found)], ['x/y', 'all own']);
      assert.deepEqual(seen, ['/a/x%2Fy /a/:id x/y']);
      const posted = await client.ask(post('/a/1', ''));
      assert.deepEqual([posted.status, passed(posted)], [403, 'all']);
      assert.equal(passed(await client.ask(request('PURGE', '/a/1'))), 'all purge');
      assert.equal(passed(await client.ask(request('PUT', '/a/1'))), 'all late');
    });
  });
});

onEachDriver(
  'a group',
  (add) => {
    add('has a prefix, and middleware that covers what follows in it', async (driver) => {
      const routes = (server: Server) => {
        server.use(passing('outer'));
        server.group('/api/', (api) => {
          api.get('/first', (_request, response) => response.text('first'));
          api.use(passing('api')).use('/deep', passing('deep'));
          api.get('/', ({ route, path }, response) => response.text(`${route} ${path}`));
          api.group('/deep', (deep) => {
            deep.use((request, response, next) => {
              response.appendHeader('X-Passed', request.path);
              return next();
            });
            deep.get('/:id', (request, response) => response.text(`${request.route}`));
          });
        });
        server.use(passing('late'));
        server.get('/api/outside', (_request, response) => response.text('outside'));
      };
      await withServer(driver, {}, routes, async ({ open }) => {
        const client = await open();
        for (const [target, text, names] of [
          ['/api/first', 'first', 'outer'],
          ['/api', '/api /api', 'outer api'],
          ['/api/deep/7', '/api/deep/:id', 'outer api deep /7'],
          ['/api/outside', 'outside', 'outer late'],
          ['/api/none', 'Not Found\n', 'outer api late'],
          ['/api/deep/7/8', 'Not Found\n', 'outer api deep /7/8 late'],
          ['/apis', 'Not Found\n', 'outer late'],
        ]) {
          const response = await client.ask(get(target));
          assert.deepEqual([response.text, passed(response)], [text, names], target);
        }
      });
    });

    add('may have parameters in its prefix', async (driver) => {
      const seen: string[] = [];
      const routes = (server: Server) => {
        server.group('/orgs/:org(slug)', (orgs) => {
          orgs.use((request, _response, next) => {
            seen.push(`${request.path} ${request.params['org']}`);
            return next();
          });
          orgs.get('/repos/:repo', (request, response) => response.json(request.params));
          orgs.get('/*', (request, response) => response.json(request.params));
        });
      };
      await withServer(driver, {}, routes, async ({ open }) => {
        const client = await open();
        const found = await client.ask(get('/orgs/a-b/repos/c'));
        assert.equal(found.text, '{"org":"a-b","repo":"c"}');
        assert.equal((await client.ask(get('/orgs/a/x/'))).text, '{"org":"a","*":"x/"}');
        assert.equal((await client.ask(get('/orgs/A/x'))).status, 404);
        assert.equal((await client.ask(post('/orgs/abc/none', ''))).status, 405);
        assert.equal((await client.ask(get('/orgs/abc'))).status, 404);
        assert.deepEqual(seen, ['/repos/c a-b', '/x/ a', '/none undefined', '/ undefined']);
      });
    });

    add('with a plain parameter in its prefix has middleware for its routes', async (driver) => {
      const routes = (server: Server) => {
        server.group('/:org', (org) => {
          org.use(passing('org'));
          org.get('/', (request, response) => response.text(request.params.org));
          org.get('/:repo', (request, response) => response.text(request.params.repo));
          org.get('/x/*', (request, response) => response.text(request.params['*']));
          org.group('/:team', (team) => {
            team.use(passing('team')).get('/:member', ({ params }, response) => {
              response.json(params);
            });
          });
        });
      };
      await withServer(driver, {}, routes, async ({ open }) => {
        const client = await open();
        for (const [target, text, names] of [
          ['/a', 'a', 'org'],
          ['/a/b', 'b', 'org'],
          ['/a/x/y', 'y', 'org'],
          ['/a/b/c', '{"org":"a","team":"b","member":"c"}', 'org team'],
          ['/', 'Not Found\n', ''],
          ['/a/b/c/d', 'Not Found\n', 'org team'],
        ]) {
          const response = await client.ask(get(target));
          assert.deepEqual([response.text, passed(response)], [text, names], target);
        }
      });
    });

    add('within another one of the same prefix is the inner one', async (driver) => {
      const routes = (server: Server) => {
        server.group('/a', (outer) => {
          outer.notFound((_request, response) => response.text('outer'));
          outer.group('/', (inner) => {
            inner.notFound((_request, response) => response.text('inner'));
          });
        });
      };
      await withServer(driver, {}, routes, async ({ open }) => {
        assert.equal((await (await open()).ask(get('/a/x'))).text, 'inner');
      });
    });

    for (const isLater of [false, true]) {
      const when = isLater ? 'later' : 'at once';
      add(`passes errors from the innermost handler outwards, ${when}`, async (driver) => {
        const seen: string[] = [];
        const routes = (server: Server) => {
          const fail = (error: Error): Promise<void> => {
            if (!isLater) throw error;
            return wait(1).then(() => Promise.reject(error));
          };
          server.onError(async (error, _request, response) => {
            seen.push(`server ${(error as Error).message}`);
            if (isLater) await wait(1);
            response.status(500).text('server');
          });
          server.group('/a', (outer) => {
            outer.onError((error, request, response) => {
              seen.push(`outer ${(error as Error).message}`);
              if (request.query.has('pass')) return isLater ? wait(1) : undefined;
              response.status(500).text('outer');
              return undefined;
            });
            outer.get('/fail', () => fail(new Error('a')));
            outer.group('/b', (inner) => {
              inner.onError((error, request, response) => {
                seen.push(`inner ${(error as Error).message}`);
                if (request.query.has('pass')) return isLater ? wait(1) : undefined;
                if (request.query.has('again')) return fail(new HttpError(409, 'again'));
                response.status(500).text('inner');
                return undefined;
              });
              inner.get('/fail', () => fail(new HttpError(400, 'b')));
            });
          });
          server.get('/fail', () => fail(new Error('top')));
        };
        await withServer(driver, {}, routes, async ({ open }) => {
          const client = await open();
          for (const [target, text, passes] of [
            ['/a/b/fail', 'inner', ['inner b']],
            ['/a/b/fail?again', 'outer', ['inner b', 'outer again']],
            ['/a/b/fail?pass', 'server', ['inner b', 'outer b', 'server b']],
            ['/a/fail', 'outer', ['outer a']],
            ['/fail', 'server', ['server top']],
            ['/a/b/none', 'inner', ['inner Not Found']],
            ['/a/none', 'outer', ['outer Not Found']],
            ['/none', 'server', ['server Not Found']],
          ] as const) {
            seen.length = 0;
            const response = await client.ask(get(target));
            assert.deepEqual([target, response.text, ...seen], [target, text, ...passes]);
          }
        });
      });
    }

    add('has its own response to paths without a route', async (driver) => {
      const routes = (server: Server) => {
        server.notFound((_request, response) => response.text('server'));
        server.group('/api', (api) => {
          api.notFound(({ route }, response) => response.json({ problem: 'none', route }));
          api.group('/quiet', (quiet) => quiet.get('/', (_request, response) => response.empty()));
        });
      };
      await withServer(driver, {}, routes, async ({ open }) => {
        const client = await open();
        const missing = await client.ask(get('/api/quiet/x'));
        assert.deepEqual([missing.status, missing.text], [404, '{"problem":"none"}']);
        assert.equal((await client.ask(get('/other'))).text, 'server');
      });
    });
  },
  oneDriver(),
);

/** Spellings of a path that could be mistaken for one that no guard covers. */
const SPELLINGS = [
  '/admin/x',
  '//admin/x',
  '/admin//x',
  '/./admin/x',
  '/y/../admin/x',
  '/y/%2e%2e/admin/x',
  '/%61dmin/x',
  '/%61%64%6D%69%6e/%78',
  '/admin/./x',
  '/admin/y/../x',
  '/admin/x?y',
  'http://a/admin/x',
];
const OTHER_PATHS = ['/x/..%2fadmin/x', '/Admin/x', '/admin%2fx', '/admin;/x', '/admin\\x'];

onEachDriver(
  'a guard',
  (add) => {
    const guard: Middleware = (_request, response) => response.status(401).text('no');
    const ways: readonly (readonly [string, (server: Server) => void])[] = [
      ['of a prefix', (server) => server.use('/admin', guard)],
      [
        'of a group',
        (server) =>
          server.group('/admin', (admin) => {
            admin.use(guard).get('/x', () => assert.fail('the handler must not run'));
          }),
      ],
      [
        'of a group with a parameter',
        (server) =>
          server.group('/:area(slug)', (area) => {
            area.use(guard).get('/x', () => assert.fail('the handler must not run'));
          }),
      ],
      ['of a route', (server) => server.get('/admin/x', guard, () => assert.fail('it ran'))],
    ];
    for (const [what, guarded] of ways) {
      for (const trailingSlash of ['strict', 'ignore', 'redirect'] as const) {
        add(
          `${what} is passed by no spelling, trailing slash: ${trailingSlash}`,
          async (driver) => {
            const routes = (server: Server) => {
              guarded(server);
              if (what === 'of a prefix') server.get('/admin/x', () => assert.fail('it ran'));
              server.get('/:any/:other', (_request, response) => response.text('public'));
              server.get('/*', (_request, response) => response.text('public'));
            };
            await withServer(driver, { trailingSlash }, routes, async ({ open }) => {
              const client = await open();
              for (const target of SPELLINGS) {
                assert.equal((await client.ask(get(target))).status, 401, target);
              }
              for (const target of OTHER_PATHS) {
                assert.equal((await client.ask(get(target))).text, 'public', target);
              }
            });
          },
        );
      }
    }
  },
  oneDriver(),
);

describe('a registration', () => {
  it('of a second route names the file and line of both', () => {
    const server = createServer();
    server.get('/users/:id', () => {});
    const add = () => server.group('/users', (users) => users.get('/:name', () => {}));
    assert.throws(add, (error: Error) => {
      const file = 'spec/server/order\\.test\\.[jt]s:\\d+';
      const first = `route pattern "/users/:name" \\(.*${file}\\)`;
      const second = `GET /users/:id already exists \\(.*${file}\\)`;
      assert.match(error.message, new RegExp(`^${first}: ${second}$`));
      const lines = [...error.message.matchAll(/:(\d+)\)/g)].map(([, line]) => Number(line));
      assert.equal(lines[0] - lines[1], 1);
      return true;
    });
    assert.throws(() => server.on('GET', '/users/:x', () => {}), /order\.test\.[jt]s:\d+\)$/);
  });

  it('of a group takes a prefix and a function that adds at once', () => {
    const server = createServer();
    const group = server.group.bind(server) as (...given: unknown[]) => unknown;
    for (const [given, message] of [
      [[], /group\(\): it takes group\('\/prefix', /],
      [[() => {}], /given a function$/],
      [['/a'], /group\("\/a"\): it takes .* given undefined$/],
      [['/a', {}], /given an object$/],
      [['/a', () => {}, () => {}], /given 3 arguments$/],
      [['a', () => {}], /prefix "a" of group\(\): it must begin with '\/'/],
      [['/a/*', () => {}], /must not contain '\*': a group covers all below it/],
      [['/:a(x)', () => {}], /unknown constraint "x"/],
      [['/a', class {}], /given a class/],
      [['/a', async () => {}], /its function returned a promise/],
    ] as const) {
      assert.throws(() => group(...given), message);
    }
    assert.throws(
      () => server.group('/:a', (one) => one.group('/:a', () => {})),
      /prefix "\/:a\/:a" of group\(\): parameter ':a' occurs twice/,
    );
    server.group('/twice', (twice) => {
      twice.onError(() => {}).notFound(() => {});
      assert.throws(() => twice.onError(() => {}), /onError\(\): an error handler was set before/);
      assert.throws(() => twice.notFound(() => {}), /notFound\(\): a handler was set before/);
    });
  });
});
