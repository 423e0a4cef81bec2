// When a load connects again: at once after a connection that brought a response, with growing
// delays after connections that brought none.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ring } from '../../src/base/ring.ts';
import { Reconnects } from '../../src/load/reconnects.ts';
import { runVirtual } from './fixtures/run-virtual.ts';
import type { Script } from './fixtures/virtual-server.ts';

const TURN_MS = 0.1;

function gapsOf(timesMs: readonly number[]): readonly number[] {
  return timesMs.slice(1).map((atMs, index) => atMs - timesMs[index]);
}

describe('connecting again', () => {
  it('is delayed after connections that close at once, more each time, up to a second', () => {
    const script: Script = { latencyMs: () => 1, closesAtOnce: () => true };
    const options = { rate: 10, durationMs: 4_000, connections: 1 };
    const { load, server } = runVirtual(options, script, TURN_MS);
    const gapsMs = gapsOf(server.connectsMs);
    assert.ok(gapsMs.length >= 9, `${gapsMs.length}`);
    assert.ok(gapsMs[0] < 1, 'the first reconnect has no delay');
    for (const [index, gapMs] of gapsMs.slice(1).entries()) {
      const wantedMs = Math.min(10 * 2 ** index, 1_000);
      assert.ok(gapMs > 0.7 * wantedMs && gapMs < wantedMs + 10, `${gapMs}, not ${wantedMs}`);
    }
    assert.equal(load.recorder.reconnects, gapsMs.length);
    assert.equal(load.recorder.delayedReconnects, gapsMs.length - 1);
  });

  it('is bounded for many connections as well, whose delays differ', () => {
    const script: Script = { latencyMs: () => 1, closesAtOnce: () => true };
    const options = { rate: 10, durationMs: 1_500, connections: 64 };
    const { server } = runVirtual(options, script, TURN_MS);
    assert.ok(server.addresses.length <= 64 * 11, `${server.addresses.length}`);
    const last = server.connectsMs.slice(-64);
    assert.ok(Math.max(...last) - Math.min(...last) > 50);
  });

  it('has no delay after a response', () => {
    const script: Script = {
      latencyMs: () => 0.5,
      closesAtOnce: (index) => index < 6,
      closesAfter: () => true,
    };
    const { load, server } = runVirtual({ count: 16, connections: 1 }, script, TURN_MS);
    const { closed = 0 } = load.recorder.errorCounts();
    assert.ok(closed > 3, `${closed}`);
    assert.equal(load.recorder.responses, 16 - closed);
    const gapsMs = gapsOf(server.connectsMs);
    assert.ok(gapsMs[5] > 100);
    for (const gapMs of gapsMs.slice(6)) assert.ok(gapMs < 2, `${gapMs}`);
    assert.deepEqual(Object.keys(load.recorder.errorCounts()), ['closed']);
  });

  it('is not delayed without keep-alive', () => {
    const { load, server } = runVirtual(
      { durationMs: 200, connections: 2, keepAlive: false },
      { latencyMs: () => 0.5 },
      TURN_MS,
    );
    assert.ok(load.recorder.responses > 300, `${load.recorder.responses}`);
    assert.ok(Math.max(...gapsOf(server.connectsMs)) < 2);
    assert.equal(load.recorder.delayedReconnects, 0);
  });

  it('is not delayed when the server announces and closes after each response', () => {
    const response = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
    const script: Script = {
      latencyMs: () => 0.5,
      respond: () => response,
      closesAfter: () => true,
    };
    const { load } = runVirtual({ durationMs: 200, connections: 2 }, script, TURN_MS);
    assert.ok(load.recorder.responses > 300, `${load.recorder.responses}`);
    assert.deepEqual([load.recorder.errors, load.recorder.delayedReconnects], [0, 0]);
  });

  it('is delayed after connections that were reset or closed without a response', () => {
    const script: Script = { latencyMs: () => 0.5, respond: () => null };
    const options = { durationMs: 1_500, connections: 1 };
    const { load, server } = runVirtual(options, script, TURN_MS);
    assert.ok(server.addresses.length <= 11, `${server.addresses.length}`);
    assert.equal(load.recorder.errorCounts()['closed'], server.sent.length);
  });

  it('is delayed from the first time on when the server is gone', () => {
    const script: Script = { latencyMs: () => 1, connects: (index) => (index < 2 ? 0 : -111) };
    const gone: Script = { ...script, closesAtOnce: () => true };
    const { load, server } = runVirtual(
      { durationMs: 3_000, connections: 2, rate: 10 },
      gone,
      TURN_MS,
    );
    const first = gapsOf(server.connectsMs.slice(3));
    assert.ok(Math.max(...first) > 500);
    assert.ok(server.addresses.length <= 28, `${server.addresses.length}`);
    assert.ok((load.recorder.errorCounts()['connect'] ?? 0) > 10);
  });
});

describe('delayed connects', () => {
  it('are made each at its time, whenever the others are due', () => {
    const reconnects = new Reconnects(4);
    const dueMs = [30, 10, 20, 10];
    for (const [slot, atMs] of dueMs.entries()) reconnects.add(slot, atMs);
    const made: number[][] = [];
    while (reconnects.nextMs < Number.POSITIVE_INFINITY) {
      const out = new Ring(4);
      const atMs = reconnects.nextMs;
      reconnects.moveDue(atMs - 1, out);
      assert.equal(out.length, 0, 'not before');
      reconnects.moveDue(atMs, out);
      while (out.length > 0) made.push([atMs, out.shift()]);
    }
    assert.deepEqual(made, [
      [10, 1],
      [10, 3],
      [20, 2],
      [30, 0],
    ]);
  });
});
