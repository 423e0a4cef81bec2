// The clients of the simulator over real sockets, against a server with one of its real drivers:
// plans and judge are the same.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Server } from '../../src/server/server.ts';
import { addRoutes } from '../application/routes.ts';
import { Client } from '../clients/client.ts';
import type { Scores } from '../clients/flight.ts';
import { Judge } from '../clients/judge.ts';
import type { ClientPlan } from '../clients/plan.ts';
import { planClient, planProbe } from '../clients/shapes.ts';
import { REQUESTS_PER_RUN } from '../run/scenario.ts';
import { drawSettings, serverOptions } from '../run/settings.ts';
import { FILES, MODIFIED_MS } from '../world/files.ts';
import type { Violation } from '../world/violation.ts';
import type { Wire, WireEvents, World } from '../world/wire.ts';
import { RealWire } from './wire.ts';

/** The longest time of a mishap: less than in virtual time. */
const SILENCE_MS_MAX = 8000;
/** A longer run counts as hanging. */
const RUN_MS_MAX = 120_000;
const PROBES = 2;

class RealWorld implements World {
  port = 0;

  nowMs(): number {
    return performance.now();
  }

  after(ms: number, run: () => void): void {
    setTimeout(run, ms).unref();
  }

  connect(_lane: number, events: WireEvents): Wire {
    return new RealWire(this.port, events);
  }

  stalledMs(): number {
    return 0;
  }

  note(): void {}
}

export async function realRuns(driver: string, first: number, seeds: number): Promise<number> {
  const root = mkdtempSync(join(tmpdir(), 'vibing-sim-'));
  try {
    writeFiles(root);
    for (let seed = first; seed < first + seeds; seed++) {
      const violation = await realRun(driver as 'net', seed, root);
      if (violation === null) continue;
      console.log(`seed ${seed}: VIOLATION (${violation.check}) ${violation.message}`);
      return 1;
    }
    console.log('no violation');
    return 0;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function writeFiles(root: string): void {
  const seconds = MODIFIED_MS / 1000;
  for (const { path, bytes, link } of FILES) {
    const at = join(root, path);
    mkdirSync(dirname(at), { recursive: true });
    if (link !== undefined) symlinkSync(join(root, link), at);
    else {
      writeFileSync(at, bytes);
      utimesSync(at, seconds, seconds);
    }
  }
}

/** Runs one seed; returns the first violation. */
export async function realRun(
  driver: 'uring' | 'epoll' | 'net',
  seed: number,
  root: string,
): Promise<Violation | null> {
  const settings = drawSettings(seed);
  const world = new RealWorld();
  const server = new Server(
    { host: '127.0.0.1', port: 0, driver, logLevel: 'silent', ...serverOptions(settings) },
    {
      launch: () => null,
      inherited: () => null,
      listening: (_server, listen) => listen(),
      closed: () => {},
    },
  );
  const state = addRoutes(server, {
    after: (ms, run) => world.after(ms, run),
    site: join(root, 'site'),
    reused: () => {},
  });
  const { port } = await server.listen();
  world.port = port;
  const scores: Scores = {
    responded: 0,
    responses: new Map(),
    endings: new Map(),
    shapes: new Map(),
    statuses: new Map(),
  };
  let violation: Violation | null = null;
  let closingMs = Number.POSITIVE_INFINITY;
  const { counters } = server;
  const judge = new Judge({
    ...settings,
    idleTimeoutMs: settings.keepAliveTimeoutMs,
    closingMs: () => closingMs,
    failures: () => 0,
    wasFull: () => settings.connectionsMax < 64 || counters.turnedAway + counters.evicted > 0,
    wasExhausted: () => counters.turnedAway + counters.evicted > 0,
    healed: () => false,
    slackMs: 250,
    report: (found) => {
      violation ??= found;
    },
  });
  const start = (plan: ClientPlan): Client => {
    const client = new Client(plan, world, judge, scores, () => {});
    client.start();
    return client;
  };
  const found = (): Violation | null => violation;
  await allDone(plansOf(seed, settings).map(start), found);
  const probes = Array.from({ length: PROBES }, (_, probe) => planProbe(seed, probe, settings));
  await allDone(probes.map(start), found);
  closingMs = world.nowMs();
  await server.close();
  const left = counters.accepted - counters.closed;
  const rest = `${left} connections open, ${state.running} handlers running`;
  console.log(`seed ${seed}: ${scores.responded} responses over ${driver}, ${rest}`);
  return found();
}

function plansOf(seed: number, settings: ReturnType<typeof drawSettings>): ClientPlan[] {
  const plans: ClientPlan[] = [];
  let requests = 0;
  for (let lane = 0; requests < REQUESTS_PER_RUN; lane++) {
    const plan = planClient(seed, lane, settings);
    requests += plan.requests.length;
    const { mishap } = plan;
    const forMs = Math.min(mishap?.forMs ?? 0, SILENCE_MS_MAX);
    plans.push(mishap === null ? plan : { ...plan, mishap: { ...mishap, forMs } });
  }
  return plans;
}

async function allDone(clients: readonly Client[], found: () => Violation | null): Promise<void> {
  const untilMs = performance.now() + RUN_MS_MAX;
  while (found() === null && clients.some(({ isDone }) => !isDone)) {
    if (performance.now() > untilMs) {
      const late = clients.find(({ isDone }) => !isDone);
      if (late !== undefined) late.judge.timedOut(late);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
