// When a load connects again: at once behind a connection that brought a response, and later and
// later behind those that brought none.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runVirtual } from './run-virtual.ts';
import type { Script } from './virtual-server.ts';

const TURN_MS = 0.1;

function gapsOf(timesMs: readonly number[]): readonly number[] {
  return timesMs.slice(1).map((atMs, index) => atMs - timesMs[index]);
}

describe('connecting again', () => {
  it('behind connections that end at once is delayed, more each time, up to a second', () => {
    const script: Script = { takesMs: () => 1, endsAtOnce: () => true };
    const options = { rate: 10, durationMs: 4_000, connections: 1 };
    const { load, server } = runVirtual(options, script, TURN_MS);
    const gapsMs = gapsOf(server.connectsMs);
    assert.ok(gapsMs.length >= 9, `${gapsMs.length}`);
    assert.ok(gapsMs[0] < 1, 'the first time it is at once');
    for (const [index, gapMs] of gapsMs.slice(1).entries()) {
      const wantedMs = Math.min(10 * 2 ** index, 1_000);
      assert.ok(gapMs > 0.7 * wantedMs && gapMs < wantedMs + 10, `${gapMs}, not ${wantedMs}`);
    }
    assert.equal(load.recorder.reconnects, gapsMs.length);
    assert.equal(load.recorder.delayedReconnects, gapsMs.length - 1);
  });

  it('is bounded for many connections as well, which do not move in step', () => {
    const script: Script = { takesMs: () => 1, endsAtOnce: () => true };
    const options = { rate: 10, durationMs: 1_500, connections: 64 };
    const { server } = runVirtual(options, script, TURN_MS);
    assert.ok(server.addresses.length <= 64 * 11, `${server.addresses.length}`);
    const last = server.connectsMs.slice(-64);
    assert.ok(Math.max(...last) - Math.min(...last) > 50);
  });

  it('goes on at once when a response has come', () => {
    const script: Script = {
      takesMs: () => 0.5,
      endsAtOnce: (index) => index < 6,
      endsBehind: () => true,
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

  it('is not delayed where each request has its connection', () => {
    const { load, server } = runVirtual(
      { durationMs: 200, connections: 2, keepAlive: false },
      { takesMs: () => 0.5 },
      TURN_MS,
    );
    assert.ok(load.recorder.responses > 300, `${load.recorder.responses}`);
    assert.ok(Math.max(...gapsOf(server.connectsMs)) < 2);
    assert.equal(load.recorder.delayedReconnects, 0);
  });

  it('is not delayed where the server closes behind each response, and says so', () => {
    const response = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
    const script: Script = { takesMs: () => 0.5, respond: () => response, endsBehind: () => true };
    const { load } = runVirtual({ durationMs: 200, connections: 2 }, script, TURN_MS);
    assert.ok(load.recorder.responses > 300, `${load.recorder.responses}`);
    assert.deepEqual([load.recorder.errors, load.recorder.delayedReconnects], [0, 0]);
  });

  it('behind requests that are reset or ended unanswered is delayed', () => {
    const script: Script = { takesMs: () => 0.5, respond: () => null };
    const options = { durationMs: 1_500, connections: 1 };
    const { load, server } = runVirtual(options, script, TURN_MS);
    assert.ok(server.addresses.length <= 11, `${server.addresses.length}`);
    assert.equal(load.recorder.errorCounts()['closed'], server.sent.length);
  });

  it('to a server that has gone is delayed from the first time on', () => {
    const script: Script = { takesMs: () => 1, connects: (index) => (index < 2 ? 0 : -111) };
    const gone: Script = { ...script, endsAtOnce: () => true };
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
