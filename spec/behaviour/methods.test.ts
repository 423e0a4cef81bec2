// Methods and targets: HEAD that follows from GET, OPTIONS, methods that a path or the server does
// not support, and the forms of a target.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { Server } from '../../src/server/server.ts';
import { get, request } from '../../testing/raw-client.ts';
import { eventually, onEachDriver, wait, withServer } from '../../testing/with-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'vibing-methods-'));
const file = join(folder, 'page.html');
const FILE_BYTES = 300_000;
writeFileSync(file, Buffer.alloc(FILE_BYTES, 'f'));
after(() => rmSync(folder, { recursive: true }));

function routes(server: Server): void {
  server.get('/text', (_request, response) => response.text('hello'));
  server.get('/accents', (_request, response) => response.text('h\u00e9llo \u20ac'));
  server.get('/long-accents', (_request, response) => response.text('\u00e9'.repeat(20_000)));
  server.get('/later', async (_request, response) => {
    await null;
    response.json({ a: 1 });
  });
  server.get('/stream', (_request, response) => response.stream(['one', 'two']));
  server.get('/sized', (_request, response) =>
    response.header('Content-Length', 6).stream(['one', 'two']),
  );
  server.get('/written', async (_request, response) => {
    await response.write('one');
    response.end('two');
  });
  server.get('/file', (_request, response) => response.file(file));
  server.get('/empty', (_request, response) => response.empty());
  server.get('/error', () => {
    throw new Error('failed');
  });
  server.get('/method', (request, response) => response.text(request.method));
  server.head('/head', (_request, response) => response.header('X-Head', 'own').empty(200));
  server.head('/declared', (_request, response) => {
    response.header('Content-Length', 1234).empty(200);
  });
  server.post('/post', (_request, response) => response.text('posted'));
  server.delete('/post', (_request, response) => response.empty());
  server.on('PURGE', '/purge', (_request, response) => response.text('purged'));
  server.options('/own', (_request, response) => response.text('own options'));
  server.all('/all', (request, response) => response.text(request.method));
}

