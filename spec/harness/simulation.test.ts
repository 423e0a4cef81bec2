// A few runs of the simulator as a smoke test; `npm run sim` does many. A run repeats to the byte,
// and injected bugs are caught.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { MUTANTS } from '../../harness/mutants/list.ts';
import { mechanicalMutants } from '../../harness/mutants/mechanical.ts';
import { patched } from '../../harness/mutants/patch.ts';
import { tryMutant } from '../../harness/mutants/trial.ts';
import { REQUESTS_PER_RUN, scenarioOf } from '../../harness/run/scenario.ts';
import { simulate } from '../../harness/simulation/simulation.ts';

const BUILT = fileURLToPath(new URL('../../src/', import.meta.url));
const RUN = fileURLToPath(new URL('../../harness/commands/sim.js', import.meta.url));

const SEEDS = 4;
/** VIBING_SEED chooses another one. */
const FIRST = Number(process.env['VIBING_SEED'] ?? 1);

describe('the simulator', () => {
  it(`has no violation in seeds ${FIRST} to ${FIRST + SEEDS - 1}`, async () => {
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
      const { violation, requests } = await simulate(scenarioOf(seed));
      assert.equal(violation, null, `seed ${seed}: ${violation?.message}`);
      assert.ok(requests >= REQUESTS_PER_RUN, `seed ${seed}: ${requests} requests judged`);
    }
  });

  it('repeats a run to the byte, recorded or not, and no other', async () => {
    const one = await simulate(scenarioOf(7));
    const again = await simulate(scenarioOf(7), true);
    const other = await simulate(scenarioOf(8));
    assert.equal(again.hash, one.hash);
    assert.equal(again.events, one.events);
    assert.notEqual(other.hash, one.hash);
    assert.ok((again.trace.events?.length ?? 0) > 100);
  });

  it('restores the timers of the process', async () => {
    const { setTimeout: before } = globalThis;
    await simulate({ ...scenarioOf(1), clients: [0] });
    assert.equal(globalThis.setTimeout, before);
  });
});

describe('injected bugs', () => {
  it('fit the compiled files', () => {
    for (const mutant of [...MUTANTS, ...mechanicalMutants(1, 20)]) {
      const source = readFileSync(BUILT + mutant.file, 'utf8');
      assert.notEqual(patched(source, mutant), source, mutant.name);
    }
    assert.throws(() => patched('aa', { file: 'x', find: 'a', replace: 'b' }), /2 times/);
    assert.ok(MUTANTS.length >= 30);
  });

  it('are caught', async () => {
    const mutant = MUTANTS.find(({ name }) => name.startsWith('a block is released'));
    assert.ok(mutant !== undefined);
    const verdict = await tryMutant(mutant, 5);
    assert.equal(verdict.caughtBy, 'memory', verdict.message);
  });
});

describe('npm run sim', () => {
  const run = (...given: string[]): { status: number | null; out: string; error: string } => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [RUN, ...given], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    return { status, out: stdout, error: stderr };
  };

  it('has help, and a line for a usage error', () => {
    const help = run('--help');
    assert.equal(help.status, 0);
    assert.match(help.out, /usage: npm run sim/);
    const wrong = run('--seed', 'seven');
    assert.equal(wrong.status, 2);
    assert.match(wrong.error, /^--seed takes a whole number/);
  });

  it('checks that a run repeats', () => {
    const { status, out } = run('--seed', '7');
    assert.equal(status, 0, out);
    assert.match(out, /a second run has the same trace/);
    assert.match(out, /^trace [0-9a-f]{16}$/m);
  });
});
