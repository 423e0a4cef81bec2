// The metrics of a server, by what its clients have counted: requests by route, method and class of
// status, times in virtual time, who may see them, and clients that try to fill the memory.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import { METRICS_STALLED_MAX, METRICS_STREAMS_MAX } from '../../src/base/fixed-limits.ts';
import { VERSION } from '../../src/base/version.ts';
import { HttpError } from '../../src/index.ts';
import { compress, rateLimit } from '../../src/middleware/index.ts';
import type { Server } from '../../src/server/server.ts';
import { metricsListener } from '../../src/server/server-metrics.ts';
import { serveStatic } from '../../src/static/index.ts';
import { get, RawClient } from '../../testing/raw-client.ts';
import { unlistenedServer } from '../../testing/unlistened-server.ts';
import { type VirtualClient, VirtualServer } from '../../testing/virtual-server.ts';
import { makeServer, onEachDriver, oneDriver } from '../../testing/with-server.ts';
import { seriesOf, shownAs, shownJson, shownText, totalOf } from '../metrics/fixtures/shown.ts';
import { parseText, sampleOf } from '../metrics/fixtures/text.ts';

const DURATION = 'http_server_request_duration_seconds';

function measured(routes: (server: Server) => void = () => {}): Server {
  const { server } = unlistenedServer({ metrics: true });
  routes(server);
  return server;
}

function site(server: Server): void {
  server.get('/users/:id', (_request, response) => response.text('user'));
  server.post('/users/:id', async (request, response) => {
    const { length } = await request.bytes();
    response.status(201).text('x'.repeat(length));
  });
  server.get('/stream', (_request, response) => response.stream(['ab', 'cd', 'ef']));
  server.get('/no', () => {
    throw new HttpError(403);
  });
  server.get('/throws', () => {
    throw new Error('on purpose');
  });
  server.group('/api', (api) => {
    api.get('/:thing', (_request, response) => response.empty(204));
  });
}

describe('what is counted', () => {
  it('is what clients sent, by route, method and class of status', async () => {
    const server = measured(site);
    const counted = new Map<string, number>();
    const ask = async (method: string, target: string, labels: string): Promise<void> => {
      const body = method === 'POST' ? 'body' : null;
      await server.inject({ method, target, body });
      counted.set(labels, (counted.get(labels) ?? 0) + 1);
    };
    for (let round = 0; round < 3; round++) {
      await ask('GET', `/users/${round}`, '/users/:id GET 2xx');
      await ask('HEAD', '/users/1', '/users/:id HEAD 2xx');
      await ask('POST', '/users/1', '/users/:id POST 2xx');
      await ask('GET', '/stream', '/stream GET 2xx');
      await ask('GET', '/no', '/no GET 4xx');
      await ask('GET', '/throws', '/throws GET 5xx');
      await ask('GET', '/api/x', '/api/:thing GET 2xx');
      await ask('GET', '/nothing', ' GET 4xx');
      await ask('BREW', '/nothing', ' _OTHER 4xx');
    }
    const shown = await shownJson(server);
    for (const name of [
      DURATION,
      'http_server_time_to_first_byte_seconds',
      'http_server_request_body_size_bytes',
      'http_server_response_body_size_bytes',
    ]) {
      const found = new Map(
        seriesOf(shown, name).map(({ labels, count }) => {
          const { http_route: route = '', http_request_method: method } = labels;
          return [`${route} ${method} ${labels['http_response_status_class']}`, count];
        }),
      );
      // The request that shows the metrics has begun to respond, and has not ended.
      found.delete('/metrics GET 2xx');
      assert.deepEqual(found, counted, name);
    }
    assert.equal(totalOf(shown, 'vibing_worker_requests_total'), 28);
    assert.equal(totalOf(shown, 'http_server_active_requests'), 1, 'the one that shows them');
    assert.equal(totalOf(shown, 'vibing_handler_errors_total'), 3);
    const sizes = (name: string, route: string, method: string): unknown =>
      seriesOf(shown, name, { http_route: route, http_request_method: method })[0]?.sum;
    assert.equal(sizes('http_server_request_body_size_bytes', '/users/:id', 'POST'), 12);
    assert.equal(sizes('http_server_response_body_size_bytes', '/users/:id', 'POST'), 12);
    assert.equal(sizes('http_server_response_body_size_bytes', '/users/:id', 'HEAD'), 0);
    assert.equal(sizes('http_server_response_body_size_bytes', '/stream', 'GET'), 18);
    await server.close();
  });

  it('has the facts of the server, and a version of the format', async () => {
    const server = measured();
    const { families, server: facts, time, version } = await shownJson(server);
    assert.deepEqual([version, facts['name'], facts['workers']], [1, 'vibing', 1]);
    assert.ok(Math.abs(time - Date.now() / 1_000) < 600);
    const own = JSON.parse(readFileSync('package.json', 'utf8'));
    assert.deepEqual([facts['version'], VERSION], [own.version, own.version]);
    for (const { help, name, series, type, unit } of families) {
      assert.ok(help.length > 10 && series.length > 0, name);
      assert.ok(['counter', 'gauge', 'histogram'].includes(type), name);
      assert.ok(unit === '' || name.includes(`_${unit}`), name);
    }
    await server.close();
  });

  it('includes what middleware does', async () => {
    const server = measured((one) => {
      one.use('/text', compress({ threshold: 10 }));
      one.use('/few', rateLimit({ limit: 1, windowMs: 1_000_000 }));
      one.get('/text', (_request, response) => response.text('abc '.repeat(500)));
      one.get('/few', (_request, response) => response.text('ok'));
    });
    const headers = { 'accept-encoding': 'gzip' };
    const { length } = await (await server.inject({ target: '/text', headers })).bytes();
    for (let count = 0; count < 3; count++) await server.inject('/few');
    const shown = await shownJson(server);
    assert.equal(totalOf(shown, 'vibing_compress_input_bytes_total'), 2_000);
    assert.equal(totalOf(shown, 'vibing_compress_output_bytes_total'), length);
    assert.equal(totalOf(shown, 'vibing_rate_limited_requests_total'), 2);
    await server.close();
  });

  it('is nothing without the option, and the path has no route', async () => {
    const { server } = unlistenedServer();
    server.metrics.counter('mails_total', 'Mails.').inc();
    assert.equal((await server.inject('/metrics')).status, 404);
    await server.close();
  });
});

