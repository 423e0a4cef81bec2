// A server without free descriptors: it pauses accept() instead of spinning, and accepts again when
// descriptors are free. The Linux drivers leave clients in the listen backlog until then, and serve
// each. On net libuv accepts them with a descriptor that it reserves for that, and closes them.

import assert from 'node:assert/strict';
import { randomFrom } from '../../testing/random.ts';
import { get, RawClient } from '../../testing/raw-client.ts';
import { type DriverName, eventually, onDriversInTurn, wait } from '../../testing/with-server.ts';
import { startProgram } from './fixtures/programs.ts';

const LINUX = process.platform === 'linux';

/** More than the descriptors of the server, and less than twice as many. */
const CLIENTS = 160;
/** How often all descriptors are taken and released. */
const ROUNDS = 4;
/** The server retries accept() after 250 ms: clients connect before that, and after. */
const PAUSE_MS_MAX = 400;

onDriversInTurn('without descriptors', (add) => {
  if (!LINUX) return;

  add('the server pauses instead of spinning, and serves afterwards', async (driver) => {
    await withFew(driver, async (port) => {
      const watcher = await RawClient.open(port);
      const spent = async (): Promise<Spent> => JSON.parse((await watcher.ask(get('/spent'))).text);
      await spent();
      const clients = await Promise.all(
        Array.from({ length: CLIENTS }, () => PendingClient.connect(port)),
      );
      await eventually('some are served', () => clients.some(({ isServed }) => isServed));
      await wait(300);
      const before = await spent();
      await wait(1_000);
      const after = await spent();
      assert.ok(after.acceptFaults - before.acceptFaults < 50, 'accept() is retried rarely');
      assert.ok(
        after.cpuMs - before.cpuMs < 500,
        `a second costs ${after.cpuMs - before.cpuMs} ms of CPU`,
      );
      const served = clients.filter(({ isServed }) => isServed);
      assert.ok(served.length < clients.length, 'there are more clients than descriptors');
      for (const { client } of served) client.reset();
      await allSettle(driver, clients);
      for (const { client } of clients) client.reset();
      await isServedNow(port);
      watcher.reset();
    });
  });

  add(
    'waiting clients are served when descriptors are closed elsewhere',
    async (driver, context) => {
      const seed = Number(process.env['VIBING_SEED'] ?? Date.now() % 2 ** 31);
      context.diagnostic(`seed ${seed}`);
      const random = randomFrom(seed);
      await withFew(driver, async (port) => {
        const watcher = await RawClient.open(port);
        for (let round = 0; round < ROUNDS; round++) {
          // No connection closes, which would make the server retry: only the timer does.
          const held = Number((await watcher.ask(get('/hold'))).text);
          assert.ok(held > 20, `${held} descriptors were free`);
          const clients: PendingClient[] = [];
          for (let group = 0; group < 3; group++) {
            const count = Math.floor(random() * 8);
            clients.push(
              ...(await Promise.all(
                Array.from({ length: count }, () => PendingClient.connect(port)),
              )),
            );
            await wait(random() * PAUSE_MS_MAX);
          }
          const served = clients.filter(({ isServed }) => isServed);
          assert.equal(served.length, 0, 'no client is served without a descriptor');
          const gone = clients.splice(0, Math.floor((clients.length + 1) * random()));
          for (const { client } of gone) client.reset();
          assert.equal((await watcher.ask(get('/release'))).text, 'released');
          await allSettle(driver, clients);
          for (const { client } of clients) client.reset();
          await isServedNow(port);
        }
        watcher.reset();
      });
    },
  );
});

interface Spent {
  readonly acceptFaults: number;
  readonly cpuMs: number;
}

/** A client with one request in flight. */
class PendingClient {
  readonly client: RawClient;
  isServed = false;

  constructor(client: RawClient) {
    this.client = client;
  }

  static async connect(port: number): Promise<PendingClient> {
    const pending = new PendingClient(await RawClient.open(port));
    void pending.client.send(get('/'));
    pending.client.nextResponse().then(
      ({ status }) => {
        pending.isServed = status === 200;
      },
      () => {},
    );
    return pending;
  }

  /**
   * A client that was closed before its request arrived sees only the end of the stream: its own
   * side stays open, and Node no longer reports the reset.
   */
  get isEnded(): boolean {
    return this.client.ended || this.client.closed;
  }
}

async function withFew(driver: DriverName, body: (port: number) => Promise<void>): Promise<void> {
  const child = startProgram('descriptors-server', [driver], 'ulimit -n 128');
  try {
    const { port, driver: taken } = await child.firstLine();
    assert.equal(taken, driver);
    await body(Number(port));
  } finally {
    assert.equal(await child.end(), 0, child.problems);
  }
}

/** Every client gets a response; on net some are closed instead. */
async function allSettle(driver: DriverName, clients: readonly PendingClient[]): Promise<void> {
  await eventually('all are served or closed', () =>
    clients.every(({ isServed, isEnded }) => isServed || isEnded),
  );
  if (driver === 'net') return;
  for (const { isServed } of clients)
    assert.ok(isServed, 'a client that waited in the backlog is served');
}

async function isServedNow(port: number): Promise<void> {
  const late = await RawClient.open(port);
  assert.equal((await late.ask(get('/'))).text, 'hello');
  late.reset();
}
