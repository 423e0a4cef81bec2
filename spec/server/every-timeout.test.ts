// Every timeout of the configuration, in virtual time: at its value less a millisecond nothing has
// happened, at its value and a millisecond more it has passed. A timeout without a row fails.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DRAIN_HEAD_MS } from '../../src/base/fixed-limits.ts';
import { LIMITS, type LimitName } from '../../src/base/limits.ts';
import type { ServerOptions } from '../../src/server/config/config.ts';
import type { Server } from '../../src/server/server.ts';
import { get, post } from '../../testing/raw-client.ts';
import { type VirtualClient, VirtualServer } from '../../testing/virtual-server.ts';

const LENGTH_MS = 1_000;

/** Too long to pass in a test. */
const NEVER_MS = 60_000;
const NEVER: ServerOptions = {
  connectionTimeoutMs: NEVER_MS,
  keepAliveTimeoutMs: NEVER_MS,
  headTimeoutMs: NEVER_MS,
  bodyTimeoutMs: NEVER_MS,
  bodyTotalTimeoutMs: 0,
  writeTimeoutMs: NEVER_MS,
  handlerTimeoutMs: NEVER_MS,
  lingerTimeoutMs: NEVER_MS,
  shutdownTimeoutMs: NEVER_MS,
  drainLingerMs: NEVER_MS,
  overloadWaitMs: 0,
};

/** A deadline that is extended with every request passes up to this much late (deadlines.ts). */
const EXTENDED_MS = LENGTH_MS / 16;
/** Progress is checked four times within these timeouts: what follows is up to a check late. */
const CHECKED_MS = LENGTH_MS / 4;

interface Row {
  readonly name: LimitName;
  readonly what: string;
  /** Until when nothing may have happened, unless that is a millisecond before its value. */
  readonly earliestMs?: number;
  /** How late it may pass; 0 unless documented. */
  readonly lateMs?: number;
  readonly options?: ServerOptions;
  /** Runs until the timeout begins; returns whether it has passed. */
  readonly begin: (life: VirtualServer) => Promise<() => boolean>;
  /** What happens in each millisecond. */
  readonly each?: (life: VirtualServer, elapsedMs: number) => void;
}

function routes(server: Server): void {
  server.get('/', (_request, response) => response.text('hello'));
  server.get('/never', () => new Promise(() => {}));
  server.post('/', async (request, response) => response.text(await request.text()));
}

/** A response to an error, and the end after it. */
function responds(client: VirtualClient, status: number): () => boolean {
  const line = `HTTP/1.1 ${status} `;
  return () => client.take().includes(line) && client.isEnded;
}

function unanswered(life: VirtualServer): VirtualClient {
  const client = life.open();
  client.send(get('/'));
  assert.ok(client.socket.send !== null, 'the response is in flight');
  return client;
}

let trickling: VirtualClient;

