// A load on a virtual clock: when requests are sent, what is counted, and that the latencies of all
// delayed requests show when a server stalls.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Load } from '../../src/load/load.ts';
import type { LoadOptions } from '../../src/load/options.ts';
import { type Ran, runVirtual } from './fixtures/run-virtual.ts';
import type { Script } from './fixtures/virtual-server.ts';

const TURN_MS = 0.01;

function run(
  options: Omit<LoadOptions, 'url'>,
  script: Script,
  act?: (load: Load, elapsedMs: number) => void,
  turnMs = TURN_MS,
): Ran {
  return runVirtual(options, script, turnMs, act);
}

const prompt: Script = { latencyMs: () => 0.5 };
const near = (is: number, wanted: number, off: number): void => {
  assert.ok(Math.abs(is - wanted) <= off, `${is}, not ${wanted}`);
};

describe('an open loop', () => {
  it('sends evenly, not in bursts', () => {
    const { load, server } = run({ rate: 2_000, durationMs: 500, connections: 8 }, prompt);
    assert.equal(server.sent.length, 1_000);
    assert.equal(load.recorder.responses, 1_000);
    for (let index = 1; index < server.sent.length; index++) {
      const gapMs = server.sent[index].atMs - server.sent[index - 1].atMs;
      near(gapMs, 0.5, 2 * TURN_MS);
    }
    near(load.recorder.histogram.at(0.99), 0.5, 3 * TURN_MS);
    assert.equal(load.recorder.errors, 0);
  });

  it('counts latency from the due time, so that a stall of the server shows', () => {
    // No response comes between 200 and 400 ms; on one connection a fifth of all requests wait.
    const from = 1_200;
    const stalled: Script = {
      latencyMs: (_index, atMs) => (atMs >= from && atMs < from + 200 ? from + 200 - atMs : 0.1),
    };
    const { load, server } = run({ rate: 1_000, durationMs: 1_000, connections: 1 }, stalled);
    const { histogram } = load.recorder;
    assert.equal(histogram.count, 1_000, 'no request is left out');
    assert.equal(server.sent.length, 1_000);
    // Counted from the send, only one request would be slow.
    const slow = server.sent.filter(({ responseMs, atMs }) => responseMs - atMs > 50);
    assert.equal(slow.length, 1);
    assert.ok(
      histogram.count - histogram.countTo(50) > 130,
      'the requests behind it waited as well',
    );
    near(histogram.at(0.99), 190, 5);
    near(histogram.mostMs, 200, 2);
    assert.ok(load.lateMsMax > 190);
  });

  it('reports requests without a response, with the time that they waited', () => {
    const dead: Script = { latencyMs: (_index, atMs) => (atMs < 1_500 ? 0.1 : Infinity) };
    const options = { rate: 1_000, durationMs: 1_000, connections: 4, timeoutMs: 60_000 };
    const { load } = run(options, dead, () => {}, 0.1);
    const { histogram } = load.recorder;
    assert.equal(histogram.count, 1_000);
    near(load.recorder.responses, 500, 2);
    assert.deepEqual(load.recorder.errorCounts(), { unanswered: 1_000 - load.recorder.responses });
    assert.ok(histogram.at(0.99) > 2_400, 'half a second late, and two more until the end');
    near(histogram.at(0.4), 0.1, 0.3);
  });

  it('leaves out requests due in the warm-up, and takes responses after the end', () => {
    const slow: Script = { latencyMs: () => 40 };
    const options = { rate: 1_000, warmUpMs: 100, durationMs: 200, connections: 100 };
    const { load, server } = run(options, slow);
    assert.equal(server.sent.length, 300);
    assert.equal(load.recorder.responses, 200);
    near(load.endMs - load.beginMs, 200, 1e-6);
    near(load.recorder.histogram.leastMs, 40, 3 * TURN_MS);
  });

  it('has no extra row for the last responses, which come just after the end', () => {
    const options = { rate: 1_000, durationMs: 2_000, connections: 100 };
    const { load } = run(options, { latencyMs: () => 20 });
    const { responses, seconds } = load.recorder;
    assert.equal(responses, 2_000);
    assert.equal(seconds.length, 2);
    near(seconds[0].responses, 980, 2);
    assert.equal(seconds[0].responses + seconds[1].responses, 2_000);
    near(seconds[1].lengthMs, 1_020, 1);
    near(seconds[1].p50Ms, 20, 1);
    near(load.drainMs, 20, 1);
  });

  it('has an extra row for responses long after the end, which rates include', () => {
    // 500 a second are served, and twice as many are due.
    let freeMs = 0;
    const busy: Script = {
      latencyMs: (_index, atMs) => {
        freeMs = Math.max(freeMs, atMs) + 2;
        return freeMs - atMs;
      },
    };
    const { load } = run({ rate: 1_000, durationMs: 1_000, connections: 4 }, busy, () => {}, 0.1);
    const { responses, seconds } = load.recorder;
    assert.equal(responses, 1_000);
    near(load.drainMs, 1_000, 20);
    assert.equal(seconds.length, 2);
    near(seconds[0].responses, 500, 5);
    near(seconds[1].responses, 500, 5);
    near(seconds[1].endMs, 2_000, 20);
    near(responses / ((load.endMs - load.beginMs + load.drainMs) / 1000), 500, 10);
  });

  it('that is interrupted has no extra row for requests in flight', () => {
    const slow: Script = { latencyMs: () => 40 };
    const options = { rate: 1_000, durationMs: 60_000, connections: 100 };
    const { load } = run(options, slow, (one, atMs) => {
      if (atMs > 1_500 && !one.isStopped) one.stop();
    });
    const { seconds } = load.recorder;
    assert.equal(seconds.length, 2);
    near(seconds[1].lengthMs, 500, 2);
    assert.ok((load.recorder.errorCounts()['unanswered'] ?? 0) > 30);
    assert.equal(seconds[1].errors, load.recorder.errors);
  });

  it('follows steps', () => {
    const rate = [
      { from: 1_000, to: 1_000, durationMs: 100 },
      { from: 0, to: 4_000, durationMs: 100 },
    ];
    const { load, server } = run({ rate, connections: 20 }, prompt);
    assert.equal(server.sent.length, 300);
    assert.equal(load.recorder.responses, 300);
    const first = server.sent[0].atMs;
    assert.equal(server.sent.filter(({ atMs }) => atMs - first < 99.9).length, 100);
    near(server.sent.filter(({ atMs }) => atMs - first < 150).length, 150, 1);
  });

  it('times out requests', () => {
    const dead: Script = { latencyMs: (index) => (index === 0 ? Infinity : 0.1) };
    const options = { rate: 100, durationMs: 1_000, connections: 2, timeoutMs: 200 };
    const { load, server } = run(options, dead);
    assert.deepEqual(load.recorder.errorCounts(), { timeout: 1 });
    assert.equal(load.recorder.histogram.count, 100);
    assert.ok(load.recorder.histogram.mostMs >= 200);
    assert.equal(server.addresses.length, 3, 'it connects again');
  });
});

