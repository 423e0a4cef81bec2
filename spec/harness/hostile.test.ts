// The hostile application of the simulator: a few runs as a smoke test, and its parts: marks,
// scripts, kept objects, and shrinking a failing run.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseArguments } from '../../harness/commands/arguments.ts';
import { KeptObjects } from '../../harness/hostile/kept-objects.ts';
import {
  foreignIn,
  idOf,
  isPartOf,
  laneOf,
  markOf,
  secretOf,
} from '../../harness/hostile/marks.ts';
import { scriptsOf } from '../../harness/hostile/plans.ts';
import type { RequestRecord } from '../../harness/hostile/record.ts';
import { plannedOf } from '../../harness/hostile/requests.ts';
import { HOSTILE_WANTED } from '../../harness/hostile/wanted.ts';
import { INJECTED_LIFETIMES } from '../../harness/mutants/injected-lifetimes.ts';
import { tryMutant } from '../../harness/mutants/trial.ts';
import { readReplay, replayText } from '../../harness/report/replay.ts';
import { Table } from '../../harness/report/table.ts';
import { HOSTILE_REQUESTS_PER_RUN, hostileScenarioOf } from '../../harness/run/scenario.ts';
import { shrink } from '../../harness/simulation/shrink.ts';
import { simulate } from '../../harness/simulation/simulation.ts';
import { Violation } from '../../harness/world/violation.ts';

const SEEDS = 6;
const FIRST = Number(process.env['VIBING_SEED'] ?? 1);

describe('the hostile application', () => {
  it(`has no violation in seeds ${FIRST} to ${FIRST + SEEDS - 1}`, async () => {
    const table = new Table(HOSTILE_WANTED);
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
      const outcome = await simulate(hostileScenarioOf(seed));
      const { violation, requests } = outcome;
      assert.equal(violation, null, `seed ${seed}: ${violation?.message}`);
      assert.ok(requests >= HOSTILE_REQUESTS_PER_RUN, `seed ${seed}: ${requests} requests judged`);
      table.add(outcome);
    }
    assert.ok(table.missing.length < 40, `never occurred: ${table.missing.join(', ')}`);
  });

  it('repeats a run to the byte, recorded or not', async () => {
    const one = await simulate(hostileScenarioOf(3));
    const again = await simulate(hostileScenarioOf(3), true);
    assert.equal(again.hash, one.hash);
    assert.notEqual((await simulate(hostileScenarioOf(4))).hash, one.hash);
    assert.ok(again.trace.events?.some(({ group }) => group === 'handler'));
  });

  it('restores the listeners of the process', async () => {
    const before = process.listenerCount('unhandledRejection');
    await simulate({ ...hostileScenarioOf(1), clients: [0] });
    assert.equal(process.listenerCount('unhandledRejection'), before);
  });

  it('catches an injected bug of lifetimes', async () => {
    const mutant = INJECTED_LIFETIMES.find(({ name }) => name.startsWith('a kept request reads'));
    assert.ok(mutant !== undefined);
    const verdict = await tryMutant(mutant, 10);
    assert.equal(verdict.caughtBy, 'isolation', verdict.message);
  });
});

describe('marks', () => {
  it('identify their request in any text', () => {
    assert.equal(foreignIn(`a${markOf(7)}b${secretOf(7)}`, 7), null);
    assert.equal(foreignIn(`${markOf(7)}${secretOf(8)}`, 7), secretOf(8));
    assert.equal(foreignIn('M12m S1234567s', 7), null);
    assert.equal(laneOf(idOf(403, 9)), 403);
    const bytes = Buffer.from(secretOf(12).repeat(4).slice(3, 21));
    assert.equal(isPartOf(bytes, secretOf(12)), true);
    assert.equal(isPartOf(bytes, secretOf(13)), false);
  });
});

describe('scripts', () => {
  it('follow from seed and number, and send no secret of another request', () => {
    const [scriptOf, again, other] = [scriptsOf(5, []), scriptsOf(5, []), scriptsOf(6, [])];
    const ids = Array.from({ length: 60 }, (_, at) => at);
    assert.deepEqual(ids.map(scriptOf), ids.map(again));
    assert.notDeepEqual(ids.map(scriptOf), ids.map(other));
    const kinds = new Set(ids.map((id) => scriptOf(id).kind));
    assert.deepEqual([...kinds].sort(), ['correct', 'denied', 'hostile']);
    for (const id of ids) {
      const text = Buffer.concat(plannedOf(scriptOf(id)).parts.map(({ bytes }) => bytes));
      assert.equal(foreignIn(text.toString('latin1'), id), null);
    }
  });

  it('of benign requests send the same and have no steps', () => {
    const ids = [3, 4, 5, 6, 7, 8];
    const [hostile, benign] = [scriptsOf(5, []), scriptsOf(5, ids)];
    for (const id of ids) {
      assert.equal(benign(id).handler.steps.length, 0);
      assert.deepEqual(plannedOf(benign(id)).parts[0], plannedOf(hostile(id)).parts[0]);
    }
  });
});

describe('kept objects', () => {
  it('are bounded, and some stay long', () => {
    const keptObjects = new KeptObjects();
    const record = { isOver: true } as RequestRecord;
    const objects = Array.from({ length: 400 }, (_, number) => ({ number }));
    for (const object of objects) keptObjects.keep('response', object, record);
    const kept = keptObjects.overOf('response').map(({ object }) => object as { number: number });
    assert.equal(kept.length, 20);
    assert.ok(kept.some(({ number }) => number >= 398));
    assert.ok(kept.some(({ number }) => number < 390));
    assert.equal(keptObjects.pick('request', 3), null);
    assert.ok(keptObjects.pick('response', 200) !== null);
  });
});

describe('a failing run of the hostile application', () => {
  it('keeps few hostile requests, and its scenario in its file', async () => {
    const scenario = { ...hostileScenarioOf(9, ['late call']), clients: [0, 1] };
    const first = await simulate(scenario);
    const scriptOf = scriptsOf(9, []);
    const ids = Array.from({ length: 80 }, (_, id) => id);
    const culprit = ids.find((id) => scriptOf(id).kind === 'hostile');
    assert.ok(culprit !== undefined);
    const violation = new Violation('isolation', 'injected');
    const { outcome } = await shrink({ ...first, violation }, async (tried) => {
      const isBenign = tried.hostile?.benign.includes(culprit) === true;
      const clients = tried.clients ?? [0, 1];
      return { ...first, scenario: tried, clients, violation: isBenign ? null : violation };
    });
    const benign = outcome.scenario.hostile?.benign ?? [];
    assert.ok(benign.length > 0);
    assert.ok(!benign.includes(culprit));
    const folder = mkdtempSync(join(tmpdir(), 'vibing-hostile-'));
    try {
      const path = join(folder, 'seed.json');
      writeFileSync(path, replayText(outcome));
      assert.deepEqual(readReplay(path).scenario.hostile, outcome.scenario.hostile);
      assert.deepEqual(readReplay(path).scenario.hostile?.except, ['late call']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('needs arguments that fit together', () => {
    const given = parseArguments(['--hostile', '--except', 'starvation,late call']);
    assert.ok(typeof given !== 'string');
    assert.equal(given.hostile, true);
    assert.deepEqual(given.except, ['starvation', 'late call']);
    assert.match(String(parseArguments(['--except', 'guard'])), /needs --hostile/);
    assert.match(
      String(parseArguments(['--hostile', '--except', 'x'])),
      /^--except takes names of/,
    );
    assert.match(String(parseArguments(['--hostile', '--driver', 'net'])), /simulated driver/);
  });
});
