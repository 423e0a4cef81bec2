// Real loads on each driver, against a server of ours and against plain sockets.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it } from 'node:test';
import { findHost, firstOf } from '../../src/driver/find-host.ts';
import { createServer as createVibing } from '../../src/index.ts';
import { LoadProblem, type LoadReport, runLoad, startLoad } from '../../src/load/index.ts';
import type { LoadOptions } from '../../src/load/options.ts';
import { driversInTurn } from '../../testing/with-server.ts';

const timeout = 60_000;

interface Served {
  readonly url: string;
  readonly counts: Map<string, number>;
  close(): Promise<void>;
}

async function serve(): Promise<Served> {
  const counts = new Map<string, number>();
  const server = createVibing({ host: '127.0.0.1', port: 0, logLevel: 'warn' });
  const count = (name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);
  server.get('/', (_req, res) => {
    count('/');
    res.text('Hello, World!');
  });
  server.get('/stream', (_req, res) => {
    count('/stream');
    return res.write('one ').then(() => void res.end('two'));
  });
  server.post('/echo', async (req, res) => {
    count('/echo');
    res.send(await req.bytes());
  });
  const { port } = await server.listen();
  return { url: `http://127.0.0.1:${port}`, counts, close: () => server.close() };
}

function checked(report: LoadReport, responses: number): void {
  assert.equal(report.responses, responses);
  assert.deepEqual([report.errorCount, report.statuses], [0, { 200: responses }]);
  assert.equal(
    report.histogram.reduce((sum, [, , count]) => sum + count, 0),
    responses,
  );
  assert.equal(report.interrupted, false);
}

for (const driver of driversInTurn()) {
  describe(`a load on ${driver}`, { timeout }, () => {
    it('sends the requests that every kind of option asks for', async () => {
      const served = await serve();
      const { url } = served;
      const many = { driver, connections: 8, count: 2_000 } as const;
      checked(await runLoad({ url, ...many, expectBody: 'Hello, World!' }), 2_000);
      checked(await runLoad({ url, ...many, pipelining: 16 }), 2_000);
      checked(await runLoad({ url, ...many, method: 'HEAD' }), 2_000);
      const stream = { url: `${url}/stream`, ...many, expectBody: 'one two' };
      checked(await runLoad(stream), 2_000);
      const body = Buffer.alloc(300_000, 'x');
      const echo = { method: 'POST', body, expectBody: body, headers: [['A', 'b']] } as const;
      checked(await runLoad({ url: `${url}/echo`, ...many, count: 50, ...echo }), 50);
      const single = { url, ...many, count: 100, keepAlive: false };
      checked(await runLoad(single), 100);
      assert.deepEqual(served.counts.get('/stream'), 2_000);
      assert.deepEqual(served.counts.get('/echo'), 50);
      const report = await runLoad({ ...many, url: [url, `${url}/stream`], weights: [3, 1] });
      checked(report, 2_000);
      const { 'GET /': hello = 0, 'GET /stream': stream1 = 0 } = report.responsesByRequest;
      assert.ok(Math.abs(hello - 1_500) < 20 && hello + stream1 === 2_000, `${hello}`);
      assert.equal(report.driver, driver);
      await served.close();
    });

    it('sends at a rate', async () => {
      const served = await serve();
      const options: LoadOptions = { url: served.url, driver, connections: 4, rate: 200 };
      const report = await runLoad({ ...options, durationMs: 500, warmUpMs: 100 });
      checked(report, 100);
      assert.ok(served.counts.get('/') === 120 || served.counts.get('/') === 121);
      assert.equal(report.loop, 'open: 200/s'.replace('open:', 'open,'));
      await served.close();
    });

    it('counts statuses, and connections that fail', async () => {
      const served = await serve();
      const options = { driver, connections: 2, count: 100 } as const;
      const missing = await runLoad({ url: `${served.url}/none`, ...options });
      assert.deepEqual([missing.statuses, missing.errorCount], [{ 404: 100 }, 0]);
      await served.close();
      let accepted = 0;
      const breaking = createServer((socket) => {
        accepted += 1;
        socket.on('error', () => {});
        socket.once('data', () => socket.resetAndDestroy());
      });
      breaking.listen(0, '127.0.0.1');
      await once(breaking, 'listening');
      const { port } = breaking.address() as AddressInfo;
      const broken = await runLoad({ url: `http://127.0.0.1:${port}/`, ...options, count: 20 });
      assert.equal(broken.responses, 0);
      assert.equal((broken.errors['reset'] ?? 0) + (broken.errors['closed'] ?? 0), 20);
      assert.ok(accepted >= 20);
      await new Promise((resolve) => breaking.close(resolve));
    });

    it('delays connects to a server that closes each connection at once', async () => {
      let accepted = 0;
      const closing = createServer((socket) => {
        accepted += 1;
        socket.on('error', () => {});
        socket.destroy();
      });
      closing.listen(0, '127.0.0.1');
      await once(closing, 'listening');
      const { port } = closing.address() as AddressInfo;
      const options = { driver, connections: 2, rate: 10, durationMs: 600, timeoutMs: 100 };
      const report = await runLoad({ url: `http://127.0.0.1:${port}/`, ...options });
      assert.equal(report.responses, 0);
      // At most after 0, 0, 10, 20, 40 ... ms; a busy machine connects less often.
      assert.ok(accepted <= 2 * 10, `${accepted} connections`);
      assert.ok(report.delayedReconnects > 0 && report.reconnects < accepted);
      await new Promise((resolve) => closing.close(resolve));
    });

    it('shows bytes that are no valid response', async () => {
      const odd = createServer((socket) => {
        socket.on('error', () => {});
        socket.once('data', () => socket.write('SSH-2.0-odd\r\n'));
      });
      odd.listen(0, '127.0.0.1');
      await once(odd, 'listening');
      const { port } = odd.address() as AddressInfo;
      const url = `http://127.0.0.1:${port}/`;
      const report = await runLoad({ url, driver, count: 4, connections: 2 });
      assert.deepEqual([report.errors, report.badBytes], [{ framing: 4 }, 'SSH-2.0-odd\r\n']);
      await new Promise((resolve) => odd.close(resolve));
    });

    it('counts requests without a response at the end', async () => {
      let asked = 0;
      const partly = createServer((socket) => {
        socket.on('error', () => {});
        asked += 1;
        const responses = asked > 1;
        socket.on('data', () => {
          if (responses) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        });
      });
      partly.listen(0, '127.0.0.1');
      await once(partly, 'listening');
      const { port } = partly.address() as AddressInfo;
      const url = `http://127.0.0.1:${port}/`;
      const report = await runLoad({ url, driver, durationMs: 600, connections: 3 });
      assert.ok(report.responses > 0 && report.errorCount === 0);
      // On a busy machine another request may have waited long enough as well.
      assert.ok(report.waiting.count >= 1 && report.waiting.count <= 3);
      assert.ok(report.waiting.mostMs >= 590, String(report.waiting.mostMs));
      await new Promise((resolve) => partly.close(resolve));
    });

    it('fails when no server listens, or none responds', async () => {
      const silent = createServer((socket) => {
        socket.on('error', () => {});
        socket.resume();
      });
      silent.listen(0, '127.0.0.1');
      await once(silent, 'listening');
      const { port } = silent.address() as AddressInfo;
      const url = `http://127.0.0.1:${port}/`;
      const report = await runLoad({ url, driver, count: 3, connections: 3, timeoutMs: 100 });
      assert.deepEqual([report.responses, report.errors], [0, { timeout: 3 }]);
      await new Promise((resolve) => silent.close(resolve));
      await assert.rejects(runLoad({ url, driver, connections: 2 }), (error: LoadProblem) => {
        assert.ok(error instanceof LoadProblem && !error.isUsageError);
        assert.match(error.message, /^cannot connect to 127\.0\.0\.1:\d+: connection refused/);
        return true;
      });
    });

    it('ends early with the results so far', async () => {
      const served = await serve();
      let progressCount = 0;
      const running = startLoad(
        { url: served.url, driver, connections: 2, durationMs: 60_000 },
        {
          progress: () => {
            progressCount += 1;
            running.stop();
          },
        },
      );
      const report = await running.report;
      assert.equal(progressCount, 1);
      assert.ok(report.interrupted && report.responses > 0 && report.seconds < 30);
      await served.close();
    });
  });
}

