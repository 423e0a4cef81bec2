// The beginning and the end of a load in this process: hooks, an early stop, what it cannot connect
// to, and its progress. The server is a socket of this process, too.

import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ERRNO } from '../../src/base/errno.ts';
import type { Load } from '../../src/load/load.ts';
import { type LoadOptions, type Prepared, prepareLoad } from '../../src/load/options.ts';
import { Phase } from '../../src/load/phase.ts';
import { LoadError, Recorder } from '../../src/load/recorder.ts';
import {
  faultLine,
  LoadProblem,
  progressOf,
  runLoad,
  runPrepared,
  startLoad,
} from '../../src/load/run-load.ts';
import { oneDriver } from '../../testing/with-server.ts';

const RESPONSE = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const [driver] = oneDriver();
const posixOnly = process.platform === 'win32' ? { skip: 'Windows has other sockets' } : {};

function preparedFrom(options: LoadOptions): Prepared {
  const prepared = prepareLoad(options);
  assert.ok('requests' in prepared, String(prepared));
  return prepared;
}

async function problemOf(options: LoadOptions): Promise<LoadProblem> {
  const problem = await runLoad(options).catch((error: unknown) => error);
  assert.ok(problem instanceof LoadProblem, String(problem));
  return problem;
}

describe('a load in this process', () => {
  let server: Server;
  let url = '';
  let received = 0;

  before(async () => {
    server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        received += bytes.length;
        socket.write(RESPONSE);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(address !== null && typeof address !== 'string');
    url = `http://127.0.0.1:${address.port}/`;
  });
  after(() => server.close());

  it('reports when counting begins and ends, and reports what it did', async () => {
    const reported: string[] = [];
    const beganMs = Date.now();
    const report = await runLoad(
      { url, driver, count: 5, connections: 1 },
      { counting: () => reported.push('counting'), counted: () => reported.push('counted') },
    );
    assert.deepEqual(reported, ['counting', 'counted']);
    const { responses, errorCount, statuses, interrupted, connections } = report;
    assert.deepEqual(
      [responses, errorCount, statuses, interrupted, connections, report.driver],
      [5, 0, { 200: 5 }, false, 1, driver],
    );
    assert.equal(report.bytes, 5 * RESPONSE.length);
    assert.equal(new Date(report.startedAt).toISOString(), report.startedAt);
    assert.ok(Math.abs(Date.parse(report.startedAt) - beganMs) < 60_000);
    assert.ok(report.load.cpuShare > 0, 'it took processor time');
    assert.deepEqual(report.urls, [url]);
  });

  it('needs no hooks, and sends prepared requests as they are', async () => {
    const prepared = preparedFrom({ url, driver, count: 3, connections: 1 });
    const [request] = prepared.requests;
    const bytes = new Uint8Array(Buffer.from('any bytes\r\n\r\n'));
    const before_ = received;
    const report = await runPrepared({ ...prepared, requests: [{ ...request, bytes }] });
    assert.equal(report.responses, 3);
    assert.equal(received - before_, 3 * bytes.length);
  });

  it('stops at once when it is stopped before it began', async () => {
    const running = startLoad({ url, driver, connections: 1, durationMs: 60_000 });
    running.stop();
    const report = await running.report;
    assert.deepEqual([report.interrupted, report.responses, report.seconds], [true, 0, 0]);
    running.stop();
  });

  it('stops while it runs, with the results so far', async () => {
    const running = startLoad(
      { url, driver, connections: 1, durationMs: 60_000 },
      { counting: () => setImmediate(() => running.stop()) },
    );
    const report = await running.report;
    assert.ok(report.interrupted && report.seconds < 30);
    assert.equal(report.errorCount, 0);
  });
});

