// The connections of a load over a driver that only records: what each completion leads to.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AssertionFault } from '../../src/base/assert.ts';
import { ERRNO } from '../../src/base/errno.ts';
import { Slab } from '../../src/base/slab.ts';
import { type Driver, Op } from '../../src/driver/driver.ts';
import { Client, ClientState } from '../../src/load/client.ts';
import { ConnectionPool, type ConnectionPoolOptions } from '../../src/load/connection-pool.ts';
import { Recorder } from '../../src/load/recorder.ts';
import { RequestSequence } from '../../src/load/request-sequence.ts';
import { Sources } from '../../src/load/sources.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const LAST = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
const TIMEOUT_MS = 100;

interface Options extends Partial<ConnectionPoolOptions> {
  /** Requests as text, mixed evenly. */
  readonly requests?: readonly string[];
  readonly expected?: string;
  readonly host?: string;
}

class Fixture {
  readonly slab = new Slab(256, 4);
  readonly calls: string[] = [];
  readonly events: string[] = [];
  readonly recorder: Recorder;
  readonly pool: ConnectionPool;
  #region: Uint8Array = new Uint8Array(0);

  constructor(options: Options = {}) {
    const { connections = 2, depth = 2, requests = ['GET'], host = '127.0.0.1' } = options;
    const expected = options.expected === undefined ? null : Buffer.from(options.expected);
    this.recorder = new Recorder(requests.length);
    const { calls, events } = this;
    const driver: Partial<Driver> = {
      map: (region, bytes) => {
        calls.push(`map ${region}`);
        this.#region = bytes;
      },
      unmap: (region) => calls.push(`unmap ${region}`),
      connect: (address, slot) => {
        const from = 'from' in address ? ` from ${address.from}` : '';
        calls.push(`connect ${slot}${from}`);
      },
      receive: (slot) => calls.push(`receive ${slot}`),
      send: (slot, region, start, end, more) => {
        assert.equal(more, false, 'nothing follows at once');
        const text = Buffer.from(this.#region.subarray(start, end)).toString();
        calls.push(`send ${slot} ${region} ${text}`);
      },
      abort: (slot, reset) => calls.push(`${reset ? 'reset' : 'abort'} ${slot}`),
      close: (slot) => calls.push(`close ${slot}`),
    };
    this.pool = new ConnectionPool({
      driver: driver as Driver,
      slab: this.slab,
      sequence: new RequestSequence(
        requests.map((text) => {
          return { bytes: Buffer.from(text), isHead: false, expected, weight: 1 };
        }),
        depth,
      ),
      sources: new Sources({ host, port: 80 }, connections),
      connections,
      depth,
      timeoutMs: TIMEOUT_MS,
      keepAlive: true,
      recorder: this.recorder,
      events: {
        ready: ({ slot }) => events.push(`ready ${slot}`),
        responded: (count, status, kind, dueMs) =>
          events.push(`responded ${count} ${status} kind ${kind} due ${dueMs}`),
        mismatched: (dueMs) => events.push(`mismatched due ${dueMs}`),
        failed: ({ slot, inFlight }, error, detail) =>
          events.push(`failed ${slot} ${error} ${inFlight} ${detail}`.trimEnd()),
      },
      ...options,
    });
    this.pool.open();
  }

  /** What was called and reported since the last take. */
  take(): string[] {
    return [...this.calls.splice(0), ...this.events.splice(0)];
  }

  done(op: number, slot: number, result = 0): string[] {
    this.pool.completed(op, slot, result, -1);
    return this.take();
  }

  connected(slot: number): string[] {
    return this.done(Op.Connect, slot);
  }

  deliver(slot: number, text: string): string[] {
    const block = this.slab.acquire();
    const bytes = Buffer.from(text);
    this.slab.bytes.set(bytes, this.slab.start(block));
    this.pool.completed(Op.Receive, slot, bytes.length, block);
    assert.equal(this.slab.freeCount, this.slab.blockCount, 'the block is released');
    return this.take();
  }

  send(slot: number, count: number, dueMs: number): string[] {
    this.pool.sendRequests(this.pool.clients[slot], count, dueMs);
    return this.take();
  }

  pass(ms: number): string[] {
    for (let left = ms; left > 0; left--) {
      this.pool.nowMs += 1;
      this.pool.sweep();
    }
    return this.take();
  }
}

/** With one connection that is open. */
function opened(options: Options = {}): Fixture {
  const fixture = new Fixture({ connections: 1, ...options });
  fixture.connected(0);
  return fixture;
}

describe('connections', () => {
  it('are opened, and receive before they send', () => {
    const fixture = new Fixture();
    assert.deepEqual(fixture.take(), ['map 1', 'connect 0', 'connect 1']);
    assert.deepEqual(fixture.connected(1), ['receive 1', 'ready 1']);
    assert.equal(fixture.pool.openCount, 1);
    assert.equal(fixture.recorder.reconnects, 0);
  });

  it('are opened so many at a time', () => {
    const fixture = new Fixture({ connections: 130 });
    assert.equal(fixture.take().length, 1 + 128);
    assert.deepEqual(fixture.connected(7), ['receive 7', 'ready 7']);
    fixture.pool.connect();
    assert.deepEqual(fixture.take(), ['connect 128']);
    fixture.pool.connect();
    assert.deepEqual(fixture.take(), []);
  });

  it('that fail are reported, closed, and opened again after a while', () => {
    const fixture = new Fixture({ connections: 1 });
    fixture.take();
    const refused = -ERRNO.ECONNREFUSED;
    assert.deepEqual(fixture.done(Op.Connect, 0, refused), [
      'close 0',
      'failed 0 connect 0 errno 111',
    ]);
    assert.deepEqual([fixture.pool.failedCount, fixture.pool.lastFault], [1, refused]);
    assert.deepEqual(fixture.done(Op.Close, 0), []);
    assert.equal(fixture.pool.nextConnectMs, 100);
    assert.deepEqual(fixture.pass(103), []);
    assert.deepEqual(fixture.pass(8), ['connect 0']);
    assert.deepEqual(fixture.connected(0), ['receive 0', 'ready 0']);
    assert.equal(fixture.recorder.reconnects, 0, 'it had no connection before');
  });

  it('without a free port use another address, if there is one', () => {
    const full = -ERRNO.EADDRNOTAVAIL;
    const fixture = new Fixture({ connections: 1 });
    fixture.take();
    assert.deepEqual(fixture.done(Op.Connect, 0, full), ['close 0']);
    assert.deepEqual(fixture.done(Op.Close, 0), ['connect 0 from 127.0.0.2']);
    assert.equal(fixture.pool.failedCount, 0);
    const other = new Fixture({ connections: 1, host: '192.0.2.1' });
    other.take();
    assert.deepEqual(other.done(Op.Connect, 0, full), ['close 0', 'failed 0 connect 0 errno 99']);
  });

  it('that found no free port, or failed once, end as others do later', () => {
    const ported = new Fixture({ connections: 1 });
    ported.done(Op.Connect, 0, -ERRNO.EADDRNOTAVAIL);
    ported.done(Op.Close, 0);
    ported.connected(0);
    ported.done(Op.Receive, 0, 0);
    const again = ['connect 0 from 127.0.0.2'];
    assert.deepEqual(ported.done(Op.Close, 0), again, 'the first one without a response');
    const failed = new Fixture({ connections: 1 });
    failed.done(Op.Connect, 0, -ERRNO.ECONNREFUSED);
    failed.done(Op.Close, 0);
    failed.pass(111);
    failed.connected(0);
    failed.send(0, 1, 5);
    failed.done(Op.Send, 0, 3);
    failed.deliver(0, LAST);
    failed.done(Op.Receive, 0, 0);
    assert.deepEqual(failed.done(Op.Close, 0), ['connect 0'], 'it brought a response');
    assert.deepEqual(failed.connected(0), ['receive 0', 'ready 0']);
    assert.equal(failed.recorder.delayedReconnects, 0);
  });

  it('start no other operation', () => {
    assert.throws(() => opened().done(Op.Watch, 0), AssertionFault);
  });
});

describe('requests', () => {
  it('are sent together, and the rest of them when a part was sent', () => {
    const fixture = opened({ requests: ['GET-a', 'GET-b'] });
    assert.deepEqual(fixture.send(0, 2, 5), ['send 0 1 GET-aGET-b']);
    assert.equal(fixture.pool.inFlightCount(), 2);
    assert.deepEqual(fixture.done(Op.Send, 0, 3), ['send 0 1 -aGET-b']);
    assert.deepEqual(fixture.done(Op.Send, 0, 7), [], 'no capacity is left');
  });

  it('may be sent as soon as those before were, up to the depth', () => {
    const fixture = opened({ depth: 3 });
    fixture.send(0, 1, 5);
    assert.equal(fixture.pool.clients[0].capacity, 0, 'one send at a time');
    assert.deepEqual(fixture.done(Op.Send, 0, 3), ['ready 0']);
    assert.equal(fixture.pool.clients[0].capacity, 2);
    assert.throws(() => fixture.send(0, 3, 5), AssertionFault);
    assert.throws(() => fixture.send(0, 0, 5), AssertionFault);
  });

  it('fail together when a send fails; the connection is reset', () => {
    const fixture = opened();
    fixture.send(0, 2, 5);
    const failed = fixture.done(Op.Send, 0, -ERRNO.EPIPE);
    assert.deepEqual(failed, ['reset 0', 'failed 0 reset 2 errno 32']);
    assert.equal(fixture.pool.openCount, 0);
    assert.deepEqual(fixture.done(Op.Receive, 0, -125), ['close 0']);
    assert.deepEqual(fixture.done(Op.Close, 0), ['connect 0'], 'the first time at once');
  });

  it('fail when the connection is reset or closed', () => {
    for (const [result, text] of [
      [-ERRNO.ECONNRESET, 'failed 0 reset 1 errno 104'],
      [0, 'failed 0 closed 1'],
    ] as const) {
      const fixture = opened();
      fixture.send(0, 1, 5);
      fixture.done(Op.Send, 0, 3);
      assert.deepEqual(fixture.done(Op.Receive, 0, result), ['reset 0', 'close 0', text]);
    }
  });

  it('in flight wait for their send before the socket is closed', () => {
    const fixture = opened();
    fixture.send(0, 1, 5);
    assert.deepEqual(fixture.done(Op.Receive, 0, 0), ['reset 0', 'failed 0 closed 1']);
    assert.deepEqual(fixture.done(Op.Send, 0, -125), ['close 0']);
  });
});

describe('responses', () => {
  it('have the due time and the kind of their request', () => {
    const fixture = new Fixture({ requests: ['GET-a', 'GET-b'], depth: 3 });
    for (const slot of [0, 1]) fixture.connected(slot);
    // Each connection begins at another request.
    assert.deepEqual(fixture.send(1, 1, 7), ['send 1 1 GET-b']);
    assert.deepEqual(fixture.send(0, 1, 1), ['send 0 1 GET-a']);
    fixture.done(Op.Send, 0, 5);
    assert.deepEqual(fixture.send(0, 2, 2), ['send 0 1 GET-bGET-a']);
    fixture.done(Op.Send, 0, 10);
    assert.deepEqual(fixture.deliver(0, OK + OK), [
      'receive 0',
      'responded 1 200 kind 0 due 1',
      'responded 1 200 kind 1 due 2',
      'ready 0',
    ]);
    // Their places among the due times are used again.
    fixture.send(0, 2, 3);
    fixture.done(Op.Send, 0, 10);
    assert.deepEqual(fixture.deliver(0, OK + OK + OK), [
      'receive 0',
      'responded 1 200 kind 0 due 2',
      'responded 1 200 kind 1 due 3',
      'responded 1 200 kind 0 due 3',
      'ready 0',
    ]);
    assert.deepEqual(fixture.deliver(1, OK), ['receive 1', 'responded 1 200 kind 1 due 7']);
    assert.equal(fixture.recorder.bytes, 6 * OK.length);
  });

  it('that are as the one before are counted, those of one due time together', () => {
    const fixture = opened({ depth: 8 });
    fixture.send(0, 1, 1);
    fixture.done(Op.Send, 0, 3);
    fixture.deliver(0, OK);
    fixture.send(0, 2, 2);
    fixture.done(Op.Send, 0, 6);
    fixture.send(0, 5, 3);
    fixture.done(Op.Send, 0, 15);
    // Eight responses: the next one is of the time that it wraps around.
    assert.deepEqual(fixture.deliver(0, OK.repeat(4)), [
      'receive 0',
      'responded 2 200 kind 0 due 2',
      'responded 2 200 kind 0 due 3',
      'ready 0',
    ]);
    assert.equal(fixture.pool.inFlightCount(), 3);
    assert.deepEqual(fixture.deliver(0, OK.repeat(3)), [
      'receive 0',
      'responded 3 200 kind 0 due 3',
      'ready 0',
    ]);
  });

  it('with another body are reported', () => {
    const fixture = opened({ expected: 'no' });
    fixture.send(0, 1, 4);
    assert.deepEqual(fixture.deliver(0, OK), [
      'receive 0',
      'responded 1 200 kind 0 due 4',
      'mismatched due 4',
    ]);
  });

  it('that are malformed end the connection, and their bytes are kept', () => {
    const fixture = opened();
    fixture.send(0, 1, 4);
    fixture.done(Op.Send, 0, 3);
    const [reset, close, failed] = fixture.deliver(0, 'SSH-2.0\r\n');
    assert.deepEqual([reset, close], ['reset 0', 'close 0']);
    assert.match(failed, /^failed 0 framing 1 ./);
    assert.equal(fixture.recorder.badBytes, 'SSH-2.0\r\n');
    assert.equal(fixture.recorder.bytes, 9);
  });

  it('that no request asked for are a fault', () => {
    const fixture = opened();
    const calls = fixture.deliver(0, OK);
    assert.deepEqual(calls, ['close 0', 'failed 0 framing 0 bytes that belong to no request']);
    assert.equal(fixture.recorder.badBytes, OK);
  });

  it('that announce the end of the connection are its last ones', () => {
    const fixture = opened();
    fixture.send(0, 1, 4);
    fixture.done(Op.Send, 0, 3);
    assert.deepEqual(fixture.deliver(0, LAST), ['receive 0', 'responded 1 200 kind 0 due 4']);
    assert.equal(fixture.pool.clients[0].capacity, 0);
    assert.deepEqual(fixture.done(Op.Receive, 0, 0), ['close 0'], 'without a reset');
    assert.deepEqual(fixture.done(Op.Close, 0), ['connect 0']);
    assert.deepEqual(fixture.connected(0), ['receive 0', 'ready 0']);
    const { reconnects, delayedReconnects } = fixture.recorder;
    assert.deepEqual([reconnects, delayedReconnects], [1, 0]);
  });

  it('end the connection where each has one of its own', () => {
    const fixture = opened({ keepAlive: false, depth: 1 });
    fixture.send(0, 1, 4);
    fixture.done(Op.Send, 0, 3);
    assert.deepEqual(fixture.deliver(0, OK), ['close 0', 'responded 1 200 kind 0 due 4']);
    assert.deepEqual(fixture.done(Op.Close, 0), ['connect 0']);
    fixture.connected(0);
    fixture.send(0, 1, 5);
    // The response comes before all of its request is sent.
    const early = fixture.deliver(0, OK);
    assert.deepEqual(early, ['reset 0', 'responded 1 200 kind 0 due 5']);
  });

  it('that announce the end are known to do so again', () => {
    const fixture = opened();
    for (const dueMs of [4, 5]) {
      fixture.send(0, 1, dueMs);
      fixture.done(Op.Send, 0, 3);
      const last = ['receive 0', `responded 1 200 kind 0 due ${dueMs}`];
      assert.deepEqual(fixture.deliver(0, LAST), last, 'no request follows');
      fixture.done(Op.Receive, 0, 0);
      fixture.done(Op.Close, 0);
      fixture.connected(0);
    }
  });

  it('without a length are cut by a reset', () => {
    const fixture = opened();
    fixture.send(0, 1, 4);
    fixture.done(Op.Send, 0, 3);
    fixture.deliver(0, 'HTTP/1.1 200 OK\r\n\r\nall');
    const reset = fixture.done(Op.Receive, 0, -ERRNO.ECONNRESET);
    assert.deepEqual(reset, ['reset 0', 'close 0', 'failed 0 reset 1 errno 104']);
  });

  it('without a length end with the stream', () => {
    const fixture = opened();
    fixture.send(0, 1, 4);
    fixture.done(Op.Send, 0, 3);
    assert.deepEqual(fixture.deliver(0, 'HTTP/1.1 200 OK\r\n\r\nall'), ['receive 0', 'ready 0']);
    assert.deepEqual(fixture.done(Op.Receive, 0, 0), ['close 0', 'responded 1 200 kind 0 due 4']);
  });
});

describe('a timeout', () => {
  it('of a request is counted from its send, or from the last bytes', () => {
    const fixture = opened();
    fixture.pass(50);
    fixture.send(0, 1, 4);
    fixture.done(Op.Send, 0, 3);
    assert.deepEqual(fixture.pass(TIMEOUT_MS - 10), []);
    fixture.deliver(0, OK.slice(0, 5));
    assert.deepEqual(fixture.pass(TIMEOUT_MS - 1), []);
    assert.deepEqual(fixture.pass(10), ['reset 0', 'failed 0 timeout 1']);
    assert.deepEqual(fixture.done(Op.Receive, 0, -125), ['close 0']);
  });

  it('has passed when as much time has, and not before', () => {
    for (const [ms, wanted] of [
      [TIMEOUT_MS - 1, []],
      [TIMEOUT_MS, ['reset 0', 'failed 0 timeout 1']],
    ] as const) {
      const fixture = opened();
      fixture.send(0, 1, 4);
      fixture.done(Op.Send, 0, 3);
      fixture.pool.nowMs = ms;
      fixture.pool.sweep();
      assert.deepEqual(fixture.take(), wanted);
    }
  });

  it('does not end a connection without requests', () => {
    const fixture = opened();
    assert.deepEqual(fixture.pass(3 * TIMEOUT_MS), []);
    assert.equal(fixture.pool.openCount, 1);
  });

  it('ends a connection that the server announced to close, and did not', () => {
    const fixture = opened();
    fixture.send(0, 1, 4);
    fixture.done(Op.Send, 0, 3);
    fixture.deliver(0, LAST);
    assert.deepEqual(fixture.pass(TIMEOUT_MS - 1), []);
    assert.deepEqual(fixture.pass(10), ['abort 0']);
  });

  it('of a connect is reported with its errno, and its socket closed when it ends', () => {
    const fixture = new Fixture({ connections: 1 });
    fixture.take();
    assert.deepEqual(fixture.pass(TIMEOUT_MS - 1), []);
    assert.deepEqual(fixture.pass(10), ['reset 0', 'failed 0 connect 0 errno 110']);
    const { failedCount, lastFault } = fixture.pool;
    assert.deepEqual([failedCount, lastFault], [1, -ERRNO.ETIMEDOUT]);
    assert.deepEqual(fixture.done(Op.Connect, 0, -125), ['close 0']);
    assert.equal(fixture.pool.openCount, 0);
    assert.deepEqual(fixture.done(Op.Close, 0), [], 'it is delayed as one that failed');
    assert.equal(fixture.pool.nextConnectMs, fixture.pool.nowMs + 100);
  });

  it('of many connections is found in one round of sweeps', () => {
    const connections = 100;
    const fixture = new Fixture({ connections });
    for (let slot = 0; slot < connections; slot++) fixture.connected(slot);
    for (let slot = 0; slot < connections; slot++) fixture.send(slot, 1, 0);
    fixture.pass(TIMEOUT_MS - 1);
    fixture.take();
    const failed = fixture.pass(32 * 8 + 8).filter((text) => text.startsWith('failed'));
    assert.equal(new Set(failed).size, connections);
  });
});

describe('the end of a pool', () => {
  it('resets connections, aborts connects, and connects no more', () => {
    const fixture = new Fixture({ connections: 3 });
    fixture.connected(0);
    fixture.connected(1);
    fixture.done(Op.Receive, 1, 0);
    fixture.take();
    fixture.pool.close();
    assert.deepEqual(fixture.take(), ['reset 0', 'reset 2']);
    assert.equal(fixture.pool.openCount, 0);
    assert.deepEqual(fixture.done(Op.Receive, 0, -125), ['close 0']);
    assert.deepEqual(fixture.done(Op.Connect, 2, -125), ['close 2']);
    for (const slot of [0, 1]) assert.deepEqual(fixture.done(Op.Close, slot), []);
    assert.equal(fixture.pool.isClosed, false);
    assert.throws(() => fixture.pool.release(), AssertionFault);
    fixture.done(Op.Close, 2);
    assert.equal(fixture.pool.isClosed, true);
    assert.deepEqual(fixture.pass(2_000), []);
    fixture.pool.release();
    assert.deepEqual(fixture.take(), ['unmap 1']);
  });

  it('releases what is received on a connection that closes', () => {
    const fixture = opened();
    fixture.pool.close();
    fixture.take();
    assert.deepEqual(fixture.deliver(0, OK), ['close 0']);
    assert.equal(fixture.recorder.bytes, 0);
  });
});

describe('a client', () => {
  const clientOf = (slot: number, depth: number): Client => {
    const client = new Client(slot, depth, 0);
    client.state = ClientState.Open;
    return client;
  };

  it('has capacity for its depth while it is open, sends nothing and is not at its end', () => {
    const client = clientOf(0, 3);
    assert.equal(client.capacity, 3);
    client.inFlight = 2;
    assert.equal(client.capacity, 1);
    for (const change of [
      { isSending: true },
      { isLast: true },
      { state: ClientState.Closing },
      { state: ClientState.Connecting },
    ]) {
      const other = clientOf(0, 3);
      Object.assign(other, change);
      assert.equal(other.capacity, 0, JSON.stringify(change));
    }
  });

  it('uses its own part of the due times, in a ring', () => {
    const client = clientOf(1, 4);
    const dues = Float64Array.from([-1, -1, -1, -1, 10, 11, 12, 13, -1]);
    Object.assign(client, { headIndex: 3, inFlight: 3 });
    assert.equal(client.tailIndex(), 2);
    const seen: number[] = [];
    client.eachDue(dues, (dueMs) => seen.push(dueMs));
    assert.deepEqual(seen, [13, 10, 11]);
    client.popHeads(1);
    assert.deepEqual([client.headIndex, client.inFlight], [0, 2]);
    client.popHeads(2);
    assert.deepEqual([client.headIndex, client.inFlight, client.tailIndex()], [2, 0, 2]);
  });

  it('knows how many requests in a row were due together', () => {
    const client = clientOf(1, 4);
    const dues = Float64Array.from([5, 5, 5, 5, 7, 5, 5, 6, 6]);
    assert.equal(client.dueTogether(dues, 4), 1);
    client.headIndex = 1;
    assert.equal(client.dueTogether(dues, 3), 2);
    assert.equal(client.dueTogether(dues, 1), 1);
    // Not beyond its part: what follows is of another client.
    client.headIndex = 3;
    assert.equal(client.dueTogether(dues, 4), 1);
  });
});