describe('times', () => {
  const slow = (server: Server): void => {
    server.get('/slow', (_request, response) => {
      response.write('head').catch(() => {});
      finish = () => response.end('body');
    });
    server.get('/late', (_request, response) => {
      finish = () => response.text('late');
    });
  };
  let finish = (): void => {};

  test('are those of the clock: to the first byte and to the end', async (context) => {
    const life = new VirtualServer({ metrics: true }, slow);
    context.after(() => life.end());
    await life.server.listen();
    for (const [target, ms] of [
      ['/slow', 250],
      ['/late', 4_000],
    ] as const) {
      const client = life.open();
      client.send(get(target));
      life.pass(ms);
      finish();
      await life.rest();
      assert.match(client.take(), /^HTTP\/1\.1 200 /);
    }
    const shown = await shownJson(life.server);
    const timesOf = (name: string, http_route: string) => {
      const [{ buckets = [], count, sum }] = seriesOf(shown, name, { http_route });
      assert.equal(buckets.length, 1);
      const [[bound, times]] = buckets;
      assert.equal(times, 1);
      const value = sum ?? 0;
      assert.ok(value <= bound && bound <= value * 1.033, `${value} is just below ${bound}`);
      return [count, value];
    };
    assert.deepEqual(timesOf(DURATION, '/slow'), [1, 0.25]);
    assert.deepEqual(timesOf(DURATION, '/late'), [1, 4]);
    assert.deepEqual(timesOf('http_server_time_to_first_byte_seconds', '/late'), [1, 4]);
    const [first] = seriesOf(shown, 'http_server_time_to_first_byte_seconds', {
      http_route: '/slow',
    });
    assert.deepEqual([first.count, first.sum], [1, 0]);
  });

  test('of a large response are until the kernel has all of it', async (context) => {
    const life = new VirtualServer({ metrics: true }, (server) => {
      server.get('/large', (_request, response) => response.send(new Uint8Array(1_000_000)));
    });
    context.after(() => life.end());
    await life.server.listen();
    const [slow, gone] = [life.open(), life.open()];
    for (const client of [slow, gone]) client.send(get('/large'));
    life.pass(3_000);
    let shown = await shownJson(life.server);
    assert.equal(totalOf(shown, DURATION), 0);
    assert.equal(totalOf(shown, 'http_server_active_requests'), 3);
    slow.take();
    life.driver.failSend(gone.slot, -104);
    life.turn();
    shown = await shownJson(life.server);
    const [{ count, sum }] = seriesOf(shown, DURATION, { http_route: '/large' });
    assert.deepEqual([count, sum], [1, 3]);
    assert.equal(totalOf(shown, 'vibing_requests_aborted_total'), 1);
    assert.equal(totalOf(shown, 'http_server_active_requests'), 1);
  });

  test('connections are counted by reason, faults and timeouts by kind', async (context) => {
    const life = new VirtualServer({ metrics: true, keepAliveTimeoutMs: 500 }, site);
    context.after(() => life.end());
    await life.server.listen();
    await life.open().ask('GET / HTTP/1.1\r\nHost: x\r\nBad Name: 1\r\n\r\n');
    const ended = life.open();
    await ended.ask(get('/users/1'));
    ended.finish();
    await life.open().ask(get('/users/1', 'Connection: close'));
    const reset = life.open();
    life.driver.finish(reset.slot, -104);
    life.turn();
    await life.open().ask(get('/users/1'));
    life.pass(20_000);
    const shown = await shownJson(life.server);
    const valuesOf = (name: string): Record<string, number | undefined> => {
      const series = seriesOf(shown, name).filter(({ value }) => value !== 0);
      return Object.fromEntries(
        series.map(({ labels, value }) => [Object.values(labels)[0], value]),
      );
    };
    // Of inject(), whose connections close by themselves, none has ended yet.
    const { client: clients = 0, ...others } = valuesOf('vibing_connections_closed_total');
    assert.equal(clients, 1);
    assert.deepEqual(others, { fault: 1, response: 1, client_reset: 1, timeout: 1 });
    assert.deepEqual(valuesOf('vibing_faults_total'), { bad_field_name: 1 });
    assert.equal(valuesOf('vibing_timeouts_total')['keep_alive'], 1);
  });
});

