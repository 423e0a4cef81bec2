// proxy() with real upstream servers: what is forwarded in both directions, framing, bodies, and
// upstreams that fail.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Middleware } from '../../src/exchange/handler.ts';
import { bodyLimit } from '../../src/middleware/body-limit.ts';
import { type ProxyOptions, proxy } from '../../src/middleware/proxy.ts';
import { trustProxy } from '../../src/middleware/trust-proxy.ts';
import type { Server } from '../../src/server/server.ts';
import { get, post, postChunks, type RawClient, request } from '../../testing/raw-client.ts';
import { withSite } from '../../testing/virtual-site.ts';
import {
  type DriverName,
  eventually,
  onEachDriver,
  oneDriver,
  wait,
  withServer,
} from '../../testing/with-server.ts';
import { echo, withRawUpstream, withUpstream } from './fixtures/upstream-server.ts';

function routes(url: string | readonly string[], options: Partial<ProxyOptions> = {}) {
  return (server: Server): void => {
    server.use(proxy({ upstreams: [url].flat(), ...options }));
  };
}

describe('requests', () => {
  test('method, target and fields arrive; the fields of the connection do not', async () => {
    await withUpstream(echo, async ({ url }) => {
      await withSite(routes(url), async ({ ask }) => {
        const lines = [
          'X-Kept: one',
          'X-Kept: two',
          'Cookie: a=1',
          'Cookie: b=2',
          'Connection: keep-alive, X-Dropped, Cookie2',
          'X-Dropped: secret',
          'Cookie2: secret',
          'Keep-Alive: timeout=5',
          'Proxy-Connection: keep-alive',
          'Proxy-Authorization: Basic eA==',
          'TE: trailers',
          'Upgrade: websocket',
          'Via: 1.0 other',
          'Forwarded: for=10.9.9.9',
          'X-Forwarded-For: 10.9.9.9',
          'X-Forwarded-Proto: https',
          'X-Forwarded-Host: evil.test',
        ];
        const response = await ask(request('PATCH', '/a/%2e%2e/b//c?d=%20', lines));
        const { body, headers, method, url: target } = JSON.parse(response.text);
        assert.equal(method, 'PATCH');
        assert.equal(target, '/a/%2e%2e/b//c?d=%20');
        assert.equal(body, '');
        assert.deepEqual(headers, {
          'x-kept': 'one, two',
          cookie: 'a=1; b=2',
          host: 'a.test',
          via: '1.0 other, 1.1 vibing',
          'x-forwarded-for': '192.0.2.1',
          'x-forwarded-proto': 'http',
          'x-forwarded-host': 'a.test',
          'content-length': '0',
          connection: 'keep-alive',
        });
        assert.equal(response.field('via'), '1.1 vibing');
      });
    });
  });

  test('OPTIONS and TRACE are forwarded as often as Max-Forwards says', async () => {
    await withUpstream(echo, async (upstream) => {
      await withSite(routes(upstream.url), async ({ ask }) => {
        const left = async (method: string, value: string): Promise<unknown> =>
          JSON.parse((await ask(request(method, '/', [`Max-Forwards: ${value}`]))).text).headers[
            'max-forwards'
          ];
        for (const [method, sent, wanted] of [
          ['OPTIONS', '3', '2'],
          ['OPTIONS', '1', '0'],
          ['OPTIONS', '9'.repeat(400), '9007199254740990'],
          ['OPTIONS', '-1', '-1'],
          ['OPTIONS', '+2', '+2'],
          ['TRACE', '02', '1'],
          ['GET', '0', '0'],
        ]) {
          assert.equal(await left(method, sent), wanted, `${method} ${sent}`);
        }
        const { connections } = upstream;
        for (const [method, status] of [
          ['OPTIONS', 204],
          ['TRACE', 405],
        ] as const) {
          const own = await ask(request(method, '/', ['Max-Forwards: 0', 'Connection: close']));
          assert.deepEqual([own.status, own.field('via')], [status, undefined], method);
          assert.match(own.field('allow') ?? '', /GET, HEAD, OPTIONS/);
        }
        assert.equal(upstream.connections, connections);
      });
    });
  });

  test('Connection cannot remove what the proxy adds', async () => {
    await withUpstream(echo, async ({ url }) => {
      await withSite(routes(url), async ({ ask }) => {
        const named = 'Connection: host, via, x-forwarded-for, content-length, transfer-encoding';
        const { body, headers } = JSON.parse((await ask(post('/', 'body', named))).text);
        assert.equal(body, 'body');
        assert.equal(headers.host, 'a.test');
        assert.equal(headers['x-forwarded-for'], '192.0.2.1');
        assert.equal(headers.via, '1.1 vibing');
      });
    });
  });

  test('all forms of a target, rewriting, and the host of the upstream', async () => {
    await withUpstream(echo, async ({ url }) => {
      const rewrite = (target: string) => target.replace(/^\/api(?=\/)/, '');
      await withSite(routes(url, { rewrite, host: 'upstream' }), async ({ ask }) => {
        const seen = async (text: string) => JSON.parse((await ask(text)).text);
        assert.equal((await seen(get('/api/x?y'))).url, '/x?y');
        assert.equal((await seen(get('/apis'))).url, '/apis');
        const { headers } = await seen(get('/'));
        assert.equal(`http://${headers.host}`, url);
        assert.equal(headers['x-forwarded-host'], 'a.test');
      });
      await withSite(routes(url), async ({ ask }) => {
        const absolute = await ask('GET http://b.test?x HTTP/1.1\r\nHost: a.test\r\n\r\n');
        const seen = JSON.parse(absolute.text);
        assert.equal(seen.url, '/?x');
        assert.equal(seen.headers.host, 'b.test');
        for (const [target, url] of [
          ['*', '*'],
          ['http://b.test', '*'],
          ['http://b.test/', '/'],
          ['http://b.test?', '/?'],
        ]) {
          assert.equal(JSON.parse((await ask(request('OPTIONS', target))).text).url, url, target);
        }
        assert.equal(
          (await ask('CONNECT a.test:80 HTTP/1.1\r\nHost: a.test:80\r\n\r\n')).status,
          501,
        );
      });
      const bad = routes(url, { rewrite: () => '/a b\r\nX: y' });
      await withSite(bad, async ({ ask }) => {
        assert.equal((await ask(get('/'))).status, 500);
      });
    });
  });

  test('behind trustProxy() the client is forwarded, not the proxy before', async () => {
    await withUpstream(echo, async ({ url }) => {
      const site = (server: Server) => {
        server.use(trustProxy(['192.0.2.0/24']));
        routes(url)(server);
      };
      await withSite(site, async ({ ask }) => {
        const lines = ['X-Forwarded-For: 6.6.6.6, 198.51.100.7', 'X-Forwarded-Proto: https'];
        const { headers } = JSON.parse((await ask(get('/', ...lines))).text);
        assert.equal(headers['x-forwarded-for'], '198.51.100.7');
        assert.equal(headers['x-forwarded-proto'], 'https');
      });
    });
  });

  test('a body is framed anew: by its length, or chunked without extensions', async () => {
    const respond = (socket: { write(text: string): void }, received: string) => {
      if (!/\r\n\r\n(?:body|.*0\r\n\r\n)$/s.test(received)) return;
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    };
    await withRawUpstream(respond, async (upstream) => {
      await withSite(routes(upstream.url), async ({ ask }) => {
        assert.equal((await ask(post('/', 'body'))).text, 'ok');
        assert.match(upstream.received, /\r\nContent-Length: 4\r\n/);
        assert.doesNotMatch(upstream.received, /transfer-encoding/i);
        upstream.received = '';
        const head = request('POST', '/', ['Transfer-Encoding: chunked']);
        const chunked = `${head}3;name="0\\r"\r\nbo\r\r\n02\r\ndy\r\n0\r\nX-Trailer: x\r\n\r\n`;
        assert.equal((await ask(chunked)).text, 'ok');
        assert.match(upstream.received, /\r\nTransfer-Encoding: chunked\r\n/);
        assert.doesNotMatch(upstream.received, /content-length|name=|X-Trailer/i);
        const content = upstream.received.slice(upstream.received.indexOf('\r\n\r\n') + 4);
        const parts = content.split(/[0-9a-f]+\r\n/).map((part) => part.replace(/\r\n$/, ''));
        assert.equal(parts.join(''), 'bo\rdy');
      });
    });
  });
});

