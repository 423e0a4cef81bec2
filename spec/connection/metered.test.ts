// Connections with a meter: every response is counted once, however many end in one turn, and with
// the time of the turn's end.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { METRICS_AT_ONCE_BYTES } from '../../src/base/fixed-limits.ts';
import type { Handler } from '../../src/exchange/handler.ts';
import { Meter } from '../../src/metrics/meter.ts';
import { Reader } from '../../src/metrics/reader.ts';
import { OwnMemory, Segment } from '../../src/metrics/segment.ts';
import { ConnectionFixture } from '../../testing/connection-fixture.ts';

const DURATION = 'http_server_request_duration_seconds';
const REQUEST = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n');

/** The number of requests, and their seconds in total. */
function counted(segment: Segment): { count: number; sum: number } {
  const reader = new Reader(() => [{ id: 0, buffer: segment.buffer }]);
  for (const _ of reader.update());
  const { series } = reader.families().find(({ family }) => family.name === DURATION) ?? {};
  const total = { count: 0, sum: 0 };
  for (const one of series ?? []) {
    const { count, sum } = reader.distribution(one);
    total.count += count;
    total.sum += sum;
  }
  return total;
}

it('more responses end in one turn than a meter holds', async () => {
  const clients = 60;
  const requests = 40;
  for (const isStream of [false, true]) {
    const segment = new Segment(new OwnMemory(65_536, 1 << 22));
    const meter = new Meter({ segment, methods: ['', 'GET'] });
    const fixture = new ConnectionFixture(
      (_request, response) => {
        if (!isStream) return response.send('');
        void response.write('a');
        return response.end();
      },
      {
        ...{ slots: clients, blocks: 8 * clients, blockBytes: 4096, meter },
        limits: { pipelineDepthMax: requests },
      },
    );
    const opened = Array.from({ length: clients }, () => fixture.open());
    const sent = Buffer.concat(new Array<Buffer>(requests).fill(REQUEST));
    for (const { slot } of opened) fixture.driver.deliver(slot, sent);
    fixture.reactor.turn();
    assert.equal(fixture.counters.responses, clients * requests, 'in one turn');
    fixture.driver.nowMs += 250;
    meter.flush(fixture.driver.nowMs);
    const { count, sum } = counted(segment);
    assert.equal(count, clients * requests);
    assert.ok(sum > 0, 'the last ones ended after the turn');
    await fixture.end();
  }
});

it('a large response is counted when all of it has left, one that is lost as aborted', async () => {
  const content = Buffer.alloc(3 * METRICS_AT_ONCE_BYTES);
  for (const isLost of [false, true]) {
    const segment = new Segment(new OwnMemory(65_536, 1 << 22));
    const meter = new Meter({ segment, methods: ['', 'GET'] });
    const handler: Handler = (_request, response) => response.send(content);
    const fixture = new ConnectionFixture(handler, { meter });
    const client = fixture.open();
    client.send(REQUEST);
    client.take(METRICS_AT_ONCE_BYTES);
    meter.flush(fixture.driver.nowMs);
    assert.equal(counted(segment).count, 0, 'a part of it waits');
    if (isLost) client.breakOff();
    else await client.read();
    meter.flush(fixture.driver.nowMs);
    assert.equal(counted(segment).count, isLost ? 0 : 1);
    await fixture.end();
  }
});
