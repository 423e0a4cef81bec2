// The load process of WindowLoad: it runs one window after another, as it is told, and reads the
// server's processor time exactly when counting begins and ends.
//
//   node build/perf/measure/window-load-process.js, as a child

import { LoadError } from '../../src/load/recorder.ts';
import type { LoadReport } from '../../src/load/report.ts';
import { scenarioOf } from '../catalog/scenarios.ts';
import { LOAD_CORE, SERVER_CORE } from '../catalog/setup.ts';
import { preparedLoad, runPrepared } from '../load/scenario-load.ts';
import {
  busyShare,
  type CoreTicks,
  othersShare,
  readCoreTicks,
  workedMicroseconds,
} from '../system/process-figures.ts';
import { percentilesOf } from './latencies.ts';
import type { WindowOrder, WindowReply } from './window-load.ts';

const TIMEOUT_MS = 5_000;

process.on('message', (message) => {
  const order = JSON.parse(String(message)) as WindowOrder;
  run(order)
    .catch((error: Error): WindowReply => ({ problem: error.message }))
    .then((reply) => process.send?.(reply));
});
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
console.log('ready for windows');

interface Reading {
  readonly usedUs: number;
  readonly server: CoreTicks;
  readonly load: CoreTicks;
}

async function run(order: WindowOrder): Promise<WindowReply> {
  const prepared = preparedLoad(scenarioOf(order.scenario), order.port, {
    durationMs: order.windowMs,
    warmUpMs: order.warmUpMs,
    timeoutMs: TIMEOUT_MS,
    ...(order.rate > 0 ? { rate: order.rate } : {}),
  });
  const readings: Reading[] = [];
  const read = (): void => {
    const [server, load] = [readCoreTicks(SERVER_CORE), readCoreTicks(LOAD_CORE)];
    readings.push({ usedUs: workedMicroseconds(order.pid), server, load });
  };
  const report = await runPrepared(prepared, { counting: read, counted: read });
  return replyOf(order, report, readings[0], readings[1]);
}

function replyOf(order: WindowOrder, report: LoadReport, from: Reading, to: Reading): WindowReply {
  const { [LoadError.Unanswered]: outstanding = 0, ...errors } = report.errors;
  // A floor sends 200 whatever is requested; the response of each server was checked before.
  const statuses = new Set(['200']);
  for (const { status } of scenarioOf(order.scenario).requests) statuses.add(String(status));
  const problems = Object.entries(errors).map(([error, count]) => `${count} times ${error}`);
  for (const [status, count] of Object.entries(report.statuses)) {
    if (!statuses.has(status)) problems.push(`${count} responses of status ${status}`);
  }
  if (report.responses === 0) problems.push('no response came');
  if (problems.length > 0) return { problem: problems.join(', ') };
  const usedUs = to.usedUs - from.usedUs;
  return {
    problem: null,
    figures: {
      rate: report.requestsPerSecond,
      cpuUs: usedUs / report.responses,
      othersShare: othersShare(from.server, to.server, usedUs),
      loadShare: busyShare(from.load, to.load),
      isLoadBound: order.rate === 0 && report.load.isBound,
      outstanding,
      latencyMs: percentilesOf(report.histogram, report.latencyMs.most),
    },
  };
}
