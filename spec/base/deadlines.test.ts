// Deadlines against a plain list of [node, kind, due]: the same nodes expire, in the same order.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { AssertionFault } from '../../src/base/assert.ts';
import { Deadlines } from '../../src/base/deadlines.ts';
import { seeded } from '../../testing/splits.ts';

const TIMEOUTS_MS = [5, 100, 3];
const NODES = 8;

interface Armed {
  readonly node: number;
  readonly kind: number;
  readonly dueMs: number;
}

const node = fc.nat({ max: NODES - 1 });
const kind = fc.nat({ max: TIMEOUTS_MS.length - 1 });
const step = fc.oneof(
  fc.record({ op: fc.constant('arm' as const), node, kind }),
  fc.record({ op: fc.constant('disarm' as const), node }),
  fc.record({ op: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 60 }) }),
);

it('behaves as a list of deadlines, whatever the order of calls', (context) => {
  const property = fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
    const deadlines = new Deadlines(NODES, TIMEOUTS_MS);
    let model: Armed[] = [];
    let nowMs = 1000.5;
    for (const one of steps) {
      if (one.op === 'pass') {
        nowMs += one.ms;
        model = expireAll(deadlines, model, nowMs);
      } else {
        model = model.filter((armed) => armed.node !== one.node);
        if (one.op === 'disarm') deadlines.disarm(one.node);
        else {
          deadlines.arm(one.node, one.kind, nowMs);
          const dueMs = nowMs + TIMEOUTS_MS[one.kind];
          model.push({ node: one.node, kind: one.kind, dueMs });
        }
      }
      checkAgainst(deadlines, model);
    }
  });
  fc.assert(property, seeded(context, 400));
});

/** Expires all that is due in both, kind by kind; returns what is left. */
function expireAll(deadlines: Deadlines, model: readonly Armed[], nowMs: number): Armed[] {
  const due = model.filter(({ dueMs }) => dueMs <= nowMs);
  for (let each = 0; each < TIMEOUTS_MS.length; each++) {
    for (const { node: expected } of due.filter((armed) => armed.kind === each)) {
      assert.equal(deadlines.expire(each, nowMs), expected);
    }
    assert.equal(deadlines.expire(each, nowMs), -1);
  }
  return model.filter(({ dueMs }) => dueMs > nowMs);
}

function checkAgainst(deadlines: Deadlines, model: readonly Armed[]): void {
  assert.equal(deadlines.armedCount(), model.length);
  assert.equal(deadlines.nextDueMs(), Math.min(...model.map(({ dueMs }) => dueMs)));
  for (let each = 0; each < NODES; each++) {
    const armed = model.find((one) => one.node === each);
    assert.equal(deadlines.kind(each), armed?.kind ?? -1);
    assert.equal(deadlines.isArmed(each), armed !== undefined);
  }
}

it('is due at its time, not before', () => {
  const deadlines = new Deadlines(1, [10]);
  deadlines.arm(0, 0, 0.25);
  assert.equal(deadlines.expire(0, 10.24), -1);
  assert.equal(deadlines.expire(0, 10.25), 0);
  assert.equal(deadlines.expire(0, 99), -1);
});

it('has nothing to wait for when nothing is armed', () => {
  const deadlines = new Deadlines(2, [10, 20]);
  assert.equal(deadlines.nextDueMs(), Number.POSITIVE_INFINITY);
  deadlines.disarm(1);
  assert.equal(deadlines.armedCount(), 0);
});

it('a timeout that is extended repeatedly expires when that stops, hardly late', (context) => {
  const waits = fc.array(fc.integer({ min: 0, max: 1599 }), { minLength: 1, maxLength: 60 });
  const property = fc.property(waits, (between) => {
    const deadlines = new Deadlines(2, [1600]);
    let nowMs = 10;
    for (const waitMs of between) {
      deadlines.extend(0, 0, nowMs);
      deadlines.extend(1, 0, nowMs);
      assert.equal(deadlines.kind(0), 0);
      const dueMs = deadlines.nextDueMs();
      assert.ok(dueMs >= nowMs + 1600 && dueMs <= nowMs + 1700, `due ${dueMs - nowMs} from now`);
      nowMs += waitMs;
      assert.equal(deadlines.expire(0, nowMs), -1);
    }
    const both = [deadlines.expire(0, nowMs + 1700), deadlines.expire(0, nowMs + 1700)];
    assert.deepEqual(both.sort(), [0, 1]);
  });
  fc.assert(property, seeded(context, 200));
});

it('extend() replaces a timeout of another kind', () => {
  const deadlines = new Deadlines(1, [100, 5000]);
  deadlines.arm(0, 1, 0);
  deadlines.extend(0, 0, 0);
  assert.equal(deadlines.kind(0), 0);
  assert.equal(deadlines.armedCount(), 1);
  assert.ok(deadlines.nextDueMs() <= 110);
});

it('a clock that goes back is an assertion', () => {
  const deadlines = new Deadlines(2, [10]);
  deadlines.arm(0, 0, 100);
  assert.throws(() => deadlines.arm(1, 0, 99), AssertionFault);
});

it('lists the nodes of a kind, the oldest first, with their age', () => {
  const deadlines = new Deadlines(NODES, TIMEOUTS_MS);
  assert.equal(deadlines.oldest(1), -1);
  deadlines.arm(4, 1, 1000);
  deadlines.arm(2, 1, 1010);
  deadlines.arm(3, 0, 1010);
  assert.equal(deadlines.oldest(1), 4);
  assert.equal(deadlines.next(4), 2);
  assert.equal(deadlines.next(2), -1);
  assert.equal(deadlines.sinceMs(4, 1050), 50);
  assert.equal(deadlines.sinceMs(2, 1050), 40);
});
