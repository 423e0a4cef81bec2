// A load on a virtual clock, at the edges of its phases: the warm-up is not counted, what is due is
// awaited, and a load that is stopped or paused reports what it has done.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ClientState } from '../../src/load/client.ts';
import { runVirtual } from './fixtures/run-virtual.ts';
import type { Script } from './fixtures/virtual-server.ts';

const dead: Script = { latencyMs: () => Number.POSITIVE_INFINITY };
const prompt: Script = { latencyMs: () => 1 };

/** No response comes in the first `ms` of a run. */
function stalled(ms: number): Script {
  let beganMs = -1;
  return {
    latencyMs: (_index, atMs) => {
      if (beganMs < 0) beganMs = atMs;
      return Math.max(0.5, beganMs + ms - atMs);
    },
  };
}

const near = (is: number, wanted: number, off: number): void => {
  assert.ok(Math.abs(is - wanted) <= off, `${is}, not ${wanted}`);
};

describe('a warm-up', () => {
  it('leaves nothing in what is counted: neither responses, nor delays, nor idle time', () => {
    for (const rate of [undefined, 500]) {
      const options = { warmUpMs: 200, durationMs: 300, connections: 1 };
      const given = rate === undefined ? options : { ...options, rate };
      const { load } = runVirtual(given, stalled(100), 0.1);
      const { recorder } = load;
      assert.ok(recorder.histogram.mostMs < 2, `${recorder.histogram.mostMs} ms`);
      assert.ok(load.lateMsMax < 2, `${load.lateMsMax} ms late`);
      assert.equal(recorder.histogram.count, recorder.responses);
      assert.equal(recorder.responsesByKind[0], recorder.responses);
      near(recorder.bytes / recorder.responses, 43, 1);
      near(load.endMs - load.beginMs, 300, 1e-6);
      if (rate === undefined) near(recorder.responses, 600, 20);
      else assert.equal(recorder.responses, 150);
      // Turns without work between two responses, all of them added up.
      near(load.rest.idleMs, rate === undefined ? 150 : 240, 60);
    }
  });

  it('is not part of a count', () => {
    for (const rate of [undefined, 1_000]) {
      const options = { warmUpMs: 100, count: 50, connections: 2 };
      const given = rate === undefined ? options : { ...options, rate };
      let elapsedMs = 0;
      const { load } = runVirtual(given, prompt, 0.1, (one, atMs) => {
        elapsedMs = atMs;
        if (atMs > 2_000) one.stop();
      });
      assert.ok(elapsedMs < 1_000, 'it ends by its count');
      assert.equal(load.recorder.responses, 50);
      assert.deepEqual(load.recorder.errorCounts(), {});
    }
  });

  it('with more requests in flight at its end than the count leaves the others out', () => {
    const text = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhallo';
    const script: Script = { latencyMs: () => 1, respond: () => text };
    const options = { warmUpMs: 100, count: 5, connections: 8 };
    for (const pipelining of [1, 16]) {
      for (const expectBody of ['hallo', 'hello']) {
        const { load } = runVirtual({ ...options, pipelining, expectBody }, script, 0.1);
        const { recorder } = load;
        assert.deepEqual(
          [recorder.endedCount, recorder.responses, recorder.histogram.count],
          [5, 5, 5],
        );
        assert.deepEqual(recorder.errorCounts(), expectBody === 'hallo' ? {} : { body: 5 });
      }
    }
  });

  it('with failures of more requests in flight than the count has as many failures', () => {
    const options = { warmUpMs: 100, count: 5, connections: 4, pipelining: 16, timeoutMs: 150 };
    const { recorder } = runVirtual(options, dead, 0.1).load;
    assert.deepEqual(recorder.errorCounts(), { timeout: 5 });
    assert.equal(recorder.histogram.count, 5);
  });

  it('of a server that does not respond leaves out its requests', () => {
    const options = { rate: 1_000, warmUpMs: 100, durationMs: 200, connections: 4 };
    const { load } = runVirtual({ ...options, timeoutMs: 60_000 }, dead, 0.1);
    assert.deepEqual(load.recorder.errorCounts(), { unanswered: 200 });
    assert.equal(load.recorder.histogram.count, 200);
  });

  it('that is stopped has no time and no rows', () => {
    const options = { warmUpMs: 1_000, durationMs: 1_000, connections: 2 };
    const { load } = runVirtual(options, prompt, 0.1, (one, atMs) => {
      if (atMs > 500) one.stop();
    });
    assert.equal(load.endMs, load.beginMs);
    assert.deepEqual(load.recorder.seconds, []);
    assert.ok(load.isStopped);
  });
});

