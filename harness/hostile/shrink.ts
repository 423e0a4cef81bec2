// Shrinks a failing run of the hostile application to as few hostile requests as possible.

import type { Outcome, Scenario } from '../run/scenario.ts';
import { idOf } from './marks.ts';
import { scriptsOf } from './plans.ts';

/** More than the requests of any client. */
const REQUESTS_MAX = 10;

/** Makes requests benign: half of them, then quarters, down to single ones. */
export async function shrinkHostile(
  best: () => Outcome,
  attempt: (scenario: Scenario) => Promise<boolean>,
): Promise<void> {
  let hostileIds = hostileIdsOf(best());
  let size = Math.ceil(hostileIds.length / 2);
  while (size >= 1) {
    for (let at = 0; at < hostileIds.length; ) {
      const { scenario } = best();
      const { benign, except } = scenario.hostile ?? { benign: [], except: [] };
      const more = [...benign, ...hostileIds.slice(at, at + size)];
      if (await attempt({ ...scenario, hostile: { benign: more, except } })) {
        hostileIds = [...hostileIds.slice(0, at), ...hostileIds.slice(at + size)];
      } else at += size;
    }
    if (size === 1) return;
    size = Math.ceil(size / 2);
  }
}

/** The hostile requests of a run. */
function hostileIdsOf({ clients, scenario }: Outcome): number[] {
  if (scenario.hostile === undefined) return [];
  const scriptOf = scriptsOf(scenario.seed, []);
  const ids = clients.flatMap((lane) =>
    Array.from({ length: REQUESTS_MAX }, (_, at) => idOf(lane, at)),
  );
  return ids.filter((id) => scriptOf(id).kind === 'hostile');
}
