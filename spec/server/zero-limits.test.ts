// Every key of the configuration that accepts 0, in virtual time: what 0 does, and beside it what
// another value does. A key without a row fails.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { ServerOptions } from '../../src/server/config/config.ts';
import { KEYS } from '../../src/server/config/keys.ts';
import type { Server } from '../../src/server/server.ts';
import { get, post, postChunks, request } from '../../testing/raw-client.ts';
import { type VirtualClient, VirtualServer } from '../../testing/virtual-server.ts';
import { makeServer, oneDriver } from '../../testing/with-server.ts';
import { ModelSystem, WORKER_TIMEOUT_MS } from '../cluster/fixtures/model-system.ts';

const folder = mkdtempSync(join(tmpdir(), 'vibing-zero-'));
after(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'a.txt'), 'file');
// A file that changed just now is not cached.
utimesSync(join(folder, 'a.txt'), 1_000, 1_000);

const DAY_MS = 24 * 60 * 60 * 1000;

function routes(server: Server): void {
  server.get('/', (_request, response) => response.text('hello'));
  server.get('/never', () => new Promise(() => {}));
  server.get('/big', (_request, response) => response.send(new Uint8Array(100_000)));
  server.post('/bytes', async (request, response) => {
    response.text(String((await request.bytes()).length));
  });
  server.post('/stream', async (request, response) => {
    let bytes = 0;
    for await (const chunk of request.body) bytes += chunk.length;
    response.text(String(bytes));
  });
  server.post('/form', async (request, response) => {
    response.text(String([...(await request.form()).keys()].length));
  });
  server.post('/ignore', (_request, response) => response.text('ignored'));
}

interface Row {
  /** What 0 does. */
  readonly what: string;
  readonly options?: ServerOptions;
  /** Runs on a server with 0, and on one with `other`; returns what it observed. */
  readonly observe: (life: VirtualServer) => Promise<unknown>;
  readonly withZero: unknown;
  readonly other: number;
  readonly withOther: unknown;
}

/** The status and the last line of the last response. */
function last(output: string): string {
  const status = output.lastIndexOf('HTTP/1.1 ') + 'HTTP/1.1 '.length;
  const line = output.lastIndexOf('\n', output.length - 2) + 1;
  return `${output.slice(status, status + 3)} ${output.slice(line).trim()}`;
}

async function asked(life: VirtualServer, bytes: string): Promise<string> {
  return last(await life.open().ask(bytes));
}

/** When a client of this state is over, in ms: in steps of 500, up to 5,000. */
async function endOf(life: VirtualServer, client: VirtualClient): Promise<number> {
  for (let elapsedMs = 500; elapsedMs <= 5_000; elapsedMs += 500) {
    life.pass(500);
    await life.rest(2);
    client.take();
    if (client.isEnded) return elapsedMs;
  }
  return Number.POSITIVE_INFINITY;
}

/** A timeout whose 0 is the value of connection_timeout_ms, here 2 seconds. */
function follows(begin: (life: VirtualServer) => Promise<VirtualClient>): Row {
  return {
    what: 'follows connection_timeout_ms',
    options: { connectionTimeoutMs: 1_800 },
    observe: async (life) => endOf(life, await begin(life)),
    withZero: 2_000,
    other: 3_300,
    withOther: 3_500,
  };
}

const FORM = [
  '--b\r\nContent-Disposition: form-data; name="a"; filename="f"\r\n\r\nx\r\n--b--\r\n',
  'Content-Type: multipart/form-data; boundary=b',
] as const;