describe('the end of a rate', () => {
  it('awaits responses no longer than the timeout of a request', () => {
    const options = { rate: 100, durationMs: 200, connections: 4, timeoutMs: 300 };
    let endedMs = 0;
    const { load } = runVirtual(options, dead, 0.5, (_load, atMs) => {
      endedMs = atMs;
    });
    near(endedMs, 500, 30);
    const { unanswered = 0, timeout = 0 } = load.recorder.errorCounts();
    assert.equal(unanswered + timeout, 20);
  });

  it('awaits what is due, also while no connection is open', () => {
    const closing: Script = {
      latencyMs: () => 30,
      respond: () => 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
      closesAfter: () => true,
    };
    const options = { rate: 100, durationMs: 100, connections: 1, timeoutMs: 5_000 };
    const { load } = runVirtual(options, closing, 0.5);
    assert.equal(load.recorder.responses, 10);
    assert.deepEqual(load.recorder.errorCounts(), {});
  });

  it('counts as unanswered what its count leaves over, and no more', () => {
    const options = { rate: 1_000, durationMs: 500, count: 50, connections: 4 };
    const { load } = runVirtual({ ...options, timeoutMs: 60_000 }, dead, 0.5);
    assert.deepEqual(load.recorder.errorCounts(), { unanswered: 50 });
  });
});

describe('the seconds of a load', () => {
  it('have one row for a pause of the process, and end with the load', () => {
    // Pauses from 1.5 to 4.1 s, and from 5.5 s beyond the end.
    const pauses = [
      [1_500, 2_600],
      [5_500, 1_700],
    ];
    const turnMs = (elapsedMs: number): number => {
      const [next] = pauses;
      if (next === undefined || elapsedMs < next[0]) return 0.5;
      pauses.shift();
      return next[1];
    };
    const { load } = runVirtual({ durationMs: 6_000, connections: 1 }, prompt, turnMs);
    const ends = load.recorder.seconds.map(({ endMs }) => Math.round(endMs / 100));
    assert.deepEqual(ends, [10, 41, 50, 60]);
    near(load.recorder.seconds.at(-1)?.endMs ?? 0, 6_000, 1e-6);
  });
});

describe('a closed loop', () => {
  it('sends again what a server drops that announced to close, and ends by its count', () => {
    const isLast = (index: number): boolean => index % 10 === 9;
    const script: Script = {
      latencyMs: () => 1,
      respond: (index) =>
        isLast(index)
          ? 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
          : 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
      closesAfter: isLast,
    };
    let isLate = false;
    const isOpen = ({ state }: { state: number }): boolean => state === ClientState.Open;
    const { load } = runVirtual(
      { count: 100, connections: 2, pipelining: 4 },
      script,
      0.1,
      (one, atMs) => {
        isLate = atMs > 10_000;
        assert.equal(one.pool.openCount, one.pool.clients.filter(isOpen).length);
        if (isLate) one.stop();
      },
    );
    assert.equal(isLate, false, 'it ends by its count');
    assert.equal(load.recorder.responses, 100);
    assert.deepEqual(load.recorder.errorCounts(), {});
  });

  it('counts a malformed response once, and the requests behind it as closed', () => {
    const script: Script = { latencyMs: () => 1, respond: () => 'HTTP/1.1 OK\r\n\r\n' };
    const { load } = runVirtual({ count: 4, connections: 1, pipelining: 4 }, script, 0.1);
    assert.deepEqual(load.recorder.errorCounts(), { framing: 1, closed: 3 });
  });

  it('has the time of requests that timed out', () => {
    const options = { durationMs: 1_000, connections: 2, timeoutMs: 200 };
    const { load, server } = runVirtual(options, dead, 0.5);
    const { recorder } = load;
    assert.ok((recorder.errorCounts()['timeout'] ?? 0) >= 6);
    for (const slot of [0, 1]) {
      const sent = server.sent.filter((one) => one.slot === slot);
      assert.ok(sent.length >= 3, `connection ${slot} was closed, and made again`);
    }
    assert.equal(recorder.histogram.count, recorder.errors);
    assert.ok(recorder.histogram.leastMs >= 200);
  });

  it('reports requests without a response at the end, and no quick ones', () => {
    const script: Script = { latencyMs: (index) => (index === 1 ? Number.POSITIVE_INFINITY : 1) };
    const options = { durationMs: 1_000, connections: 3, timeoutMs: 60_000 };
    const { load } = runVirtual(options, script, 0.5);
    assert.equal(load.waiting.count, 1);
    near(load.waiting.mostMs, 1_000, 5);
  });

  it('has no request without a response that only waits for a moment', () => {
    const script: Script = {
      latencyMs: (_index, atMs) => (atMs > 1_960 ? Number.POSITIVE_INFINITY : 1),
    };
    const { load } = runVirtual({ durationMs: 1_000, connections: 3 }, script, 0.5);
    assert.ok(load.pool.nowMs > 1_990, 'the last requests had no response');
    assert.deepEqual(load.waiting, { count: 0, mostMs: 0 });
  });

  it('that is stopped while it connects has no time', () => {
    const { load } = runVirtual({ durationMs: 1_000, connections: 2 }, prompt, 0.5, (one) => {
      one.stop();
    });
    assert.equal(load.endMs, load.beginMs);
    assert.equal(load.recorder.responses, 0);
  });

  it('takes no response behind one that announced the end of its connection', () => {
    const close = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
    const script: Script = {
      latencyMs: () => 1,
      respond: (index) => (index === 0 ? `${close}HTTP/1.1 204 None\r\n\r\n` : close),
      closesAfter: () => true,
    };
    const { load } = runVirtual({ count: 2, connections: 1, pipelining: 2 }, script, 0.1);
    assert.equal(load.recorder.responses, 1);
    assert.deepEqual(load.recorder.errorCounts(), { framing: 1 });
  });

  it('connects again later when a connect took too long', () => {
    const script: Script = { latencyMs: () => 1, hangs: (index) => index === 0 };
    const options = { durationMs: 1_000, connections: 2, timeoutMs: 100 };
    const { load, server } = runVirtual(options, script, 0.5);
    assert.deepEqual(load.recorder.errorCounts(), { connect: 1 });
    assert.deepEqual(load.recorder.errorDetails(), { 'errno 110': 1 });
    const [first, , again] = server.connectsMs;
    assert.ok(again - first > 170, `after ${again - first} ms`);
  });

  it('sleeps no longer than until the next connect', () => {
    const script: Script = { latencyMs: () => 20, closesAtOnce: (index) => index < 3 };
    let delays = 0;
    const { load } = runVirtual({ durationMs: 300, connections: 1 }, script, 0.5, (one) => {
      const untilMs = one.pool.nextConnectMs - one.pool.nowMs;
      if (untilMs < 40) delays += 1;
      assert.ok(one.quietMs() <= Math.max(untilMs, 0), `${untilMs} ms`);
    });
    assert.ok(delays > 0, 'a connect is delayed');
    assert.ok(load.recorder.responses > 0);
  });
});

