// methodOverride(): which requests are handled as another method, and that their route is that of
// the other method.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Middleware } from '../../src/exchange/handler.ts';
import { HttpError } from '../../src/exchange/http-error.ts';
import { methodOverride } from '../../src/middleware/method-override.ts';
import type { Server } from '../../src/server/server.ts';
import { get, post, request } from '../../testing/raw-client.ts';
import { onEachDriver, oneDriver, wait, withServer } from '../../testing/with-server.ts';

function routes(options?: Parameters<typeof methodOverride>[0]): (server: Server) => void {
  return (server) => {
    server.use('/later', async (_request, _response, next) => {
      await wait(1);
      await next();
    });
    server.use(methodOverride(options));
    for (const path of ['/items/:id', '/later/:id']) {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
        server.on(method, path, async (request, response) => {
          const { id } = request.params;
          const body = await request.text();
          response.text(`${method} ${request.method} ${id} ${request.path} ${body}`);
        });
      }
    }
    server.post('/only', (_request, response) => response.text('post'));
    server.put('/put/:name', (request, response) => response.json(request.params));
    server.post('/:a/:b', (request, response) => response.json(request.params));
  };
}

const as = (method: string) => `X-HTTP-Method-Override: ${method}`;

onEachDriver(
  'methodOverride',
  (add) => {
    const CASES: readonly (readonly [name: string, bytes: string, status: number, text: RegExp])[] =
      [
        ['a POST without the field', post('/items/7', 'x'), 200, /^POST POST 7 \/items\/7 x$/],
        ['PUT', post('/items/7', 'x', as('PUT')), 200, /^PUT PUT 7 \/items\/7 x$/],
        ['DELETE', post('/items/7', 'x', as('DELETE')), 200, /^DELETE DELETE 7 \/items\/7 x$/],
        ['POST', post('/items/7', 'x', as('POST')), 200, /^POST POST/],
        ['after a promise', post('/later/8', 'x', as('PUT')), 200, /^PUT PUT 8 \/later\/8 x$/],
        [
          'an encoded path',
          post('/items/a%20b', 'x', as('PUT')),
          200,
          /^PUT PUT a b \/items\/a b x$/,
        ],
        ['the parameters of the other route', post('/put/n', '', as('PUT')), 200, /^{"name":"n"}$/],
        ['a path without a route for it', post('/only', 'x', as('PUT')), 405, /Not Allowed/],
        ['GET stays GET', get('/items/7', as('DELETE')), 200, /^GET GET/],
        ['PUT stays PUT', request('PUT', '/items/7', [as('DELETE')]), 200, /^PUT PUT/],
        ['GET is no override', post('/items/7', 'x', as('GET')), 400, /must be one of PUT, PATCH/],
        ['HEAD is none', post('/items/7', 'x', as('HEAD')), 400, /must be one of/],
        ['CONNECT is none', post('/items/7', 'x', as('CONNECT')), 400, /must be one of/],
        ['lower case is none', post('/items/7', 'x', as('put')), 400, /must be one of/],
        ['an empty field is none', post('/items/7', 'x', as('')), 400, /must be one of/],
        ['two are none', post('/items/7', 'x', as('PUT'), as('PUT')), 400, /must be one of/],
      ];
    for (const [name, bytes, status, text] of CASES) {
      add(name, async (driver) => {
        await withServer(driver, {}, routes(), async ({ open }) => {
          const client = await open();
          const response = await client.ask(bytes);
          assert.equal(response.status, status, response.text);
          assert.match(response.text, text);
          // The record of the connection is not affected.
          assert.match((await client.ask(post('/items/1', 'y'))).text, /^POST POST 1/);
        });
      });
    }

    add('an error handler sees no parameters of the route of the POST', async (driver) => {
      const failing = (server: Server) => {
        server.use(methodOverride());
        server.post('/:a', (_request, response) => response.text('post'));
        server.onError((_error, request, response) => response.json(request.params));
      };
      await withServer(driver, {}, failing, async ({ open }) => {
        const response = await (await open()).ask(post('/x', '', as('PUT')));
        assert.equal(response.status, 200);
        assert.equal(response.text, '{}');
        assert.equal(response.field('allow'), 'OPTIONS, POST');
      });
    });

    add('all middleware of the other route runs, and none of it twice', async (driver) => {
      const guarded = (server: Server) => {
        const note =
          (name: string): Middleware =>
          (_request, response, next) => {
            response.appendHeader('X-Ran', name);
            return next();
          };
        server.use(note('before'));
        server.use(methodOverride());
        server.post('/a', note('of POST'), (_request, response) => response.text('post'));
        server.use('/a', note('between'));
        server.put('/a', note('of PUT'), (_request, response) => response.text('put'));
        server.group('/b', (group) => {
          group.use((_request, response, next) => {
            response.appendHeader('X-Ran', 'group');
            return next();
          });
          group.put('/c', () => {
            throw new HttpError(403);
          });
        });
        server.post('/b/c', (_request, response) => response.text('post'));
      };
      await withServer(driver, {}, guarded, async ({ open }) => {
        const client = await open();
        const ran = async (bytes: string) => {
          const response = await client.ask(bytes);
          const names = response.fields.filter(([name]) => name === 'X-Ran');
          return [response.status, ...names.map(([, value]) => value)];
        };
        assert.deepEqual(await ran(post('/a', '')), [200, 'before', 'of POST']);
        const put = [200, 'before', 'between', 'of PUT'];
        assert.deepEqual(await ran(post('/a', '', as('PUT'))), put);
        assert.deepEqual(await ran(request('PUT', '/a')), put);
        assert.deepEqual(await ran(post('/b/c', '', as('PUT'))), [403, 'before', 'group']);
        // No route: all middleware that covers the path.
        assert.deepEqual(await ran(post('/a', '', as('DELETE'))), [405, 'before', 'between']);
      });
    });

    add('middleware that was passed over for the POST runs for the other route', async (driver) => {
      const guarded = (server: Server) => {
        const guard: Middleware = () => {
          throw new HttpError(403);
        };
        // In the chain of the wildcard, but not for this path.
        server.use('/other', guard);
        server.use(methodOverride());
        server.post('/*', (_request, response) => response.text('post'));
        server.use('/a', guard);
        server.put('/a', (_request, response) => response.text('put'));
      };
      await withServer(driver, {}, guarded, async ({ open }) => {
        const client = await open();
        assert.equal((await client.ask(post('/a', ''))).status, 200);
        assert.equal((await client.ask(post('/a', '', as('PUT')))).status, 403);
      });
    });

    add('only the listed methods, by another field', async (driver) => {
      const options = { header: 'X-Method', methods: ['DELETE'] } as const;
      await withServer(driver, {}, routes(options), async ({ open }) => {
        const client = await open();
        assert.match((await client.ask(post('/items/7', '', 'X-Method: DELETE'))).text, /^DELETE/);
        assert.equal((await client.ask(post('/items/7', '', 'X-Method: PUT'))).status, 400);
        assert.match((await client.ask(post('/items/7', '', as('DELETE')))).text, /^POST/);
      });
    });
  },
  oneDriver(),
);

test('invalid options throw', () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ header: '' }, /a field name/],
    [{ header: 'a b' }, /a field name/],
    [{ methods: [] }, /not empty/],
    [{ methods: ['GET'] }, /methods is a list/],
    [{ methods: ['put'] }, /methods is a list/],
    [{ methods: 'PUT' }, /methods is a list/],
    [{ field: '_method' }, /no option "field"/],
  ];
  for (const [options, reason] of cases) assert.throws(() => methodOverride(options), reason);
});
