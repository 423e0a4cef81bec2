// Makes a failing run of the hostile application smaller: as few hostile requests as it takes.

import type { Outcome, Scenario } from '../run/scenario.ts';
import { idOf } from './marks.ts';
import { scriptsOf } from './plans.ts';

/** More requests than any client has. */
const REQUESTS_MAX = 10;

/** Tames requests: halves of them, then quarters, down to single ones. */
export async function tamer(
  best: () => Outcome,
  attempt: (scenario: Scenario) => Promise<boolean>,
): Promise<void> {
  let wild = wildOf(best());
  let size = Math.ceil(wild.length / 2);
  while (size >= 1) {
    for (let at = 0; at < wild.length; ) {
      const { scenario } = best();
      const { tamed, except } = scenario.hostile ?? { tamed: [], except: [] };
      const more = [...tamed, ...wild.slice(at, at + size)];
      if (await attempt({ ...scenario, hostile: { tamed: more, except } })) {
        wild = [...wild.slice(0, at), ...wild.slice(at + size)];
      } else at += size;
    }
    if (size === 1) return;
    size = Math.ceil(size / 2);
  }
}

/** The hostile requests of a run. */
function wildOf({ clients, scenario }: Outcome): number[] {
  if (scenario.hostile === undefined) return [];
  const scriptOf = scriptsOf(scenario.seed, []);
  const ids = clients.flatMap((lane) =>
    Array.from({ length: REQUESTS_MAX }, (_, at) => idOf(lane, at)),
  );
  return ids.filter((id) => scriptOf(id).kind === 'hostile');
}
