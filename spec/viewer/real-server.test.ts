// The figures of a real server: every one that the viewers show is reported, and the counts are
// those of its client.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createServer } from 'vibing';
import { Stepper } from '../../src/viewer/history.ts';
import type { Point } from '../../src/viewer/point.ts';
import { SnapshotSource } from '../../src/viewer/source/fetch-snapshot.ts';

const timeout = 60_000;

/** What a server of a moment need not have: it may have had no such event. */
const MAY_BE_EMPTY: readonly (keyof Point)[] = ['closed', 'faults', 'timeouts', 'pauses'];

test('a real server reports every figure', { timeout }, async () => {
  const server = createServer({
    host: '127.0.0.1',
    port: 0,
    metrics: true,
    connectionsMax: 64,
    blockCount: 64,
  });
  server.get('/users/:id', (req, res) => res.json({ id: req.params.id }));
  server.get('/broken', (_req, res) => res.status(500).text('it is broken'));
  const { port } = await server.listen();
  const url = `http://127.0.0.1:${port}`;
  const source = new SnapshotSource(new URL(`${url}/metrics`));
  try {
    const stepper = new Stepper();
    const first = await source.fetch();
    assert.equal(stepper.next(first.snapshot), null);
    const paths = ['/users/1', '/users/2', '/users/3', '/broken', '/nothing'];
    for (const path of paths) await (await fetch(url + path)).arrayBuffer();
    const step = stepper.next((await source.fetch()).snapshot);
    assert.ok(step !== null);
    assert.equal(step.server.name, 'vibing');
    assert.equal(step.server.workers, 1);
    const { point, routes } = step;
    // The first request for the metrics ended after its snapshot.
    assert.deepEqual([point.requests, point.statuses], [6, [0, 4, 0, 1, 1]]);
    const counts = routes.map(({ count, method, route }) => `${method} ${route} ${count}`).sort();
    assert.deepEqual(counts, ['GET  1', 'GET /broken 1', 'GET /metrics 1', 'GET /users/:id 3']);
    for (const [name, value] of Object.entries(point)) {
      const isList = Array.isArray(value) && !MAY_BE_EMPTY.some((each) => each === name);
      assert.ok(value !== null && (!isList || value.length > 0), `${name} is reported`);
    }
    const [worker] = point.workers;
    for (const [name, value] of Object.entries(worker)) assert.ok(value !== null, name);
    assert.equal(worker.requests, 6);
  } finally {
    source.close();
    await server.close();
  }
});