const ROWS: Readonly<Record<string, Row | (() => Promise<void>)>> = {
  /** The kernel chooses a port: only with real sockets. */
  port: async () => {
    const [driver] = oneDriver();
    const { server } = makeServer(driver, { port: 0 });
    const { port } = await server.listen();
    await server.close();
    assert.ok(port > 0 && port < 65_536);
  },
  metricsPort: async () => {
    const [driver] = oneDriver();
    const { server } = makeServer(driver, { port: 0, metricsPort: 0 });
    const { metrics } = await server.listen();
    await server.close();
    assert.match(metrics ?? '', /^127\.0\.0\.1:[1-9]\d*$/);
  },
  keepAliveTimeoutMs: follows(async (life) => {
    const client = life.open();
    await client.ask(get('/'));
    return client;
  }),
  headTimeoutMs: follows(async (life) => {
    const client = life.open();
    client.send('GET / HT');
    return client;
  }),
  bodyTimeoutMs: follows(async (life) => {
    const client = life.open();
    await client.ask(post('/bytes', '12').slice(0, -1));
    return client;
  }),
  writeTimeoutMs: {
    ...follows(async (life) => {
      const client = life.open();
      client.send(get('/'));
      return client;
    }),
    observe: async (life) => {
      const client = life.open();
      client.send(get('/'));
      for (let elapsedMs = 500; elapsedMs <= 5_000; elapsedMs += 500) {
        life.pass(500);
        if (client.socket.isReset) return elapsedMs;
      }
      return Number.POSITIVE_INFINITY;
    },
  },
  bodyTotalTimeoutMs: {
    what: 'is no limit: a byte now and then is enough',
    options: { bodyTimeoutMs: 1_000 },
    observe: async (life) => {
      const client = life.open();
      await client.ask(post('/bytes', 'x'.repeat(200)).slice(0, -200));
      for (let sent = 0; sent < 200 && !client.isEnded; sent++) {
        life.pass(900);
        client.send('x');
        await life.rest(1);
        client.take();
      }
      return last(client.take());
    },
    withZero: '200 200',
    other: 60_000,
    withOther: '408 body too slow',
  },
  drainLingerMs: {
    what: 'closes idle connections at once',
    observe: async (life) => {
      const client = life.open();
      await client.ask(get('/'));
      void life.server.close();
      await life.rest();
      life.pass(3);
      return client.isEnded;
    },
    withZero: true,
    other: 500,
    withOther: false,
  },
  shutdownTimeoutMs: {
    what: 'lets no request in flight finish',
    observe: async (life) => {
      const client = life.open();
      await client.ask(get('/never'));
      void life.server.close();
      await life.rest();
      life.driver.nowMs += 1;
      await new Promise((resolve) => setTimeout(resolve, 12));
      await life.rest();
      return client.socket.isReset;
    },
    withZero: true,
    other: 10_000,
    withOther: false,
  },
  overloadWaitMs: {
    what: 'lets clients wait for ever',
    options: { connectionsMax: 1, connectionTimeoutMs: DAY_MS, handlerTimeoutMs: DAY_MS },
    observe: async (life) => {
      await life.open().ask(get('/never'));
      life.open();
      life.pass(10_000);
      return [life.server.counters.turnedAway, life.server.counters.accepted];
    },
    withZero: [0, 1],
    other: 1_000,
    withOther: [1, 2],
  },
  /** In a cluster, whose primary acts on it. */
  workerTimeoutMs: async () => {
    const killed: boolean[] = [];
    for (const workerTimeoutMs of [0, WORKER_TIMEOUT_MS]) {
      const system = new ModelSystem({ workers: 1, listeners: 1 });
      system.start({ workerTimeoutMs });
      await system.calm();
      system.workers[0].isHung = true;
      await system.elapse(10 * WORKER_TIMEOUT_MS);
      killed.push(system.workers[0].known.killed);
    }
    assert.deepEqual(killed, [false, true]);
  },
  requestsPerConnectionMax: {
    what: 'is no limit',
    observe: async (life) => {
      const client = life.open();
      let responses = 0;
      while (responses < 300 && !client.isEnded) {
        await client.ask(get('/'));
        responses += 1;
      }
      return responses;
    },
    withZero: 300,
    other: 7,
    withOther: 7,
  },
  chunkExtensionBytesMax: {
    what: 'accepts no extension',
    observe: async (life) => [
      await asked(life, postChunks('/bytes', ['ab'])),
      await asked(life, postChunks('/bytes', ['ab']).replace('2\r\nab', '2;x\r\nab')),
    ],
    withZero: ['200 2', '400 chunk extensions too long'],
    other: 2,
    withOther: ['200 2', '200 2'],
  },
  bodyBytesMax: {
    what: 'accepts no content for a body that is read in full, and any that is streamed',
    observe: async (life) => [
      await asked(life, post('/bytes', '')),
      await asked(life, post('/bytes', 'x')),
      await asked(life, postChunks('/bytes', ['x'])),
      await asked(life, post('/stream', 'x')),
    ],
    withZero: ['200 0', '413 Content Too Large', '413 Content Too Large', '200 1'],
    other: 1,
    withOther: ['200 0', '200 1', '200 1', '200 1'],
  },
  formFilesMax: {
    what: 'accepts no file in a form',
    observe: async (life) => [
      (await asked(life, post('/form', FORM[0], FORM[1]))).slice(0, 3),
      await asked(life, post('/form', FORM[0].replace('; filename="f"', ''), FORM[1])),
    ],
    withZero: ['413', '200 1'],
    other: 1,
    withOther: ['200', '200 1'],
  },
  streamBytesMax: {
    what: 'accepts no content in any body',
    observe: async (life) => [
      await asked(life, post('/stream', '')),
      await asked(life, post('/stream', 'x')),
      await asked(life, postChunks('/stream', ['x'])),
      await asked(life, get('/')),
    ],
    withZero: ['200 0', '413 Content Too Large', '413 body too large', '200 hello'],
    other: 1,
    withOther: ['200 0', '200 1', '200 1', '200 hello'],
  },
  discardBytesMax: {
    what: 'skips no unread body: the connection closes',
    observe: async (life) => {
      const client = life.open();
      const [empty, unread] = [await client.ask(post('/ignore', '')), client.isEnded];
      assert.equal(last(empty), '200 ignored');
      await client.ask(request('POST', '/ignore', ['Content-Length: 1']));
      return [unread, client.isEnded];
    },
    withZero: [false, true],
    other: 1,
    withOther: [false, false],
  },
  fileCacheBytesMax: filesCached(),
  fileCacheEntryBytesMax: filesCached(),
};

