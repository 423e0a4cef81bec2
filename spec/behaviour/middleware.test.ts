// Middleware in a running server: its order, its prefixes, its mistakes, and the callbacks before
// and after a response is sent.

import assert from 'node:assert/strict';
import type { Summary } from '../../src/exchange/callbacks.ts';
import type { Middleware } from '../../src/exchange/handler.ts';
import { HttpError } from '../../src/exchange/http-error.ts';
import type { Server } from '../../src/server/server.ts';
import { get, post, request } from '../../testing/raw-client.ts';
import { eventually, onEachDriver, wait, withServer } from '../../testing/with-server.ts';

function noting(notes: string[], name: string): Middleware {
  return async (_request, _response, next) => {
    notes.push(`${name} in`);
    await next();
    notes.push(`${name} out`);
  };
}

onEachDriver('middleware', (add) => {
  add('runs in the order of registration, and back', async (driver) => {
    for (const isLater of [false, true]) {
      const notes: string[] = [];
      const nested = (server: Server) => {
        server.use(noting(notes, 'a')).use(noting(notes, 'b'));
        server.use(noting(notes, 'c'));
        server.get('/', (_request, response) => {
          notes.push('handler');
          if (!isLater) return response.text('hello');
          return wait(1).then(() => {
            notes.push('respond');
            response.text('hello');
          });
        });
        server.use(noting(notes, 'behind the route'));
      };
      await withServer(driver, {}, nested, async ({ open }) => {
        assert.equal((await (await open()).ask(get('/'))).text, 'hello');
        const inside = isLater ? ['handler', 'respond'] : ['handler'];
        const expected = ['a in', 'b in', 'c in', ...inside, 'c out', 'b out', 'a out'];
        await eventually('all have run', () => notes.length === expected.length);
        assert.deepEqual(notes, expected);
      });
    }
  });

  add('wraps 404, 405, 501 and OPTIONS, too', async (driver) => {
    const seen: string[] = [];
    const around = (server: Server) => {
      server.use((request, response, next) => {
        seen.push(`${request.method} ${request.target}`);
        response.header('X-Around', 'yes');
        return next();
      });
      server.get('/', (_request, response) => response.text('hello'));
    };
    await withServer(driver, {}, around, async ({ open }) => {
      const client = await open();
      for (const [method, target, status] of [
        ['GET', '/missing', 404],
        ['POST', '/', 405],
        ['BREW', '/', 501],
        ['OPTIONS', '/', 204],
        ['OPTIONS', '*', 204],
        ['HEAD', '/', 200],
        ['GET', '/%ff', 400],
      ] as const) {
        const response = await client.ask(request(method, target));
        assert.equal(response.status, status);
        assert.equal(response.field('x-around'), 'yes');
        assert.equal(seen.pop(), `${method} ${target}`);
      }
    });
  });

  add('may respond itself: nothing after it runs', async (driver) => {
    let calls = 0;
    const guarded = (server: Server) => {
      server.use((request, response, next) => {
        if (request.header('x-key') === 'right') return next();
        response.status(401).text('no');
        return;
      });
      server.get('/', (_request, response) => {
        calls += 1;
        response.text('hello');
      });
    };
    await withServer(driver, {}, guarded, async ({ open }) => {
      const client = await open();
      assert.equal((await client.ask(get('/'))).status, 401);
      assert.equal(calls, 0);
      assert.equal((await client.ask(get('/', 'X-Key: right'))).text, 'hello');
      assert.equal(calls, 1);
    });
  });

  add('below a prefix sees the path without it; outside it sees the full path', async (driver) => {
    const seen: string[] = [];
    const mounted = (server: Server) => {
      server.use(async (request, _response, next) => {
        const before = request.path;
        await next();
        seen.push(`${before} ${request.path}`);
      });
      server.use('/files', async (request, _response, next) => {
        seen.push(`files ${request.path}`);
        await next();
        seen.push(`files ${request.path}`);
      });
      server.use('/files/deep/', (request, _response, next) => {
        seen.push(`deep ${request.path}`);
        return next();
      });
      server.all('/*', async (request, response) => {
        await wait(1);
        response.text(`${request.path} ${request.params['*']}`);
      });
    };
    await withServer(driver, {}, mounted, async ({ open }) => {
      const client = await open();
      const pathsOf = async (target: string, count: number) => {
        const { text } = await client.ask(get(target));
        await eventually('all have run', () => seen.length === count);
        return [text, ...seen.splice(0)];
      };
      assert.deepEqual(await pathsOf('/files/a', 3), [
        '/files/a files/a',
        'files /a',
        'files /a',
        '/files/a /files/a',
      ]);
      assert.deepEqual(await pathsOf('/files', 3), [
        '/files files',
        'files /',
        'files /',
        '/files /files',
      ]);
      assert.deepEqual(await pathsOf('/files/deep/x%20y', 4), [
        '/files/deep/x y files/deep/x y',
        'files /deep/x y',
        'deep /x y',
        'files /deep/x y',
        '/files/deep/x y /files/deep/x y',
      ]);
      assert.deepEqual(await pathsOf('/f%69les/a', 3), [
        '/files/a files/a',
        'files /a',
        'files /a',
        '/files/a /files/a',
      ]);
      for (const other of ['/filesystem', '/file', '/', '/x/files/a']) {
        assert.equal((await pathsOf(other, 1)).length, 2, other);
      }
      assert.equal((await pathsOf('/a/../files/b', 3))[0], '/files/b files/b');
    });
  });

  for (const kind of ['sync', 'async'] as const) {
    add(`that calls next() twice (${kind}) fails; the handler runs once`, async (driver) => {
      let calls = 0;
      const twice = (server: Server) => {
        if (kind === 'sync') {
          server.use((_request, _response, next) => {
            void next();
            void next();
          });
        } else {
          server.use(async (_request, _response, next) => {
            await next();
            await next();
          });
        }
        server.get('/responded', (_request, response) => {
          calls += 1;
          response.text('hello');
        });
        server.get('/later', async (_request, response) => {
          calls += 1;
          await wait(5);
          if (!response.sent) response.text('hello');
        });
      };
      await withServer(driver, {}, twice, async ({ open, server, log }) => {
        const client = await open();
        assert.equal((await client.ask(get('/responded'))).text, 'hello');
        await eventually('the error is counted', () => server.counters.handlerErrors === 1);
        assert.match(log.join('\n'), /next\(\) was called twice/);
        const later = await client.ask(get('/later'));
        assert.ok([200, 500].includes(later.status));
        assert.equal(calls, 2);
      });
    });
  }

  const failures: readonly (readonly [what: string, middleware: Middleware])[] = [
    ['does not await', (_request, _response, next) => void next()],
    ['returns', (_request, _response, next) => next()],
    [
      'awaits',
      async (_request, _response, next) => {
        await next();
      },
    ],
  ];
  for (const [what, middleware] of failures) {
    add(`that ${what} next(): a failing handler is a 500, once`, async (driver) => {
      const failing = (server: Server) => {
        server.use(middleware).use(middleware);
        server.get('/throw', () => {
          throw new Error('failed');
        });
        server.get('/reject', async () => {
          await wait(1);
          throw new Error('failed');
        });
        server.get('/http-error', async () => {
          throw new HttpError(403);
        });
        server.get('/none', async () => {});
      };
      await withServer(driver, {}, failing, async ({ open, server }) => {
        const client = await open();
        assert.equal((await client.ask(get('/throw'))).status, 500);
        assert.equal((await client.ask(get('/reject'))).status, 500);
        assert.equal((await client.ask(get('/http-error'))).status, 403);
        assert.equal((await client.ask(get('/none'))).status, 500);
        assert.equal((await client.ask(get('/missing'))).status, 404);
        assert.equal(server.counters.handlerErrors, 3);
      });
    });
  }

  add('may catch the error of what follows it', async (driver) => {
    const catching = (server: Server) => {
      server.use(async (_request, response, next) => {
        try {
          await next();
        } catch (error) {
          response.status(418).text((error as Error).message);
        }
      });
      server.get('/throw', () => {
        throw new Error('thrown');
      });
      server.get('/reject', async () => {
        await wait(1);
        throw new Error('rejected');
      });
    };
    await withServer(driver, {}, catching, async ({ open, server }) => {
      const client = await open();
      assert.equal((await client.ask(get('/throw'))).text, 'thrown');
      assert.equal((await client.ask(get('/reject'))).text, 'rejected');
      assert.equal(server.counters.handlerErrors, 0);
    });
  });

  add('that fails itself, before and after next()', async (driver) => {
    const failing = (server: Server) => {
      server.use('/before', () => {
        throw new HttpError(403, 'not here');
      });
      server.use('/after', async (_request, _response, next) => {
        await next();
        throw new Error('after');
      });
      server.get('/after', (_request, response) => response.text('hello'));
    };
    await withServer(driver, {}, failing, async ({ open, server }) => {
      const client = await open();
      assert.equal((await client.ask(get('/before/x'))).text, 'not here\n');
      assert.equal((await client.ask(get('/after'))).text, 'hello');
      await eventually('the error is counted', () => server.counters.handlerErrors === 1);
      assert.equal((await client.ask(get('/after'))).text, 'hello');
    });
  });

  add('state passes from middleware to handler, and to no other request', async (driver) => {
    const stating = (server: Server) => {
      server.use('/a', (request, _response, next) => {
        request.state['user'] = request.header('x-user');
        return next();
      });
      server.get('/*', (request, response) => response.json(request.state));
    };
    await withServer(driver, {}, stating, async ({ open }) => {
      const client = await open();
      assert.equal((await client.ask(get('/a', 'X-User: ann'))).text, '{"user":"ann"}');
      for (let index = 0; index < 200; index++) {
        assert.equal((await client.ask(get('/b'))).text, '{}');
      }
    });
  });

  add('is a function, with a string as its prefix', async () => {
    const { createServer } = await import('../../src/index.ts');
    const server = createServer();
    assert.throws(() => server.use('no' as never), TypeError);
    assert.throws(() => server.use('no-slash', () => {}), TypeError);
    assert.throws(() => server.use('/a', 1 as never), TypeError);
    assert.throws(() => server.get('/', undefined as never), TypeError);
    assert.throws(() => server.get('no-slash', () => {}), TypeError);
  });
});

