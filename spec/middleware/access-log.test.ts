// accessLog() in a running server: one line for every response, in three formats that no request
// can break.

import assert from 'node:assert/strict';
import { accessLog } from '../../src/middleware/access-log.ts';
import type { Server } from '../../src/server/server.ts';
import { get, post, request } from '../../testing/raw-client.ts';
import { eventually, onEachDriver, wait, withServer } from '../../testing/with-server.ts';

const TIME = '\\[\\d{2}/(?:[A-Z][a-z]{2})/\\d{4}:\\d{2}:\\d{2}:\\d{2} \\+0000\\]';

function routes(server: Server): void {
  server.get('/', (_request, response) => response.text('hello'));
  server.get('/empty', (_request, response) => response.empty());
  server.get('/later', async (_request, response) => {
    await wait(20);
    response.text('later');
  });
  server.get('/error', () => {
    throw new Error('failed');
  });
  server.get('/stream', (_request, response) => response.stream(['abc', 'de']));
  server.post('/', async (request, response) => response.text(await request.text()));
}

function logging(options: Parameters<typeof accessLog>[0]): (server: Server) => void {
  return (server) => {
    server.use(accessLog(options));
    routes(server);
  };
}

onEachDriver('accessLog', (add) => {
  add('combined is the default, and goes to standard output', async (driver) => {
    await withServer(driver, {}, logging(undefined), async ({ open, out }) => {
      const client = await open();
      await client.ask(get('/?a=b', 'Referer: http://b.test/', 'User-Agent: test/1 (x)'));
      await client.ask(get('/empty'));
      await eventually('two lines', () => out.length === 2);
      const first = `^127\\.0\\.0\\.1 - - ${TIME} "GET /\\?a=b HTTP/1\\.1" 200 5 `;
      assert.match(out[0], new RegExp(`${first}"http://b\\.test/" "test/1 \\(x\\)"$`));
      const second = `^127\\.0\\.0\\.1 - - ${TIME} "GET /empty HTTP/1\\.1" 204 - "-" "-"$`;
      assert.match(out[1], new RegExp(second));
    });
  });

  add('the time of a line is that of the response', async (driver) => {
    const lines: string[] = [];
    const write = (line: string) => lines.push(line);
    await withServer(driver, {}, logging({ write }), async ({ open }) => {
      const client = await open();
      const before = Math.floor(Date.now() / 1000) * 1000;
      await client.ask(get('/'));
      await eventually('a line', () => lines.length === 1);
      const parts = /\[(\d\d)\/(\w{3})\/(\d{4}):([\d:]{8}) \+0000\]/.exec(lines[0]) ?? [];
      const at = Date.parse(`${parts[1]} ${parts[2]} ${parts[3]} ${parts[4]} GMT`);
      assert.ok(at >= before && at <= Date.now(), lines[0]);
    });
  });

  add('common has neither Referer nor User-Agent', async (driver) => {
    const lines: string[] = [];
    const options = { format: 'common', write: (line: string) => lines.push(line) } as const;
    await withServer(driver, {}, logging(options), async ({ open }) => {
      const client = await open();
      await client.ask(get('/', 'Referer: x', 'User-Agent: y'));
      await eventually('a line', () => lines.length === 1);
      assert.match(lines[0], new RegExp(`^127\\.0\\.0\\.1 - - ${TIME} "GET / HTTP/1\\.1" 200 5$`));
    });
  });

  add('json has all properties', async (driver) => {
    const lines: string[] = [];
    const options = { format: 'json', write: (line: string) => lines.push(line) } as const;
    await withServer(driver, {}, logging(options), async ({ open }) => {
      const client = await open();
      await client.ask(get('/later?x=y', 'User-Agent: a"b\\c'));
      await eventually('a line', () => lines.length === 1);
      const { time, duration_ms: durationMs, ...rest } = JSON.parse(lines[0]);
      assert.deepEqual(rest, {
        address: '127.0.0.1',
        method: 'GET',
        target: '/later?x=y',
        route: '/later',
        version: '1.1',
        status: 200,
        bytes: 5,
        referer: '',
        userAgent: 'a"b\\c',
      });
      assert.equal(new Date(Date.parse(time)).toISOString(), time);
      assert.ok(durationMs >= 15, String(durationMs));
    });
  });

  add('one line for every kind of response', async (driver) => {
    const lines: string[] = [];
    const options = { format: 'common', write: (line: string) => lines.push(line) } as const;
    await withServer(driver, {}, logging(options), async ({ open }) => {
      const client = await open();
      for (const [bytes, logged] of [
        [get('/'), '"GET / HTTP/1.1" 200 5'],
        [get('/missing'), '"GET /missing HTTP/1.1" 404 10'],
        [request('DELETE', '/'), '"DELETE / HTTP/1.1" 405 19'],
        [request('OPTIONS', '/'), '"OPTIONS / HTTP/1.1" 204 -'],
        [request('OPTIONS', '*'), '"OPTIONS * HTTP/1.1" 204 -'],
        [request('BREW', '/'), '"BREW / HTTP/1.1" 501 16'],
        [request('HEAD', '/'), '"HEAD / HTTP/1.1" 200 -'],
        [get('/error'), '"GET /error HTTP/1.1" 500 22'],
        [get('/stream'), '"GET /stream HTTP/1.1" 200 5'],
        [post('/', 'body'), '"POST / HTTP/1.1" 200 4'],
        [get('http://a.test/'), '"GET http://a.test/ HTTP/1.1" 200 5'],
        ['GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', '"GET / HTTP/1.0" 200 5'],
      ] as const) {
        await client.ask(bytes);
        await eventually('a line', () => lines.length === 1);
        assert.ok(lines[0].endsWith(logged), lines[0]);
        lines.length = 0;
      }
    });
  });

  add('lines of pipelined requests are in their order', async (driver) => {
    const lines: string[] = [];
    const write = (line: string) => lines.push(line);
    await withServer(driver, {}, logging({ write }), async ({ open }) => {
      const client = await open();
      const targets = ['/later', '/', '/stream', '/missing', '/later', '/error'];
      void client.send(targets.map((target) => get(target)).join(''));
      for (const _target of targets) await client.nextResponse();
      await eventually('all lines', () => lines.length === targets.length);
      const logged = lines.map((line) => /"GET (\S+) /.exec(line)?.[1]);
      assert.deepEqual(logged, targets);
    });
  });

  add('a truncated response is logged with the bytes that were sent', async (driver) => {
    const lines: string[] = [];
    const cut = (server: Server) => {
      server.use(accessLog({ format: 'json', write: (line) => lines.push(line) }));
      server.use(accessLog({ format: 'common', write: (line) => lines.push(line) }));
      server.get('/', async (_request, response) => {
        await response.write('abc');
        await new Promise(() => {});
      });
    };
    await withServer(driver, {}, cut, async ({ open }) => {
      const client = await open();
      void client.send(get('/'));
      await client.sees('abc');
      client.reset();
      await eventually('both lines', () => lines.length === 2);
      assert.equal(JSON.parse(lines[0]).complete, false);
      assert.match(lines[1], /"GET \/ HTTP\/1\.1" 200 3$/);
    });
  });

  const nasty = [
    ['a quote', 'a" 200 1 "b', 'a\\" 200 1 \\"b'],
    ['a backslash', 'a\\', 'a\\\\'],
    ['a quote behind a backslash', 'a\\"b', 'a\\\\\\"b'],
    ['a tab', 'a\tb', 'a\\x09b'],
    ['other than ASCII', 'a\xe9\x80', 'a\\xe9\\x80'],
    ['an escape', 'a\\x0ab', 'a\\\\x0ab'],
  ] as const;
  for (const [what, value, logged] of nasty) {
    add(`${what} in a field is escaped within its quotes`, async (driver) => {
      const lines: string[] = [];
      const write = (line: string) => lines.push(line);
      await withServer(driver, {}, logging({ write }), async ({ open }) => {
        const client = await open();
        await client.ask(get('/', `User-Agent: ${value}`, `Referer: ${value}`));
        await eventually('a line', () => lines.length === 1);
        assert.ok(lines[0].endsWith(`" 200 5 "${logged}" "${logged}"`), lines[0]);
      });
    });
  }

  add('encoded quotes and line ends of a target stay encoded', async (driver) => {
    const lines: string[] = [];
    const options = { format: 'common', write: (line: string) => lines.push(line) } as const;
    await withServer(driver, {}, logging(options), async ({ open }) => {
      const client = await open();
      await client.ask(get('/a%0d%0ab%22'));
      await client.ask(get("/?q='x'\\"));
      await eventually('a line', () => lines.length >= 1);
      assert.ok(lines[0].includes('"GET /a%0d%0ab%22 HTTP/1.1"'), lines[0]);
      for (const line of lines) assert.doesNotMatch(line, /[\r\n]/);
    });
  });

  add('an unknown format is rejected', async () => {
    for (const format of ['short', 'toString', '__proto__', '']) {
      assert.throws(() => accessLog({ format: format as 'json' }), TypeError, format);
    }
  });
});
