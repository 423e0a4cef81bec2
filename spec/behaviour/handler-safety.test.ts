// What a handler must not be able to do, by mistake or on purpose: reach the response of another
// request, bypass a guard, block the event loop, or end the process. Each was possible in an
// earlier version.

import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { Next } from '../../src/exchange/handler.ts';
import { HttpError } from '../../src/exchange/http-error.ts';
import type { Response } from '../../src/exchange/response.ts';
import { cors } from '../../src/middleware/cors.ts';
import type { Server } from '../../src/server/server.ts';
import { serveStatic } from '../../src/static/serve-static.ts';
import { get, post, request as requestOf } from '../../testing/raw-client.ts';
import { eventually, onEachDriver, wait, withServer } from '../../testing/with-server.ts';

async function* slowly(text: string, count: number): AsyncGenerator<string> {
  for (let index = 0; index < count; index++) {
    yield text;
    await wait(20);
  }
}

onEachDriver('a response', (add) => {
  for (const close of [false, true]) {
    add(`that stream() sends is not ended by another call, close ${close}`, async (driver) => {
      const routes = (server: Server) => {
        server.get('/', (_request, response) => {
          if (close) response.header('Connection', 'close');
          setTimeout(() => response.end(), 30);
          return response.stream(slowly('mine', 6));
        });
        server.get('/other', (_request, response) => response.text('other'));
      };
      await withServer(driver, {}, routes, async ({ open, server }) => {
        const client = await open();
        assert.equal((await client.ask(get('/'))).text, 'mine'.repeat(6));
        if (close) await client.endsCleanly();
        const next = close ? await open() : client;
        for (let count = 0; count < 5; count++) {
          assert.equal((await next.ask(get('/other'))).text, 'other');
          await wait(10);
        }
        assert.ok(server.counters.lateWrites > 0, 'end() is counted');
      });
    });
  }

  add('is sent by only one of two stream() calls', async (driver) => {
    const routes = (server: Server) => {
      server.get('/', (_request, response) => {
        void response.stream(slowly('one', 4));
        setTimeout(() => void response.stream(slowly('two', 4)), 10);
      });
    };
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      for (let count = 0; count < 3; count++) {
        assert.equal((await client.ask(get('/'))).text, 'one'.repeat(4));
      }
    });
  });

  add('has its own events: a closed event stream stays closed', async (driver) => {
    const kept: ReturnType<Response['events']>[] = [];
    const routes = (server: Server) => {
      server.get('/events', (_request, response) => {
        const events = response.events();
        void events.send('first');
        events.close();
        kept.push(events);
      });
      server.get('/slow', (_request, response) => response.stream(slowly('mine', 5)));
    };
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      assert.equal((await client.ask(get('/events'))).text, 'data: first\n\n');
      const response = client.ask(get('/slow'));
      for (let count = 0; count < 20; count++) {
        assert.equal(kept[0].closed, true);
        void kept[0].send('leaked');
        kept[0].close();
        await wait(5);
      }
      assert.equal((await response).text, 'mine'.repeat(5));
    });
  });

  add('is not changed by a kept outgoing object', async (driver) => {
    const kept: { status: number; setHeader(name: string, value: string): void }[] = [];
    const routes = (server: Server) => {
      server.get('/', (_request, response) => {
        response.beforeSend((outgoing) => kept.push(outgoing));
        kept[0]?.setHeader('X-Leaked', 'yes');
        response.text('hello');
      });
    };
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      for (let count = 0; count < 3; count++) {
        const response = await client.ask(get('/'));
        kept[0].setHeader('X-Leaked', 'yes');
        kept[0].status = 500;
        assert.equal(response.status, 200);
        assert.ok(!response.fields.some(([name]) => name.toLowerCase() === 'x-leaked'));
      }
    });
  });

  add('does not change when its handler overwrites the bytes', async (driver) => {
    const shared = Buffer.alloc(100_000);
    const routes = (server: Server) => {
      server.get('/:letter', (request, response) => {
        response.send(shared.fill(request.params['letter']));
      });
    };
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      void client.send(get('/a') + get('/b') + get('/c'));
      for (const letter of ['a', 'b', 'c']) {
        assert.equal((await client.nextResponse()).text, letter.repeat(100_000));
      }
    });
  });
});

onEachDriver('trailers', (add) => {
  add('are bounded', async (driver) => {
    let added = 0;
    const routes = (server: Server) => {
      server.get('/', (_request, response) => {
        for (;;) {
          response.trailer('A', 'b');
          added += 1;
        }
      });
    };
    await withServer(driver, {}, routes, async ({ open, log }) => {
      assert.equal((await (await open()).ask(get('/'))).status, 500);
      assert.equal(added, 1000);
      assert.match(log.join('\n'), /at most 1000 trailers/);
    });
  });
});

