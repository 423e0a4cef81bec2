// The report of a load as JSON: each figure, from a load on a virtual clock and from given results.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Load } from '../../src/load/load.ts';
import { type LoadOptions, prepareLoad } from '../../src/load/options.ts';
import { LoadError, Recorder } from '../../src/load/recorder.ts';
import {
  errorStatusCount,
  errorStatusText,
  LOAD_BOUND,
  type LoadReport,
  reconnectsText,
  reportOf,
  shareText,
  waitingText,
} from '../../src/load/report.ts';
import { CLOSED } from './fixtures/reports.ts';
import { runVirtual } from './fixtures/run-virtual.ts';

const NO_REST = { idleMs: 0, idleCpuMs: 0, sleptMs: 0 };
const startedAtMs = Date.UTC(2026, 0, 2, 3, 4, 5);

function resting(times: Partial<typeof NO_REST>): Partial<Load> {
  return { rest: { ...NO_REST, ...times } as Load['rest'] };
}

/** The report of a load with these options and results. */
function reported(
  options: Partial<LoadOptions>,
  results: Partial<Load> = {},
  cpuMicroseconds = 0,
): LoadReport {
  const prepared = prepareLoad({ url: ['http://a/x', 'http://a/y'], ...options });
  assert.ok('requests' in prepared, String(prepared));
  const load = {
    recorder: new Recorder(2),
    beginMs: 1_000,
    endMs: 3_000,
    drainMs: 0,
    rest: NO_REST,
    lateMsMax: 0,
    waiting: { count: 0, mostMs: 0 },
    isStopped: false,
    ...results,
  } as Load;
  return reportOf({ prepared, load, driver: 'net', startedAtMs, cpuMicroseconds });
}

