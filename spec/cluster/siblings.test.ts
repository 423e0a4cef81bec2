// What workers publish to each other: the end in a worker, the primary between them, and real
// processes that count requests together.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FromPrimary, FromWorker, Published } from '../../src/cluster/messages.ts';
import type { Child, ChildEvents } from '../../src/cluster/ports.ts';
import { type Channel, workerSiblings } from '../../src/cluster/siblings.ts';
import { WorkerProcess } from '../../src/cluster/worker-process.ts';
import { get } from '../../testing/raw-client.ts';
import { fewDrivers, onDriversInTurn, wait } from '../../testing/with-server.ts';
import { withWorkers } from '../behaviour/fixtures/workers.ts';
import { ModelSystem } from './fixtures/model-system.ts';
import { connections } from './fixtures/supervision-fixture.ts';

const MESSAGE: Published = { vibing: 'published', topic: 'counts', message: [['a', 1]] };

class FakeChannel implements Channel {
  connected = true;
  readonly sent: FromWorker[] = [];
  readonly receivers: ((message: FromPrimary) => void)[] = [];
  readonly #unsent: (() => void)[] = [];

  send(message: FromWorker, _handle: undefined, _options: object, sent: () => void): boolean {
    this.sent.push(message);
    this.#unsent.push(sent);
    return true;
  }

  on(_event: 'message', receive: (message: FromPrimary) => void): void {
    this.receivers.push(receive);
  }

  flush(): void {
    for (const sent of this.#unsent.splice(0)) sent();
  }

  receive(message: unknown): void {
    for (const receive of this.receivers) receive(message as FromPrimary);
  }
}

describe('a worker', () => {
  test('publishes over its channel; the promise resolves when the message has left', async () => {
    const channel = new FakeChannel();
    let isSent = false;
    const published = workerSiblings(channel)
      .publish('counts', [['a', 1]])
      .then(() => {
        isSent = true;
      });
    assert.deepEqual(channel.sent, [MESSAGE]);
    await wait(0);
    assert.equal(isSent, false);
    channel.flush();
    await published;
  });

  test('without its primary, publishing has no effect', async () => {
    const channel = new FakeChannel();
    channel.connected = false;
    await workerSiblings(channel).publish('counts', []);
    assert.deepEqual(channel.sent, []);
  });

  test('receives the messages of its topics, and listens no earlier', () => {
    const channel = new FakeChannel();
    const siblings = workerSiblings(channel);
    assert.equal(channel.receivers.length, 0);
    const seen: unknown[] = [];
    siblings.subscribe('counts', (message) => seen.push(message));
    siblings.subscribe('counts', (message) => seen.push(message));
    siblings.subscribe('other', (message) => seen.push(['other', message]));
    assert.equal(channel.receivers.length, 1);
    for (const message of [MESSAGE, { ...MESSAGE, topic: 'none' }, { vibing: 'listen' }, null, 5]) {
      channel.receive(message);
    }
    assert.deepEqual(seen, [[['a', 1]], [['a', 1]]]);
  });
});

test('the primary passes a message to every other worker that may have clients', async () => {
  const system = new ModelSystem({ workers: 3, listeners: 3 });
  system.start();
  await system.calm();
  const [one, two, three] = system.workers;
  one.toPrimary.push(MESSAGE);
  one.deliver();
  assert.deepEqual(one.toWorker, []);
  assert.deepEqual(two.toWorker, [MESSAGE]);
  assert.deepEqual(three.toWorker, [MESSAGE]);
  system.signal('SIGTERM');
  await system.calm();
});

test('a worker that takes no messages does not fill the memory of the primary', () => {
  const sent: FromPrimary[] = [];
  const leave: (() => void)[] = [];
  let events: ChildEvents | null = null;
  const child: Child = {
    watch: (given) => {
      events = given;
    },
    send: (message, left) => {
      sent.push(message);
      if (left !== undefined) leave.push(left);
    },
    kill: () => {},
    pid: 42,
    isStopped: () => false,
  };
  const timers = { now: () => 0, after: () => () => {} };
  const nothing = () => {};
  const worker = new WorkerProcess(0, child, timers, {
    closing: nothing,
    exited: nothing,
    overdue: nothing,
    note: nothing,
    served: nothing,
    published: nothing,
  });
  worker.deliver(MESSAGE);
  assert.equal(sent.length, 0, 'it does not serve yet');
  const received = events as ChildEvents | null;
  received?.received({ vibing: 'starting', shutdownTimeoutMs: 0 });
  sent.length = 0;
  for (let count = 0; count < 10_000; count++) worker.deliver(MESSAGE);
  const most = sent.length;
  assert.ok(most > 0 && most < 1_000, String(most));
  for (const left of leave.splice(0)) left();
  for (let count = 0; count < 10_000; count++) worker.deliver(MESSAGE);
  assert.equal(sent.length, 2 * most, 'it takes messages again');
});

onDriversInTurn(
  'workers',
  (add) => {
    add('count requests together', async (driver) => {
      await withWorkers(driver, async (port) => {
        const [one, other] = (await connections(port, 2)).values();
        for (let count = 0; count < 9; count++) {
          assert.equal((await one.ask(get('/limited'))).status, 200);
        }
        // Alone, the other worker would grant ten.
        const statuses: number[] = [];
        while (statuses.at(-1) !== 429 && statuses.length < 10) {
          await wait(200);
          statuses.push((await other.ask(get('/limited'))).status);
        }
        assert.ok(statuses.length <= 6, `granted by the other: ${statuses}`);
        one.half();
        other.half();
      });
    });
  },
  fewDrivers(),
);
