// Prometheus itself reads the metrics: promtool finds no fault in them, and a server of it scrapes
// them, in the format that it prefers, and has the counts of the clients. Skipped where Debian's
// package prometheus is missing.

import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createServer } from '../../src/index.ts';
import type { Server } from '../../src/server/server.ts';
import { wait } from '../../testing/with-server.ts';
import { shownAs } from './fixtures/shown.ts';

const PATIENCE_MS = 60_000;

const isMissing = ['prometheus', 'promtool'].some(
  (program) => spawnSync(program, ['--version']).error !== undefined,
);
const skip = isMissing && 'prometheus is not installed (.ci/install-apt prometheus)';

function site(server: Server): void {
  server.get('/users/:id', (_request, response) => response.text('user'));
  server.get('/stream', (_request, response) => response.stream(['ab', 'cd']));
  const mails = server.metrics.counter('mails_total', 'Mails "sent".', ['queue']);
  server.metrics.gauge('level', 'Level.').set(3);
  server.metrics.histogram('wait_seconds', 'Waiting.').observe(0.2);
  server.get('/mail', (_request, response) => {
    mails.inc(1, { queue: 'a "fast"\\one\n' });
    response.text('sent');
  });
}

async function freePort(): Promise<number> {
  const listener = createNetServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => listener.once('listening', resolve));
  const address = listener.address();
  await new Promise((resolve) => listener.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('promtool check metrics has no complaint', { skip }, async () => {
  const server = createServer({ metrics: true, logLevel: 'error' });
  site(server);
  for (const target of ['/users/1', '/stream', '/mail', '/none']) {
    await (await server.inject(target)).bytes();
  }
  const input = await shownAs(server, 'text/plain');
  await server.close();
  const output = execFileSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
  assert.equal(output, '');
});

/** The value of an expression, as Prometheus computes it; undefined when it has no samples. */
async function query(port: number, expression: string): Promise<number | undefined> {
  const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`;
  const result = await fetch(url).then((response) => response.json());
  const value = (result as { data: { result: { value: [number, string] }[] } }).data.result[0];
  return value === undefined ? undefined : Number(value.value[1]);
}

async function becomes(port: number, expression: string, wanted: number): Promise<void> {
  const givenUpMs = performance.now() + PATIENCE_MS;
  let value: number | undefined;
  while (value !== wanted) {
    assert.ok(performance.now() < givenUpMs, `${expression} is ${value}, not ${wanted}`);
    value = await query(port, expression).catch(() => undefined);
    if (value !== wanted) await wait(50);
  }
}

async function stop(child: ChildProcess): Promise<void> {
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await exited;
}

test('a server of Prometheus scrapes them', { skip, timeout: 2 * PATIENCE_MS }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vibing-prometheus-'));
  const server = createServer({ port: 0, metricsPort: 0, logLevel: 'error' });
  site(server);
  const { metrics, port } = await server.listen();
  const own = await freePort();
  const config = [
    'global: { scrape_interval: 200ms, scrape_timeout: 200ms }',
    'scrape_configs:',
    `  - { job_name: vibing, static_configs: [{ targets: ["${metrics}"] }] }`,
  ];
  writeFileSync(join(folder, 'prometheus.yml'), config.join('\n'));
  const options = [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${own}`,
    '--log.level=warn',
  ];
  const child = spawn('prometheus', options, { stdio: 'ignore' });
  try {
    const absent = await fetch(`http://127.0.0.1:${port}/metrics`);
    assert.equal(absent.status, 404, 'the main listener does not show them');
    for (let count = 0; count < 7; count++) {
      await (await fetch(`http://127.0.0.1:${port}/users/${count}`)).text();
    }
    await (await fetch(`http://127.0.0.1:${port}/mail`)).text();
    await becomes(own, 'up{job="vibing"}', 1);
    const users = '{http_route="/users/:id",http_response_status_class="2xx"}';
    await becomes(own, `http_server_request_duration_seconds_count${users}`, 7);
    await becomes(own, `http_server_response_body_size_bytes_sum${users}`, 28);
    await becomes(own, 'mails_total{queue="a \\"fast\\"\\\\one\\n"}', 1);
    await becomes(own, 'sum(vibing_worker_requests_total{worker="1"})', 9);
    await checkDashboard(own);
  } finally {
    await stop(child);
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Each expression of the dashboard is one that Prometheus can compute. */
async function checkDashboard(port: number): Promise<void> {
  const dashboard = JSON.parse(readFileSync('docs/grafana-dashboard.json', 'utf8'));
  for (const panel of dashboard.panels) {
    for (const { expr } of panel.targets ?? []) {
      const expression = expr
        .replaceAll('$__rate_interval', '1m')
        .replaceAll(/=~?"\$\w+"/g, '=~".*"');
      const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`;
      const { status } = (await (await fetch(url)).json()) as { status: string };
      assert.equal(status, 'success', expr);
    }
  }
}
