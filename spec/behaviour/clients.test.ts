// HTTP clients of other projects: Node's fetch, autocannon, and curl and wrk where they are
// installed. Each interprets HTTP in its own way, and all have to accept the responses.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createServer, type Server } from '../../src/index.ts';
import { serveStatic } from '../../src/static/index.ts';
import { ROOT } from '../../testing/child-program.ts';
import { onDriversInTurn } from '../../testing/with-server.ts';

const execute = promisify(execFile);

interface Result {
  readonly errors: number;
  readonly timeouts: number;
  readonly mismatches: number;
  readonly non2xx: number;
  readonly '2xx': number;
}

/** The package has no types. */
const autocannon = createRequire(import.meta.url)('autocannon') as (options: {
  url: string;
  connections: number;
  pipelining: number;
  amount: number;
}) => Promise<Result>;

async function withPort(driver: string, body: (url: string) => Promise<void>): Promise<void> {
  const server: Server = createServer({ port: 0, driver: driver as 'net', logLevel: 'silent' });
  server.get('/', (_request, response) => response.text('hello'));
  server.post('/echo', async (request, response) => response.send(await request.bytes()));
  server.use('/site', serveStatic(join(ROOT, 'examples/site')));
  const { port } = await server.listen();
  try {
    await body(`http://127.0.0.1:${port}`);
  } finally {
    await server.close();
  }
  assert.equal(server.counters.accepted, server.counters.closed);
  assert.equal(server.counters.faults, 0);
  assert.equal(server.counters.handlerErrors, 0);
}

/** What a program prints, null where it is not installed. */
async function run(program: string, ...given: string[]): Promise<string | null> {
  try {
    return (await execute(program, given, { timeout: 20_000 })).stdout;
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return null;
    throw error;
  }
}

onDriversInTurn('clients of other projects', (add) => {
  add("Node's fetch", async (driver) => {
    await withPort(driver, async (url) => {
      const all = Array.from({ length: 50 }, async (_, index) => {
        const body = 'x'.repeat(index * 1000);
        const response = await fetch(`${url}/echo`, { method: 'POST', body });
        assert.equal(await response.text(), body);
      });
      await Promise.all(all);
      const page = await fetch(`${url}/site/`);
      assert.match(await page.text(), /<html/);
    });
  });

  add('autocannon, with a pipeline and without', async (driver) => {
    await withPort(driver, async (url) => {
      for (const pipelining of [1, 8]) {
        const result = await autocannon({ url, connections: 10, pipelining, amount: 2000 });
        assert.equal(result.errors + result.timeouts + result.mismatches + result.non2xx, 0);
        // With any server it stops before the last pipeline of each connection has arrived.
        assert.ok(result['2xx'] >= 2000 - 10 * (pipelining - 1), `${result['2xx']} responses`);
      }
    });
  });

  add('curl, if it is installed', async (driver, context) => {
    await withPort(driver, async (url) => {
      const response = await run(
        'curl',
        '-s',
        '-d',
        `@${join(ROOT, 'package.json')}`,
        '-H',
        'Expect: 100-continue',
        `${url}/echo`,
      );
      if (response === null) return context.skip('curl is not installed');
      assert.equal(JSON.parse(response.replaceAll('\n', '')).name, 'vibing');
    });
  });

  add('wrk, if it is installed', async (driver, context) => {
    await withPort(driver, async (url) => {
      const report = await run('wrk', '-t1', '-c16', '-d1s', `${url}/site/robots.txt`);
      if (report === null) return context.skip('wrk is not installed');
      assert.match(report, /Requests\/sec/);
      assert.doesNotMatch(report, /Non-2xx|Socket errors/);
    });
  });
});