describe('who sees the metrics', () => {
  const ask = async (server: Server, more: object): Promise<number> =>
    (await server.inject({ target: '/metrics', ...more })).status;

  it('clients of this machine, unless a proxy has forwarded them', async () => {
    const server = measured();
    for (const remoteAddress of ['127.0.0.1', '::1', '127.9.9.9', '::ffff:127.0.0.1']) {
      assert.equal(await ask(server, { remoteAddress }), 200, remoteAddress);
    }
    for (const remoteAddress of ['10.0.0.1', '192.0.2.7', '2001:db8::1', '128.0.0.1']) {
      for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS']) {
        const wanted = await server.inject({ method, target: '/metrics', remoteAddress });
        const absent = await server.inject({ method, target: '/absent', remoteAddress });
        assert.equal(wanted.status, absent.status, `${method} ${remoteAddress}`);
        assert.equal(wanted.headers.get('allow'), absent.headers.get('allow'));
        assert.equal(await wanted.text(), await absent.text());
      }
    }
    for (const [name, value] of [
      ['forwarded', 'for=192.0.2.7'],
      ['x-forwarded-for', '127.0.0.1'],
      ['x-real-ip', '127.0.0.1'],
      ['via', '1.1 proxy'],
      ['x-forwarded', 'for=192.0.2.7'],
      ['x-forwarded-proto', 'https'],
      ['X-Forwarded-Prefix', '/a'],
      ['x-client-ip', '127.0.0.1'],
      ['true-client-ip', '127.0.0.1'],
      ['cf-connecting-ip', '127.0.0.1'],
      ['host', 'rebound.example'],
      ['host', 'localhost.evil.example:8080'],
    ]) {
      assert.equal(await ask(server, { headers: { [name]: value } }), 404, `${name}: ${value}`);
    }
    for (const host of ['localhost:8080', '127.0.0.1', '[::1]:9100', 'app.localhost']) {
      assert.equal(await ask(server, { headers: { host } }), 200, host);
    }
    await server.close();
  });

  it('no other route is tried for those who do not', async () => {
    const server = measured((one) => one.get('/:page', (_request, response) => response.text('p')));
    const remoteAddress = '192.0.2.7';
    assert.equal(await ask(server, { remoteAddress }), 404);
    assert.equal((await server.inject({ target: '/foo', remoteAddress })).status, 200);
    await server.close();
  });

  it('no other spelling of the path shows them', async () => {
    for (const trailingSlash of ['ignore', 'redirect'] as const) {
      const { server } = unlistenedServer({ metrics: true, trailingSlash });
      const remoteAddress = '192.0.2.7';
      for (const target of ['/metrics/', '//metrics', '/%6detrics', '/x/../metrics', '/metrics?']) {
        const shown = await server.inject(target);
        assert.equal(
          shown.status,
          target.endsWith('/') && trailingSlash === 'redirect' ? 308 : 200,
        );
        for (const method of ['GET', 'POST', 'OPTIONS']) {
          const { headers, status } = await server.inject({ method, target, remoteAddress });
          assert.equal(status, 404, `${method} ${target}`);
          assert.equal(headers.get('allow'), null);
        }
      }
      await server.close();
    }
  });

  it('every client with metricsPublic; at another path; in no other way than GET', async () => {
    const { server } = unlistenedServer({ metrics: '/figures', metricsPublic: true });
    const remoteAddress = '192.0.2.7';
    const response = await server.inject({ target: '/figures', remoteAddress });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('cache-control'), 'no-store');
    assert.equal(response.headers.get('vary'), 'Accept, Accept-Encoding');
    assert.equal(await ask(server, {}), 404);
    const posted = await server.inject({ method: 'POST', target: '/figures' });
    assert.equal(posted.status, 405);
    await server.close();
  });
});

