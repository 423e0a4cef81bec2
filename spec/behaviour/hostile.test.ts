// Hostile clients and faulty handlers. In an earlier version each cost more than its own
// connection.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessLog, cors } from '../../src/middleware/index.ts';
import type { Server } from '../../src/server/server.ts';
import { serveStatic } from '../../src/static/index.ts';
import { get, type RawClient, request } from '../../testing/raw-client.ts';
import { eventually, onEachDriver, wait, withServer } from '../../testing/with-server.ts';

const BIG_BYTES = 3_000_000;

function routes(server: Server): void {
  server.get('/', (_request, response) => response.text('hello'));
  server.get('/big', (_request, response) => response.send(Buffer.alloc(BIG_BYTES, 'x')));
}

/** Reads a response in small parts, with pauses. */
async function readSlowly(client: RawClient, untilMs: number): Promise<void> {
  client.pause();
  for (let waited = 0; waited < untilMs; waited += 50) {
    await wait(50);
    client.resume();
    await wait(1);
    client.pause();
  }
  client.resume();
}

onEachDriver('hostile', (add) => {
  add('the last response arrives complete, however slowly it is read', async (driver) => {
    await withServer(driver, { lingerTimeoutMs: 50 }, routes, async ({ open }) => {
      const client = await open();
      void client.send(get('/big', 'Connection: close'));
      await readSlowly(client, 600);
      assert.equal((await client.nextResponse()).body.length, BIG_BYTES);
      assert.equal(await client.ending(), 'end');
    });
  });

  add('a connection whose response is being read is not idle', async (driver) => {
    await withServer(driver, { keepAliveTimeoutMs: 100 }, routes, async ({ open }) => {
      const client = await open();
      void client.send(get('/big'));
      await readSlowly(client, 600);
      assert.equal((await client.nextResponse()).body.length, BIG_BYTES);
    });
  });

  const unprintable: readonly (readonly [string, () => unknown])[] = [
    ['an object without a prototype', () => Object.create(null)],
    [
      'an error whose stack throws',
      () =>
        Object.defineProperty(new Error('x'), 'stack', {
          get() {
            throw new Error('no');
          },
        }),
    ],
    ['a proxy that throws', () => new Proxy({}, proxyTraps())],
    ['a symbol', () => Symbol('thrown')],
  ];
  for (const [name, make] of unprintable) {
    add(`throwing ${name} is a 500 and has no other effect`, async (driver) => {
      const throwing = (server: Server) => {
        routes(server);
        server.get('/throw', () => {
          throw make();
        });
        server.get('/reject', () => Promise.reject(make()));
      };
      await withServer(driver, {}, throwing, async ({ open }) => {
        const client = await open();
        for (const target of ['/throw', '/reject', '/throw']) {
          assert.equal((await client.ask(get(target))).status, 500, target);
        }
        assert.equal((await client.ask(get('/'))).text, 'hello');
      });
    });
  }

  add('a HEAD ends a handler that writes until its signal aborts', async (driver) => {
    let running = 0;
    const endless = (server: Server) => {
      routes(server);
      server.get('/endless', async ({ signal }, response) => {
        running += 1;
        while (!signal.aborted) {
          await response.write('x'.repeat(5000));
          await wait(1);
        }
        running -= 1;
      });
      server.get('/later', (_request, response) => {
        void response.write('a');
        setTimeout(() => response.end('b'), 20);
      });
    };
    await withServer(driver, {}, endless, async ({ open }) => {
      const client = await open();
      assert.equal((await client.ask(request('HEAD', '/endless'))).status, 200);
      await eventually('the handler is done', () => running === 0);
      assert.equal((await client.ask(request('HEAD', '/later'))).status, 200);
      await wait(40);
      assert.equal((await client.ask(get('/later'))).text, 'ab');
    });
  });

  add('streams whose clients sent one more byte cannot hold all blocks', async (driver) => {
    const quiet = (server: Server) => {
      routes(server);
      server.get('/events', (_request, response) => {
        void response.events().send('one');
      });
    };
    await withServer(driver, { blockCount: 16 }, quiet, async ({ open }) => {
      const holders = await Promise.all(Array.from({ length: 40 }, () => open()));
      for (const holder of holders) {
        await holder.send(get('/events'));
        await holder.sees('one');
        await holder.send('G');
      }
      const client = await open();
      assert.equal((await client.ask(get('/'))).text, 'hello');
      for (const holder of holders) holder.reset();
      assert.equal((await client.ask(get('/'))).text, 'hello');
    });
  });

  add('invalid content is rejected before the head is sent', async (driver) => {
    const wrong: unknown[] = [
      42,
      { length: 5 },
      [1],
      new ArrayBuffer(4),
      new Float64Array(4),
      null,
    ];
    const sending = (server: Server) => {
      for (const [index, value] of wrong.entries()) {
        const content = value as string;
        server.get(`/send/${index}`, (_request, response) => response.send(content));
        server.get(`/write/${index}`, (_request, response) => response.write(content));
        server.get(`/end/${index}`, (_request, response) => response.end(content));
        server.get(`/stream/${index}`, (_request, response) => response.stream([content]));
        server.get(`/before/${index}`, (_request, response) => {
          response.beforeSend((outgoing) => {
            outgoing.content = content;
          });
          response.text('x');
        });
      }
    };
    await withServer(driver, {}, sending, async ({ open }) => {
      const client = await open();
      for (const [index, value] of wrong.entries()) {
        for (const how of ['send', 'write', 'end', 'stream', 'before']) {
          // A response may have no content.
          if (value === null && how === 'before') continue;
          assert.equal((await client.ask(get(`/${how}/${index}`))).status, 500, `${how} ${index}`);
        }
      }
    });
  });

  add('a request that a handler kept never shows another request', async (driver) => {
    let kept: { path: string } | null = null;
    const keeping = (server: Server) => {
      server.get('/keep', (asked, response) => {
        kept = asked;
        response.text('kept');
      });
      server.get('/slow', async (_request, response) => {
        await wait(1);
        response.text('slow');
      });
      routes(server);
    };
    await withServer(driver, {}, keeping, async ({ open }) => {
      const client = await open();
      await client.ask(get('/keep'));
      for (let index = 0; index < 200; index++) {
        const response = client.ask(get(index % 2 === 0 ? '/slow' : '/'));
        assert.throws(() => kept?.path, /over/);
        await response;
        assert.throws(() => kept?.path, /over/);
      }
    });
  });

  add('half heads that arrive in small parts are joined while blocks are short', async (driver) => {
    await withServer(driver, { blockCount: 16 }, routes, async ({ open }) => {
      const clients = await Promise.all(Array.from({ length: 60 }, () => open()));
      const text = get('/', `X-Long: ${'y'.repeat(14_000)}`);
      const step = 1900;
      for (let at = 0; at < text.length; at += step) {
        for (const client of clients) await client.send(text.slice(at, at + step));
        await wait(5);
      }
      for (const client of clients) assert.equal((await client.nextResponse()).text, 'hello');
    });
  });

  add('in absolute-form the target names the host', async (driver) => {
    const echoing = (server: Server) => {
      server.get('/*', (asked, response) => response.text(`${asked.header('host')} ${asked.path}`));
    };
    await withServer(driver, {}, echoing, async ({ open }) => {
      const client = await open();
      const ask = async (target: string) =>
        (await client.ask(`GET ${target} HTTP/1.1\r\nHost: other\r\n\r\n`)).text;
      assert.equal(await ask('http://named:81/x?y'), 'named:81 /x');
      assert.equal(await ask('http://named'), 'named /');
      assert.equal(await ask('http://named?q'), 'named /');
      assert.equal(await ask('/x'), 'other /x');
    });
  });

  add('bytes after a CONNECT are not read as a request', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const response = await client.ask('CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n');
      assert.equal(response.status, 501);
      assert.equal(response.field('connection'), 'close');
    });
  });
});

test('unknown options are rejected', () => {
  assert.throws(() => cors({ orgin: 'https://a' } as object), /did you mean origin\?/);
  assert.throws(() => accessLog({ fromat: 'json' } as object), /did you mean format\?/);
  assert.throws(() => serveStatic('.', { listng: true } as object), /did you mean listing\?/);
  assert.throws(() => cors({ zzzzzzzz: 1 } as object), /it knows origin, methods/);
  assert.throws(() => cors([] as object), /options are a plain object/);
});

function proxyTraps(): ProxyHandler<object> {
  const fail = () => {
    throw new Error('no');
  };
  return { get: fail, getPrototypeOf: fail, has: fail, ownKeys: fail };
}
