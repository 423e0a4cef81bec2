// The engine on copies of the parser: runs repeat, coverage leads to findings, endless loops end,
// and the targets find injected mistakes.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Engine } from '../../fuzz/engine/engine.ts';
import type { Injection } from '../../fuzz/engine/mirror.ts';
import { EXPERIMENTS, search } from '../../fuzz/session/experiment.ts';
import { loadTarget, makeMirrors } from '../../fuzz/session/load.ts';
import { runSession } from '../../fuzz/session/session.ts';
import type { Result } from '../../fuzz/session/worker-messages.ts';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { inTurn } from '../../testing/rotation.ts';

leaveOutOfCoverage();

/** Runs until a finding or `executionsMax`, without recorded comparisons. */
async function fuzz(
  name: string,
  executionsMax: number,
  injection: Injection | null = null,
): Promise<Engine> {
  const { target, counters, compare } = await loadTarget(makeMirrors(name, injection, false));
  const engine = new Engine({
    target,
    counters,
    compare,
    seed: 1,
    isGuided: true,
    watch: () => {},
  });
  await engine.begin([]);
  const isOver = (executions: number) => executions >= executionsMax;
  while (engine.finding === null && !isOver(engine.executions)) await engine.round(isOver);
  return engine;
}

/** Runs in a thread of its own, with fresh modules. */
function session(seed: number): Promise<Result> {
  return runSession({
    target: 'chunked',
    seed,
    runsMs: Number.POSITIVE_INFINITY,
    executionsMax: 4_000,
    kept: [],
    replay: null,
    stuckMs: 60_000,
    stoppable: () => {},
    report: () => {},
  });
}

describe('the engine', () => {
  it('repeats with the same seed and executions', async () => {
    const [first, second, other] = [await session(1), await session(1), await session(2)];
    assert.equal(first.found, null);
    assert.deepEqual({ ...first, runsMs: 0 }, { ...second, runsMs: 0 });
    assert.notDeepEqual(first.minimal, other.minimal);
    assert.ok(first.added > 20, `${first.added} inputs are kept`);
  });

  it('finds mistakes behind nested conditions, unlike unguided mutation', async (context) => {
    for (const experiment of inTurn(EXPERIMENTS)) {
      const guided = await search(experiment, true, 4, 150_000);
      const unguided = await search(experiment, false, 4, guided.executions);
      const { executions } = guided;
      context.diagnostic(`${experiment.target}, seed 4: found after ${executions} executions`);
      assert.ok(guided.isFound, experiment.name);
      assert.ok(!unguided.isFound, `${experiment.name}: unguided`);
    }
  });

  it('ends an endless loop', async () => {
    const { finding } = await fuzz('chunked', 20_000, {
      module: 'src/http/chunked.js',
      find: 'this.state = State.DataLineFeed;',
      replacement: 'this.state = State.DataLineFeed; while (bytes[p] === 13);',
    });
    assert.match(String(finding?.error), /RangeError: .*steps/);
    assert.ok(finding?.isAlone);
  });
});

/** Each is found by a check of its target, not by an exception. */
const MISTAKES: readonly (Injection & { readonly target: string; readonly says: RegExp })[] = [
  {
    target: 'head',
    module: 'src/http/parse-head.js',
    find: 'return pause(head, State.BeforeValue, p - start);',
    replacement: 'return pause(head, State.BeforeValue, p - start + 1);',
    says: /split in two|byte by byte/,
  },
  {
    target: 'chunked',
    module: 'src/http/chunked.js',
    find: 'this.remaining -= count;',
    replacement: 'this.remaining -= count > 3 ? count - 1 : count;',
    says: /./,
  },
  {
    target: 'target',
    module: 'src/http/target.js',
    find: 'if (byte === SLASH)',
    replacement: 'if (false)',
    says: /the path|segment|decoded again/,
  },
  {
    target: 'config',
    module: 'src/server/config/rules.js',
    find: 'toString(8)',
    replacement: 'toString(10)',
    says: /round trip/,
  },
  {
    target: 'model',
    module: 'src/http/target-form.js',
    find: 'head.pathEnd = head.queryStart - 1;',
    replacement: 'head.pathEnd = head.queryStart;',
    says: /by the model/,
  },
  {
    target: 'connection',
    module: 'src/connection/connection.js',
    find: 'this.reactor.slab.release(block);',
    replacement: 'void block;',
    says: /free blocks/,
  },
  {
    target: 'connection',
    module: 'src/connection/connection.js',
    find: 'if (!exchange.keepAlive) {',
    replacement: 'if (!exchange.keepAlive && exchange.head.minor === 1) {',
    says: /nothing follows the last response/,
  },
];

describe('targets find', () => {
  for (const { target, says, ...injection } of inTurn(MISTAKES)) {
    it(`${target}: a mistake in ${injection.module}`, async () => {
      const { finding } = await fuzz(target, 20_000, injection);
      assert.ok(finding !== null, 'there is a finding');
      assert.match(String(finding.error), says);
      assert.ok(finding.input.length <= finding.original.length);
    });
  }
});
