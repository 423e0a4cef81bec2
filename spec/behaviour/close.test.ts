// The life cycle of a server: listening, ports in use, closing with requests in flight, listening
// again, unix sockets, and the number of connections at once.

import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { Server } from '../../src/server/server.ts';
import { serveStatic } from '../../src/static/serve-static.ts';
import { get, post, RawClient, request } from '../../testing/raw-client.ts';
import {
  eventually,
  Gate,
  makeServer,
  onEachDriver,
  oneDriver,
  wait,
  withServer,
} from '../../testing/with-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'vibing-close-'));
after(() => rmSync(folder, { recursive: true }));

interface Coded {
  readonly code?: string;
  readonly message?: string;
}

function hello(server: Server): void {
  server.get('/', (_request, response) => response.text('hello'));
}

/** Whether the port accepts a connection. */
async function isOpen(port: number): Promise<boolean> {
  try {
    const client = await RawClient.open(port);
    client.reset();
    return true;
  } catch {
    return false;
  }
}

onEachDriver('closing', (add) => {
  add('idle connections close in order, new and used ones', async (driver) => {
    await withServer(driver, {}, hello, async ({ open, server, port }) => {
      const fresh = await open();
      const used = await open();
      assert.equal((await used.ask(get('/'))).text, 'hello');
      const closing = server.close();
      await fresh.endsCleanly();
      await used.endsCleanly();
      fresh.half();
      used.half();
      await closing;
      assert.equal(await isOpen(port), false);
    });
  });

  for (const kind of ['waiting', 'reading', 'streaming'] as const) {
    add(`a request in flight (${kind}) completes, then its connection closes`, async (driver) => {
      const gate = new Gate();
      const slow = (server: Server) => {
        server.post('/', async (request, response) => {
          if (kind === 'streaming') await response.write('begun, ');
          if (kind !== 'reading') await gate.opened;
          const text = await request.text();
          if (kind === 'streaming') response.end(`got ${text}`);
          else response.text(`got ${text}`);
        });
      };
      await withServer(driver, {}, slow, async ({ open, server, port }) => {
        const client = await open();
        const bytes = post('/', 'body');
        void client.send(kind === 'reading' ? bytes.slice(0, -1) : bytes);
        await eventually('the handler runs', () => server.counters.requests === 1);
        if (kind === 'streaming') await client.sees('begun');
        const closing = server.close();
        // On net and on a busy machine the port closes a moment later.
        while (await isOpen(port)) await wait(1);
        if (kind === 'reading') void client.send(bytes.slice(-1));
        gate.open();
        const response = await client.nextResponse('POST');
        assert.equal(response.text, kind === 'streaming' ? 'begun, got body' : 'got body');
        // The head of a stream was sent before close() was called.
        if (kind !== 'streaming') assert.equal(response.field('connection'), 'close');
        await client.endsCleanly();
        client.half();
        await closing;
      });
    });
  }

  add(
    'a request whose head is half received gets a response, with Connection: close',
    async (driver) => {
      await withServer(driver, {}, hello, async ({ open, server }) => {
        const client = await open();
        await client.send(get('/').slice(0, -2));
        // The response on another connection shows that the server has read the half.
        assert.equal((await (await open()).ask(get('/'))).text, 'hello');
        const closing = server.close();
        await wait(20);
        void client.send('\r\n');
        const response = await client.nextResponse();
        assert.equal(response.text, 'hello');
        assert.equal(response.field('connection'), 'close');
        await client.endsCleanly();
        client.half();
        await closing;
      });
    },
  );

  add('a request that does not complete in shutdown_timeout_ms is reset', async (driver) => {
    let aborted = false;
    const never = (server: Server) => {
      server.get('/', (request) => {
        request.signal.addEventListener('abort', () => {
          aborted = true;
        });
      });
    };
    await withServer(driver, { shutdownTimeoutMs: 50 }, never, async ({ open, server }) => {
      const client = await open();
      await client.send(get('/'));
      await eventually('the handler runs', () => server.counters.requests === 1);
      await server.close();
      await client.isReset();
      assert.equal(aborted, true);
      assert.equal(server.counters.resets, 1);
    });
  });

  add('close() may be called twice, before listen(), and from a handler', async (driver) => {
    const { server } = makeServer(driver, {});
    await server.close();
    await server.close();
    let closed: Promise<void> | null = null;
    server.get('/', (_request, response) => {
      closed = server.close();
      response.text('bye');
    });
    const { port } = await server.listen();
    const client = await RawClient.open(port);
    assert.equal((await client.ask(get('/'))).text, 'bye');
    await client.endsCleanly();
    client.half();
    const again = server.close();
    await closed;
    await again;
  });

  add('close() during listen() leaves nothing listening', async (driver) => {
    const { server } = makeServer(driver, {});
    hello(server);
    const listening = server.listen().then(
      ({ port }) => port,
      () => 0,
    );
    await server.close();
    const port = await listening;
    if (port !== 0)
      assert.equal(await isOpen(port), false, 'no connection is accepted after close()');
    const again = await server.listen();
    assert.equal(await isOpen(again.port), true);
    await server.close();
    assert.equal(await isOpen(again.port), false);
  });

  add('listen() works again after close(), any number of times', async (driver) => {
    const { server } = makeServer(driver, {});
    hello(server);
    for (let round = 1; round <= 5; round++) {
      const { port, host, workers, driver: name } = await server.listen();
      assert.deepEqual([host, workers, name], ['127.0.0.1', 1, driver]);
      const client = await RawClient.open(port);
      assert.equal((await client.ask(get('/', 'Connection: close'))).text, 'hello');
      await client.endsCleanly();
      client.half();
      await server.close();
      assert.equal(server.counters.accepted, round);
      assert.equal(server.counters.closed, round);
    }
  });

  add('a second listen() rejects, and the first keeps listening', async (driver) => {
    await withServer(driver, {}, hello, async ({ open, server }) => {
      await assert.rejects(server.listen(), /is listening already/);
      assert.equal((await (await open()).ask(get('/'))).text, 'hello');
    });
  });

  add('a port in use rejects with EADDRINUSE; once it is free, listen() works', async (driver) => {
    const other = createNetServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    assert.ok(typeof address === 'object' && address !== null);
    const { server } = makeServer(driver, { port: address.port });
    hello(server);
    for (let round = 0; round < 2; round++) {
      await assert.rejects(server.listen(), (error: Coded) => {
        assert.equal(error.code, 'EADDRINUSE');
        assert.match(error.message ?? '', new RegExp(`127\\.0\\.0\\.1:${address.port}`));
        return true;
      });
    }
    await new Promise((resolve) => other.close(resolve));
    const { port } = await server.listen();
    assert.equal(port, address.port);
    await server.close();
  });

  add('two servers do not share a port', async (driver) => {
    await withServer(driver, {}, hello, async ({ port }) => {
      const { server } = makeServer(driver, { port });
      await assert.rejects(server.listen(), { code: 'EADDRINUSE' });
    });
  });

  add('an address of another machine rejects', async (driver) => {
    const { server } = makeServer(driver, { host: '192.0.2.1' });
    await assert.rejects(server.listen(), { code: 'EADDRNOTAVAIL' });
  });

  add('connections_max: further clients wait until a slot is free', async (driver) => {
    await withServer(driver, { connectionsMax: 2 }, hello, async ({ open, server }) => {
      const first = await open();
      const second = await open();
      assert.equal((await first.ask(get('/'))).text, 'hello');
      assert.equal((await second.ask(get('/'))).text, 'hello');
      const third = await open();
      void third.send(get('/'));
      await third.staysQuiet();
      assert.equal(server.counters.accepted, 2);
      first.reset();
      assert.equal((await third.nextResponse()).text, 'hello');
      assert.equal((await second.ask(get('/'))).text, 'hello');
    });
  });

  add('few blocks: many clients at once are all served', async (driver) => {
    const options = { blockCount: 16, headTimeoutMs: 500, keepAliveTimeoutMs: 20_000 };
    const echo = (server: Server) => {
      hello(server);
      server.post('/', async (request, response) => response.send(await request.bytes()));
    };
    await withServer(driver, options, echo, async ({ open }) => {
      // More half heads than blocks: they hold all blocks until they time out.
      const slow = await Promise.all(Array.from({ length: 40 }, open));
      for (const client of slow) await client.send('GET / HTTP/1.1\r\n');
      const good = await Promise.all(Array.from({ length: 20 }, open));
      for (const client of good) void client.send(post('/', 'b'.repeat(50_000)) + get('/'));
      for (const client of good) {
        assert.equal((await client.nextResponse('POST')).body.length, 50_000);
        assert.equal((await client.nextResponse()).text, 'hello');
      }
      for (const client of slow) assert.equal((await client.nextResponse()).status, 408);
    });
  });

  add('a thousand short connections are all closed', async (driver) => {
    await withServer(driver, {}, hello, async ({ open, server }) => {
      for (let round = 0; round < 20; round++) {
        const clients = await Promise.all(Array.from({ length: 50 }, open));
        for (const client of clients) void client.send(get('/', 'Connection: close'));
        for (const client of clients) {
          assert.equal((await client.nextResponse()).text, 'hello');
          await client.endsCleanly();
          client.half();
        }
      }
      await eventually('all are closed', () => server.counters.closed === 1_000);
      assert.equal(server.counters.accepted, 1_000);
      assert.equal(server.counters.responses, 1_000);
      assert.equal(server.counters.resets, 0);
    });
  });
});

