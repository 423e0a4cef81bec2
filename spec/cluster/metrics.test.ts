// The metrics of workers are those of one server: whichever worker is asked, all of them are shown,
// and what clients have counted is exact over the death of a worker and a reload.

import assert from 'node:assert/strict';
import { RawClient } from '../../testing/raw-client.ts';
import { driversInTurn, onEachDriver, wait } from '../../testing/with-server.ts';
import { isAlive, reload, withWorkers } from '../behaviour/fixtures/workers.ts';
import { type JsonMetrics, seriesOf, totalOf } from '../metrics/fixtures/shown.ts';

const PATIENCE_MS = 30_000;
const DURATION = 'http_server_request_duration_seconds';

/** A client that counts. */
class CountingClient {
  readonly #port: number;
  connections = 0;
  /** Responses of GET /, which have the id of the process. */
  responses = 0;
  bytes = 0;

  constructor(port: number) {
    this.#port = port;
  }

  async #ask(target: string, ...fields: string[]): Promise<string> {
    const client = await RawClient.open(this.#port);
    this.connections += 1;
    // Only requests for this host see the metrics.
    const head = [`GET ${target} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...fields];
    const response = await client.ask(`${head.join('\r\n')}\r\n\r\n`);
    assert.equal(response.status, 200);
    client.half();
    return response.text;
  }

  async pid(): Promise<number> {
    const text = await this.#ask('/');
    this.responses += 1;
    this.bytes += text.length;
    return Number(text);
  }

  /** Asks until `count` processes other than `known` have responded. */
  async pids(count: number, known: ReadonlySet<number> = new Set()): Promise<Set<number>> {
    const pids = new Set<number>();
    const givenUpMs = performance.now() + PATIENCE_MS;
    while (pids.size < count) {
      assert.ok(performance.now() < givenUpMs, `${count} workers respond`);
      const pid = await this.pid();
      if (!known.has(pid)) pids.add(pid);
    }
    return pids;
  }

  async metrics(): Promise<JsonMetrics> {
    return JSON.parse(await this.#ask('/metrics', 'Accept: application/json'));
  }

  /** Waits until the metrics are what was counted, and checks that they never were more. */
  async agrees(): Promise<JsonMetrics> {
    const givenUpMs = performance.now() + PATIENCE_MS;
    const labels = { http_route: '/', http_request_method: 'GET' };
    for (;;) {
      const shown = await this.metrics();
      const requests = totalOf(shown, DURATION, labels);
      const accepted = totalOf(shown, 'vibing_connections_accepted_total');
      assert.ok(requests <= this.responses, `${requests} of ${this.responses}`);
      assert.ok(accepted <= this.connections, `${accepted} of ${this.connections}`);
      if (requests === this.responses && accepted === this.connections) {
        const [{ sum }] = seriesOf(shown, 'http_server_response_body_size_bytes', labels);
        assert.equal(sum, this.bytes);
        return shown;
      }
      assert.ok(performance.now() < givenUpMs, `${requests} becomes ${this.responses}`);
      await wait(20);
    }
  }
}

onEachDriver(
  'metrics of workers',
  (add) => {
    add('are exact over kill -9 and a reload, at each worker', async (driver) => {
      await withWorkers(driver, async (port, child) => {
        const client = new CountingClient(port);
        const first = await client.pids(2);
        const shown = await client.agrees();
        assert.equal(shown.server['workers'], 2);
        const workers = seriesOf(shown, 'vibing_worker_requests_total');
        assert.deepEqual(
          workers.map(({ labels }) => labels['worker']).sort(),
          ['1', '2'],
          'every worker has series of its own',
        );
        assert.ok(workers.every(({ value = 0 }) => value > 0));
        // Both workers are asked, and agree.
        for (let count = 0; count < 8; count++) await client.agrees();

        const [killed] = first;
        process.kill(killed, 'SIGKILL');
        const given = performance.now() + PATIENCE_MS;
        while (isAlive(killed) && performance.now() < given) await wait(5);
        await client.agrees();
        await client.pids(1, first);
        await client.agrees();

        const second = await client.pids(2);
        await reload(child);
        await client.pids(2, second);
        const last = await client.agrees();
        assert.equal(seriesOf(last, 'vibing_worker_requests_total').length, 2);
        const active = seriesOf(last, 'http_server_active_requests');
        assert.ok(active.every(({ value = 0 }) => value === 0 || value === 1));
      });
    });
  },
  driversInTurn(),
);
