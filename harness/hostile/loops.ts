// Endless loops of handlers: `for (;;) await x`. They end after a few phases of Node's event loop;
// if the loop does not proceed meanwhile, the server starves all other requests.

import type { CallArguments } from './context.ts';
import { ROUNDS_IN_A_PHASE_MAX } from './monitor.ts';

/** Phases of Node's event loop until a handler's loop ends. */
const PHASES = 4;
/** The most rounds. */
const ROUNDS_MAX = 2000;

/** Calls and awaits in a loop. An error of the call ends it, a rejection does not. */
export async function loopOf(
  name: string,
  args: CallArguments,
  call: () => unknown,
): Promise<void> {
  const { owner, context } = args;
  const { monitor } = context;
  monitor.count('loop', name);
  let phase = monitor.phases;
  let seen = 0;
  let inPhase = 0;
  for (let round = 0; round < ROUNDS_MAX && seen < PHASES && !monitor.isOver; round++) {
    if (monitor.phases !== phase) {
      phase = monitor.phases;
      seen += 1;
      inPhase = 0;
    }
    inPhase += 1;
    if (inPhase > ROUNDS_IN_A_PHASE_MAX) {
      const what = `for (;;) await ${name} of request ${owner.id}`;
      monitor.report('starvation', `${what} blocks Node's event loop`, owner);
      return;
    }
    let result: unknown;
    try {
      result = call();
    } catch (error) {
      monitor.caught(owner, name, error);
      return;
    }
    try {
      await result;
    } catch (error) {
      monitor.caught(owner, name, error);
    }
  }
}