describe('wrong options', () => {
  it('are all reported at once', async () => {
    const options = {
      url: ['https://a/', 'ftp://b/', 'http://c/', 'http://d/'],
      weights: [1],
      connections: 1.5,
      pipelining: 2,
      keepAlive: false,
      method: 'G T',
      headers: [
        ['A b', 'c'],
        ['A', 'b\nc'],
        ['Content-Length', '3'],
      ],
      rate: -1,
      durationMs: 0,
      conections: 3,
    } as unknown as LoadOptions;
    await assert.rejects(runLoad(options), (error: LoadProblem) => {
      assert.ok(error.isUsageError);
      for (const part of [
        'conections: no such option; did you mean connections?',
        'connections: given 1.5, allowed: an integer from 1 to 50000',
        'durationMs: given 0',
        'https://a/: TLS is not supported, use http://',
        'ftp://b/: not a URL',
        'http://d/: all URLs of a load must be of one server, c',
        'weights: 1 given for 4 URLs',
        'header: "A b: c" has an invalid field name',
        'header: "A: b\\nc" has an invalid field value',
        'header: Content-Length cannot be given',
        'method: given "G T", allowed: a name such as GET',
        'rate: allowed',
        'pipelining: given 2, allowed: 1 without keep-alive',
      ]) {
        assert.ok(
          error.problems.some((line) => line.startsWith(part)),
          part,
        );
      }
      return true;
    });
  });

  it('are not a name with two addresses: the load takes the one with a server', async () => {
    const server = createServer((socket) => socket.on('error', () => {}).end());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    // 127.0.0.2 is on loopback as well, and no server listens there.
    assert.equal(await firstOf(['127.0.0.2', '127.0.0.1'], port), '127.0.0.1');
    assert.equal(await firstOf(['127.0.0.1', '127.0.0.2'], port), '127.0.0.1');
    assert.equal(await findHost('127.0.0.2', port), '127.0.0.2');
    await new Promise((resolve) => server.close(resolve));
    assert.equal(await firstOf(['127.0.0.2', '127.0.0.1'], port), '127.0.0.2');
  });

  it('include an unknown host', async () => {
    await assert.rejects(
      runLoad({ url: 'http://no-such-host.invalid/' }),
      /^LoadProblem: cannot find no-such-host\.invalid: no /,
    );
  });
});