describe('a load that cannot begin', () => {
  it('has wrong options: a usage error, a line each', async () => {
    const problem = await problemOf({ url: 'http://a/', connections: 0, core: -1 });
    assert.equal(problem.isUsageError, true);
    assert.equal(problem.name, 'LoadProblem');
    assert.deepEqual(problem.message.split('\n'), problem.problems);
    assert.equal(problem.problems.length, 2);
  });

  it('has no server: no usage error', async () => {
    // Nothing listens on a port of a closed server.
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(address !== null && typeof address !== 'string');
    await new Promise((resolve) => server.close(resolve));
    const where = `127.0.0.1:${address.port}`;
    const problem = await problemOf({ url: `http://${where}/`, driver, connections: 1 });
    assert.equal(problem.isUsageError, false);
    assert.deepEqual(problem.problems, [
      `cannot connect to ${where}: connection refused (ECONNREFUSED)`,
    ]);
  });

  it('has no such unix socket', posixOnly, async () => {
    const socket = join(tmpdir(), 'vibing-no-such-socket');
    const problem = await problemOf({ url: 'http://a/', socket, driver, connections: 1 });
    assert.deepEqual(problem.problems, [`cannot connect to ${socket}: no such socket (ENOENT)`]);
  });

  it('may not run on its core', async () => {
    const problem = await problemOf({ url: 'http://127.0.0.1:1/', driver, core: 1_023 });
    assert.deepEqual(problem.problems, ['this process may not run on core 1023']);
    assert.equal(problem.isUsageError, false);
  });

  it('is reported where, and why, by the number of the error', () => {
    const prepared = preparedFrom({ url: 'http://127.0.0.1:81/' });
    const ipv6 = preparedFrom({ url: 'http://[::1]/' });
    const line = (errno: number): string => faultLine(prepared, -errno);
    const where = 'cannot connect to 127.0.0.1:81:';
    assert.deepEqual(
      [
        ...[ERRNO.ENOENT, ERRNO.EACCES, ERRNO.EMFILE, ERRNO.EADDRNOTAVAIL, ERRNO.ENETUNREACH],
        ...[ERRNO.ECONNRESET, ERRNO.ETIMEDOUT, ERRNO.ECONNREFUSED, ERRNO.EHOSTUNREACH, 999],
      ].map(line),
      [
        'no such socket (ENOENT)',
        'permission denied (EACCES)',
        'too many open files, see ulimit -n (EMFILE)',
        'no local address or port left (EADDRNOTAVAIL)',
        'network is unreachable (ENETUNREACH)',
        'connection reset (ECONNRESET)',
        'connection timed out (ETIMEDOUT)',
        'connection refused (ECONNREFUSED)',
        'no route to host (EHOSTUNREACH)',
        'errno 999',
      ].map((text) => `${where} ${text}`),
    );
    assert.equal(faultLine(ipv6, -999), 'cannot connect to [::1]:80: errno 999');
    assert.match(faultLine({ ...prepared, socket: '/s' }, -999), /^cannot connect to \/s: errno/);
  });
});

describe('the progress of a load', () => {
  const prepared = preparedFrom({ url: 'http://a/', durationMs: 5_000, count: 9 });
  const recorder = new Recorder(1);
  const load = (phase: Phase): Load =>
    ({ phase, beginMs: 2_000, endMs: 7_000, recorder }) as unknown as Load;

  it('has the phase', () => {
    const phases = Object.values(Phase).map((phase) => {
      return progressOf(load(phase), prepared, 3_000).phase;
    });
    assert.deepEqual(phases, ['connecting', 'running', 'ending', 'ending', 'ending']);
    const running = (nowMs: number): string =>
      progressOf(load(Phase.Running), prepared, nowMs).phase;
    assert.deepEqual([1_999, 2_000].map(running), ['warm-up', 'running']);
    assert.equal(progressOf(load(Phase.Connecting), prepared, 1_000).phase, 'connecting');
  });

  it('has the figures so far, and those of the last second', () => {
    const { phase: _, ...first } = progressOf(load(Phase.Running), prepared, 1_500);
    const none = { responses: 0, errors: 0, requestsPerSecond: 0, p99Ms: 0 };
    assert.deepEqual(first, { elapsedMs: -500, durationMs: 5_000, count: 9, ...none });
    recorder.responded(4, 200, 0, 3);
    recorder.endSecond(1_000);
    recorder.responded(8, 200, 0, 2);
    recorder.failed(LoadError.Reset, 1);
    recorder.endSecond(1_500);
    const second = progressOf(load(Phase.Running), prepared, 3_500);
    assert.deepEqual(
      [second.elapsedMs, second.responses, second.errors, second.requestsPerSecond],
      [1_500, 5, 1, 4],
    );
    assert.ok(Math.abs(second.p99Ms - 8) < 0.1, String(second.p99Ms));
  });
});
