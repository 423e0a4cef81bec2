// Middleware that guards files: no spelling of a path reaches a guarded file without running the
// guard.

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { DriverName } from '../../src/driver/choose.ts';
import type { Handler, Middleware } from '../../src/exchange/handler.ts';
import type { Server } from '../../src/server/server.ts';
import { serveStatic } from '../../src/static/serve-static.ts';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { get, RawClient } from '../../testing/raw-client.ts';
import { isInTurn } from '../../testing/rotation.ts';
import { oneDriver } from '../../testing/with-server.ts';
import { DRIVERS, makeServer, makeTree, SECRET } from './fixtures/site.ts';
import { spellings } from './fixtures/spellings.ts';

leaveOutOfCoverage();

const FILES: Readonly<Record<string, string>> = {
  'admin/secret.txt': SECRET,
  'admin/index.html': SECRET,
  'public.txt': 'public',
  'x/': '',
};

const SEED = Number(process.env['VIBING_SEED'] ?? Date.now() % 1_000_000);
const RANDOM_COUNT = 2_000;
const FEW = 60;
const CLIENTS = 4;

const guard: Middleware = (_request, response) => response.status(401).text('guarded\n');
const guardRoute: Handler = (_request, response) => response.status(401).text('guarded\n');

interface Guarded {
  readonly what: string;
  /** Where the files are. */
  readonly prefix: string;
  readonly staticDir?: true;
  readonly build: (server: Server, root: string) => void;
}

const GUARDED: readonly Guarded[] = [
  {
    what: 'static_dir behind use(prefix)',
    prefix: '',
    staticDir: true,
    build: (server) => server.use('/admin', guard),
  },
  {
    what: 'static_dir behind all(pattern)',
    prefix: '',
    staticDir: true,
    build: (server) => server.all('/admin/*', guardRoute).all('/admin', guardRoute),
  },
  {
    what: 'serveStatic at the root',
    prefix: '',
    build: (server, root) => server.use('/admin', guard).use('/', serveStatic(root)),
  },
  {
    what: 'serveStatic below a prefix',
    prefix: '/files',
    build: (server, root) =>
      server.use('/files/admin', guard).use('/files', serveStatic(root, { listing: true })),
  },
  {
    what: 'serveStatic behind middleware that reads req.path',
    prefix: '/files',
    build: (server, root) =>
      server
        .use((request, response, next) =>
          request.path.startsWith('/files/admin') ? guard(request, response, next) : next(),
        )
        .use('/files', serveStatic(root)),
  },
  {
    what: 'a handler that builds file names from req.path',
    prefix: '',
    build: (server, root) =>
      server.all('/*', (request, response) => {
        const { path } = request;
        if (path.startsWith('/admin')) return guardRoute(request, response);
        return response.file(join(root, path));
      }),
  },
  {
    what: 'a handler that builds file names from req.path behind use(prefix)',
    prefix: '/files',
    build: (server, root) =>
      server
        .use('/files/admin', guard)
        .get('/files/*', (request, response) =>
          response.file(join(root, request.path.slice('/files'.length))),
        ),
  },
];

class Site {
  readonly root: string = makeTree(FILES);
  readonly server: Server;
  #port = 0;

  constructor(driver: DriverName, guarded: Guarded) {
    const options = guarded.staticDir ? { staticDir: this.root } : {};
    this.server = makeServer(driver, options);
    guarded.build(this.server, this.root);
  }

  async open(): Promise<void> {
    this.#port = (await this.server.listen()).port;
  }

  async close(): Promise<void> {
    await this.server.close();
    rmSync(dirname(this.root), { recursive: true, force: true });
  }

  /** Requests every target on a few connections; returns the responses as text. */
  async ask(
    targets: readonly string[],
    see: (target: string, status: number, text: string) => void,
  ): Promise<void> {
    const waiting = [...targets];
    const askSome = async () => {
      let client = await RawClient.open(this.#port);
      for (let target = waiting.pop(); target !== undefined; target = waiting.pop()) {
        const { status, text, raw } = await client.ask(get(target));
        see(target, status, text);
        if (status >= 400 && raw.includes('Connection: close')) {
          client.reset();
          client = await RawClient.open(this.#port);
        }
      }
      client.reset();
    };
    await Promise.all(Array.from({ length: CLIENTS }, askSome));
  }
}

for (const [row, driver] of DRIVERS.entries()) {
  for (const [column, guarded] of GUARDED.entries()) {
    // All of them on the first driver.
    if (row > 0 && !isInTurn(row + column)) continue;
    const { what, prefix } = guarded;
    describe(`${what}, driver ${driver}`, () => {
      let site: Site;
      before(() => {
        site = new Site(driver, guarded);
        return site.open();
      });
      after(() => site.close());

      it('the guard runs for the file, and for nothing else', async () => {
        const seen: string[] = [];
        const note = (target: string, status: number) => seen.push(`${status} ${target}`);
        await site.ask([`${prefix}/admin/secret.txt`], note);
        await site.ask([`${prefix}/%61dmin/x/../secret.txt`], note);
        await site.ask([`${prefix}/public.txt`], note);
        assert.deepEqual(seen, [
          `401 ${prefix}/admin/secret.txt`,
          `401 ${prefix}/%61dmin/x/../secret.txt`,
          `200 ${prefix}/public.txt`,
        ]);
      });

      it('no spelling bypasses it', async (context) => {
        await noSpellingPasses(context, site, guarded, driver);
      });
    });
  }
}

async function noSpellingPasses(
  context: TestContext,
  site: Site,
  guarded: Guarded,
  driver: DriverName,
): Promise<void> {
  const { prefix } = guarded;
  context.diagnostic(`VIBING_SEED=${SEED}`);
  const isFirst = oneDriver().some((name) => name === driver);
  const isThorough = isFirst && isInTurn(GUARDED.indexOf(guarded));
  const all = spellings(prefix, isThorough ? RANDOM_COUNT : FEW, SEED);
  const step = Math.ceil(all.length / FEW);
  const targets = isThorough ? all : all.filter((_target, index) => index % step === 0);
  const counts = new Map<number, number>();
  await site.ask(targets, (target, status, text) => {
    assert.ok(!text.includes(SECRET), `${target} gave ${status}: ${text.slice(0, 80)}`);
    assert.ok([200, 301, 400, 401, 404].includes(status), `${target} gave ${status}`);
    counts.set(status, (counts.get(status) ?? 0) + 1);
  });
  if (!isThorough) return;
  // The generated paths must reach both the guard and files next to the guarded ones.
  for (const status of [400, 401, 404]) assert.ok((counts.get(status) ?? 0) > 100, `${status}`);
}