onEachDriver('a guard', (add) => {
  add('is not bypassed by a kept next()', async (driver) => {
    const kept: Next[] = [];
    let deletions = 0;
    const routes = (server: Server) => {
      server.use(async (request, response, next) => {
        if (request.header('x-key') === undefined) {
          kept.push(next);
          await wait(20);
          response.status(401).text('no');
          return;
        }
        await next();
      });
      server.use((request, response, next) => {
        if (request.path !== '/public') return next();
        kept.push(next);
        response.text('public');
        return undefined;
      });
      server.get('/public', () => {});
      server.get('/secret', (_request, response) => {
        deletions += 1;
        response.text('secret');
      });
    };
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      await client.ask(get('/public', 'X-Key: 1'));
      for (let count = 0; count < 5; count++) {
        const response = client.ask(get('/secret'));
        for (const next of kept.slice(0, -1)) void next();
        await wait(5);
        for (const next of kept.slice(0, -1)) void next();
        assert.equal((await response).status, 401);
        for (const next of kept) void next();
        await wait(1);
      }
      assert.equal(deletions, 0);
    });
  });
});

/** Handlers that await only promises of the server, in an endless loop. */
const LOOPS: readonly (readonly [string, (response: Response) => Promise<void>])[] = [
  [
    'write()',
    async (response) => {
      for (;;) await response.write('x'.repeat(100));
    },
  ],
  [
    'an empty write()',
    async (response) => {
      for (;;) await response.write('');
    },
  ],
  [
    'events',
    async (response) => {
      const events = response.events();
      for (;;) await events.send('x'.repeat(100));
    },
  ],
];

onEachDriver('the event loop', (add) => {
  for (const [what, loop] of LOOPS) {
    for (const how of ['a HEAD', 'status 204', 'status 304', 'status 205', 'a reset'] as const) {
      add(`runs while a handler loops over ${what} after ${how}`, async (driver) => {
        const seen: boolean[] = [];
        const routes = (server: Server) => {
          server.get('/loop', (_request, response) => {
            if (how.startsWith('status')) response.status(Number(how.slice(7)));
            const timer = setInterval(() => {
              if (!response.closed) return;
              seen.push(true);
              clearInterval(timer);
            }, 5);
            return loop(response);
          });
          server.get('/other', (_request, response) => response.text('other'));
        };
        await withServer(driver, { shutdownTimeoutMs: 200 }, routes, async ({ open, server }) => {
          const client = await open();
          if (how === 'a HEAD') {
            assert.equal((await client.ask(requestOf('HEAD', '/loop'))).status, 200);
          } else if (how === 'a reset') {
            await client.send(get('/loop'));
            await eventually('the handler runs', () => server.counters.requests === 1);
            client.reset();
          } else {
            assert.equal((await client.ask(get('/loop'))).status, Number(how.slice(7)));
          }
          const other = await open();
          assert.equal((await other.ask(get('/other'))).text, 'other');
          await eventually('the handler is notified', () => seen.length > 0);
          assert.equal(seen[0], true);
        });
      });
    }
  }

  add('runs while a handler stops reading its body again and again', async (driver) => {
    const routes = (server: Server) => {
      server.post('/return', async (request, response) => {
        const iterator = request.body[Symbol.asyncIterator]();
        response.send('x');
        for (;;) await iterator.return?.();
      });
      server.post('/break', async (request, response) => {
        response.send('x');
        for (;;) {
          try {
            for await (const _chunk of request.body) break;
          } catch {
            // Reads again.
          }
        }
      });
      server.get('/other', (_request, response) => response.text('other'));
    };
    await withServer(driver, { shutdownTimeoutMs: 200 }, routes, async ({ open }) => {
      const client = await open();
      for (const target of ['/return', '/break']) {
        await client.ask(post(target, 'body'));
        await wait(5);
        assert.equal((await client.ask(get('/other'))).text, 'other');
      }
    });
  });

  add('runs while a handler reads a finished body again and again', async (driver) => {
    const routes = (server: Server) => {
      server.get('/loop', async (request, response) => {
        response.text('x');
        const iterator = request.body[Symbol.asyncIterator]();
        for (;;) await iterator.next();
      });
      server.get('/bytes', async (request, response) => {
        response.text('x');
        for (;;) await request.bytes().catch(() => {});
      });
      server.get('/other', (_request, response) => response.text('other'));
    };
    await withServer(driver, { shutdownTimeoutMs: 200 }, routes, async ({ open }) => {
      const client = await open();
      for (const target of ['/loop', '/bytes', '/other']) {
        await client.ask(get(target));
        await wait(5);
        assert.equal((await client.ask(get('/other'))).text, 'other');
      }
    });
  });
});