describe('the report of a load', () => {
  it('has what was asked for', () => {
    const report = reported({
      method: 'PUT',
      connections: 7,
      pipelining: 3,
      warmUpMs: 1_500,
      core: 2,
    });
    const { format, startedAt, urls, method, driver, connections, pipelining, keepAlive } = report;
    assert.deepEqual(
      [format, startedAt, urls, method, driver, connections, pipelining, keepAlive],
      [1, '2026-01-02T03:04:05.000Z', ['http://a/x', 'http://a/y'], 'PUT', 'net', 7, 3, true],
    );
    assert.equal(report.warmUpSeconds, 1.5);
    assert.equal(report.load.core, 2);
    assert.equal(reported({ keepAlive: false }).keepAlive, false);
  });

  it('names its rate', () => {
    const step = { from: 5, to: 5, durationMs: 1_500 };
    const loops = [undefined, 20, [step, { ...step, to: 9, durationMs: 500 }]].map((rate) => {
      return reported(rate === undefined ? {} : { rate }).loop;
    });
    assert.deepEqual(loops, [
      'closed',
      'open, 20/s',
      'open, 5/s for 1.5 s, then 5/s to 9/s for 0.5 s',
    ]);
  });

  it('has results, and rates over the time with its drain', () => {
    const recorder = new Recorder(2);
    recorder.responded(4, 200, 0, 3);
    recorder.responded(2, 503, 1);
    recorder.bytes = 1_000;
    recorder.failed(LoadError.Reset, 2, 'errno 104');
    recorder.reconnects = 5;
    recorder.delayedReconnects = 1;
    recorder.keepBad(Buffer.from('bad'));
    recorder.endSecond(1_000);
    const waiting = { count: 2, mostMs: 300 };
    const report = reported({}, { recorder, drainMs: 500, lateMsMax: 8, waiting, isStopped: true });
    const { seconds, drainSeconds, responses, requestsPerSecond, bytes, bytesPerSecond } = report;
    assert.deepEqual(
      [seconds, drainSeconds, responses, requestsPerSecond, bytes, bytesPerSecond],
      [2, 0.5, 4, 1.6, 1_000, 400],
    );
    assert.deepEqual(
      [report.statuses, report.errorCount, report.errors, report.errorDetails, report.badBytes],
      [{ 200: 3, 503: 1 }, 2, { reset: 2 }, { 'errno 104': 2 }, 'bad'],
    );
    assert.deepEqual(
      [report.reconnects, report.delayedReconnects, report.waiting, report.interrupted],
      [5, 1, waiting, true],
    );
    assert.deepEqual(report.responsesByRequest, { 'GET /x': 3, 'GET /y': 1 });
    assert.deepEqual(report.series, recorder.seconds);
    assert.equal(report.series.length, 1);
    assert.equal(report.load.lateMsMax, 8);
    const { percentiles, ...latencies } = report.latencyMs;
    const deviation = recorder.histogram.deviationMs;
    assert.deepEqual(latencies, { least: 2, mean: 3.5, deviation, most: 4 });
    assert.ok(deviation > 0.8 && deviation < 0.9);
    const names = ['50', '75', '90', '95', '99', '99.9', '99.99'];
    assert.deepEqual(Object.keys(percentiles), names);
    for (const name of names) assert.ok(Math.abs(percentiles[name] - 4) < 0.02, name);
    assert.deepEqual(
      report.histogram.map(([fromMs, toMs, count]) => [Math.round(fromMs), toMs > fromMs, count]),
      [
        [2, true, 1],
        [4, true, 3],
      ],
    );
  });

  it('of no time has rates of 0', () => {
    const recorder = new Recorder(2);
    recorder.responded(1, 200, 0);
    const report = reported(
      {},
      { recorder, beginMs: 5, endMs: 5, ...resting({ idleMs: 9, idleCpuMs: 9 }) },
      7,
    );
    assert.deepEqual([report.seconds, report.requestsPerSecond], [0, 0]);
    assert.deepEqual([report.load.cpuShare, report.load.workShare], [0, 0]);
    assert.equal(reported({}, { beginMs: 5, endMs: 0 }).seconds, 0);
  });

  it('has the share of a core, without turns that had nothing to do', () => {
    const { load } = reported(
      {},
      resting({ idleMs: 600, idleCpuMs: 500, sleptMs: 500 }),
      1_500_000,
    );
    assert.deepEqual(
      [load.core, load.cpuShare, load.workShare, load.isBound],
      [-1, 0.75, 0.5, false],
    );
    assert.equal(reported({}, resting({ idleCpuMs: 1_800 }), 1_500_000).load.workShare, 0);
    // Other processes had the core for most of the time.
    const shared = reported({}, resting({ idleMs: 1_400, idleCpuMs: 100 }), 600_000).load;
    assert.deepEqual([shared.cpuShare, shared.workShare, shared.isBound], [0.3, 0.25, false]);
    const crowded = reported({}, resting({ idleMs: 20, idleCpuMs: 0 }), 600_000).load;
    assert.deepEqual([crowded.workShare, crowded.isBound], [0.3, true]);
    const bound = (endMs: number, share: number): boolean =>
      reported(
        {},
        { beginMs: 0, endMs, ...resting({ idleMs: (1 - share) * endMs }) },
        endMs * 1_000,
      ).load.isBound;
    assert.equal(bound(1_000, LOAD_BOUND + 0.001), true);
    assert.equal(bound(1_000, LOAD_BOUND - 0.001), false);
    assert.equal(bound(500, 1), true);
    assert.equal(bound(499, 1), false, 'too short to be measured');
  });

  it('of a load on a virtual clock adds up', () => {
    const options = { rate: 100, durationMs: 2_000, warmUpMs: 100, connections: 2 };
    const { prepared, load } = runVirtual(options, { latencyMs: () => 5 }, 0.5);
    const report = reportOf({ prepared, load, driver: 'virtual', startedAtMs, cpuMicroseconds: 1 });
    assert.deepEqual([report.responses, report.seconds, report.loop], [200, 2, 'open, 100/s']);
    const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);
    assert.equal(sum(report.series.map(({ responses }) => responses)), 200);
    assert.equal(sum(report.histogram.map(([, , count]) => count)), 200);
    assert.equal(sum(report.series.map(({ bytes }) => bytes)), report.bytes);
  });
});

describe('the figures of a report in words', () => {
  it('say whether the share of a core means something', () => {
    const share = (seconds: number): string => shareText({ ...CLOSED, seconds });
    assert.equal(share(0.5), '50 % of a core, 25 % working');
    assert.equal(share(0.49), 'share of a core not measured, the run was shorter than 0.5 s');
  });

  it('count responses from status 400 on as errors', () => {
    const statuses = { 200: 5, 399: 1, 400: 2, 599: 1 };
    const report = { ...CLOSED, responses: 9, statuses };
    assert.equal(errorStatusCount(report), 3);
    assert.equal(errorStatusText(report), '3, 33.3 % of all');
    assert.equal(errorStatusText({ ...report, responses: 0 }), '3, 300.0 % of all');
    assert.equal(errorStatusText({ ...CLOSED, statuses: { 200: 5 } }), '');
  });

  it('are left out, or in the singular', () => {
    const waiting = (count: number): string =>
      waitingText({ ...CLOSED, waiting: { count, mostMs: 1_500 } });
    const end = 'without a response at the end, after up to 1.50 s';
    assert.deepEqual([0, 1, 2, 1_000].map(waiting), [
      '',
      `1 request ${end}`,
      `2 requests ${end}`,
      `1,000 requests ${end}`,
    ]);
    const reconnects = (delayedReconnects: number): string =>
      reconnectsText({ ...CLOSED, reconnects: 1_234, delayedReconnects });
    assert.equal(reconnects(0), '1,234');
    assert.equal(
      reconnects(1),
      '1,234, 1 of them delayed: the connection before brought no response',
    );
  });
});