function filesCached(): Row {
  return {
    what: 'keeps no file in memory',
    options: { staticDir: folder },
    observe: async (life) => {
      const client = life.open();
      for (let count = 0; count < 3; count++) {
        client.send(get('/a.txt'));
        const responses = count + 1;
        for (let round = 0; life.server.counters.responses < responses; round++) {
          assert.ok(round < 1_000, 'the file is sent');
          await life.rest(1);
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        client.take();
        // A file that was not kept in memory stays open for a while.
        while (life.asyncIo.closed < life.asyncIo.opened) await life.rest(1);
      }
      return life.asyncIo.opened;
    },
    withZero: 3,
    other: 65_536,
    withOther: 1,
  };
}

async function observe(row: Row, options: ServerOptions): Promise<unknown> {
  const life = new VirtualServer({ ...row.options, ...options }, routes);
  await life.server.listen();
  try {
    return await row.observe(life);
  } finally {
    await life.end();
  }
}

describe('a key of the configuration that is 0', () => {
  for (const [option, row] of Object.entries(ROWS)) {
    if (typeof row === 'function') {
      test(option, row);
      continue;
    }
    test(`${option} ${row.what}`, async () => {
      assert.deepEqual(await observe(row, { [option]: 0 }), row.withZero, '0');
      assert.deepEqual(await observe(row, { [option]: row.other }), row.withOther, `${row.other}`);
    });
  }

  test('has a row in this table, each one', () => {
    const zeros = KEYS.filter(({ rule }) => {
      return rule.kind === 'integer' && (rule.min === 0 || rule.orZero === true);
    });
    assert.deepEqual(zeros.map(({ option }) => option).sort(), Object.keys(ROWS).sort());
  });
});
