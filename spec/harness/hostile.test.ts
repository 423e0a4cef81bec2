// The hostile application of the simulator: a few runs as a smoke test, and its parts by
// themselves, marks, scripts, what is kept, and making a failing run smaller.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseGiven } from '../../harness/commands/arguments.ts';
import { Museum } from '../../harness/hostile/kept-objects.ts';
import {
  foreignIn,
  idOf,
  isPieceOf,
  laneOf,
  markOf,
  secretOf,
} from '../../harness/hostile/marks.ts';
import { scriptsOf } from '../../harness/hostile/plans.ts';
import type { RequestRecord } from '../../harness/hostile/record.ts';
import { plannedOf } from '../../harness/hostile/requests.ts';
import { HOSTILE_WANTED } from '../../harness/hostile/wanted.ts';
import { PLANTED_LIFETIMES } from '../../harness/mutants/injected-lifetimes.ts';
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
  it(`finds nothing wrong in seeds ${FIRST} to ${FIRST + SEEDS - 1}`, async () => {
    const table = new Table(HOSTILE_WANTED);
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
      const outcome = await simulate(hostileScenarioOf(seed));
      const { violation, requests } = outcome;
      assert.equal(violation, null, `seed ${seed}: ${violation?.message}`);
      assert.ok(requests >= HOSTILE_REQUESTS_PER_RUN, `seed ${seed}: ${requests} requests judged`);
      table.add(outcome);
    }
    assert.ok(table.missing.length < 40, `never happened: ${table.missing.join(', ')}`);
  });

  it('repeats a run to the byte, recorded or not', async () => {
    const one = await simulate(hostileScenarioOf(3));
    const again = await simulate(hostileScenarioOf(3), true);
    assert.equal(again.hash, one.hash);
    assert.notEqual((await simulate(hostileScenarioOf(4))).hash, one.hash);
    assert.ok(again.trace.events?.some(({ group }) => group === 'handler'));
  });

  it('leaves listeners of the process as they were', async () => {
    const before = process.listenerCount('unhandledRejection');
    await simulate({ ...hostileScenarioOf(1), clients: [0] });
    assert.equal(process.listenerCount('unhandledRejection'), before);
  });

  it('catches a planted bug of lifetimes', async () => {
    const mutant = PLANTED_LIFETIMES.find(({ name }) => name.startsWith('a kept request reads'));
    assert.ok(mutant !== undefined);
    const verdict = await tryMutant(mutant, 10);
    assert.equal(verdict.caughtBy, 'isolation', verdict.message);
  });
});

describe('marks', () => {
  it('tell one request from another, wherever they stand', () => {
    assert.equal(foreignIn(`a${markOf(7)}b${secretOf(7)}`, 7), null);
    assert.equal(foreignIn(`${markOf(7)}${secretOf(8)}`, 7), secretOf(8));
    assert.equal(foreignIn('M12m S1234567s', 7), null);
    assert.equal(laneOf(idOf(403, 9)), 403);
    const bytes = Buffer.from(secretOf(12).repeat(4).slice(3, 21));
    assert.equal(isPieceOf(bytes, secretOf(12)), true);
    assert.equal(isPieceOf(bytes, secretOf(13)), false);
  });
});

describe('scripts', () => {
  it('follow from the seed and the number, and name their request in all that is sent', () => {
    const [scriptOf, again, other] = [scriptsOf(5, []), scriptsOf(5, []), scriptsOf(6, [])];
    const ids = Array.from({ length: 60 }, (_, at) => at);
    assert.deepEqual(ids.map(scriptOf), ids.map(again));
    assert.notDeepEqual(ids.map(scriptOf), ids.map(other));
    const kinds = new Set(ids.map((id) => scriptOf(id).kind));
    assert.deepEqual([...kinds].sort(), ['citizen', 'denied', 'hostile']);
    for (const id of ids) {
      const text = Buffer.concat(plannedOf(scriptOf(id)).parts.map(({ bytes }) => bytes));
      assert.equal(foreignIn(text.toString('latin1'), id), null);
    }
  });

  it('of tamed requests ask for the same and do nothing else', () => {
    const ids = [3, 4, 5, 6, 7, 8];
    const [wild, tame] = [scriptsOf(5, []), scriptsOf(5, ids)];
    for (const id of ids) {
      assert.equal(tame(id).handler.steps.length, 0);
      assert.deepEqual(plannedOf(tame(id)).parts[0], plannedOf(wild(id)).parts[0]);
    }
  });
});

describe('objects that are kept', () => {
  it('are bounded, and some stay for long', () => {
    const museum = new Museum();
    const record = { isOver: true } as RequestRecord;
    const objects = Array.from({ length: 400 }, (_, number) => ({ number }));
    for (const object of objects) museum.keep('response', object, record);
    const kept = museum.overOf('response').map(({ object }) => object as { number: number });
    assert.equal(kept.length, 20);
    assert.ok(kept.some(({ number }) => number >= 398));
    assert.ok(kept.some(({ number }) => number < 390));
    assert.equal(museum.pick('request', 3), null);
    assert.ok(museum.pick('response', 200) !== null);
  });
});

describe('a failing run of the hostile application', () => {
  it('keeps what is hostile in its file, and as few hostile requests as it takes', async () => {
    const scenario = { ...hostileScenarioOf(9, ['late call']), clients: [0, 1] };
    const first = await simulate(scenario);
    const scriptOf = scriptsOf(9, []);
    const ids = Array.from({ length: 80 }, (_, id) => id);
    const culprit = ids.find((id) => scriptOf(id).kind === 'hostile');
    assert.ok(culprit !== undefined);
    const violation = new Violation('isolation', 'planted');
    const { outcome } = await shrink({ ...first, violation }, async (tried) => {
      const isTamed = tried.hostile?.tamed.includes(culprit) === true;
      const clients = tried.clients ?? [0, 1];
      return { ...first, scenario: tried, clients, violation: isTamed ? null : violation };
    });
    const tamed = outcome.scenario.hostile?.tamed ?? [];
    assert.ok(tamed.length > 0);
    assert.ok(!tamed.includes(culprit));
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

  it('is asked for by arguments that go together', () => {
    const given = parseGiven(['--hostile', '--except', 'starvation,late call']);
    assert.ok(typeof given !== 'string');
    assert.equal(given.hostile, true);
    assert.deepEqual(given.except, ['starvation', 'late call']);
    assert.match(String(parseGiven(['--except', 'guard'])), /goes with --hostile/);
    assert.match(String(parseGiven(['--hostile', '--except', 'x'])), /^--except takes some of/);
    assert.match(String(parseGiven(['--hostile', '--driver', 'net'])), /simulated driver/);
  });
});