onEachDriver(
  'a listener for metrics alone',
  (add) => {
    add('has them in place of the other one, at a port or a unix socket', async (driver) => {
      const folder = mkdtempSync(join(tmpdir(), 'vibing-metrics-'));
      const socket = join(folder, 'metrics.sock');
      for (const options of [{ metricsPort: 0 }, { metricsSocket: socket }]) {
        const { server } = makeServer(driver, options);
        site(server);
        const { metrics, port } = await server.listen();
        const where = 'metricsSocket' in options ? socket : Number(metrics?.split(':')[1]);
        const [main, own] = [await RawClient.open(port), await RawClient.open(where)];
        const local = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n';
        assert.equal((await main.ask(local)).status, 404);
        await main.ask(get('/users/1'));
        const shown = await own.ask(local);
        assert.equal(shown.status, 200);
        const labels = { http_route: '/users/:id' };
        const families = parseText(shown.text, false);
        assert.equal(sampleOf(families, `${DURATION}_count`, labels), 1);
        assert.equal((await own.ask(local.replace('metrics', 'users/1'))).status, 404);
        main.half();
        own.half();
        await server.close();
      }
      rmSync(folder, { recursive: true });
    });

    add('is for names of this machine where clients are on it', async (driver) => {
      const rebound = 'GET /metrics HTTP/1.1\r\nHost: rebound.example\r\n\r\n';
      for (const [options, status] of [
        [{ metricsHost: 'LOCALHOST' }, 404],
        [{ metricsHost: '0.0.0.0' }, 404],
        [{ metricsHost: '0.0.0.0', metricsPublic: true }, 200],
      ] as const) {
        const { server } = makeServer(driver, { metricsPort: 0, ...options });
        const { metrics } = await server.listen();
        const client = await RawClient.open(Number(metrics?.split(':').at(-1)));
        assert.equal((await client.ask(rebound)).status, status, JSON.stringify(options));
        const local = rebound.replace('rebound.example', 'localhost');
        assert.equal((await client.ask(local)).status, 200);
        client.half();
        await server.close();
      }
    });

    add('that cannot be opened is an error of its own, and nothing is left', async (driver) => {
      const { server: first } = makeServer(driver, {});
      const { port } = await first.listen();
      const { server } = makeServer(driver, { metricsPort: port });
      const wanted = { code: 'EADDRINUSE', message: /^metrics: cannot listen on 127\.0\.0\.1:/ };
      await assert.rejects(server.listen(), wanted);
      await server.close();
      await first.close();
    });
  },
  oneDriver(),
);

test('a listener for metrics alone has the times of the server', () => {
  const { server } = unlistenedServer({
    metricsPort: 0,
    shutdownTimeoutMs: 500,
    connectionTimeoutMs: 7_000,
  });
  const { shutdownTimeoutMs, writeTimeoutMs } = metricsListener(server.config) ?? {};
  assert.deepEqual([shutdownTimeoutMs, writeTimeoutMs], [500, 7_000]);
});

