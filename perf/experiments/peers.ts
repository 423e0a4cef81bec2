// Measures the server versus other servers and a floor, in the same scenarios, with windows in turn
// on one core.

import {
  FLOOR_PEERS,
  type FloorPeer,
  isFloor,
  ownServer,
  PEER_NAMES,
  PEERS,
  type Peer,
  supports,
} from '../catalog/peers.ts';
import { type Scenario, scenarioOf } from '../catalog/scenarios.ts';
import type { ProbedResponse } from '../load/probe.ts';
import type { ServerChild } from '../measure/child-process.ts';
import { startFloorInC } from '../measure/floor-in-c.ts';
import { runFacts } from '../measure/machine.ts';
import { ratioInRounds, resultLine } from '../measure/result-lines.ts';
import { appendResults, type RunFacts } from '../measure/results.ts';
import { descriptorsFor, probeScenario, startScenarioFloor } from '../measure/scenario-servers.ts';
import { type WindowFigures, WindowLoad, windowsInTurn } from '../measure/window-load.ts';
import { peerProblem, startPeer } from '../servers/start-peer.ts';
import { attempt } from './attempt.ts';
import { type PeerFigures, peerTable, type ScenarioFigures } from './peer-table.ts';

/** V8 optimizes for some two seconds. */
const WARM_UP_MS = 2_000;

export interface PeerOptions {
  readonly rounds: number;
  readonly seconds: number;
}

/** Prints a table for each scenario. */
export async function measurePeers(
  peers: readonly string[],
  scenarios: readonly string[],
  { rounds, seconds }: PeerOptions,
): Promise<readonly ScenarioFigures[]> {
  const only = PEERS.filter((peer) => peers.includes(peer));
  const running = await startAll(only);
  const load = await WindowLoad.start();
  const facts = runFacts();
  const tables: ScenarioFigures[] = [];
  for (const name of scenarios) {
    console.error(`${name}: ${rounds} windows of ${seconds} s for each`);
    const scenario = scenarioOf(name);
    const options = { load, facts, only, running, rounds, windowMs: seconds * 1000 };
    const figures = await measure(scenario, options);
    tables.push({ scenario: name, figures });
    console.log(`${name}: ${scenario.about}\n${peerTable(figures)}\n`);
  }
  await load.stop();
  for (const child of running.values()) await child.stop();
  return tables;
}

/** All are up all the time; those without load sleep. Each scenario starts its own floor. */
async function startAll(only: readonly Peer[]): Promise<ReadonlyMap<Peer, ServerChild>> {
  const running = new Map<Peer, ServerChild>();
  for (const peer of only) {
    if (isFloor(peer)) continue;
    const server = await attempt(PEER_NAMES[peer], async () => {
      const problem = peerProblem(peer);
      if (problem !== null) throw new Error(problem);
      return startPeer(peer);
    });
    if (server !== null) running.set(peer, server);
  }
  return running;
}

interface RoundOptions {
  readonly load: WindowLoad;
  readonly facts: RunFacts;
  readonly only: readonly Peer[];
  readonly running: ReadonlyMap<Peer, ServerChild>;
  readonly rounds: number;
  readonly windowMs: number;
}

async function startFloors(
  scenario: Scenario,
  response: ProbedResponse,
  only: readonly Peer[],
  children: Map<Peer, ServerChild>,
): Promise<void> {
  const start: Readonly<Record<FloorPeer, () => Promise<ServerChild>>> = {
    floor: () => startScenarioFloor(scenario, response),
    'floor-c': () => startFloorInC(scenario, response, descriptorsFor(scenario)),
  };
  for (const floor of FLOOR_PEERS.filter((peer) => only.includes(peer))) {
    const child = await attempt(PEER_NAMES[floor], start[floor]);
    if (child !== null) children.set(floor, child);
  }
}

async function measure(
  scenario: Scenario,
  { facts, load, only, rounds, running, windowMs }: RoundOptions,
): Promise<readonly PeerFigures[]> {
  const able = only.filter((peer) => supports(peer, scenario.name));
  const children = new Map<Peer, ServerChild>();
  let first: ProbedResponse | null = null;
  for (const peer of able) {
    const child = running.get(peer);
    if (child === undefined) continue;
    const response = await attempt(PEER_NAMES[peer], () => probeScenario(child.port, scenario));
    if (response === null) continue;
    children.set(peer, child);
    first ??= response;
  }
  // They send as many bytes as the first server, which is ours unless it was left out.
  if (first !== null) await startFloors(scenario, first, only, children);
  const order = able.filter((peer) => children.has(peer));
  const run = (peer: Peer, ms: number): Promise<WindowFigures> =>
    load.run(children.get(peer) as ServerChild, scenario.name, { windowMs: ms, rate: 0 });
  for (const peer of order) await run(peer, WARM_UP_MS).catch(() => undefined);
  const all = await windowsInTurn(order, rounds, (peer) => run(peer, windowMs));
  for (const floor of FLOOR_PEERS) await children.get(floor)?.stop();
  const windowsOf = (peer: Peer): readonly WindowFigures[] =>
    (all.get(peer) ?? []).slice(0, rounds);
  const common = { kind: 'peers', facts, scenario, load: 'full', askedRate: 0, windowMs } as const;
  const own = ownServer(order);
  appendResults(
    order.map((peer) => {
      const windows = windowsOf(peer);
      const driver = peer === 'uring' || peer === 'epoll' ? peer : '';
      const line = resultLine({ ...common, server: peer, driver, windows, floors: [] });
      return { ...line, ratio: own === null ? null : ratioInRounds(windows, windowsOf(own)) };
    }),
  );
  return able.map((peer) => {
    return { peer, windows: windowsOf(peer), isMissing: peerProblem(peer) !== null };
  });
}