onEachDriver('beforeSend', (add) => {
  add('changes status, fields and content, the last registered first', async (driver) => {
    const changing = (server: Server) => {
      server.use((_request, response, next) => {
        response.beforeSend((outgoing) => {
          outgoing.status += 1;
          outgoing.setHeader('X-Order', `${outgoing.header('x-order')} first`);
          outgoing.removeHeader('X-Gone');
          outgoing.appendHeader('X-Two', 'b');
          assert.equal(outgoing.streamed, false);
          const { content } = outgoing;
          outgoing.content = content === null ? null : `${String(content)} changed \u20ac`;
        });
        response.beforeSend((outgoing) => outgoing.setHeader('X-Order', 'second'));
        return next();
      });
      server.get('/', (_request, response) => {
        response.header('X-Gone', '1').header('X-Two', 'a').text('hello');
      });
      server.get('/error', () => {
        throw new HttpError(404);
      });
      server.get('/redirect', (_request, response) => response.redirect('/x'));
    };
    await withServer(driver, {}, changing, async ({ open }) => {
      const client = await open();
      for (let index = 0; index < 2; index++) {
        const response = await client.ask(get('/'));
        assert.equal(response.status, 201);
        assert.equal(response.text, 'hello changed \u20ac');
        assert.equal(response.field('x-order'), 'second first');
        assert.equal(response.field('x-gone'), undefined);
        assert.deepEqual(response.all('x-two'), ['a', 'b']);
      }
      const error = await client.ask(get('/error'));
      assert.equal(error.status, 405);
      assert.equal(error.text, 'Not Found\n changed \u20ac');
      assert.equal((await client.ask(get('/redirect'))).status, 303);
      assert.equal((await client.ask(get('/missing'))).status, 405);
    });
  });

  add('sees streams, whose content it cannot change', async (driver) => {
    const changing = (server: Server) => {
      server.use((_request, response, next) => {
        response.beforeSend((outgoing) => {
          assert.equal(outgoing.streamed, true);
          assert.equal(outgoing.content, null);
          outgoing.setHeader('X-Seen', 'yes');
        });
        return next();
      });
      server.get('/stream', (_request, response) => response.stream(['a', 'b']));
      server.get('/write', async (_request, response) => {
        await response.write('a');
        response.end('b');
      });
      server.get('/file', (_request, response) => response.file('package.json'));
      server.get('/events', (_request, response) => response.events().close());
    };
    await withServer(driver, {}, changing, async ({ open }) => {
      const client = await open();
      for (const target of ['/stream', '/write', '/events']) {
        assert.equal((await client.ask(get(target))).field('x-seen'), 'yes', target);
      }
    });
  });

  add('that throws is a 500; a later response is not changed by it', async (driver) => {
    let calls = 0;
    const failing = (server: Server) => {
      server.get('/', (_request, response) => {
        response.beforeSend(() => {
          calls += 1;
          throw new Error('failed');
        });
        response.text('hello');
      });
    };
    await withServer(driver, {}, failing, async ({ open, server }) => {
      const client = await open();
      assert.equal((await client.ask(get('/'))).status, 500);
      assert.equal(calls, 1);
      assert.equal(server.counters.handlerErrors, 1);
    });
  });

  add('cannot change framing fields', async (driver) => {
    const names = ['Content-Length', 'Transfer-Encoding', 'Connection', 'Trailer', 'Upgrade'];
    const thrown: string[] = [];
    const framing = (server: Server) => {
      server.get('/', (_request, response) => {
        response.beforeSend((outgoing) => {
          for (const name of names) {
            for (const change of ['setHeader', 'appendHeader'] as const) {
              try {
                outgoing[change](name, '3');
              } catch (error) {
                if (error instanceof TypeError) thrown.push(name);
              }
            }
          }
        });
        response.text('hello');
      });
    };
    await withServer(driver, {}, framing, async ({ open }) => {
      const client = await open();
      assert.equal((await client.ask(get('/'))).text, 'hello');
      assert.deepEqual(
        thrown,
        names.flatMap((name) => [name, name]),
      );
    });
  });
});