const ROWS: readonly Row[] = [
  {
    name: 'connectionTimeoutMs',
    what: 'a client that sends nothing is closed without a response',
    lateMs: EXTENDED_MS,
    begin: async (life) => {
      const client = life.open();
      return () => client.isEnded;
    },
  },
  ...(['headTimeoutMs', 'bodyTimeoutMs', 'writeTimeoutMs', 'keepAliveTimeoutMs'] as const).map(
    (follows): Row => ({
      name: 'connectionTimeoutMs',
      what: `is the value of ${follows} when that is 0`,
      options: { [follows]: 0 },
      lateMs: follows === 'keepAliveTimeoutMs' ? EXTENDED_MS : 0,
      begin: (life) => {
        const row = ROWS.find(({ name }) => name === follows);
        assert.ok(row !== undefined);
        return row.begin(life);
      },
    }),
  ),
  {
    name: 'keepAliveTimeoutMs',
    what: 'a client that sends no further request is closed without a response',
    lateMs: EXTENDED_MS,
    begin: async (life) => {
      const client = life.open();
      assert.match(await client.ask(get('/')), /hello$/);
      return () => client.isEnded;
    },
  },
  {
    name: 'headTimeoutMs',
    what: 'an incomplete head is 408',
    begin: async (life) => {
      const client = life.open();
      client.send('GET / HT');
      return responds(client, 408);
    },
  },
  {
    name: 'headTimeoutMs',
    what: 'bytes that arrive extend nothing',
    begin: async (life) => {
      trickling = life.open();
      trickling.send('GET / HTTP/1.1\r\nX:');
      return responds(trickling, 408);
    },
    each: (_life, elapsedMs) => {
      if (elapsedMs % 100 === 50 && trickling.socket.receiving) trickling.send('x');
    },
  },
  {
    name: 'bodyTimeoutMs',
    what: 'a body that stops arriving is 408',
    begin: async (life) => {
      const client = life.open();
      await client.ask(post('/', '12345').slice(0, -1));
      return responds(client, 408);
    },
  },
  {
    name: 'bodyTotalTimeoutMs',
    what: 'a body that arrives byte by byte is 408, a millisecond later for each byte',
    // Four bytes come with the head, three meanwhile. The byte at 1,008 ms is the eighth, in time.
    earliestMs: LENGTH_MS + 8,
    lateMs: 9,
    begin: async (life) => {
      trickling = life.open();
      await trickling.ask(post('/', 'x'.repeat(1000)).slice(0, -996));
      return responds(trickling, 408);
    },
    each: (_life, elapsedMs) => {
      if ([250, 500, 750, 1008, 1010].includes(elapsedMs)) trickling.send('x');
    },
  },
  {
    name: 'writeTimeoutMs',
    what: 'a client that takes nothing is reset; the system reports no acknowledgements',
    begin: async (life) => {
      const client = unanswered(life);
      return () => client.socket.isReset;
    },
  },
  {
    name: 'writeTimeoutMs',
    what: 'a client that acknowledges nothing is reset',
    lateMs: CHECKED_MS,
    begin: async (life) => {
      const client = unanswered(life);
      client.socket.unacknowledged = 100;
      return () => client.socket.isReset;
    },
  },
  {
    name: 'handlerTimeoutMs',
    what: 'a handler without a response is 503',
    begin: async (life) => {
      const client = life.open();
      await client.ask(get('/never'));
      return responds(client, 503);
    },
  },
  {
    name: 'lingerTimeoutMs',
    what: 'a client that does not close after the last response is closed',
    lateMs: CHECKED_MS,
    begin: async (life) => {
      const client = life.open();
      await client.ask(get('/', 'Connection: close'));
      assert.equal(client.socket.isShut, true);
      return () => !client.isOpen;
    },
  },
  {
    name: 'drainLingerMs',
    what: 'an idle connection of a closing server is closed',
    lateMs: EXTENDED_MS,
    begin: async (life) => {
      const client = life.open();
      await client.ask(get('/'));
      void life.server.close();
      await life.rest();
      return () => client.isEnded;
    },
  },
  {
    name: 'shutdownTimeoutMs',
    what: 'a handler of a closing server has this time',
    begin: async (life) => {
      const client = life.open();
      await client.ask(get('/never'));
      void life.server.close();
      await life.rest();
      return () => client.socket.isReset;
    },
  },
  {
    name: 'overloadWaitMs',
    what: 'a client without a slot is turned away',
    options: { connectionsMax: 1 },
    begin: async (life) => {
      const first = life.open();
      await first.ask(get('/never'));
      assert.equal(life.open().isAccepted, false);
      return () => life.server.counters.turnedAway === 1;
    },
  },
  // The one that is idle for longest, whether or not it sent a request before.
  ...[true, false].map(
    (isUsed): Row => ({
      name: 'overloadWaitMs',
      what: `a client without a slot replaces one that ${isUsed ? 'was used' : 'is new'}`,
      options: { connectionsMax: 2 },
      begin: async (life) => {
        const oldest = life.open();
        if (isUsed) await oldest.ask(get('/'));
        life.pass(200);
        const newest = life.open();
        if (!isUsed) await newest.ask(get('/'));
        life.pass(200);
        assert.equal(life.open().isAccepted, false);
        return () => life.server.counters.evicted === 1 && oldest.isEnded && !newest.isEnded;
      },
      // The wait began when the last slot was used.
      earliestMs: LENGTH_MS - 201,
    }),
  ),
];

async function run(row: Row, options: ServerOptions, lengthMs: number): Promise<void> {
  const life = new VirtualServer({ ...NEVER, ...options, ...row.options }, routes);
  await life.server.listen();
  try {
    await tryTimeout(life, row, lengthMs);
  } finally {
    await life.end();
  }
}

async function tryTimeout(life: VirtualServer, row: Row, lengthMs: number): Promise<void> {
  const hasPassed = await row.begin(life);
  const pass = async (untilMs: number, fromMs: number): Promise<void> => {
    for (let ms = fromMs + 1; ms <= untilMs; ms++) {
      life.pass(1);
      row.each?.(life, ms);
    }
    // close() looks at the clock every five milliseconds of real time.
    if (row.name === 'shutdownTimeoutMs') await new Promise((done) => setTimeout(done, 12));
    await life.rest();
  };
  const { earliestMs = lengthMs - 1, lateMs = 0 } = row;
  await pass(earliestMs, 0);
  assert.equal(hasPassed(), false, `nothing happens in ${earliestMs} ms`);
  const endMs = Math.ceil(lengthMs + lateMs) + 1;
  await pass(endMs, earliestMs);
  assert.equal(hasPassed(), true, `it passes within ${endMs} ms`);
}

