// The plans of the clients of the hostile application: how many requests, how they are sent, how a
// client ends. Each client has a stream of its own.

import { Random } from '../../testing/random.ts';
import { bytesOf, type Planned } from '../clients/expected.ts';
import {
  type ClientPlan,
  HOSTILE_SHAPES,
  type HostileShape,
  type Mishap,
} from '../clients/plan.ts';
import { ORDINARY } from '../clients/shapes.ts';
import { idOf } from './marks.ts';
import { plannedOf } from './requests.ts';
import { drawScript, type Script } from './script.ts';

export type ScriptOf = (id: number) => Script;

/** The scripts of a seed; handlers of `benign` requests only respond. */
export function scriptsOf(seed: number, benign: readonly number[]): ScriptOf {
  const drawn = new Map<number, Script>();
  return (id) => {
    const known = drawn.get(id);
    if (known !== undefined) return known;
    const script = drawScript(new Random(seed, `script ${id}`), id, benign.includes(id));
    drawn.set(id, script);
    return script;
  };
}

function mishapAt(kind: Mishap['kind'], requests: readonly Planned[], random: Random): Mishap {
  const atRequest = random.below(requests.length);
  const bytes = bytesOf(requests[atRequest]);
  const afterBytes = random.chance(0.6) ? Number.POSITIVE_INFINITY : random.between(1, bytes);
  const forMs = kind === 'reset' ? 0 : random.pick([60, 700, 4000]);
  return { kind, atRequest, afterBytes, forMs };
}

type Manner = Partial<Omit<ClientPlan, 'requests' | 'shape' | 'lane'>>;

function mannerOf(shape: HostileShape, requests: readonly Planned[], random: Random): Manner {
  switch (shape) {
    case 'one after the other':
      return { thinkMs: random.pick([0, 0, 3, 40]), leave: random.pick(['end', 'close', 'reset']) };
    case 'pipeline':
      return { depth: random.between(2, 6), batched: random.chance(0.7) };
    case 'new connections':
      return { requestsPerConnection: random.between(1, 2), leave: random.pick(['end', 'close']) };
    case 'slow to read':
      return { read: { bytesMax: random.between(100, 2000), pauseMs: random.ms(1, 12) }, depth: 2 };
    case 'resets':
      return { mishap: mishapAt('reset', requests, random), depth: random.pick([1, 1, 3]) };
    case 'closes':
      return { mishap: mishapAt('close', requests, random), depth: random.pick([1, 1, 3]) };
    case 'stops reading':
      return { mishap: mishapAt('stop reading', requests, random), depth: random.pick([1, 3]) };
    case 'half closes':
      return { halfClose: true, depth: 4 };
    default:
      return shape satisfies never;
  }
}

/** The plan of client number `lane`. */
export function planHostile(seed: number, lane: number, scriptOf: ScriptOf): ClientPlan {
  const random = new Random(seed, `hostile client ${lane}`);
  const shape = HOSTILE_SHAPES[(lane + seed) % HOSTILE_SHAPES.length];
  const count = random.between(3, 9);
  const requests = Array.from({ length: count }, (_, at) => plannedOf(scriptOf(idOf(lane, at))));
  const manner = mannerOf(shape, requests, random);
  const startMs = random.ms(0, 300);
  return { ...ORDINARY, ...manner, requests, shape, lane, startMs, retries: false };
}

/** The requests of a probe, and the most numbers that are tried for them. */
const PROBE_REQUESTS = 4;
const PROBE_TRIES = 40;

/** A client for the end of a run, with correct handlers and guards only. */
export function planHostileProbe(seed: number, lane: number, scriptOf: ScriptOf): ClientPlan {
  const requests: Planned[] = [];
  for (let at = 0; at < PROBE_TRIES && requests.length < PROBE_REQUESTS; at++) {
    const script = scriptOf(idOf(lane, at));
    if (script.kind !== 'hostile') requests.push(plannedOf(script));
  }
  return { ...ORDINARY, requests, shape: 'probe', lane, startMs: seed % 3, retries: false };
}