onEachDriver('a handler that responds later', (add) => {
  add('is waited for, whatever middleware awaits', async (driver) => {
    const routes = (server: Server) => {
      server.use(async (_request, _response, next) => {
        await next();
      });
      server.use('/below', async (_request, _response, next) => {
        await wait(1);
        await next();
      });
      server.get('/below/later', (request, response) => {
        setTimeout(() => response.text(`later ${request.path}`), 30);
      });
    };
    await withServer(driver, {}, routes, async ({ open, server }) => {
      const client = await open();
      const response = await client.ask(get('/below/later'));
      assert.deepEqual([response.status, response.text], [200, 'later /below/later']);
      assert.equal(server.counters.handlerErrors, 0);
    });
  });

  add('gets its error reported when next() came from a timer', async (driver) => {
    const routes = (server: Server) => {
      server.use((_request, _response, next) => {
        setTimeout(next, 5);
      });
      server.get('/throws', () => {
        throw new Error('injected');
      });
      server.get('/rejects', async () => {
        await wait(1);
        throw new Error('injected');
      });
      server.get('/fine', (_request, response) => response.text('fine'));
      server.get('/nothing', async () => {});
    };
    await withServer(driver, {}, routes, async ({ open, log }) => {
      const client = await open();
      for (const [target, status] of [
        ['/throws', 500],
        ['/rejects', 500],
        ['/fine', 200],
        ['/nothing', 500],
      ] as const) {
        assert.equal((await client.ask(get(target))).status, status, target);
      }
      assert.equal(log.filter((line) => line.includes('injected')).length, 2);
    });
  });

  add('may catch the rejection of its late next()', async (driver) => {
    const routes = (server: Server) => {
      server.use((_request, response, next) => {
        setTimeout(async () => {
          await next().catch((error: Error) => response.status(418).text(error.message));
        }, 5);
      });
      server.get('/', () => {
        throw new Error('injected');
      });
    };
    await withServer(driver, {}, routes, async ({ open, server }) => {
      const response = await (await open()).ask(get('/'));
      assert.deepEqual([response.status, response.text], [418, 'injected']);
      assert.equal(server.counters.handlerErrors, 0);
    });
  });

  add('does not end the process by a file() or stream() that it does not await', async (driver) => {
    const routes = (server: Server) => {
      server.get('/file', (_request, response) => {
        void response.file('/no/such/file');
      });
      server.get('/stream', (_request, response) => {
        void response.stream(Readable.from(failing()));
      });
    };
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      assert.equal((await client.ask(get('/file'))).status, 404);
      assert.equal((await client.ask(get('/stream'))).status, 500);
    });
  });
});

async function* failing(): AsyncGenerator<string> {
  await wait(1);
  if (Date.now() > 0) throw new Error('injected');
  yield 'never';
}

onEachDriver('the source of a stream', (add) => {
  for (const [name, make] of [
    ['Readable', (ended: () => void) => new Readable({ read() {} }).on('close', ended)],
    ['ReadableStream', (ended: () => void) => new ReadableStream<Uint8Array>({ cancel: ended })],
  ] as const) {
    add(`that waits is ended when the client disconnects, ${name}`, async (driver) => {
      let ended = 0;
      let settled = 0;
      const routes = (server: Server) => {
        server.get('/', async (_request, response) => {
          await response.stream(make(() => (ended += 1)));
          settled += 1;
        });
      };
      await withServer(driver, {}, routes, async ({ open, server }) => {
        const client = await open();
        await client.send(get('/'));
        await eventually('the handler runs', () => server.counters.requests === 1);
        client.reset();
        await eventually('the source is ended', () => ended === 1);
        await eventually('the handler continues', () => settled === 1);
      });
    });

    add(`that is passed after the client disconnected is ended, ${name}`, async (driver) => {
      let ended = 0;
      const routes = (server: Server) => {
        server.get('/', async (request, response) => {
          await new Promise((resolve) => request.signal.addEventListener('abort', resolve));
          await response.stream(make(() => (ended += 1)));
        });
      };
      await withServer(driver, {}, routes, async ({ open, server }) => {
        const client = await open();
        await client.send(get('/'));
        await eventually('the handler runs', () => server.counters.requests === 1);
        client.reset();
        await eventually('the source is ended', () => ended === 1);
      });
    });

    add(`of a HEAD is ended, ${name}`, async (driver) => {
      let ended = 0;
      const routes = (server: Server) => {
        server.get('/', (_request, response) => response.stream(make(() => (ended += 1))));
      };
      await withServer(driver, { handlerTimeoutMs: 100 }, routes, async ({ open }) => {
        const client = await open();
        const response = await client.ask(requestOf('HEAD', '/'));
        assert.equal(response.status, 503, 'the source has no content');
        await eventually('the source is ended', () => ended === 1);
      });
    });
  }
});

