// Measures the server beside other servers and a floor, in the same scenarios, with windows in turn
// on one core: npm run perf:peers. docs/performance.md says how to read it.

import type { ServerChild } from '../measure/child-process.ts';
import { runFacts } from '../measure/machine.ts';
import { median } from '../measure/pairs.ts';
import { PEER_NAMES, PEERS, type Peer } from '../catalog/peers.ts';
import { canRespond, PEER_SCENARIOS, peerProblem, startPeer } from '../servers/start-peer.ts';
import { type PeerFigures, peerBars, peerMarkdown, peerTable } from './peer-table.ts';
import { writeReport } from '../report/write.ts';
import { resultLine } from '../measure/result-lines.ts';
import { appendResults, type RunFacts } from '../measure/results.ts';
import { askAll, startScenarioFloor } from '../measure/scenario-servers.ts';
import { type Scenario, scenarioOf } from '../catalog/scenarios.ts';
import { runScript } from '../runner/run-command.ts';
import { type WindowFigures, WindowLoad, windowsInTurn } from '../measure/window-load.ts';

const WARM_UP_MS = 700;
const START_SECONDS = 20;

// Servers and loads of a run that failed end with it.
process.exit(
  await runScript({
    name: 'perf:peers',
    about:
      'Measures the server on both of its Linux drivers beside other servers and a floor of\n' +
      'bare system calls, in the same scenarios, windows in turn on the same core. Adds lines\n' +
      'to reports/results.jsonl and makes reports/index.html.',
    programs: [],
    numbers: {
      rounds: { default: 5, max: 99, what: 'windows of each' },
      seconds: { default: 1, max: 60, what: 'length of a window' },
    },
    lists: {
      only: { values: PEERS, what: 'which are measured' },
      scenarios: { values: PEER_SCENARIOS, what: 'what they are asked' },
    },
    secondsMax: ({ numbers: { rounds, seconds }, lists }) =>
      START_SECONDS * lists.only.length +
      lists.scenarios.length * lists.only.length * (rounds + 2) * (seconds + 2),
    measure: async ({ numbers: { rounds, seconds }, lists }) => {
      const only = PEERS.filter((peer) => lists.only.includes(peer));
      const running = await startAll(only);
      const load = await WindowLoad.start();
      const facts = runFacts();
      const tables: { readonly scenario: string; readonly figures: readonly PeerFigures[] }[] = [];
      for (const name of lists.scenarios) {
        console.error(`${name}: ${rounds} windows of ${seconds} s for each`);
        const scenario = scenarioOf(name);
        const options = { load, facts, only, running, rounds, windowMs: seconds * 1000 };
        const figures = await measure(scenario, options);
        tables.push({ scenario: name, figures });
        console.log(`${name}: ${scenario.about}\n${peerTable(figures)}\n`);
      }
      await load.stop();
      for (const child of running.values()) await child.stop();
      console.log(`${peerMarkdown(tables)}\n\n${writeReport()}`);
      const hello = tables.find(({ scenario }) => scenario === 'hello');
      return hello === undefined ? [] : peerBars(hello.figures);
    },
  }),
);

/** All are up all the time; those that are not asked sleep. The floor follows the scenario. */
async function startAll(only: readonly Peer[]): Promise<ReadonlyMap<Peer, ServerChild>> {
  const running = new Map<Peer, ServerChild>();
  for (const peer of only) {
    if (peer === 'floor') continue;
    try {
      const problem = peerProblem(peer);
      if (problem !== null) throw new Error(problem);
      running.set(peer, await startPeer(peer));
    } catch (error) {
      console.log(`${PEER_NAMES[peer]}: NOT RUN: ${(error as Error).message.trim()}`);
    }
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

async function measure(
  scenario: Scenario,
  { facts, load, only, rounds, running, windowMs }: RoundOptions,
): Promise<readonly PeerFigures[]> {
  const able = only.filter((peer) => canRespond(peer, scenario.name));
  const children = new Map<Peer, ServerChild>();
  for (const peer of able) {
    const child = running.get(peer);
    if (child === undefined) continue;
    const response = await askAll(child.port, scenario).catch((error: Error) => error);
    if (response instanceof Error) console.log(`${PEER_NAMES[peer]}: NOT RUN: ${response.message}`);
    else children.set(peer, child);
    if (response instanceof Error || children.has('floor') || !only.includes('floor')) continue;
    // As many bytes as the first of them sends, which is ours unless it was left out.
    children.set('floor', await startScenarioFloor(scenario, response));
  }
  const order = able.filter((peer) => children.has(peer));
  const run = (peer: Peer, ms: number): Promise<WindowFigures> =>
    load.run(children.get(peer) as ServerChild, scenario.name, { windowMs: ms, rate: 0 });
  for (const peer of order) await run(peer, WARM_UP_MS).catch(() => undefined);
  const all = await windowsInTurn(order, rounds, (peer) => run(peer, windowMs));
  await children.get('floor')?.stop();
  const windowsOf = (peer: Peer): readonly WindowFigures[] =>
    (all.get(peer) ?? []).slice(0, rounds);
  const driverOf = (peer: Peer): string => (peer === 'uring' || peer === 'epoll' ? peer : '');
  const common = { kind: 'peers', facts, scenario, load: 'full', askedRate: 0, windowMs } as const;
  appendResults(
    order.map((peer) => {
      const windows = windowsOf(peer);
      const driver = driverOf(peer);
      return resultLine({ ...common, server: peer, driver, windows, floors: [] });
    }),
  );
  return able.map((peer) => {
    const windows = windowsOf(peer);
    return {
      peer,
      rates: windows.map(({ rate }) => rate),
      microseconds: windows.length > 0 ? median(windows.map(({ cpuUs }) => cpuUs)) : Number.NaN,
      isMissing: peerProblem(peer) !== null,
    };
  });
}
