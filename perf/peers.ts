// Measures the server beside other servers, and all of them beside a floor of io_uring, in one run
// with windows in turn: npm run perf:peers. docs/performance.md says how to read it.

import type { ServerChild } from './child.ts';
import { median } from './pairs.ts';
import { PEER_NAMES, PEERS, type Peer, peerProblem, startPeer } from './peer-servers.ts';
import { type PeerFigures, peerBars, peerTable } from './peer-table.ts';
import { probe } from './probe.ts';
import { usedMicrosecondsOfTree } from './process-figures.ts';
import { runScript } from './script.ts';
import { CONNECTIONS, LOAD_CORE } from './workloads.ts';
import { runWrk } from './wrk.ts';

const WARM_UP_SECONDS = 1;
const START_SECONDS = 20;

// Servers and loads of a run that failed end with it.
process.exit(
  await runScript({
    name: 'perf:peers',
    about:
      'Measures the server on both of its Linux drivers beside nginx, Bun and a floor that does\n' +
      'nothing but io_uring: GET / with 64 connections, windows in turn on the same core.',
    programs: ['wrk'],
    numbers: {
      rounds: { default: 7, max: 99, what: 'windows of each' },
      seconds: { default: 2, max: 60, what: 'length of a window' },
    },
    lists: { only: { values: PEERS, what: 'which are measured' } },
    secondsMax: ({ numbers, lists }) =>
      lists.only.length *
      (START_SECONDS + WARM_UP_SECONDS + 2 + numbers.rounds * (numbers.seconds + 2)),
    measure: async ({ numbers, lists }) => {
      const only = PEERS.filter((peer) => lists.only.includes(peer));
      const running = await startAll(only);
      const rates = new Map<Peer, number[]>([...running.keys()].map((peer) => [peer, []]));
      const costs = new Map<Peer, number[]>([...running.keys()].map((peer) => [peer, []]));
      for (const child of running.values()) await window(child, WARM_UP_SECONDS);
      for (let round = 0; round < numbers.rounds; round++) {
        for (const [peer, child] of running) {
          const { rate, microseconds } = await window(child, numbers.seconds);
          rates.get(peer)?.push(rate);
          costs.get(peer)?.push(microseconds);
        }
      }
      for (const child of running.values()) await child.stop();
      const figures: PeerFigures[] = only.map((peer) => ({
        peer,
        rates: rates.get(peer) ?? [],
        microseconds: running.has(peer) ? median(costs.get(peer) ?? []) : Number.NaN,
        isMissing: peerProblem(peer) !== null,
      }));
      console.log(`${numbers.rounds} windows of ${numbers.seconds} s each, in turn; medians\n`);
      console.log(peerTable(figures));
      return peerBars(figures);
    },
  }),
);

/** All are up all the time; those that are not asked sleep. */
async function startAll(only: readonly Peer[]): Promise<ReadonlyMap<Peer, ServerChild>> {
  const running = new Map<Peer, ServerChild>();
  for (const peer of only) {
    try {
      const problem = peerProblem(peer);
      if (problem !== null) throw new Error(problem);
      const child = await startPeer(peer);
      const { status } = await probe(child.port, '/');
      if (status !== 200) throw new Error(`it answers ${status}`);
      running.set(peer, child);
    } catch (error) {
      const reason = error instanceof Error ? error.message.trim() : String(error);
      console.log(`${PEER_NAMES[peer]}: NOT RUN: ${reason}`);
    }
  }
  return running;
}

async function window(
  child: ServerChild,
  seconds: number,
): Promise<{ readonly rate: number; readonly microseconds: number }> {
  const url = `http://127.0.0.1:${child.port}/`;
  const before = usedMicrosecondsOfTree(child.pid);
  const report = await runWrk({
    url,
    connections: CONNECTIONS,
    seconds,
    core: LOAD_CORE,
    script: '',
  });
  const used = usedMicrosecondsOfTree(child.pid) - before;
  return { rate: report.requestsPerSecond, microseconds: used / report.requests };
}