onEachDriver('the summary of afterSend()', (add) => {
  add('says what the client received, and how long it took', async (driver) => {
    const summaries: { bytes: number; complete: boolean; durationMs: number }[] = [];
    const routes = (server: Server) => {
      server.use((_request, response, next) => {
        response.afterSend((summary) => summaries.push(summary));
        return next();
      });
      server.get('/large', (_request, response) => response.send(Buffer.alloc(40_000_000)));
      server.get('/busy', (_request, response) => {
        const until = performance.now() + 50;
        while (performance.now() < until);
        response.text('busy');
      });
    };
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      await client.ask(get('/busy'));
      await eventually('the summary is there', () => summaries.length === 1);
      assert.ok(summaries[0].durationMs >= 49, `it took ${summaries[0].durationMs} ms`);
      assert.deepEqual([summaries[0].bytes, summaries[0].complete], [4, true]);
      await client.send(get('/large'));
      await client.hasReceived(100_000);
      client.reset();
      await eventually('the summary is there', () => summaries.length === 2);
      assert.equal(summaries[1].complete, false);
      assert.ok(summaries[1].bytes < 40_000_000, `${summaries[1].bytes} bytes`);
    });
  });
});

/** Sources that fail when they are ended, or soon after. */
const FAILING: readonly (readonly [string, () => never | Readable])[] = [
  ['a missing file', () => createReadStream('/no/such/file')],
  ['an error of destroy()', () => new Readable({ destroy: (_e, done) => done(new Error('x')) })],
  ['a destroy() that throws', () => throwing() as unknown as Readable],
];

function throwing(): AsyncIterable<string> & { destroy(): void } {
  return {
    destroy() {
      throw new Error('injected');
    },
    [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
  };
}

onEachDriver('the process survives', (add) => {
  for (const [what, make] of FAILING) {
    add(`a late stream() of ${what}`, async (driver) => {
      const routes = (server: Server) => {
        server.get('/late', async (_request, response) => {
          response.text('x');
          await wait(1);
          await response.stream(make());
        });
        server.get('/twice', (_request, response) => {
          response.text('x');
          return response.stream(make());
        });
        server.get('/gone', async (request, response) => {
          await new Promise((resolve) => request.signal.addEventListener('abort', resolve));
          await response.stream(make());
        });
        server.get('/quiet', (_request, response) => response.stream(make()));
      };
      await withServer(driver, {}, routes, async ({ open, server }) => {
        const client = await open();
        await client.ask(get('/late'));
        await client.ask(get('/twice'));
        for (const target of ['/gone', '/quiet']) {
          const { requests } = server.counters;
          const leaving = await open();
          await leaving.send(get(target));
          await eventually('the handler runs', () => server.counters.requests > requests);
          leaving.reset();
        }
        await wait(20);
        await client.ask(get('/late'));
      });
    });
  }

  add('middleware that does not return the promise of next()', async (driver) => {
    const site = serveStatic('.');
    const allow = cors({ origin: async () => true });
    const fail = cors({ origin: () => Promise.reject(new Error('injected')) });
    const routes = (server: Server) => {
      server.use('/site', (request, response, next) => void site(request, response, next));
      server.use('/both', (request, response, next) => {
        void site(request, response, next);
        response.send('x');
      });
      server.use('/allow', (request, response, next) => void allow(request, response, next));
      server.use('/fail', (request, response, next) => void fail(request, response, next));
      server.get('/*', () => {
        throw new HttpError(404);
      });
    };
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const origin = 'Origin: http://a.test';
      for (const [target, status] of [
        ['/site/none', 404],
        ['/both/none', 200],
        ['/allow/none', 404],
        ['/fail/none', 500],
      ] as const) {
        assert.equal((await client.ask(get(target, origin))).status, status, target);
      }
      await wait(20);
      assert.equal((await client.ask(get('/both/none'))).text, 'x');
    });
  });

  add('an HttpError with an invalid status or message: it is a 500', async (driver) => {
    const invalid: readonly (() => object)[] = [
      () => Object.assign(new HttpError(404), { message: Symbol('x') }),
      () => Object.assign(new HttpError(404), { status: Symbol('x') }),
      () => Object.assign(new HttpError(404), { status: 99 }),
      () =>
        Object.defineProperty(new HttpError(404), 'message', {
          get() {
            throw new Error('injected');
          },
        }),
    ];
    const routes = (server: Server) => {
      server.get('/:index', (request) => {
        throw invalid[Number(request.params['index'])]();
      });
    };
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      for (const index of invalid.keys()) {
        assert.equal((await client.ask(get(`/${index}`))).status, 500);
      }
    });
  });
});