/** The last chunk. */
const END = /\r\n0\r\n\r\n$/;

test('clients that do not read keep no others from the metrics', async (context) => {
  const life = new VirtualServer({ metrics: true, sendQueueBytesMax: 4_096 }, (server) => {
    const counter = server.metrics.counter('many_total', 'Many.', ['a']);
    for (let index = 0; index < 900; index++) counter.inc(1, { a: `${index}`.padEnd(200, 'x') });
  });
  context.after(() => life.end());
  await life.server.listen();
  life.driver.peerAddress = '127.0.0.1';
  const wanted = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const outputOf = async (client: VirtualClient): Promise<string> => {
    for (let round = 0; round < 200 && !END.test(client.take()); round++) await life.rest();
    return client.take();
  };
  const stalled: VirtualClient[] = [];
  for (let count = 0; count < METRICS_STALLED_MAX + 3; count++) {
    const reading = life.open();
    reading.send(wanted);
    await life.rest();
    assert.match(await outputOf(reading), /^HTTP\/1\.1 200 [\s\S]*\r\n0\r\n\r\n$/);
    stalled.push(life.open());
    stalled[count].send(wanted);
    await life.rest();
  }
  // Those who have waited longest were cut off: the end of their chunks is missing.
  for (const client of stalled.slice(0, 3)) {
    assert.doesNotMatch(await outputOf(client), END);
    assert.ok(client.isEnded);
  }
  for (const client of stalled.slice(3)) assert.match(await outputOf(client), END);
  assert.deepEqual(life.asyncIo.log, []);
});

test('keys that do not fit together are one line each', () => {
  for (const [options, line] of [
    [{ metricsPort: 1, metricsSocket: 'x' }, /metricsPort: given 1, allowed: one of metrics_port/],
    [{ metrics: '/healthz', healthz: true }, /metrics: given "\/healthz", allowed: a path that/],
    [{ metrics: '/:id' }, /metrics: given "\/:id", allowed: true, false, or a path/],
    [{ metricsPort: 65_536 }, /metricsPort: given 65536, allowed: an integer/],
    [{ metrics: false, metricsPort: 0 }, /metrics: given false, allowed: true or a path/],
    [
      { metricsHost: '10.0.0.5' },
      /metricsHost: given "10\.0\.0\.5", .* together with metrics_port/,
    ],
    [
      { metricsHost: '10.0.0.5', metrics: true },
      /metricsHost: given .* together with metrics_port/,
    ],
    [{ metricsHost: '10.0.0.5', metricsSocket: 'x' }, /metricsHost: given/],
    [
      { metricsPublic: true },
      /metricsPublic: given true, allowed: true only together with metrics/,
    ],
  ] as const) {
    assert.throws(() => makeServer('net', options), line);
  }
});