describe('while it runs, a load', () => {
  it('counts connects that fail, and is no failure for that', () => {
    const script: Script = {
      latencyMs: () => 1,
      closesAfter: (index) => index === 3,
      connects: (index) => (index === 2 ? -111 : 0),
    };
    const { load } = runVirtual({ durationMs: 500, connections: 2 }, script, 0.5);
    // The next request was on its way when the server closed.
    assert.deepEqual(load.recorder.errorCounts(), { closed: 1, connect: 1 });
    assert.equal(load.fault, 0);
    // The server is gone before the first response.
    const gone: Script = { ...dead, closesAtOnce: () => true, connects: (index) => -111 * index };
    const { load: lost } = runVirtual({ durationMs: 300, connections: 1 }, gone, 0.5);
    assert.equal(lost.recorder.responses, 0);
    assert.ok((lost.recorder.errorCounts()['connect'] ?? 0) > 0);
    assert.equal(lost.fault, 0, 'it did connect once');
  });

  it('has the time of a connect in each latency where each request has its own', () => {
    // A connect takes a turn of 5 ms, and so does a response.
    const options = { count: 5, connections: 1, keepAlive: false };
    const { load } = runVirtual(options, prompt, 5);
    assert.equal(load.recorder.responses, 5);
    assert.ok(load.recorder.histogram.leastMs >= 10, `${load.recorder.histogram.leastMs} ms`);
  });

  it('asks for no more than its count, whatever was in flight when the count began', () => {
    const options = { warmUpMs: 100, count: 40, connections: 4 };
    const { load, server } = runVirtual(options, { latencyMs: () => 7 }, 0.5);
    const counted = server.sent.filter(({ responseMs }) => responseMs >= load.beginMs);
    assert.equal(counted.length, 40);
  });
});

describe('the drain of an open loop', () => {
  it('lasts until the last response, and has a row of its own from 200 ms on', () => {
    for (const [latencyMs, wanted] of [
      [250, [1_000 + 150]],
      [299, [1_000 + 199]],
      [300, [1_000, 1_200]],
    ] as const) {
      const options = { rate: 10, durationMs: 1_000, connections: 10 };
      const { load } = runVirtual(options, { latencyMs: () => latencyMs }, 1);
      assert.equal(load.drainMs, latencyMs - 100);
      const ends = load.recorder.seconds.map(({ endMs }) => endMs);
      assert.deepEqual(ends, wanted);
    }
  });
});
