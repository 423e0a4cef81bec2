// Runs a server under mixed traffic for minutes, and compares the memory, the descriptors and the
// timers that it holds after a third of the time with those at the end. With workers it reloads
// the server and kills workers during the traffic, and judges the process that supervises them.

import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../testing/random.ts';
import { LOAD_CORE } from '../catalog/setup.ts';
import { SOAK_HEAP_BYTES_MAX, SOAK_OTHER_BYTES_MAX } from '../catalog/thresholds.ts';
import { MixedTraffic, TIMEOUT_MS } from '../load/mixed-traffic.ts';
import { perfScript, type ServerChild } from '../measure/child-process.ts';
import { pinSelf } from '../measure/machine.ts';
import type { Held } from '../measure/watch.ts';
import { chart } from '../runner/chart.ts';
import { tableText } from '../runner/table.ts';
import type { Threshold } from '../runner/threshold.ts';
import { startVibing } from '../servers/start-vibing.ts';
import { childrenOf, descriptorCount, residentBytes } from '../system/process-figures.ts';

const MB = 1_000_000;
export const LANES = 24;
/** With workers: between two reloads, and between two killed workers. */
const RELOAD_MS = 20_000;
const KILL_MS = 70_000;
const GONE_POLL_MS = 5;
/** A reload that the traffic left behind ends by then, on a loaded machine. */
const RELOAD_MS_MAX = 60_000;
const PEAKS = 30;
const SAMPLE_MS = 2_000;
/** This share of the time is warm-up; growth in the rest of it is judged. */
const WARM_UP_SHARE = 1 / 3;
/** By then a connection that both sides have closed has released its descriptor. */
const SETTLE_MS_MAX = 10_000;
const SETTLE_MS = 3_000;
const CHART_COLUMNS = 72;
/** With the young generation at its full size from the start, its growth is not counted. */
const NODE_FLAGS = ['--min-semi-space-size=16', `--import=${perfScript('measure/watch.ts')}`];

/** What a server holds without load, after a full garbage collection. */
interface Settled extends Held {
  readonly descriptors: number;
  readonly workers: number;
  /** Of all workers. */
  readonly workerDescriptors: number;
}

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  /** 0 for a server of one process. */
  readonly workers: number;
}

interface Soaked {
  readonly workers: number;
  readonly reloads: number;
  readonly kills: number;
  /** The reloads that failed, as the server printed them. */
  readonly failedReloads: readonly string[];
  /** Resident bytes under load. */
  readonly memory: readonly number[];
  readonly warm: Settled;
  readonly after: Settled;
  readonly traffic: MixedTraffic;
}

export async function soak(
  drivers: readonly string[],
  options: SoakOptions,
): Promise<readonly Threshold[]> {
  const { minutes, seed, workers } = options;
  pinSelf(LOAD_CORE);
  const server = workers > 0 ? `, ${workers} workers` : '';
  console.log(`${minutes} minutes of mixed traffic on ${LANES} lanes${server}; --seed ${seed}`);
  const thresholds: Threshold[] = [];
  for (const driver of drivers) {
    const soaked = await soakOne(driver, options);
    console.log(`\n${driver}\n${trafficTable(soaked.traffic)}\n`);
    if (workers > 0) console.log(`${soaked.reloads} reloads, ${soaked.kills} workers killed`);
    const problems = [...soaked.traffic.problems, ...soaked.failedReloads];
    for (const problem of problems) console.log(`failed: ${problem}`);
    printMemory(soaked);
    thresholds.push(...thresholdsOf(driver, soaked));
  }
  return thresholds;
}

async function soakOne(driver: string, { minutes, seed, workers }: SoakOptions): Promise<Soaked> {
  // A worker that is reloaded has time to end the exchanges of slow clients.
  const supervised = [`workers=${workers}`, `shutdownTimeoutMs=${TIMEOUT_MS}`];
  const settings = workers > 0 ? supervised : [];
  const server = await startVibing(driver, { nodeFlags: NODE_FLAGS, settings });
  const traffic = new MixedTraffic(server.port, new Random(seed).draw);
  const disruptions = new Disruptions(server, traffic);
  // Opens what stays open for the lifetime of the process, and brings memory to its maximum.
  await traffic.peaks(LANES, PEAKS);
  const memory: number[] = [];
  const run = async (share: number): Promise<void> => {
    traffic.start(LANES);
    const untilMs = performance.now() + share * minutes * 60_000;
    while (performance.now() < untilMs) {
      await sleep(Math.min(SAMPLE_MS, untilMs - performance.now()));
      memory.push(residentBytes(server.pid, 'now'));
      if (workers > 0) disruptions.passed(SAMPLE_MS);
    }
    await traffic.stop();
  };
  await run(WARM_UP_SHARE);
  const warm = await settle(server, workers, null);
  await run(1 - WARM_UP_SHARE);
  const after = await settle(server, workers, warm);
  await server.stop();
  const { kills, reloads } = disruptions;
  const failedReloads = server
    .printed()
    .split('\n')
    .filter((line) => line.includes('reload'));
  return { workers, reloads, kills, failedReloads, memory, warm, after, traffic };
}

/** Reloads the server and kills workers of it, by the time that has passed. */
class Disruptions {
  readonly #server: ServerChild;
  readonly #traffic: MixedTraffic;
  #untilReloadMs = RELOAD_MS;
  #untilKillMs = KILL_MS;
  reloads = 0;
  kills = 0;

  constructor(server: ServerChild, traffic: MixedTraffic) {
    this.#server = server;
    this.#traffic = traffic;
  }