describe('the format', () => {
  it('follows Accept', async () => {
    const server = measured();
    const text = 'text/plain; version=0.0.4; charset=utf-8';
    const open = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
    for (const [accept, type] of [
      [undefined, text],
      ['*/*', text],
      ['text/html,application/xhtml+xml,*/*;q=0.8', text],
      ['application/json', 'application/json'],
      ['application/json;q=0.5, text/plain;q=0.4', 'application/json'],
      ['application/json;q=0', text],
      ['application/openmetrics-text; version=1.0.0', open],
      ['application/openmetrics-text; version=0.0.1', text],
      [
        'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,' +
          'text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
        open,
      ],
      ['image/png', text],
      ['nonsense;;;q=x,,', text],
    ] as const) {
      const headers: Record<string, string> = accept === undefined ? {} : { accept };
      const response = await server.inject({ target: '/metrics', headers });
      assert.equal(response.headers.get('content-type'), type, accept);
    }
    const head = await server.inject({ method: 'HEAD', target: '/metrics' });
    assert.deepEqual([head.status, await head.text()], [200, '']);
    await server.close();
  });

  it('is that of the definitions, and all formats have the same counts', async () => {
    const server = measured(site);
    for (let count = 0; count < 5; count++) await server.inject(`/users/${count}`);
    const labels = { http_route: '/users/:id' };
    const text = await shownText(server);
    const open = parseText(await shownAs(server, 'application/openmetrics-text'), true);
    const [json] = seriesOf(await shownJson(server), DURATION, labels);
    assert.equal(json.count, 5);
    for (const families of [text, open]) {
      assert.equal(sampleOf(families, `${DURATION}_count`, labels), 5);
      assert.equal(sampleOf(families, `${DURATION}_bucket`, { ...labels, le: '+Inf' }), 5);
    }
    const first = text.find(({ name }) => name === DURATION)?.samples[0];
    assert.equal(first?.labels['le'], '0.00005', 'buckets begin at 50 microseconds');
    await server.close();
  });

  it('is an event each second for text/event-stream, to a bounded number of clients', async () => {
    const server = measured();
    // What waits for the next event keeps no process alive.
    const alive = setInterval(() => {}, 1_000);
    const headers = { accept: 'text/event-stream' };
    const streams = [];
    for (let count = 0; count < METRICS_STREAMS_MAX; count++) {
      const stream = await server.inject({ target: '/metrics', headers });
      assert.equal(stream.headers.get('content-type'), 'text/event-stream');
      streams.push(stream);
    }
    const refused = await server.inject({ target: '/metrics', headers });
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '1']);
    const readers = streams.map(({ body }) => body.getReader());
    let text = '';
    while (text.split('\n\n').length < 3) {
      text += Buffer.from((await readers[0].read()).value ?? []).toString();
    }
    const [first, second] = text.split('\n\n').map((event) => {
      const match = /^event: metrics\ndata: (.*)$/.exec(event);
      return match === null ? null : JSON.parse(match[1]);
    });
    assert.ok(first.time < second.time);
    assert.equal(first.version, 1);
    await readers[1].cancel();
    // One client left: another may come.
    let again = 503;
    while (again === 503) {
      const stream = await server.inject({ target: '/metrics', headers });
      again = stream.status;
      if (again === 200) readers.push(stream.body.getReader());
      else await new Promise((resolve) => setTimeout(resolve, 5));
    }
    // A closing server ends them.
    await server.close();
    for (const reader of readers) while (!(await reader.read()).done);
    clearInterval(alive);
  });
});

describe('clients cannot fill the memory', () => {
  it('with paths, methods, parameters and files', async (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'vibing-'));
    context.after(() => rmSync(folder, { recursive: true }));
    const server = measured((one) => {
      site(one);
      one.use('/files', serveStatic(folder));
    });
    await server.inject('/files/none');
    await server.inject('/nothing');
    await server.inject({ method: 'BREW', target: '/nothing' });
    await server.inject('/users/1');
    await shownJson(server);
    const sizeOf = async () => {
      const { families } = await shownJson(server);
      return families.reduce((count, { series }) => count + series.length, 0);
    };
    const before = await sizeOf();
    for (let count = 0; count < 1_000; count++) {
      await server.inject(`/path/${count}?q=${count}`);
      await server.inject(`/users/${count}`);
      await server.inject(`/files/${count}/${count}`);
      await server.inject({ method: `BREW${count}`, target: `/${count}` });
    }
    assert.equal(await sizeOf(), before);
    const shown = await shownJson(server);
    assert.equal(totalOf(shown, DURATION, { http_request_method: '_OTHER' }), 1_001);
    await server.close();
  });

  it('and requests are served while a large response is composed', async () => {
    const routes = 200;
    const methods = ['GET', 'PUT', 'POST', 'PATCH', 'DELETE'] as const;
    const server = measured((one) => {
      for (let count = 0; count < routes; count++) {
        for (const method of methods) {
          one.on(method, `/route${count}/:id`, (_request, response) => response.text('ok'));
        }
      }
      one.get('/ping', (_request, response) => response.text('pong'));
    });
    for (let count = 0; count < routes; count++) {
      await Promise.all(
        methods.map((method) => server.inject({ method, target: `/route${count}/1` })),
      );
    }
    let isOver = false;
    let pings = 0;
    const text = shownAs(server, 'text/plain').finally(() => {
      isOver = true;
    });
    while (!isOver) {
      await server.inject('/ping');
      if (!isOver) pings += 1;
    }
    assert.ok(pings > 3, `${pings} requests were served meanwhile`);
    const families = parseText(await text, false);
    const counts = families
      .flatMap(({ samples }) => samples)
      .filter(({ name }) => name === `${DURATION}_count`)
      .filter(({ labels }) => labels['http_route']?.startsWith('/route'));
    assert.equal(counts.length, routes * methods.length);
    assert.ok(counts.every(({ value }) => value === 1));
    await server.close();
  });
});
