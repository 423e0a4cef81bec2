// Shrinks a failing run: fewer clients, requests, kinds of fault and hostile handlers, as long as
// the same check fails. Every client and fault has a stream of its own, so the rest of the run
// stays.

import { shrinkHostile } from '../hostile/shrink.ts';
import type { Outcome, Scenario } from '../run/scenario.ts';
import { FAULT_NAMES, type FaultName } from '../world/faults.ts';
import { simulate } from './simulation.ts';

/** The most runs for shrinking one. */
const TRIES_MAX = 200;

export interface Shrunk {
  readonly outcome: Outcome;
  readonly tries: number;
}

/** `run` is replaced in tests. */
export async function shrink(
  first: Outcome,
  run: (scenario: Scenario) => Promise<Outcome> = simulate,
): Promise<Shrunk> {
  const { violation } = first;
  if (violation === null) throw new Error('only a failing run can be shrunk');
  let best = first;
  let tries = 0;
  const attempt = async (scenario: Scenario): Promise<boolean> => {
    if (tries >= TRIES_MAX) return false;
    tries += 1;
    const outcome = await run(scenario);
    if (outcome.violation?.check !== violation.check) return false;
    best = outcome;
    return true;
  };
  await fewerClients(() => best, attempt);
  for (const most of [1, 2, 3, 5, 8, 13]) {
    if (await attempt({ ...best.scenario, requestsMax: most })) break;
  }
  for (const name of FAULT_NAMES) {
    if (best.faults.count[name] === 0) continue;
    await attempt(without(best.scenario, [name]));
  }
  await attempt(
    without(
      best.scenario,
      FAULT_NAMES.filter((name) => best.faults.count[name] === 0),
    ),
  );
  await fewerClients(() => best, attempt);
  await shrinkHostile(() => best, attempt);
  return { outcome: best, tries };
}

function without(scenario: Scenario, names: readonly FaultName[]): Scenario {
  return { ...scenario, faultsOff: [...new Set([...scenario.faultsOff, ...names])] };
}

/** Leaves out half of the clients, then quarters, down to single ones. */
async function fewerClients(
  best: () => Outcome,
  attempt: (scenario: Scenario) => Promise<boolean>,
): Promise<void> {
  const { violation } = best();
  if (violation !== null && violation.lane >= 0) {
    await attempt({ ...best().scenario, clients: [violation.lane] });
  }
  let size = Math.ceil(best().clients.length / 2);
  while (size >= 1) {
    for (let at = 0; at < best().clients.length; ) {
      const { clients, scenario } = best();
      const fewer = [...clients.slice(0, at), ...clients.slice(at + size)];
      const isSmaller = fewer.length > 0 && (await attempt({ ...scenario, clients: fewer }));
      if (!isSmaller) at += size;
    }
    if (size === 1) return;
    size = Math.ceil(size / 2);
  }
}
