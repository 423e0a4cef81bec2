// A driver that was used at random, and whose slots get new sockets, has the state of a new one:
// what a rare event leaves behind would meet the next socket of the slot.

import { randomInt } from 'node:crypto';
import { it } from 'node:test';
import { Random } from '../../testing/random.ts';
import { assertSameState } from '../../testing/same-state.ts';
import { withHookedMemory } from './scripted/linux-fixture.ts';
import { type Act, EVENTS, SLOTS, type Step, stepsOf, Walk } from './scripted/walk.ts';

const seed = Number(process.env['VIBING_SEED'] ?? randomInt(1, 2 ** 30));
const STEPS = 300;
const RUNS = 4;

const ACTS: readonly string[] = (
  'adopt connect receive receive send send sendFile sendFile watch shutdown abort reset ' +
  'close close hold free'
).split(' ');

/**
 * Left as they are: what the kernel writes and reads, what grows (counts of a ring, generations of
 * slots), what is written before it is read, and the order of free numbers.
 */
const IGNORED: readonly string[] = [
  'calls',
  '#calls',
  'fds',
  '#fds',
  '#known',
  '#ring',
  '#events',
  '#loopWatch',
  'scratch',
  'wake',
  '#generation',
  '#head',
  '#tail',
  '#words',
  '#items',
  '#halves',
  '#mapping',
  '#regions',
  '#region',
  '#addresses',
  '#start',
  '#bytes',
  '#flags',
  'slab.bytes',
  '#free',
  '#numbers',
  '#inUse',
  '#freeCount',
  '#count',
  '#blocks',
];

/** Both have polled a listener and hang-ups: the ring keeps those polls. */
const FIRST = stepsOf('listen, turn, adopt, watch, turn');
const NEW_SOCKETS: readonly Step[] = Array.from({ length: SLOTS }, (_, slot) => ({
  act: 'adopt',
  slot,
}));

for (const name of ['epoll', 'uring'] as const) {
  it(`the ${name} driver, used and emptied, equals a new one, seed ${seed}`, () => {
    for (let run = 0; run < RUNS; run++) use(name, new Random(seed + run, `reused ${name}`));
  });
}

function use(name: 'epoll' | 'uring', random: Random): void {
  const walk = new Walk(name);
  withHookedMemory(walk.hooks, () => {
    // Nothing happens within these: an event could end the socket before it is watched.
    walk.run(FIRST);
    walk.hooks.before = () => {
      if (random.once(6)) walk.happen(random.pick(EVENTS), random.below(SLOTS));
    };
    for (let step = 0; step < STEPS; step++) {
      const act = random.once(2) ? (random.once(3) ? 'sleep' : 'turn') : random.pick(ACTS);
      walk.run([{ act: act as Act, slot: random.below(SLOTS) }]);
    }
    walk.hooks.before = () => {};
    walk.empty();
  });
  const fresh = new Walk(name);
  fresh.run(FIRST);
  fresh.empty();
  for (const each of [walk, fresh]) each.run(NEW_SOCKETS);
  assertSameState(walk.fixture.driver, fresh.fixture.driver, { ignored: IGNORED });
  walk.finish();
  fresh.finish();
}