onEachDriver('afterSend', (add) => {
  add('reports status, bytes and duration of every response, once', async (driver) => {
    const seen: (Summary & { readonly target: string })[] = [];
    const reporting = (server: Server) => {
      server.use((request, response, next) => {
        const { target } = request;
        response.afterSend((summary) => seen.push({ target, ...summary }));
        return next();
      });
      server.get('/', (_request, response) => response.text('h\u00e9llo'));
      server.get('/big', (_request, response) => response.send(Buffer.alloc(100_000)));
      server.get('/stream', (_request, response) => response.stream(['abc', 'de']));
      server.get('/later', async (_request, response) => {
        await wait(20);
        response.status(201).text('later');
      });
      server.get('/empty', (_request, response) => response.empty());
      server.get('/error', () => {
        throw new Error('failed');
      });
      server.post('/', (_request, response) => response.text('x'));
    };
    await withServer(driver, {}, reporting, async ({ open }) => {
      const client = await open();
      for (const [method, target, status, bytes] of [
        ['GET', '/', 200, 6],
        ['GET', '/big', 200, 100_000],
        ['GET', '/stream', 200, 5],
        ['GET', '/later', 201, 5],
        ['GET', '/empty', 204, 0],
        ['GET', '/error', 500, 22],
        ['GET', '/missing', 404, 10],
        ['HEAD', '/', 200, 0],
      ] as const) {
        await client.ask(request(method, target));
        await eventually('the summary', () => seen.length === 1);
        const summary = seen.pop();
        assert.equal(summary?.target, target);
        assert.equal(summary?.status, status, target);
        assert.equal(summary?.bytes, bytes, target);
        assert.ok((summary?.durationMs ?? -1) >= (target === '/later' ? 15 : 0));
      }
      await client.ask(post('/', 'body'));
      await eventually('the summary', () => seen.length === 1);
    });
  });

  add('is called for a truncated response, too', async (driver) => {
    const seen: Summary[] = [];
    const cut = (server: Server) => {
      server.get('/', async (_request, response) => {
        response.afterSend((summary) => seen.push(summary));
        await response.write('abc');
        await new Promise(() => {});
      });
    };
    await withServer(driver, {}, cut, async ({ open }) => {
      const client = await open();
      void client.send(get('/'));
      await client.sees('abc');
      client.reset();
      await eventually('the summary', () => seen.length === 1);
      assert.equal(seen[0].status, 200);
      assert.equal(seen[0].bytes, 3);
    });
  });

  add('that throws is logged and has no other effect', async (driver) => {
    const calls: string[] = [];
    const failing = (server: Server) => {
      server.get('/', (_request, response) => {
        response.afterSend(() => {
          throw new Error('failed');
        });
        response.afterSend(() => calls.push('second'));
        response.text('hello');
      });
    };
    await withServer(driver, {}, failing, async ({ open, log }) => {
      const client = await open();
      for (let index = 0; index < 2; index++) {
        assert.equal((await client.ask(get('/'))).text, 'hello');
      }
      await eventually('both are called', () => calls.length === 2);
      assert.match(log.join('\n'), /afterSend\(\) callback failed: Error: failed/);
    });
  });
});
