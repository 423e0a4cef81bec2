// The engine at work on copies of the parser: it repeats, it finds what coverage leads to, it ends
// what does not end, and the targets notice mistakes that are planted.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Engine } from '../../fuzz/engine/engine.ts';
import type { Plant } from '../../fuzz/engine/mirror.ts';
import { EXPERIMENTS, search } from '../../fuzz/experiment.ts';
import { loadTarget, makeMirrors } from '../../fuzz/load.ts';

/** A run of so many executions, or until something is found. */
async function fuzz(
  name: string,
  executionsMax: number,
  plant: Plant | null = null,
): Promise<Engine> {
  const { target, counters, compare } = await loadTarget(makeMirrors(name, plant));
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

function inputs({ corpus }: Engine): string[] {
  return corpus.entries.map(({ bytes }) => Buffer.from(bytes).toString('hex'));
}

describe('the engine', () => {
  it('does the same with the same seed and executions', async () => {
    const first = await fuzz('chunked', 4_000);
    const second = await fuzz('chunked', 4_000);
    assert.equal(first.finding, null);
    assert.deepEqual(inputs(first), inputs(second));
    assert.equal(first.coverage.count, second.coverage.count);
    assert.equal(first.executions, second.executions);
    assert.ok(inputs(first).length > 20, `${inputs(first).length} inputs are kept`);
  });

  it('finds behind nested conditions what unguided mutation does not', async (context) => {
    for (const experiment of EXPERIMENTS) {
      const guided = await search(experiment, true, 3, 150_000);
      const unguided = await search(experiment, false, 3, guided.executions);
      const { executions } = guided;
      context.diagnostic(`${experiment.target}, seed 3: found after ${executions} executions`);
      assert.ok(guided.isFound, experiment.name);
      assert.ok(!unguided.isFound, `${experiment.name}: unguided`);
    }
  });

  it('ends what does not end', async () => {
    const { finding } = await fuzz('chunked', 20_000, {
      module: 'src/http/chunked.js',
      find: 'this.state = State.DataLineFeed;',
      replacement: 'this.state = State.DataLineFeed; while (bytes[p] === 13);',
    });
    assert.match(String(finding?.error), /RangeError: .*steps/);
    assert.ok(finding?.isAlone);
  });
});

/** Each is found by what its target asks, and not because something throws. */
const MISTAKES: readonly (Plant & { readonly target: string; readonly says: RegExp })[] = [
  {
    target: 'head',
    module: 'src/http/parse-head.js',
    find: 'return pause(head, State.BeforeValue, p - start);',
    replacement: 'return pause(head, State.BeforeValue, p - start + 1);',
    says: /in two pieces/,
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
    says: /the path|climbs|once more/,
  },
  {
    target: 'config',
    module: 'src/server/config-lines.js',
    find: 'const SHOWN_LENGTH_MAX = 60;',
    replacement: 'const SHOWN_LENGTH_MAX = 6000;',
    says: /a problem is short/,
  },
  {
    target: 'model',
    module: 'src/http/framing.js',
    find: 'keepAlive && !close;',
    replacement: 'keepAlive;',
    says: /by the model/,
  },
  {
    target: 'connection',
    module: 'src/connection/inbox.js',
    find: 'this.#slab.release(this.#nextBlock);\n        this.#nextBlock = NONE;\n        this.start',
    replacement: 'this.#nextBlock = NONE;\n        this.start',
    says: /free blocks/,
  },
  {
    target: 'connection',
    module: 'src/connection/ending.js',
    find: 'inbox.consume(inbox.end - inbox.start);',
    replacement: 'connection.reading = Reading.Head;',
    says: /./,
  },
];

describe('targets notice', () => {
  for (const { target, says, ...plant } of MISTAKES) {
    it(`${target}: a mistake in ${plant.module}`, async () => {
      const { finding } = await fuzz(target, 20_000, plant);
      assert.ok(finding !== null, 'it is found');
      assert.match(String(finding.error), says);
      assert.ok(finding.input.length <= finding.original.length);
    });
  }
});
