// A client and its judge, with a scripted server.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Client } from '../../harness/clients/client.ts';
import { bytesOf, type Planned } from '../../harness/clients/expected.ts';
import { Judge } from '../../harness/clients/judge.ts';
import { ORDINARY } from '../../harness/clients/shapes.ts';
import { noScores } from '../../harness/run/scenario.ts';
import { Clock, Schedule } from '../../harness/world/clock.ts';
import type { Violation } from '../../harness/world/violation.ts';
import type { Wire, WireEvents } from '../../harness/world/wire.ts';
import { Random } from '../../testing/random.ts';

const IDLE_MS = 200;
const RESPONSE = Buffer.from('HTTP/1.1 200 OK\r\nX-Id: 1\r\nContent-Length: 2\r\n\r\nok');

/** A request with a pause before its body. */
function planned(pauseMs: number): Planned {
  const head = Buffer.from('POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n');
  const parts = [
    { bytes: head, pauseMs: 0, awaitsContinue: false },
    { bytes: Buffer.from('nine more'), pauseMs, awaitsContinue: false },
  ];
  const expected = { status: 200, body: Buffer.from('ok'), fields: [], truncated: false } as const;
  const rest = { usesFiles: false, takesMs: 0, isLast: false };
  return { kind: 'text', method: 'POST', parts, expected: { ...expected, close: 'no' }, ...rest };
}

/** The response to the first of two requests comes before its body; a third one crosses the end. */
const REQUESTS = [planned(5), planned(0), planned(0)];
const RECEIVED_BYTES = bytesOf(REQUESTS[0]) + bytesOf(REQUESTS[1]);

function violationsOf(extraBytes: number): Violation[] {
  const clock = new Clock();
  const schedule = new Schedule(clock, new Random(1, 'order'));
  const after = (ms: number, run: () => void): void => {
    schedule.after(ms, run);
  };
  const violations: Violation[] = [];
  let events: WireEvents | undefined;
  let writtenBytes = 0;
  const facts = {
    injected: [],
    serverActiveMs: Number.NaN,
    serverIdleMs: Number.NaN,
    serverSentMs: 0,
    serverEndMs: Number.NaN,
    serverFirstMs: 0,
    serverDetachedMs: Number.NaN,
    serverUnacked: 0,
    serverAckedMs: Number.NaN,
    serverReadAtEnd: RECEIVED_BYTES + extraBytes,
    address: '127.0.0.1:1',
    adopted: true,
  };
  const nothing = (): void => {};
  const write = (bytes: Uint8Array): void => {
    const isFirst = writtenBytes === 0;
    writtenBytes += bytes.length;
    if (isFirst || writtenBytes === RECEIVED_BYTES) after(1, () => events?.data(RESPONSE));
    if (writtenBytes > RECEIVED_BYTES) return;
    facts.serverActiveMs = clock.nowMs;
    facts.serverEndMs = clock.nowMs + IDLE_MS;
  };
  const wire: Wire = {
    ...{ facts, write, end: nothing, close: nothing, reset: nothing },
    ...{ pause: nothing, resume: nothing, pace: nothing },
  };
  const fixture = {
    nowMs: () => clock.nowMs,
    after,
    connect(_lane: number, client: WireEvents): Wire {
      events ??= client;
      after(0, () => client.connected());
      return wire;
    },
    stalledMs: () => 0,
    note: nothing,
  };
  const judge = new Judge({
    ...{ idleTimeoutMs: IDLE_MS, headTimeoutMs: 300, bodyTimeoutMs: 300 },
    ...{ bodyTotalTimeoutMs: 9000, writeTimeoutMs: 9000, handlerTimeoutMs: 9000 },
    ...{ lingerTimeoutMs: 9000, overloadWaitMs: 9000, requestsPerConnectionMax: 0 },
    ...{ shutdownTimeoutMs: 9000, slackMs: 0, closingMs: () => Number.POSITIVE_INFINITY },
    ...{ failures: () => 0, wasFull: () => false, wasExhausted: () => false, healed: () => true },
    report: (violation) => violations.push(violation),
  });
  const rest = { requests: REQUESTS, depth: 2, thinkMs: IDLE_MS, lane: 1, startMs: 0 };
  const plan = { ...ORDINARY, ...rest, shape: 'one by one' } as const;
  new Client(plan, fixture, judge, noScores(), nothing).start();
  while (writtenBytes <= RECEIVED_BYTES) assert(schedule.step(schedule.nextMs));
  events?.ended();
  return violations;
}

describe('a client', () => {
  it('counts the bytes that it sends after the response', () => {
    assert.deepEqual(violationsOf(0), []);
  });

  it('reports a server that received the next request and ended without a response', () => {
    const [violation] = violationsOf(1);
    assert.match(violation.message, /ended the connection without a response, without a reason/);
  });
});
