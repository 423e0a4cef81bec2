// Loops as handlers write them: `for (;;) await x`. They end by themselves when Node's loop has
// gone round a few times; when it never does, the server starves all other requests.

import type { Act } from './context.ts';
import { ROUNDS_IN_A_PHASE_MAX } from './monitor.ts';

/** Phases of Node's loop that a loop of a handler lives through. */
const PHASES = 4;
/** Rounds in all. */
const ROUNDS_MAX = 2000;

/** Calls and awaits again and again. What the call throws ends it, a rejection does not. */
export async function loopOf(name: string, act: Act, call: () => unknown): Promise<void> {
  const { owner, stage } = act;
  const { watch } = stage;
  watch.count('loop', name);
  let phase = watch.phases;
  let seen = 0;
  let inPhase = 0;
  for (let round = 0; round < ROUNDS_MAX && seen < PHASES && !watch.isOver; round++) {
    if (watch.phases !== phase) {
      phase = watch.phases;
      seen += 1;
      inPhase = 0;
    }
    inPhase += 1;
    if (inPhase > ROUNDS_IN_A_PHASE_MAX) {
      const what = `for (;;) await ${name} of request ${owner.id}`;
      watch.report('starvation', `${what} keeps Node's loop waiting`, owner);
      return;
    }
    let given: unknown;
    try {
      given = call();
    } catch (error) {
      watch.caught(owner, name, error);
      return;
    }
    try {
      await given;
    } catch (error) {
      watch.caught(owner, name, error);
    }
  }
}