describe('responses', () => {
  test('status, fields and content; not those of the connection', async () => {
    const text =
      'HTTP/1.1 203 Odd\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Kept: \xe9\r\n' +
      'Connection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: x\r\n' +
      'Transfer-Encoding: chunked\r\n' +
      'Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nVia: 1.1 inner\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
    await withRawUpstream(
      (socket) => socket.write(Buffer.from(text, 'latin1')),
      async ({ url }) => {
        await withSite(routes(url), async ({ ask }) => {
          const response = await ask(get('/'));
          assert.equal(response.status, 203);
          assert.equal(response.text, 'hello');
          assert.deepEqual(response.all('set-cookie'), ['a=1', 'b=2']);
          assert.equal(response.field('x-kept'), '\xe9');
          assert.deepEqual(response.all('date'), ['Thu, 01 Jan 2026 00:00:00 GMT']);
          assert.deepEqual(response.all('via'), ['1.1 inner', '1.1 vibing']);
          for (const name of ['x-hop', 'keep-alive', 'proxy-authenticate', 'content-type']) {
            assert.equal(response.field(name), undefined, name);
          }
        });
      },
    );
  });

  test('HEAD, 204 and 304 have no content, and connections are kept', async () => {
    await withUpstream(
      (received, response) => {
        const status = Number(received.url?.slice(1));
        response.writeHead(status, status === 200 ? { 'Content-Length': 5 } : { ETag: '"x"' });
        response.end(status === 200 ? 'hello' : undefined);
      },
      async (upstream) => {
        await withSite(routes(upstream.url), async ({ ask }) => {
          for (let round = 0; round < 3; round++) {
            const head = await ask(request('HEAD', '/200'));
            assert.equal(head.field('content-length'), '5');
            assert.equal(head.body.length, 0);
            const whole = await ask(get('/200'));
            assert.deepEqual([whole.framing, whole.text], ['length', 'hello']);
            for (const status of [204, 304]) {
              const response = await ask(get(`/${status}`));
              assert.equal(response.status, status);
              assert.equal(response.field('etag'), '"x"');
            }
          }
          assert.equal(upstream.connections, 1);
        });
      },
    );
  });

  test('what is no valid response is 502', async () => {
    for (const text of [
      'nonsense\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
      'HTTP/1.1 200 OK\r\nbad name: x\r\n\r\n',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
      'HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n',
      `HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(100_000)}\r\n\r\n`,
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    ]) {
      await withRawUpstream(
        (socket) => socket.end(text),
        async ({ url }) => {
          await withSite(routes(url), async ({ ask, virtual }) => {
            const response = await ask(post('/', ''));
            assert.equal(response.status, 502, text.slice(0, 100));
            assert.equal(response.text, 'Bad Gateway\n');
            assert.equal(virtual.server.counters.handlerErrors, 0);
          });
        },
      );
    }
  });

  test('content that ends too early is a truncated response, never a complete one', async () => {
    for (const [head, content] of [
      ['Content-Length: 10', 'hello'],
      ['Transfer-Encoding: chunked', '5\r\nhello\r\n'],
    ]) {
      await withRawUpstream(
        (socket) => socket.end(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n${content}`),
        async ({ url }) => {
          await withSite(routes(url), async ({ virtual }) => {
            const client = virtual.open();
            client.send(get('/'));
            await eventually('the response ends', () => {
              virtual.turn();
              client.take();
              return client.isEnded;
            });
            const output = client.take();
            assert.match(output, /^HTTP\/1\.1 200 [\s\S]*hello/);
            assert.doesNotMatch(output, /\r\n0\r\n\r\n$/);
          });
        },
      );
    }
  });
});

/** A port on which nothing listens. */
async function deadUrl(): Promise<string> {
  let url = '';
  await withUpstream(echo, async (upstream) => {
    url = upstream.url;
  });
  return url;
}

test('an upstream on a unix socket', async (context) => {
  if (process.platform === 'win32') {
    context.skip('there are no unix sockets here');
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'vibing-upstream-'));
  const path = join(folder, 'socket');
  const upstream = createServer(echo);
  await new Promise<void>((resolve) => upstream.listen(path, resolve));
  try {
    await withSite(routes(`unix:${path}`, { host: 'upstream' }), async ({ ask }) => {
      const { headers } = JSON.parse((await ask(get('/'))).text);
      assert.equal(headers.host, 'localhost');
    });
  } finally {
    upstream.closeAllConnections();
    await new Promise((resolve) => upstream.close(resolve));
    rmSync(folder, { recursive: true });
  }
});

describe('failures', () => {
  test('a body that takes longer than the timeout is no fault of the upstream', async () => {
    await withUpstream(echo, async ({ url }) => {
      await withServer(oneDriver()[0], {}, routes(url, { timeoutMs: 300 }), async ({ open }) => {
        const client = await open();
        const head = request('POST', '/', ['Transfer-Encoding: chunked']);
        void client.send(head);
        for (let chunk = 0; chunk < 4; chunk++) {
          await wait(150);
          void client.send('1\r\nx\r\n');
        }
        void client.send('0\r\n\r\n');
        const response = await client.nextResponse();
        assert.equal(response.status, 200, response.text);
        assert.equal(JSON.parse(response.text).body, 'xxxx');
      });
    });
  });

  test('no upstream: 502, and the log says which one and why, once', async () => {
    const url = await deadUrl();
    await withSite(routes(url), async ({ ask, virtual }) => {
      for (const text of [get('/'), post('/', 'body'), get('/')]) {
        assert.equal((await ask(text)).status, 502);
      }
      const lines = virtual.asyncIo.log.filter((line) => line.includes('ECONNREFUSED'));
      assert.equal(lines.length, 1);
      assert.ok(lines[0].includes(url));
    });
  });

  test('silence is 504, and is not repeated', async () => {
    await withRawUpstream(
      () => {},
      async (upstream) => {
        await withSite(routes(upstream.url, { timeoutMs: 200 }), async ({ ask }) => {
          assert.equal((await ask(get('/'))).status, 504);
          // On a busy machine the time may pass before the connection is there.
          assert.ok(upstream.connections <= 1);
        });
      },
    );
  });

  test('so is silence behind the head of a response', async () => {
    const respond = (socket: Socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n');
    };
    await withRawUpstream(respond, async ({ url }) => {
      await withSite(routes(url, { timeoutMs: 200 }), async ({ ask }) => {
        assert.equal((await ask(get('/'))).status, 504);
      });
    });
  });

  test('another upstream responds, and the one that failed is avoided', async () => {
    const dead = await deadUrl();
    await withUpstream(echo, async ({ url }) => {
      await withSite(routes([dead, url]), async ({ ask, virtual }) => {
        // The first one is tried, fails, and is avoided from then on.
        assert.equal((await ask(get('/'))).status, 200);
        for (let count = 0; count < 4; count++) {
          assert.equal((await ask(post('/', 'body'))).status, 200);
        }
        virtual.driver.nowMs += 6_000;
        const statuses = [
          (await ask(post('/', 'body'))).status,
          (await ask(post('/', 'x'))).status,
        ];
        assert.deepEqual(statuses.sort(), [200, 502]);
      });
    });
  });

  test('after a close without a response a POST is sent once, a GET again', async () => {
    await withRawUpstream(
      (socket) => socket.destroy(),
      async (upstream) => {
        await withSite(routes(upstream.url), async ({ ask }) => {
          assert.equal((await ask(post('/', ''))).status, 502);
          assert.equal(upstream.received.match(/POST/g)?.length, 1);
          assert.equal((await ask(get('/'))).status, 502);
          assert.equal(upstream.received.match(/GET/g)?.length, 2);
          // A body cannot be read twice.
          const put = request('PUT', '/', ['Content-Length: 4']);
          assert.equal((await ask(`${put}body`)).status, 502);
          assert.equal(upstream.received.match(/PUT/g)?.length, 1);
        });
      },
    );
  });

  test('a body over its limit is 413, and the upstream gets no complete request', async () => {
    await withRawUpstream(
      () => {},
      async (upstream) => {
        const site = (server: Server) => {
          server.use(bodyLimit(10));
          routes(upstream.url)(server);
        };
        await withSite(site, async ({ ask }) => {
          assert.equal((await ask(postChunks('/', ['12345', '67890', '1']))).status, 413);
          assert.doesNotMatch(upstream.received, /\r\n0\r\n\r\n$/);
        });
      },
    );
  });
});

test('options are checked', () => {
  const upstreams = ['http://127.0.0.1:3000'];
  for (const good of ['http://a.test', 'http://a.test/', 'http://[::1]:80', 'unix:/run/a.sock']) {
    proxy({ upstreams: [good] });
  }
  const bad: readonly (readonly [unknown, RegExp])[] = [
    [{}, /upstreams is missing/],
    [{ upstreams: [] }, /upstreams is a list of one or more, .* given an empty array$/],
    [{ upstreams: 'http://a.test' }, /upstreams is a list/],
    [{ upstreams: ['a.test'] }, /"a\.test" is not "http/],
    [{ upstreams: ['http://a.test/path'] }, /is not "http/],
    [{ upstreams: ['ftp://a.test'] }, /is not "http/],
    [{ upstreams: ['http://user@a.test'] }, /is not "http/],
    [{ upstreams: ['http://a.test:99999'] }, /is not "http/],
    [{ upstreams: ['unix:relative'] }, /is not "http/],
    [{ upstreams: [5] }, /5 is not "http/],
    [{ upstreams, host: 'a.test' }, /host is one of/],
    [{ upstreams, rewrite: '/x' }, /rewrite is a function/],
    [{ upstreams, timeoutMs: 0 }, /timeoutMs is a whole number from 1/],
    [{ upstreams, connectionsMax: 0 }, /connectionsMax is a whole number from 1/],
    [{ upstreams, failedMs: 1.5 }, /failedMs is a whole number from 1/],
    [{ upstream: 'x' }, /did you mean upstreams/],
  ];
  for (const [options, message] of bad) {
    assert.throws(() => proxy(options as ProxyOptions), { name: 'TypeError', message });
  }
});

/** The upstream closes before the server: the proxy keeps connections until then. */
async function withProxy(
  driver: DriverName,
  listener: RequestListener,
  body: (open: () => Promise<RawClient>) => Promise<void>,
): Promise<void> {
  let handle: Middleware = (_request, _response, next) => next();
  const site = (server: Server) => server.use((...given) => handle(...given));
  await withServer(driver, {}, site, async ({ open }) => {
    await withUpstream(listener, async ({ url }) => {
      handle = proxy({ upstreams: [url] });
      await body(open);
    });
  });
}

const PART = Buffer.alloc(64 * 1024, 'x');

/** Until all buffers on the way are full: the count has been the same for a while. */
async function settles(count: () => number): Promise<void> {
  let before = -1;
  for (let same = 0; same < 5 || before === 0; same++) {
    await wait(150);
    if (count() !== before) same = 0;
    before = count();
  }
}

onEachDriver('proxy', (add) => {
  add('megabytes both ways at the same time', async (driver) => {
    const parts = 64;
    await withProxy(
      driver,
      (received, response) => received.pipe(response),
      async (open) => {
        const client = await open();
        void client.send(request('POST', '/', [`Content-Length: ${PART.length * parts}`]));
        for (let count = 0; count < parts; count++) void client.send(PART);
        const response = await client.nextResponse('POST');
        assert.equal(response.body.length, PART.length * parts);
        assert.ok(response.body.equals(Buffer.alloc(PART.length * parts, 'x')));
      },
    );
  });

  add('a client that does not read stops its upstream; one that leaves ends it', async (driver) => {
    let written = 0;
    let isClosed = false;
    const listener: RequestListener = (_received, response) => {
      const write = () => {
        for (let hasRoom = true; hasRoom && !isClosed; written += PART.length) {
          hasRoom = response.write(PART);
        }
      };
      response.on('drain', write);
      response.on('close', () => {
        isClosed = true;
      });
      write();
    };
    await withProxy(driver, listener, async (open) => {
      const client = await open();
      client.pause();
      await client.send(get('/'));
      await settles(() => written);
      assert.ok(written < 32 * 1024 * 1024, `${written} bytes`);
      assert.equal(isClosed, false);
      client.reset();
      await eventually('the upstream is closed', () => isClosed);
    });
  });

  add('a client that leaves early ends the request to the upstream', async (driver) => {
    let isOpen = false;
    const listener: RequestListener = (received) => {
      isOpen = true;
      received.socket.on('close', () => {
        isOpen = false;
      });
    };
    await withProxy(driver, listener, async (open) => {
      const client = await open();
      await client.send(get('/'));
      await eventually('the request arrives', () => isOpen);
      client.reset();
      await eventually('its connection closes', () => !isOpen);
    });
  });

  add('an upstream that does not read stops its client', async (driver) => {
    let ended = false;
    let resume = () => {};
    await withProxy(
      driver,
      (received) => {
        received.pause();
        // A server that reads nothing does not notice the end either.
        resume = () => received.resume();
        received.on('close', () => {
          ended = true;
        });
      },
      async (open) => {
        const client = await open();
        const bytes = 64 * 1024 * 1024;
        void client.send(request('POST', '/', [`Content-Length: ${bytes}`]));
        let sent = 0;
        // One after the other: Node joins writes, and reports them together.
        const sending = async () => {
          while (sent < bytes && client.isOpen) {
            await client.send(PART);
            sent += PART.length;
          }
        };
        void sending();
        await settles(() => sent);
        assert.ok(sent < bytes / 2, `${sent} bytes were taken`);
        client.reset();
        resume();
        await eventually('the upstream is closed', () => ended);
      },
    );
  });
});
