// Requests for metrics that a thread composes: what was begun for a client that has left is ended.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { METRICS_THREAD_HISTOGRAMS } from '../../src/base/fixed-limits.ts';
import type { Reader } from '../../src/metrics/reader.ts';
import { MetricsEndpoint } from '../../src/server/metrics-endpoint.ts';
import { unlistenedServer } from '../../testing/unlistened-server.ts';
import { eventually } from '../../testing/with-server.ts';

test('a client that leaves before its first chunk ends the composition', async () => {
  const { server } = unlistenedServer();
  let begun = 0;
  let ended = 0;
  let finish = (): void => {};
  const composer = {
    works: true,
    async *compose(): AsyncGenerator<Uint8Array> {
      try {
        begun += 1;
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        yield Buffer.from('first');
        yield Buffer.from('second');
      } finally {
        ended += 1;
      }
    },
    end: async () => {},
  };
  const endpoint = new MetricsEndpoint({
    // The thread reads, not this one.
    reader: {} as Reader,
    composer,
    sources: () => [{ id: 0, histograms: METRICS_THREAD_HISTOGRAMS + 1, fd: 0, at: 0 }],
    facts: () => ({ name: 'vibing', version: '0', node: '', driver: '', started: 0, workers: 1 }),
    refresh: async () => {},
    closing: () => server.closing,
  });
  server.get('/shown', endpoint.handle);
  const whole = server.inject('/shown');
  await eventually('the first composition begins', () => begun === 1);
  finish();
  assert.equal(await (await whole).text(), 'firstsecond');
  assert.equal(ended, 1);

  const leaves = new AbortController();
  const left = server.inject({ target: '/shown', signal: leaves.signal });
  await eventually('the second composition begins', () => begun === 2);
  leaves.abort();
  await assert.rejects(left);
  await eventually('the server sees it', () => server.counters.closed === 2);
  finish();
  await eventually('the second composition ends', () => ended === 2);
  await server.close();
});