describe('a closed loop', () => {
  it('sends again after each response', () => {
    const { load, server } = run({ durationMs: 100, connections: 4 }, { latencyMs: () => 1 });
    near(load.recorder.responses, 4 * 100, 12);
    near(load.recorder.histogram.at(0.5), 1, 3 * TURN_MS);
    assert.equal(server.addresses.length, 4);
  });

  it('keeps as many requests in flight as pipelining allows', () => {
    let most = 0;
    const script: Script = { latencyMs: () => 1 };
    const { load } = run({ durationMs: 50, connections: 2, pipelining: 16 }, script, (one) => {
      const inFlight = one.pool.clients.map((client) => client.inFlight);
      most = Math.max(most, ...inFlight);
    });
    assert.equal(most, 16);
    near(load.recorder.responses, 2 * 16 * 50, 100);
    assert.equal(load.recorder.errors, 0);
  });

  it('ends after a count', () => {
    const { load, server } = run({ count: 1_000, connections: 7, pipelining: 3 }, prompt);
    assert.equal(load.recorder.responses, 1_000);
    assert.equal(server.sent.length, 1_000);
  });

  it('opens a connection for each request without keep-alive', () => {
    const { load, server } = run({ count: 50, connections: 5, keepAlive: false }, prompt);
    assert.equal(load.recorder.responses, 50);
    assert.ok(server.addresses.length >= 50);
    assert.equal(new Set(server.sent.map(({ slot }) => slot)).size, 5);
  });

  it('counts errors: closed connections, malformed responses, other bodies', () => {
    const hello = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
    const script: Script = {
      latencyMs: () => 0.2,
      respond: (index) =>
        index === 10
          ? null
          : index === 20
            ? 'HTTP/1.1 OK\r\n\r\n'
            : index === 30
              ? hello.replace('hello', 'hallo')
              : index === 40
                ? `${hello}${hello}`
                : hello,
    };
    const { load } = run({ durationMs: 100, connections: 3, expectBody: 'hello' }, script);
    const { recorder } = load;
    assert.deepEqual(recorder.errorCounts(), { closed: 1, framing: 2, body: 1 });
    assert.deepEqual(recorder.errorDetails(), {
      'no status line of HTTP/1.0 or 1.1': 1,
      'bytes that belong to no request': 1,
    });
    assert.equal(recorder.reconnects, 3);
    assert.ok(recorder.responses > 300);
  });

  it('continues after responses that announce the end of their connection', () => {
    const script: Script = {
      latencyMs: () => 0.2,
      respond: (index) =>
        index % 10 === 9
          ? 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
          : 'HTTP/1.1 204 None\r\n\r\n',
    };
    // The virtual server does not close them: the load does, after its timeout.
    const { load } = run({ count: 100, connections: 2, timeoutMs: 20 }, script);
    assert.equal(load.recorder.responses, 100);
    assert.deepEqual(load.recorder.errorCounts(), {});
  });

  it('keeps a series of seconds', () => {
    const { load } = run(
      { durationMs: 3_000, connections: 1 },
      { latencyMs: () => 1 },
      () => {},
      0.1,
    );
    assert.equal(load.recorder.seconds.length, 3);
    for (const { responses, endMs, p99Ms } of load.recorder.seconds) {
      near(responses, 900, 100);
      near(endMs % 1000, endMs % 1000 > 500 ? 1000 : 0, 1);
      near(p99Ms, 1.1, 0.15);
    }
  });

  it('stops early with the results so far', () => {
    const { load } = run({ durationMs: 60_000, connections: 2 }, prompt, (one, elapsedMs) => {
      if (elapsedMs > 50 && !one.isStopped) one.stop();
    });
    assert.ok(load.recorder.responses > 150);
    near(load.endMs - load.beginMs, 50, 1);
  });
});

describe('connecting', () => {
  it('fails when every first connect fails', () => {
    const { load } = run({ connections: 3 }, { latencyMs: () => 1, connects: () => -111 });
    assert.equal(load.fault, -111);
    assert.equal(load.recorder.responses, 0);
  });

  it('starts with the connections that succeed, and tries the others again', () => {
    const script: Script = { latencyMs: () => 1, connects: (index) => (index === 1 ? -111 : 0) };
    const { load, server } = run({ connections: 3, durationMs: 300 }, script);
    assert.deepEqual(load.recorder.errorCounts(), { connect: 1 });
    assert.equal(server.addresses.length, 4);
    assert.equal(load.fault, 0);
  });

  it('uses another address of loopback when the ports of one are used up', () => {
    const script: Script = {
      latencyMs: () => 1,
      connects: (_index, address) => ('from' in address ? 0 : -99),
    };
    const { load, server } = run({ connections: 2, durationMs: 10 }, script);
    assert.deepEqual(load.recorder.errorCounts(), {});
    const from = server.addresses.map((address) => ('from' in address ? address.from : ''));
    assert.deepEqual(from, ['', '', '127.0.0.2', '127.0.0.2']);
  });
});
