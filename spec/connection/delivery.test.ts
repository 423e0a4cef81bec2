// What afterSend() and the metrics learn of a response: when all of it has left, or what was lost,
// once.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Deliveries } from '../../src/connection/delivery.ts';
import type { Exchange } from '../../src/exchange/exchange.ts';

interface Ended {
  readonly name: string;
  readonly bytes: number;
  readonly durationMs: number;
  readonly complete: boolean;
}

class Fixture {
  readonly deliveries = new Deliveries();
  readonly ended: Ended[] = [];
  readonly counted: boolean[] = [];
  readonly errors: string[] = [];
  nowMs = 100;

  /** An exchange with so many bytes of content, whose callbacks note what they get. */
  exchange(name: string, contentBytes: number, callbacks = 1): Exchange {
    const afterSend = Array.from({ length: callbacks }, () => (summary: Ended) => {
      const { bytes, durationMs, complete } = summary;
      this.ended.push({ name, bytes, durationMs, complete });
    });
    return {
      afterSend,
      status: 200,
      contentBytes,
      startedMs: 40,
      services: {
        nowMs: () => this.nowMs,
        logError: (line: string) => this.errors.push(line),
      },
    } as unknown as Exchange;
  }

  add(exchange: Exchange, target: number, complete = true): void {
    this.deliveries.add(exchange, target, complete, (isComplete) => this.counted.push(isComplete));
  }

  /** As text: the bytes, and ! for a response that is not complete. */
  news(): string {
    const all = this.ended.splice(0);
    return all
      .map(({ name, bytes, complete }) => `${name}${bytes}${complete ? '' : '!'}`)
      .join(' ');
  }
}

describe('deliveries', () => {
  it('end in order, each when its last byte was sent', () => {
    const fixture = new Fixture();
    const { deliveries } = fixture;
    fixture.add(fixture.exchange('a', 10, 2), 50);
    fixture.add(fixture.exchange('b', 20), 100);
    fixture.add(fixture.exchange('c', 0), 100);
    deliveries.notifySent(49);
    assert.equal(fixture.news(), '');
    deliveries.notifySent(50);
    assert.equal(fixture.news(), 'a10 a10');
    deliveries.notifySent(99);
    assert.equal(fixture.news(), '');
    fixture.nowMs = 107;
    deliveries.notifySent(100);
    assert.deepEqual(fixture.ended[0], { name: 'b', bytes: 20, durationMs: 67, complete: true });
    assert.equal(fixture.news(), 'b20 c0');
    deliveries.notifySent(1000);
    deliveries.notifyLost(1000);
    assert.equal(fixture.news(), '', 'once');
    assert.deepEqual(fixture.counted, [true, true, true]);
  });

  it('that are lost have the bytes that had left, of their content at most', () => {
    const fixture = new Fixture();
    const { deliveries } = fixture;
    for (const [name, content, target] of [
      ['a', 10, 50],
      ['b', 20, 100],
      ['c', 20, 150],
      ['d', 5, 200],
    ] as const) {
      fixture.add(fixture.exchange(name, content), target);
    }
    deliveries.notifyLost(93);
    assert.equal(fixture.news(), 'a10 b13! c0! d0!');
    deliveries.notifyLost(93);
    deliveries.notifySent(500);
    assert.equal(fixture.news(), '', 'once');
    assert.deepEqual(fixture.counted, [true, false, false, false]);
    fixture.add(fixture.exchange('e', 7), 93, false);
    deliveries.notifySent(93);
    assert.equal(fixture.news(), 'e7!', 'it was cut, although all that was queued has left');
  });

  it('of an exchange that is added again have its callbacks once', () => {
    const fixture = new Fixture();
    const exchange = fixture.exchange('a', 10);
    fixture.add(exchange, 50);
    fixture.deliveries.add(exchange, 60, false);
    fixture.deliveries.notifyLost(55);
    assert.equal(fixture.news(), 'a10');
  });

  it('go on when a callback throws, now or later', async () => {
    const fixture = new Fixture();
    const exchange = fixture.exchange('a', 10);
    const [callback] = exchange.afterSend ?? [];
    exchange.afterSend = [
      () => {
        throw new Error('now');
      },
      () => Promise.reject(new Error('later')),
      callback,
    ];
    fixture.add(exchange, 50);
    fixture.deliveries.notifySent(50);
    assert.equal(fixture.news(), 'a10');
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(fixture.errors.length, 2);
    assert.match(
      fixture.errors.join('\n'),
      /afterSend\(\) callback failed: Error: now[\s\S]*later/,
    );
  });
});
