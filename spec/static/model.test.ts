// Random requests to a site whose files change at every await, against an oracle: each response is
// one whole version of the file at the path, and none is older than the documented freshness.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Random } from '../../testing/random.ts';
import { ChangingSite, type Tally } from './fixtures/changing-site.ts';

const SEED = Number(process.env['VIBING_SEED'] ?? Date.now() % 1_000_000);
const RUNS = Number(process.env['VIBING_RUNS'] ?? 1) * 60;
const STEPS = 150;

it('each response is what was at the path', async (context) => {
  context.diagnostic(`VIBING_SEED=${SEED}`);
  const tally: Tally = { statuses: new Map(), immediate: 0, cut: 0 };
  for (let run = 0; run < RUNS; run++) {
    try {
      await new ChangingSite(new Random(SEED, `run ${run}`)).run(STEPS, tally);
    } catch (error) {
      throw new Error(`VIBING_SEED=${SEED}, run ${run}: ${(error as Error).message}`);
    }
  }
  context.diagnostic(JSON.stringify([...tally.statuses, tally.immediate, tally.cut]));
  for (const status of [200, 301, 403, 404]) {
    assert.ok((tally.statuses.get(status) ?? 0) > 0, `status ${status} occurs`);
  }
  // About two in a run; far fewer are not a matter of chance.
  assert.ok(tally.immediate > RUNS / 6, 'some responses need no look-up');
});
