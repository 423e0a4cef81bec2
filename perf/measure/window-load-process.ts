// The load of perf and perf:peers, in a process of its own: on a core beside the server's it runs
// one window after the other, as it is told, and looks at the server's processor time just when
// counting begins and ends.
//
//   node build/perf/measure/window-load-process.js, as a child; perf/measure/window-load.ts starts it

import { prepareLoad } from '../../src/load/options.ts';
import type { LoadReport } from '../../src/load/report.ts';
import { runPrepared } from '../../src/load/run-load.ts';
import {
  busyShare,
  type CoreTicks,
  othersShare,
  readCoreTicks,
  workedMicroseconds,
} from '../system/process-figures.ts';
import { bytesOf } from '../catalog/requests.ts';
import { type Scenario, scenarioOf } from '../catalog/scenarios.ts';
import { percentilesOf } from './latencies.ts';
import type { WindowOrder, WindowResponse } from './window-load.ts';
import { LOAD_CORE, SERVER_CORE } from '../catalog/setup.ts';

const TIMEOUT_MS = 5_000;

process.on('message', (message) => {
  const order = JSON.parse(String(message)) as WindowOrder;
  run(order)
    .catch((error: Error): WindowResponse => ({ problem: error.message }))
    .then((response) => process.send?.(response));
});
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
console.log('ready for windows');

interface Look {
  readonly usedUs: number;
  readonly server: CoreTicks;
  readonly load: CoreTicks;
}

async function run(order: WindowOrder): Promise<WindowResponse> {
  const scenario = scenarioOf(order.scenario);
  const prepared = prepareLoad({
    url: `http://127.0.0.1:${order.port}/`,
    connections: scenario.connections,
    pipelining: scenario.depth,
    keepAlive: scenario.keepAlive,
    durationMs: order.windowMs,
    warmUpMs: order.warmUpMs,
    timeoutMs: TIMEOUT_MS,
    core: LOAD_CORE,
    ...(order.rate > 0 ? { rate: order.rate } : {}),
  });
  if (!('requests' in prepared)) throw new Error(prepared.join('; '));
  const looks: Look[] = [];
  const look = (): void => {
    const [server, load] = [readCoreTicks(SERVER_CORE), readCoreTicks(LOAD_CORE)];
    looks.push({ usedUs: workedMicroseconds(order.pid), server, load });
  };
  const report = await runPrepared(
    { ...prepared, requests: requestsOf(scenario) },
    { counting: look, counted: look },
  );
  return responseOf(order, report, looks[0], looks[1]);
}

function requestsOf({ requests }: Scenario) {
  return requests.map((request) => ({
    name: `${request.method} ${request.target}`,
    bytes: bytesOf(request),
    isHead: false,
    expected: null,
    weight: 1,
  }));
}

function responseOf(order: WindowOrder, report: LoadReport, from: Look, to: Look): WindowResponse {
  const { outstanding = 0, ...errors } = report.errors;
  const problems = Object.entries(errors).map(([error, count]) => `${count} times ${error}`);
  for (const [status, count] of Object.entries(report.statuses)) {
    if (status !== '200') problems.push(`${count} answers of status ${status}`);
  }
  if (report.responses === 0) problems.push('nothing was answered');
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
