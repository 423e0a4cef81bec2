// A server without descriptors: it rests instead of spinning, and goes on when some come back. The
// Linux drivers leave clients in the kernel's queue until then, and serve every one. On net libuv
// takes them by a descriptor it keeps for that, and closes them at once.

import assert from 'node:assert/strict';
import { randomFrom } from '../../testing/random.ts';
import { get, RawClient } from '../../testing/raw-client.ts';
import { type DriverName, eventually, onEachDriver, wait } from '../../testing/with-server.ts';
import { startProgram } from './fixtures/programs.ts';

const LINUX = process.platform === 'linux';

/** More than there are descriptors, and less than twice as many. */
const CROWD = 160;
/** Times that all descriptors go and come back. */
const ROUNDS = 4;
/** The server tries to accept again after 250 ms: clients come before that, and after. */
const PAUSE_MS_MAX = 400;

onEachDriver('without descriptors', (add) => {
  if (!LINUX) return;

  add('the server rests instead of spinning, and goes on afterwards', async (driver) => {
    await withFew(driver, async (port) => {
      const watcher = await RawClient.open(port);
      const spent = async (): Promise<Spent> => JSON.parse((await watcher.ask(get('/spent'))).text);
      await spent();
      const crowd = await Promise.all(Array.from({ length: CROWD }, () => Visitor.come(port)));
      await eventually('some are served', () => crowd.some(({ isServed }) => isServed));
      await wait(300);
      const before = await spent();
      await wait(1_000);
      const after = await spent();
      assert.ok(after.acceptFaults - before.acceptFaults < 50, 'accept() is tried now and then');
      assert.ok(
        after.cpuMs - before.cpuMs < 500,
        `a second costs ${after.cpuMs - before.cpuMs} ms`,
      );
      const served = crowd.filter(({ isServed }) => isServed);
      assert.ok(served.length < crowd.length, 'there are more clients than descriptors');
      for (const { client } of served) client.reset();
      await areTold(driver, crowd);
      for (const { client } of crowd) client.reset();
      await isServedNow(port);
      watcher.reset();
    });
  });

  add('whoever waits is served when something else lets them go', async (driver, context) => {
    const seed = Number(process.env['VIBING_SEED'] ?? Date.now() % 2 ** 31);
    context.diagnostic(`seed ${seed}`);
    const random = randomFrom(seed);
    await withFew(driver, async (port) => {
      const watcher = await RawClient.open(port);
      for (let round = 0; round < ROUNDS; round++) {
        // No connection ends that would make the server try again: time alone has to.
        const held = Number((await watcher.ask(get('/hold'))).text);
        assert.ok(held > 20, `${held} descriptors were free`);
        const crowd: Visitor[] = [];
        for (let group = 0; group < 3; group++) {
          const count = Math.floor(random() * 8);
          crowd.push(
            ...(await Promise.all(Array.from({ length: count }, () => Visitor.come(port)))),
          );
          await wait(random() * PAUSE_MS_MAX);
        }
        const served = crowd.filter(({ isServed }) => isServed);
        assert.equal(served.length, 0, 'nobody is served without a descriptor');
        const gone = crowd.splice(0, Math.floor((crowd.length + 1) * random()));
        for (const { client } of gone) client.reset();
        assert.equal((await watcher.ask(get('/release'))).text, 'released');
        await areTold(driver, crowd);
        for (const { client } of crowd) client.reset();
        await isServedNow(port);
      }
      watcher.reset();
    });
  });
});

interface Spent {
  readonly acceptFaults: number;
  readonly cpuMs: number;
}

/** A client with one request under way. */
class Visitor {
  readonly client: RawClient;
  isServed = false;

  constructor(client: RawClient) {
    this.client = client;
  }

  static async come(port: number): Promise<Visitor> {
    const visitor = new Visitor(await RawClient.open(port));
    void visitor.client.send(get('/'));
    visitor.client.nextResponse().then(
      ({ status }) => {
        visitor.isServed = status === 200;
      },
      () => {},
    );
    return visitor;
  }

  /**
   * The end of the stream is all that a client sees which was closed before its request was there:
   * its own side stays open, and Node looks for no reset any more.
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

/** Everybody gets an answer; on net some are closed instead. */
async function areTold(driver: DriverName, crowd: readonly Visitor[]): Promise<void> {
  await eventually('all know how it ends', () =>
    crowd.every(({ isServed, isEnded }) => isServed || isEnded),
  );
  if (driver === 'net') return;
  for (const { isServed } of crowd) assert.ok(isServed, 'who waited in the queue is served');
}

async function isServedNow(port: number): Promise<void> {
  const late = await RawClient.open(port);
  assert.equal((await late.ask(get('/'))).text, 'hello');
  late.reset();
}