describe('each timeout passes at its value, not before', () => {
  for (const row of ROWS) {
    test(`${row.name}: ${row.what}`, () => run(row, { [row.name]: LENGTH_MS }, LENGTH_MS));
  }

  test('the table has every limit in milliseconds', () => {
    const names = Object.entries(LIMITS).filter(([, { unit }]) => unit === 'ms');
    // That of workers is not in one process: cluster/stuck-workers.test.ts.
    const elsewhere = ['workerTimeoutMs'];
    const missing = names.filter(([name]) => {
      return !elsewhere.includes(name) && !ROWS.some((row) => row.name === name);
    });
    assert.deepEqual(missing, []);
  });
});

test('shutdownTimeoutMs: a client that waits for a slot is refused at its end', async (context) => {
  const options = { ...NEVER, connectionsMax: 1, shutdownTimeoutMs: LENGTH_MS };
  const life = new VirtualServer(options, routes);
  context.after(() => life.end());
  await life.server.listen();
  await life.open().ask(get('/never'));
  assert.equal(life.open().isAccepted, false);
  void life.server.close();
  await life.rest();
  for (const [ms, refused] of [
    [LENGTH_MS - 1, 0],
    [2, 1],
  ] as const) {
    life.pass(ms);
    await new Promise((done) => setTimeout(done, 12));
    await life.rest();
    assert.equal(life.driver.refused.length, refused);
  }
  assert.equal(life.server.counters.accepted, 1);
});

describe('a closing server waits for the rest of a head', () => {
  const begin = async (life: VirtualServer, sent: string) => {
    const client = life.open();
    client.send(sent);
    void life.server.close();
    await life.rest();
    return client;
  };

  test('for DRAIN_HEAD_MS: then it is 408', async () => {
    const row: Row = {
      name: 'shutdownTimeoutMs',
      what: '',
      begin: async (life) => responds(await begin(life, 'GET / HT'), 408),
    };
    await run(row, {}, DRAIN_HEAD_MS);
  });

  test('for head_timeout_ms when that is shorter', async () => {
    const row: Row = {
      name: 'headTimeoutMs',
      what: '',
      begin: async (life) => responds(await begin(life, 'GET / HT'), 408),
    };
    await run(row, { headTimeoutMs: 400 }, 400);
  });

  test('which bytes that arrive do not extend', async () => {
    const row: Row = {
      name: 'shutdownTimeoutMs',
      what: '',
      begin: async (life) => {
        trickling = await begin(life, 'GET / HTTP/1.1\r\nX:');
        return responds(trickling, 408);
      },
      each: (_life, elapsedMs) => {
        if (elapsedMs % 100 === 50 && trickling.socket.receiving) trickling.send('x');
      },
    };
    await run(row, {}, DRAIN_HEAD_MS);
  });

  test('which may begin after close()', async () => {
    const row: Row = {
      name: 'headTimeoutMs',
      what: '',
      begin: async (life) => {
        const client = life.open();
        await client.ask(get('/'));
        void life.server.close();
        await life.rest();
        life.pass(20_000);
        client.send('GET / HT');
        return responds(client, 408);
      },
    };
    await run(row, {}, DRAIN_HEAD_MS);
  });

  test('and responds when it arrives in time', async (context) => {
    const life = new VirtualServer(NEVER, routes);
    context.after(() => life.end());
    await life.server.listen();
    const head = get('/');
    const client = await begin(life, head.slice(0, 10));
    life.pass(DRAIN_HEAD_MS - 1);
    const response = await client.ask(head.slice(10));
    assert.match(response, /^HTTP\/1\.1 200 [\s\S]*\r\nConnection: close\r\n[\s\S]*hello$/);
    assert.equal(client.isEnded, true);
    assert.equal(life.server.counters.faults, 0);
  });

  test('an empty line is no head: it closes without a response', async (context) => {
    const life = new VirtualServer(NEVER, routes);
    context.after(() => life.end());
    await life.server.listen();
    const client = await begin(life, '\r\n');
    life.pass(DRAIN_HEAD_MS + 1);
    assert.equal(client.take(), '');
    assert.equal(client.isEnded, true);
  });
});