onEachDriver('unix sockets', (add) => {
  add('serve like TCP; close() removes the file', async (driver) => {
    const socket = join(folder, `${driver}.sock`);
    await withServer(driver, { socket, socketMode: 0o600 }, hello, async ({ open, port }) => {
      assert.equal(port, 0);
      assert.equal(statSync(socket).mode & 0o777, 0o600);
      const client = await open();
      assert.equal((await client.ask(get('/') + get('/'))).text, 'hello');
      assert.equal((await client.nextResponse()).text, 'hello');
      assert.equal((await client.ask('x\r\n\r\n')).status, 400);
      await client.endsCleanly();
    });
    assert.equal(existsSync(socket), false);
  });

  add('have no client address', async (driver) => {
    const socket = join(folder, `${driver}-peer.sock`);
    const peer = (server: Server) => {
      server.get('/', ({ remoteAddress, remotePort }, response) => {
        response.json([remoteAddress, remotePort]);
      });
    };
    await withServer(driver, { socket }, peer, async ({ open }) => {
      assert.equal((await (await open()).ask(get('/'))).text, '["",0]');
    });
  });

  add('a socket file without a listener is replaced, one in use is not', async (driver) => {
    const socket = join(folder, `${driver}-stale.sock`);
    await withServer(driver, { socket }, hello, async () => {
      const { server } = makeServer(driver, { socket });
      await assert.rejects(server.listen(), { code: 'EADDRINUSE' });
      assert.ok(existsSync(socket));
    });
    const { spawnSync } = await import('node:child_process');
    // A process that is killed leaves its socket file behind.
    const script = `require('net').createServer().listen(${JSON.stringify(socket)}, () =>
      process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    assert.ok(existsSync(socket), 'the file is left behind');
    await withServer(driver, { socket }, hello, async ({ open }) => {
      assert.equal((await (await open()).ask(get('/'))).text, 'hello');
    });
  });

  add('another file of that name is not replaced', async (driver) => {
    const socket = join(folder, `${driver}-file`);
    writeFileSync(socket, 'precious');
    chmodSync(socket, 0o600);
    const { server } = makeServer(driver, { socket });
    await assert.rejects(server.listen(), { code: 'EADDRINUSE' });
    assert.equal(statSync(socket).size, 'precious'.length);
  });
});

onEachDriver(
  'the root of serveStatic()',
  (add) => {
    add('is warned about when it is no directory, once', async (driver) => {
      const file = join(folder, 'file');
      writeFileSync(file, '');
      const missing = join(folder, 'later');
      const roots = (server: Server) => {
        server.use(serveStatic(missing)).use('/again', serveStatic(missing));
        server.use(serveStatic(folder)).use(serveStatic(file));
      };
      await withServer(driver, {}, roots, async ({ log, open }) => {
        const what = 'is not a directory: no file is found in it until it is one';
        const lines = [missing, file].map((root) => `vibing warn: serveStatic(): ${root} ${what}`);
        assert.deepEqual(
          log.filter((line) => line.startsWith('vibing warn')),
          lines,
        );
        mkdirSync(missing);
        writeFileSync(join(missing, 'new.txt'), 'made later');
        assert.equal((await (await open()).ask(get('/new.txt'))).text, 'made later');
      });
    });

    add('and its pages are warned about when there is no such file', async (driver) => {
      const site = join(folder, 'site');
      const docs = join(site, 'docs');
      mkdirSync(docs, { recursive: true });
      writeFileSync(join(site, 'there.html'), 'there');
      const what = 'create it; until then the client gets a 404 of plain text';
      for (const [pages, missing] of [
        [{}, []],
        [{ spa: 'there.html', notFound: 'there.html' }, []],
        [{ spa: true }, ['spa index.html']],
        [{ spa: 'app/none.html', notFound: 'docs' }, ['spa app/none.html', 'notFound docs']],
      ] as const) {
        const found = missing.map((line) => line.split(' '));
        const own = found.map(
          ([option, page = '']) =>
            `vibing warn: serveStatic(): ${option}: there is no file ${join(site, page)}: ${what}`,
        );
        const middleware = (server: Server): void => {
          server.use(serveStatic(site, pages));
        };
        await withServer(driver, {}, middleware, async ({ log, open }) => {
          assert.deepEqual(log, own);
          if (missing.length === 0) return;
          const { status, text } = await (await open()).ask(get('/none'));
          assert.deepEqual([status, text], [404, 'Not Found\n']);
        });
        // A page in one of the configured directories is enough.
        const options = { staticDir: docs, mounts: { '/site': site }, ...pages };
        await withServer(
          driver,
          options,
          () => {},
          async ({ log }) => {
            const lines = found.map(([option, page = '']) => {
              const paths = [docs, site].map((directory) => join(directory, page)).join(' or ');
              const key = option === 'spa' ? 'spa' : 'not_found';
              return `vibing warn: ${key}: there is no file ${paths}: ${what}`;
            });
            assert.deepEqual(log, lines);
          },
        );
      }
    });
  },
  oneDriver(),
);

onEachDriver(
  'access_log',
  (add) => {
    add(
      'writes a line for each response, also before middleware and without a route',
      async (driver) => {
        const own = (server: Server) => {
          hello(server);
          server.use('/early', (_request, response) => response.empty());
        };
        await withServer(driver, { accessLog: true }, own, async ({ out, open }) => {
          const client = await open();
          for (const target of ['/', '/early', '/missing']) await client.ask(get(target));
          await eventually('three lines', () => out.length === 3);
          const lines = out.map((line) => /"(GET .*?)" (\d+)/.exec(line)?.slice(1).join(' '));
          assert.deepEqual(lines, [
            'GET / HTTP/1.1 200',
            'GET /early HTTP/1.1 204',
            'GET /missing HTTP/1.1 404',
          ]);
        });
        await withServer(driver, {}, own, async ({ out, open }) => {
          await (await open()).ask(get('/'));
          assert.deepEqual(out, []);
        });
      },
    );
  },
  oneDriver(),
);

onEachDriver('static_dir of a server', (add) => {
  add('serves what no route matches; a missing directory rejects', async (driver) => {
    writeFileSync(join(folder, 'a.txt'), 'in the file');
    await withServer(driver, { staticDir: folder }, hello, async ({ open }) => {
      const client = await open();
      assert.equal((await client.ask(get('/a.txt'))).text, 'in the file');
      assert.equal((await client.ask(get('/'))).text, 'hello');
      assert.equal((await client.ask(get('/missing'))).status, 404);
      assert.equal((await client.ask(request('HEAD', '/a.txt'))).field('content-length'), '11');
    });
    const { server } = makeServer(driver, { staticDir: join(folder, 'missing') });
    await assert.rejects(server.listen(), { code: 'ENOENT' });
  });
});
