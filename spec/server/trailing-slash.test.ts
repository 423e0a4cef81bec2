// The option trailingSlash: what becomes of a path that has a route only with, or only without, a
// slash at its end.

import assert from 'node:assert/strict';
import type { Server } from '../../src/server/server.ts';
import { get, post, request } from '../../testing/raw-client.ts';
import { onEachDriver, oneDriver, withServer } from '../../testing/with-server.ts';

function routes(server: Server): void {
  server.get('/', ({ path }, response) => response.text(`root ${path}`));
  server.get('/open', ({ path }, response) => response.text(`open ${path}`));
  server.get('/closed/', ({ path }, response) => response.text(`closed ${path}`));
  server.get('/both', (_request, response) => response.text('both'));
  server.get('/both/', (_request, response) => response.text('both/'));
  server.post('/both/', (_request, response) => response.text('posted'));
  server.get('/users/:id', (request, response) => {
    response.text(`user ${request.params.id} ${request.path}`);
  });
  server.get('/files/*', (request, response) => {
    response.text(`file ${request.params['*']} ${request.path}`);
  });
  server.put('/open/', (_request, response) => response.text('put'));
}

/** Status, then the text or Location. */
const EXPECTED: readonly (readonly [string, string, Record<string, string>])[] = [
  ['GET', '/', { strict: '200 root /', ignore: '200 root /', redirect: '200 root /' }],
  [
    'GET',
    '/open',
    { strict: '200 open /open', ignore: '200 open /open', redirect: '200 open /open' },
  ],
  ['GET', '/open/', { strict: '405', ignore: '200 open /open/', redirect: '308 /open' }],
  ['HEAD', '/open/', { strict: '405', ignore: '200', redirect: '308 /open' }],
  ['GET', '/closed', { strict: '404', ignore: '200 closed /closed', redirect: '308 /closed/' }],
  [
    'GET',
    '/closed?a=1&b',
    { strict: '404', ignore: '200 closed /closed', redirect: '308 /closed/?a=1&b' },
  ],
  ['GET', '/both', { strict: '200 both', ignore: '200 both', redirect: '200 both' }],
  ['GET', '/both/', { strict: '200 both/', ignore: '200 both/', redirect: '200 both/' }],
  ['POST', '/both', { strict: '405', ignore: '200 posted', redirect: '308 /both/' }],
  ['PUT', '/both', { strict: '405', ignore: '405', redirect: '405' }],
  ['GET', '/users/7/', { strict: '404', ignore: '200 user 7 /users/7/', redirect: '308 /users/7' }],
  ['GET', '/users/', { strict: '404', ignore: '404', redirect: '404' }],
  ['GET', '/files', { strict: '404', ignore: '200 file  /files', redirect: '308 /files/' }],
  [
    'GET',
    '/files/a/',
    {
      strict: '200 file a/ /files/a/',
      ignore: '200 file a/ /files/a/',
      redirect: '200 file a/ /files/a/',
    },
  ],
  ['GET', '/none/', { strict: '404', ignore: '404', redirect: '404' }],
  // The reference begins with one slash, whatever the target begins with.
  [
    'GET',
    '//users//%5Cb.test/',
    {
      strict: '404',
      ignore: '200 user \\b.test /users/\\b.test/',
      redirect: '308 /users/%5Cb.test',
    },
  ],
  [
    'GET',
    '/users/a%2f%3Fb%25/',
    { strict: '404', ignore: '200 user a/?b% /users/a%2F?b%/', redirect: '308 /users/a%2F%3Fb%25' },
  ],
  [
    'GET',
    '/users/%C3%A9%0d/',
    { strict: '404', ignore: '200 user é\r /users/é\r/', redirect: '308 /users/%C3%A9%0D' },
  ],
];

onEachDriver(
  'trailingSlash',
  (add) => {
    for (const trailingSlash of ['strict', 'ignore', 'redirect'] as const) {
      add(trailingSlash, async (driver) => {
        await withServer(driver, { trailingSlash }, routes, async ({ open }) => {
          const client = await open();
          for (const [method, target, results] of EXPECTED) {
            const bytes = method === 'POST' ? post(target, '') : request(method, target);
            const response = await client.ask(bytes);
            const { status } = response;
            const location = response.field('location') ?? '';
            const text = status === 200 ? response.text : location;
            const result = `${status} ${text}`.trimEnd();
            assert.equal(result, results[trailingSlash].trimEnd(), `${method} ${target}`);
          }
        });
      });
    }

    add('redirects and refusals pass all middleware, a route its own', async (driver) => {
      for (const [trailingSlash, expected] of [
        ['ignore', ['200 undefined', '405 yes GET, HEAD, OPTIONS, PUT']],
        ['redirect', ['308 yes', '405 yes GET, HEAD, OPTIONS, PUT']],
      ] as const) {
        const late = (server: Server) => {
          routes(server);
          server.use((request, response, next) => {
            response.header('X-Late', request.route === undefined ? 'yes' : request.route);
            return next();
          });
        };
        await withServer(driver, { trailingSlash }, late, async ({ open }) => {
          const client = await open();
          const results: string[] = [];
          for (const bytes of [get('/users/7/'), post('/open', '')]) {
            const response = await client.ask(bytes);
            const allow = response.field('allow') ?? '';
            results.push(`${response.status} ${response.field('x-late')} ${allow}`.trimEnd());
          }
          assert.deepEqual(results, expected);
        });
      }
    });

    add('parameters are right when the handler responds later', async (driver) => {
      const later = (server: Server) => {
        server.get('/a/:one/:two', async (request, response) => {
          await null;
          response.json(request.params);
        });
        server.get('/b/:one/', async (request, response) => {
          await null;
          response.json(request.params);
        });
      };
      await withServer(driver, { trailingSlash: 'ignore' }, later, async ({ open }) => {
        const client = await open();
        for (const [target, text] of [
          ['/a/x/yz/', '{"one":"x","two":"yz"}'],
          ['/a/%78/y%7a/', '{"one":"x","two":"yz"}'],
          ['/b/xyz', '{"one":"xyz"}'],
        ]) {
          assert.equal((await client.ask(get(target))).text, text);
        }
      });
    });
  },
  oneDriver(),
);
