// Connections over a driver in memory with a stopped clock: the deadlines of the requests of a
// pipeline, and when writers continue.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NodeAsyncIo } from '../../src/async-io/node.ts';
import { ERRNO } from '../../src/base/errno.ts';
import { limitsFrom } from '../../src/base/limits.ts';
import { Timeout, timeoutsMs } from '../../src/connection/context.ts';
import type { Handler } from '../../src/exchange/handler.ts';
import { makeCounts } from '../../src/metrics/counters.ts';
import { Application } from '../../src/server/application.ts';
import { configFrom, type ServerOptions } from '../../src/server/config/config.ts';
import { Group } from '../../src/server/group.ts';
import { Runtime } from '../../src/server/runtime.ts';
import { FakeDriver } from '../../testing/fake-driver.ts';

/** Lets the promises of handlers settle. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** A server with one client on slot 0. */
class Life {
  readonly runtime: Runtime;
  readonly driver: FakeDriver;
  slot = 0;

  constructor(options: ServerOptions, handler: Handler) {
    const counters = makeCounts();
    const application = new Application({ counters, logError: () => {}, logWarn: () => {} });
    new Group(application.routes, application.routes.root).get('/*', handler);
    const drivers: FakeDriver[] = [];
    const quiet = (): void => {};
    this.runtime = new Runtime({
      config: configFrom({ host: '127.0.0.1', port: 0, ...options }),
      asyncIo: new NodeAsyncIo(),
      log: { error: quiet, warn: quiet, notice: quiet, debug: quiet, debugEnabled: false },
      counters,
      application,
      makeDriver: ({ slab }) => {
        const driver = new FakeDriver(slab);
        drivers.push(driver);
        return { driver, note: null };
      },
    });
    this.driver = drivers[0];
    this.runtime.reactor.listen({ host: '127.0.0.1', port: 0 });
    this.turn();
    this.driver.arrive(5);
    this.turn();
    this.slot = [...this.driver.sockets.keys()][0];
  }

  turn(): void {
    this.runtime.reactor.turn();
  }

  /** Advances the clock and runs a turn. */
  pass(ms: number): void {
    this.driver.nowMs += ms;
    this.turn();
  }

  deliver(text: string): void {
    this.driver.deliver(this.slot, Buffer.from(text));
    this.turn();
  }

  /** Completes all sends. */
  take(): void {
    while (this.driver.sockets.get(this.slot)?.send) {
      this.driver.take(this.slot);
      this.turn();
    }
  }

  get output(): string {
    return this.driver.socket(this.slot).output.toString('latin1');
  }
}

const HEAD = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('a pipeline', () => {
  it('each head has its own deadline, also when it began after another', () => {
    const life = new Life({ headTimeoutMs: 1000, keepAliveTimeoutMs: 60_000 }, (_request, res) => {
      res.text('x');
    });
    life.deliver(`${HEAD}${HEAD.slice(0, 9)}`);
    life.take();
    for (let round = 0; round < 4; round++) {
      life.pass(600);
      // The rest of a head, and the beginning of the next one.
      life.deliver(`${HEAD.slice(9)}${HEAD.slice(0, 9)}`);
      life.take();
    }
    assert.ok(!life.output.includes('408'), 'no head took longer than 600 ms of its 1000');
    assert.equal(life.output.split('HTTP/1.1 200').length - 1, 5);
    life.pass(1001);
    life.take();
    assert.match(life.output, /HTTP\/1\.1 408 /, 'the last one does');
  });

  it('each handler has its own deadline, also when its request waited for another', async () => {
    const responses: (() => void)[] = [];
    const life = new Life({ handlerTimeoutMs: 1000 }, async (_request, res) => {
      await new Promise<void>((resolve) => {
        responses.push(resolve);
      });
      res.text('x');
    });
    life.deliver(HEAD + HEAD);
    await settled();
    life.pass(600);
    responses[0]();
    await settled();
    life.take();
    assert.equal(responses.length, 2, 'the second handler runs');
    life.pass(600);
    life.take();
    assert.ok(!life.output.includes('503'), 'the second has had 600 ms of its 1000');
    life.pass(600);
    life.take();
    assert.match(life.output, /HTTP\/1\.1 503 /);
  });
});

describe('an end', () => {
  it('without a linger timeout does not postpone the same deadline for ever', () => {
    const timeouts = timeoutsMs(limitsFrom({ drainLingerMs: 0 }));
    assert.ok(timeouts[Timeout.Drain] > 0, 'a deadline without a length expires again at once');
  });

  it('lets writers continue only when the kernel no longer reads their memory', async () => {
    let wentOn = false;
    const life = new Life({}, async (_request, res) => {
      const { sendQueueBytesMax } = limitsFrom({});
      await res.write(new Uint8Array(2 * sendQueueBytesMax));
      wentOn = true;
    });
    life.deliver(HEAD);
    await settled();
    // The head of the response was sent, the chunk is being sent.
    life.turn();
    life.driver.take(life.slot);
    life.turn();
    assert.ok(life.driver.socket(life.slot).send !== null, 'the chunk is being sent');
    life.driver.finish(life.slot, -ERRNO.ECONNRESET);
    life.turn();
    await settled();
    assert.equal(wentOn, false, 'the send has not completed');
    life.turn();
    life.turn();
    await settled();
    assert.equal(wentOn, true);
    assert.equal(life.driver.sockets.size, 0);
  });
});