onEachDriver('methods', (add) => {
  for (const target of ['/text', '/accents', '/long-accents', '/later', '/sized', '/file']) {
    add(`HEAD ${target} has the fields of GET and no content`, async (driver) => {
      await withServer(driver, {}, routes, async ({ open }) => {
        const client = await open();
        const whole = await client.ask(get(target));
        const head = await client.ask(request('HEAD', target));
        assert.equal(head.status, 200);
        assert.equal(whole.field('content-length'), String(whole.body.length));
        for (const name of ['content-length', 'content-type', 'etag', 'last-modified']) {
          assert.equal(head.field(name), whole.field(name), name);
        }
        // No content follows: the next bytes are the next response.
        assert.equal((await client.ask(get('/text'))).text, 'hello');
      });
    });
  }

  for (const target of ['/stream', '/written']) {
    add(`HEAD ${target}, of unknown length, has no content either`, async (driver) => {
      await withServer(driver, {}, routes, async ({ open }) => {
        const client = await open();
        const whole = await client.ask(get(target));
        assert.equal(whole.text, 'onetwo');
        const head = await client.ask(request('HEAD', target));
        assert.equal(head.status, 200);
        assert.equal(head.field('content-type'), whole.field('content-type'));
        assert.equal((await client.ask(get('/text'))).text, 'hello');
      });
    });
  }

  add('HEAD of an endless stream gets a response, and its source is closed', async (driver) => {
    const closed: string[] = [];
    const endless = (server: Server) => {
      routes(server);
      server.get('/endless', (_request, response) =>
        response.stream(
          (async function* () {
            try {
              for (;;) {
                yield 'chunk';
                await wait(1);
              }
            } finally {
              closed.push('source');
            }
          })(),
        ),
      );
      server.get('/events', (_request, response) => {
        const stream = response.events();
        if (stream.closed) closed.push('events');
      });
    };
    await withServer(driver, {}, endless, async ({ open }) => {
      for (const target of ['/endless', '/events']) {
        const client = await open();
        const head = await client.ask(request('HEAD', target));
        assert.equal(head.status, 200);
        assert.equal((await client.ask(get('/text'))).text, 'hello', target);
      }
      await eventually('both are closed', () => closed.length === 2);
    });
  });

  add('HEAD of a response without content, of an error and of no route', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      for (const target of ['/empty', '/error', '/missing']) {
        const whole = await client.ask(get(target));
        const head = await client.ask(request('HEAD', target));
        assert.equal(head.status, whole.status, target);
        assert.equal(head.field('content-length'), whole.field('content-length'), target);
      }
      assert.equal((await client.ask(get('/text'))).text, 'hello');
    });
  });

  add('the handler of an automatic HEAD sees HEAD', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      assert.equal((await client.ask(request('HEAD', '/method'))).field('content-length'), '4');
      assert.equal((await client.ask(get('/method'))).text, 'GET');
    });
  });

  add('a HEAD route takes precedence over GET; GET does not reach it', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      assert.equal((await client.ask(request('HEAD', '/head'))).field('x-head'), 'own');
      const declared = await client.ask(request('HEAD', '/declared'));
      assert.equal(declared.field('content-length'), '1234');
      const rejected = await client.ask(get('/head'));
      assert.equal(rejected.status, 405);
      assert.equal(rejected.field('allow'), 'HEAD, OPTIONS');
    });
  });

  add('OPTIONS * lists the methods of the server', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const response = await client.ask(request('OPTIONS', '*'));
      assert.equal(response.status, 204);
      const allowed = (response.field('allow') ?? '').split(', ');
      for (const method of ['GET', 'HEAD', 'POST', 'DELETE', 'PURGE', 'OPTIONS']) {
        assert.ok(allowed.includes(method), `${method} in ${allowed}`);
      }
    });
  });

  add('OPTIONS of an absolute target without path and query is *', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const star = (await client.ask(request('OPTIONS', '*'))).field('allow');
      for (const [target, isStar] of [
        ['http://a.test', true],
        ['HTTPS://a.test:80', true],
        ['http://a.test/', false],
        ['http://a.test?', false],
        ['http://a.test?a', false],
      ] as const) {
        const response = await client.ask(request('OPTIONS', target));
        assert.equal(response.field('allow') === star, isStar, target);
      }
      assert.equal((await client.ask(request('GET', 'http://a.test'))).status, 404);
    });
  });

  add('the target * is for OPTIONS only', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      assert.equal((await client.ask(get('*'))).status, 400);
      await client.endsCleanly();
    });
  });

  add('OPTIONS of a path lists its methods, an OPTIONS route takes precedence', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const text = await client.ask(request('OPTIONS', '/text'));
      assert.equal(text.status, 204);
      assert.equal(text.field('allow'), 'GET, HEAD, OPTIONS');
      const post = await client.ask(request('OPTIONS', '/post'));
      assert.equal(post.field('allow'), 'DELETE, OPTIONS, POST');
      assert.equal((await client.ask(request('OPTIONS', '/own'))).text, 'own options');
      assert.equal((await client.ask(request('OPTIONS', '/missing'))).status, 404);
    });
  });

  add('405 lists the allowed methods, and the connection stays open', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const response = await client.ask(request('DELETE', '/text'));
      assert.equal(response.status, 405);
      assert.equal(response.field('allow'), 'GET, HEAD, OPTIONS');
      assert.equal(response.text, 'Method Not Allowed\n');
      assert.equal((await client.ask(get('/post'))).field('allow'), 'DELETE, OPTIONS, POST');
      // Another route has the method, so not 501.
      assert.equal((await client.ask(request('PURGE', '/text'))).status, 405);
      assert.equal((await client.ask(get('/text'))).status, 200);
    });
  });

  add('501 for unknown methods; they are case-sensitive', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      assert.equal((await client.ask(request('BREW', '/text'))).status, 501);
      assert.equal((await client.ask(request('get', '/text'))).status, 501);
      assert.equal((await client.ask(request('GETT', '/text'))).status, 501);
      assert.equal((await client.ask(request('PURGE', '/purge'))).text, 'purged');
      assert.equal((await client.ask(request('BREW', '/missing'))).status, 404);
    });
  });

  add('a route for all methods takes any method', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS', 'BREW', 'PATCH', 'TRACE']) {
        assert.equal((await client.ask(request(method, '/all'))).text, method);
      }
    });
  });

  add('CONNECT gets 501, as a complete response', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const response = await client.ask('CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n');
      assert.equal(response.status, 501);
    });
  });

  add('targets in absolute-form are accepted', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      assert.equal((await client.ask(get('http://a.test/text'))).text, 'hello');
      assert.equal((await client.ask(get('HTTP://A.TEST:80/text?x=1'))).text, 'hello');
      assert.equal((await client.ask(get('http://a.test'))).status, 404);
    });
  });

  add('Upgrade is ignored, the request gets a response', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const response = await client.ask(get('/text', 'Connection: Upgrade', 'Upgrade: websocket'));
      assert.equal(response.status, 200);
      assert.equal(response.text, 'hello');
      assert.equal((await client.ask(get('/text'))).text, 'hello');
    });
  });

  add('paths are decoded once, dot segments removed; bad escapes are 400', async (driver) => {
    const paths = (server: Server) => {
      server.all('/*', (request, response) => {
        response.json([request.path, request.params['*'], request.query.get('q')]);
      });
    };
    await withServer(driver, {}, paths, async ({ open }) => {
      const client = await open();
      const seen = async (target: string) => JSON.parse((await client.ask(get(target))).text);
      assert.deepEqual(await seen('/a%20b?q=%C3%A9+x'), ['/a b', 'a b', '\u00e9 x']);
      assert.deepEqual(await seen('/a/../b/./c'), ['/b/c', 'b/c', null]);
      assert.deepEqual(await seen('/%2e%2e/x'), ['/x', 'x', null]);
      assert.deepEqual(await seen('/%2541'), ['/%41', '%41', null]);
      assert.deepEqual(await seen('/a%2fb'), ['/a%2Fb', 'a/b', null]);
      assert.deepEqual(await seen('/x/..%2fb'), ['/x/..%2Fb', 'x/../b', null]);
      assert.deepEqual(await seen('/a%252fb'), ['/a%2fb', 'a%2fb', null]);
      assert.deepEqual(await seen('http://h/a%2fb/../c'), ['/c', 'c', null]);
      assert.deepEqual(await seen('/?q='), ['/', '', '']);
      for (const target of ['/%', '/%g0', '/%00', '/%ff']) {
        assert.equal((await client.ask(get(target))).status, 400, target);
      }
      assert.deepEqual(await seen('/still'), ['/still', 'still', null]);
    });
  });

  add('empty segments are merged for routes, prefixes, parameters and req.path', async (driver) => {
    const paths = (server: Server) => {
      server.use('/admin', (request, response) => response.text(`guarded ${request.path}`));
      server.get('/u/:id/', (request, response) => response.text(`user ${request.params['id']}`));
      server.all('/*', (request, response) => {
        response.json([request.path, request.params['*'], request.target]);
      });
    };
    await withServer(driver, {}, paths, async ({ open }) => {
      const client = await open();
      const text = async (target: string) => (await client.ask(get(target))).text;
      for (const [target, path] of [
        ['//', '/'],
        ['///', '/'],
        ['//a//', '/a/'],
        ['/a//../b', '/b'],
        ['/a//b?q=//', '/a/b'],
        ['/a?q=//', '/a'],
        ['/proxy/http://x', '/proxy/http:/x'],
        ['http://h', '/'],
        ['http://h//', '/'],
        ['http://h//a//b', '/a/b'],
      ] as const) {
        assert.deepEqual(JSON.parse(await text(target)), [path, path.slice(1), target]);
      }
      assert.equal(await text('//admin//x'), 'guarded /x');
      assert.equal(await text('///admin'), 'guarded /');
      assert.equal(await text('/x//..//admin//'), 'guarded /');
      assert.equal(await text('http://h//admin'), 'guarded /');
      assert.equal(await text('//u///7//'), 'user 7');
    });
  });
});