  passed(ms: number): void {
    this.#untilReloadMs -= ms;
    this.#untilKillMs -= ms;
    if (this.#untilKillMs <= 0) {
      this.#untilKillMs = KILL_MS;
      this.#kill();
    } else if (this.#untilReloadMs <= 0) {
      this.#untilReloadMs = RELOAD_MS;
      this.#traffic.reloading();
      this.#server.signal('SIGHUP');
      this.reloads += 1;
    }
  }

  /** Its primary has noticed: before, its sockets may be open. */
  async #isGone(victim: number): Promise<void> {
    while (childrenOf(this.#server.pid).includes(victim)) await sleep(GONE_POLL_MS);
  }

  #kill(): void {
    const [victim] = childrenOf(this.#server.pid);
    if (victim === undefined) return;
    try {
      // A child of our own server, whose pid was read a moment ago.
      process.kill(victim, 'SIGKILL');
    } catch {
      // It was the old worker of a reload, and has ended in that moment.
      return;
    }
    this.kills += 1;
    void this.#traffic.killing(this.#isGone(victim));
  }
}

/** Waits until the server is as it was before, or until it had time for that. */
async function settle(
  server: ServerChild,
  workers: number,
  before: Settled | null,
): Promise<Settled> {
  await sleep(SETTLE_MS);
  await reloaded(server, workers);
  const untilMs = performance.now() + SETTLE_MS_MAX;
  const isAsBefore = (): boolean =>
    before !== null &&
    descriptorCount(server.pid) <= before.descriptors &&
    childrenOf(server.pid).length === before.workers;
  while (!isAsBefore() && performance.now() < untilMs) await sleep(SETTLE_MS / 10);
  const held = (await server.ask('held')) as Held;
  const running = childrenOf(server.pid);
  const workerDescriptors = running.reduce((sum, pid) => sum + descriptorCount(pid), 0);
  return {
    ...held,
    descriptors: descriptorCount(server.pid),
    workers: running.length,
    workerDescriptors,
  };
}

/** While a reload is in progress, more processes run than there are workers. */
async function reloaded(server: ServerChild, workers: number): Promise<void> {
  const untilMs = performance.now() + RELOAD_MS_MAX;
  let calmMs = 0;
  while (calmMs < SETTLE_MS && performance.now() < untilMs) {
    await sleep(SETTLE_MS / 10);
    calmMs = childrenOf(server.pid).length === workers ? calmMs + SETTLE_MS / 10 : 0;
  }
}

function trafficTable(traffic: MixedTraffic): string {
  const rows = [['', 'done', 'interrupted', 'unread', 'failed']];
  for (const [kind, { done, failed, interrupted, unread }] of traffic.tallies) {
    rows.push([kind, ...[done, interrupted, unread, failed].map(String)]);
  }
  return tableText(rows);
}

function printMemory({ after, memory, warm }: Soaked): void {
  const range = `${megabytes(Math.min(...memory))} to ${megabytes(Math.max(...memory))} MB`;
  // Not judged: V8 lets memory grow between two full collections.
  console.log(`resident memory, ${range}:\n${chart(memory, CHART_COLUMNS)}`);
  console.log(`held after a third of the time: ${heldText(warm)}`);
  console.log(`held at the end: ${heldText(after)}`);
}

function thresholdsOf(driver: string, soaked: Soaked): readonly Threshold[] {
  const { after, failedReloads, kills, reloads, traffic, warm, workers } = soaked;
  const tallies = [...traffic.tallies.values()];
  const failed = tallies.reduce((sum, tally) => sum + tally.failed, 0);
  const interrupted = tallies.reduce((sum, tally) => sum + tally.interrupted, 0);
  const unread = tallies.reduce((sum, tally) => sum + tally.unread, 0);
  const thresholds = [
    lessThan(`${driver}: growth of the heap in MB`, after.heap - warm.heap, SOAK_HEAP_BYTES_MAX),
    lessThan(
      `${driver}: growth outside of the heap in MB`,
      after.other - warm.other,
      SOAK_OTHER_BYTES_MAX,
    ),
    atMost(`${driver}: descriptors left over`, after.descriptors - warm.descriptors, 0),
    atMost(`${driver}: timers left over`, after.timers - warm.timers, 0),
    atMost(`${driver}: failures`, failed, 0),
  ];
  if (workers === 0) return thresholds;
  // The worker that was killed was one that the reload had started.
  const ofKills = failedReloads.filter((line) => line.includes('(SIGKILL)')).length;
  const more = after.workerDescriptors - warm.workerDescriptors;
  return [
    ...thresholds,
    // Each lane has at most one exchange in progress.
    atMost(`${driver}: exchanges that a killed worker interrupted`, interrupted, kills * LANES),
    // At most one on each connection, of clients that were too slow for the drain.
    atMost(`${driver}: requests that a reload left unread`, unread, reloads * LANES),
    atMost(`${driver}: workers too many or too few`, Math.abs(after.workers - workers), 0),
    atMost(`${driver}: descriptors of workers left over`, more, 0),
    atMost(`${driver}: reloads that failed`, failedReloads.length - ofKills, 0),
    atMost(`${driver}: reloads that a killed worker interrupted`, ofKills, kills),
  ];
}

function lessThan(name: string, bytes: number, bytesMax: number): Threshold {
  return { name, value: bytes / MB, is: 'less than', bound: bytesMax / MB, digits: 1 };
}

function atMost(name: string, value: number, bound: number): Threshold {
  return { name, value, is: 'at most', bound, digits: 0 };
}

function heldText({ descriptors, heap, other, timers }: Settled): string {
  const memory = `${megabytes(heap)} MB alive in the heap, ${megabytes(other)} MB outside of it`;
  return `${memory}, ${descriptors} descriptors, ${timers} timers`;
}

function megabytes(bytes: number): string {
  return (bytes / MB).toFixed(1);
}
