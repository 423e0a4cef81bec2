// Event streams: their options, the id from which a client continues, what cannot be injected, and
// clients that read slowly or not at all.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EventStream, EventStreamOptions } from '../../src/exchange/event-stream.ts';
import { ConnectionFixture, get } from '../../testing/connection-fixture.ts';

interface Opened {
  readonly fixture: ConnectionFixture;
  readonly stream: EventStream;
  readonly client: ReturnType<ConnectionFixture['open']>;
}

/** A client of one event stream, which has received the head of the response. */
async function opened(options: EventStreamOptions = {}, ...lines: string[]): Promise<Opened> {
  let stream: EventStream | null = null;
  const fixture = new ConnectionFixture(
    (_request, response) => {
      stream = response.events(options);
    },
    { blockBytes: 4096 },
  );
  const client = fixture.open();
  client.send(get('/', ...lines));
  await fixture.rest();
  client.take();
  assert.ok(stream !== null);
  return { fixture, stream, client };
}

const EVENT = 'x'.repeat(1000);

describe('events()', () => {
  test('has the id of the last event that the client got', async () => {
    for (const [line, id] of [
      ['X: y', undefined],
      ['Last-Event-ID: 17', '17'],
      ['last-event-id: a b', 'a b'],
      ['Last-Event-ID:', ''],
      [`Last-Event-ID: ${Buffer.from('é😀').toString('latin1')}`, 'é😀'],
    ] as const) {
      const { fixture, stream } = await opened({}, line);
      assert.equal(stream.lastEventId, id, line);
      stream.close();
      assert.equal(stream.lastEventId, id, line);
      await fixture.end();
    }
  });

  test('cannot be made to send another event: names and ids are one line', async () => {
    const { fixture, stream, client } = await opened();
    for (const bad of ['a\nb', 'a\rb', 'a\r\nb', 'a\0b', '\n', '\r']) {
      for (const option of ['event', 'id'] as const) {
        assert.throws(() => void stream.send('x', { [option]: bad }), /is one line/);
      }
      assert.throws(() => void stream.comment(bad), /is one line/);
    }
    let reads = 0;
    const changing = { toString: () => (reads++ === 0 ? 'one' : 'one\ndata: two') };
    void stream.comment(changing as unknown as string);
    assert.match(client.take(), /\r\n: one\n\n\r\n$/);
    void stream.send('a\nid: 7\revent: b\r\n\r\ndata: c\0');
    const [, chunk] = client.take().split('\r\n', 2);
    assert.equal(chunk, 'data: a\ndata: id: 7\ndata: event: b\ndata: \ndata: data: c\0\n\n');
    await fixture.end();
  });

  test('take text alone', async () => {
    const { fixture, stream, client } = await opened();
    for (const bad of [{ a: 1 }, undefined, null, 1]) {
      assert.throws(
        () => void stream.send(bad as unknown as string),
        /send\(\) takes text, given /,
      );
    }
    assert.equal(client.take(), '');
    await fixture.end();
  });

  test('retryMs is digits', async () => {
    const { fixture, stream, client } = await opened();
    for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY, 1e21]) {
      assert.throws(() => void stream.send('', { retryMs: bad }), /retryMs is not a time/);
    }
    void stream.send('', { retryMs: 1500.9 });
    assert.match(client.take(), /\r\nretry: 1500\ndata: \n\n\r\n/);
    void stream.send('', { retryMs: 0 });
    assert.match(client.take(), /\r\nretry: 0\ndata: \n\n\r\n/);
    await fixture.end();
  });

  test('ends once, however often it is closed', async () => {
    const { fixture, stream, client } = await opened();
    for (let times = 0; times < 3; times++) stream.close();
    assert.equal(stream.closed, true);
    assert.equal(await client.read(), '0\r\n\r\n');
    stream.close();
    assert.equal(await client.read(), '');
    assert.equal(fixture.counters.lateWrites, 0);
    assert.deepEqual(fixture.errorLines, []);
    await fixture.end();
  });

  test('rejects wrong options', async () => {
    const wrong: readonly (readonly [object, RegExp])[] = [
      [{ heartbeat: 1 }, /events\(\): there is no option "heartbeat"; did you mean heartbeatMs\?/],
      [{ heartbeatMs: -1 }, /heartbeatMs is a whole number of milliseconds, 0 or more, given -1/],
      [{ heartbeatMs: 1.5 }, /heartbeatMs is a whole number of milliseconds/],
      [{ queueBytesMax: -1 }, /queueBytesMax is a whole number of bytes/],
      [{ whenFull: 'wait' }, /whenFull is one of 'close', 'drop'/],
    ];
    for (const [options, message] of wrong) {
      let thrown: unknown = null;
      const fixture = new ConnectionFixture((_request, response) => {
        try {
          response.events(options);
        } catch (error) {
          thrown = error;
          response.text('refused');
        }
      });
      assert.match(await fixture.open().ask(get('/')), /refused$/);
      assert.match(String(thrown), message);
      await fixture.end();
    }
  });
});

describe('a client of events that reads slowly', () => {
  test('is bounded: the stream ends behind what waits, and the client sees that', async () => {
    const { fixture, stream, client } = await opened({ queueBytesMax: 10_000 });
    let sent = 0;
    while (!stream.closed) {
      assert.ok(sent < 100, 'the stream is closed');
      void stream.send(EVENT, { id: String(sent) });
      sent += 1;
    }
    assert.ok(sent >= 10 && sent <= 12, `${sent} events`);
    await fixture.rest();
    assert.equal(fixture.counters.lateWrites, 0);
    await stream.send('late');
    assert.equal(fixture.counters.lateWrites, 1);
    // What waited arrives; the last chunk does not.
    const output = await client.read();
    assert.equal(output.match(/id: \d+\n/g)?.length, sent - 1);
    assert.ok(!output.includes('\r\n0\r\n\r\n'), 'the client sees that the stream is incomplete');
    assert.ok(client.isShut || client.isClosed);
    assert.deepEqual(fixture.errorLines, []);
    await fixture.end();
  });

  test('drops events with whenFull, and continues when it reads', async () => {
    const { fixture, stream, client } = await opened({ queueBytesMax: 10_000, whenFull: 'drop' });
    for (let index = 0; index < 50; index++) void stream.send(EVENT, { id: String(index) });
    assert.ok(stream.dropped >= 38 && stream.dropped <= 40, `${stream.dropped} were dropped`);
    assert.equal(stream.closed, false);
    const { dropped } = stream;
    assert.equal((await client.read()).match(/id: \d+\n/g)?.length, 50 - dropped);
    void stream.send('next', { id: 'next' });
    assert.match(await client.read(), /id: next\ndata: next\n\n/);
    assert.equal(stream.dropped, dropped);
    stream.close();
    assert.match(await client.read(), /^0\r\n\r\n$/);
    await fixture.end();
  });

  test('has as much waiting as the limit says, and one event with a limit of 0', async () => {
    // What waits of an event: its line, two line ends, and the frame of a chunk.
    const waiting = EVENT.length + 'data: '.length + 2 + '3ee'.length + 4;
    for (const [queueBytesMax, taken] of [
      [0, 1],
      [3 * waiting - 1, 3],
      [3 * waiting, 4],
    ]) {
      const { fixture, stream, client } = await opened({ queueBytesMax, whenFull: 'drop' });
      for (let index = 0; index < 10; index++) void stream.send(EVENT);
      assert.equal(10 - stream.dropped, taken, `${queueBytesMax}`);
      await client.read();
      await fixture.end();
    }
  });

  test('has a bound without any option', async () => {
    const { fixture, stream } = await opened();
    let sent = 0;
    for (; !stream.closed; sent++) {
      assert.ok(sent < 2_000, 'the stream is closed');
      void stream.send(EVENT);
    }
    assert.ok(sent > 1000, `${sent} events`);
    await fixture.end();
  });

  test('does not lose a stream whose handler awaits', async () => {
    const { fixture, stream, client } = await opened();
    let sent = 0;
    const sending = (async () => {
      for (; sent < 40; sent++) await stream.send(EVENT.repeat(10));
      stream.close();
    })();
    await fixture.rest();
    assert.ok(sent > 2 && sent < 10, `${sent} events were sent to a client that does not read`);
    const output = await client.read();
    await sending;
    assert.equal(output.match(/data: /g)?.length, 40);
    assert.ok(output.endsWith('\r\n0\r\n\r\n'));
    await fixture.end();
  });
});

describe('heartbeatMs', () => {
  test('sends comments while the stream is quiet, not while bytes wait', async () => {
    const { fixture, stream, client } = await opened({ heartbeatMs: 40 });
    const passes = async (ms: number) => {
      for (let step = 0; step < ms; step += 5) {
        fixture.driver.nowMs += 5;
        await new Promise((resolve) => setTimeout(resolve, 5));
        await fixture.rest();
      }
    };
    let output = '';
    for (let round = 0; round < 100 && (output.match(/:\n\n/g)?.length ?? 0) < 3; round++) {
      await passes(10);
      output += client.take();
    }
    assert.match(output, /^(3\r\n:\n\n\r\n){3}$/);
    void stream.send('x');
    // The client does not read: one beat at most is queued.
    await passes(400);
    assert.ok((await client.read()).length < 40);
    stream.close();
    await passes(100);
    assert.equal(await client.read(), '0\r\n\r\n');
    await fixture.end();
  });
});
