// Things that happen in the middle of the drivers' steps: before any system call and any access of
// shared memory a peer acts or a client comes. For short scripts each event at each point, for long
// ones at random. VIBING_SEED repeats a run.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { describe, it } from 'node:test';
import { Random } from '../../../testing/random.ts';
import { type Hooks, withHookedMemory } from '../scripted/linux-fixture.ts';
import { type Act, EVENTS, type Event, SLOTS, type Step, stepsOf, Walk } from '../scripted/walk.ts';

const SCRIPTS: readonly string[] = [
  'adopt, receive, turn, turn, sleep, sleep',
  'adopt, receive, turn, sleep, receive, turn, sleep, turn, sleep, turn, sleep',
  'adopt, send, turn, sleep, turn, sleep, send, turn, sleep',
  'adopt, sendFile, turn, sleep, turn, sleep, sendFile, turn, sleep',
  'adopt, send, turn, sendFile, abort, turn, close, turn, adopt, sendFile, turn, sleep',
  'adopt, sendFile, turn, turn, abort, turn, close, turn, adopt, send, turn, sleep',
  'adopt, sendFile, turn, sendFile, turn, abort, turn, turn, close, adopt, sendFile, turn, sleep',
  'adopt, watch, turn, sleep, turn, sleep',
  'adopt, watch, send, receive, turn, sleep, turn, sleep, turn, sleep',
  'adopt, receive, turn, sleep, reset, turn, close, turn, adopt, receive, turn, sleep',
  'adopt, watch, turn, abort, turn, close, turn, adopt, watch, receive, turn, sleep',
  'adopt, send, turn, send, abort, turn, close, turn, adopt, send, turn, sleep',
  'hold, adopt, receive, turn, turn, sleep, free, turn, sleep, receive, turn, sleep',
  'hold, adopt, receive, turn, abort, turn, close, turn, adopt, receive, turn, sleep, free',
  'hold, adopt, receive, turn, turn, free, turn, turn, receive, turn, abort, turn, close, turn',
  'adopt, receive, adopt 1, receive 1, hold, turn, turn, sleep, abort, turn, close, free, turn',
  // Behind a starved receive another polls without a buffer, then receives, and is aborted.
  'hold, adopt, adopt 1, receive, write, turn, turn, receive, write, turn, turn, receive 1, ' +
    'turn, turn, free, turn, write 1, turn, turn, turn, turn, receive 1, turn, abort 1, turn, ' +
    'turn, close 1, turn, adopt 1, receive 1, turn, sleep',
  // A sleep right after the receive of a stream that has ended, while no block is free.
  'adopt, end, turn, hold, receive, sleep, sleep',
  'hold, adopt, adopt 1, receive, write, turn, turn, receive, write, turn, turn, end 1, ' +
    'receive 1, sleep, turn, sleep',
  // The last buffer is used.
  'hold, adopt, receive, write, turn, turn, receive, turn, turn, sleep, turn, free, write, turn, ' +
    'turn, turn, receive, turn, abort, turn, turn, close, turn, adopt, receive, turn, sleep',
  'hold, adopt, receive, write, turn, turn, receive, turn, turn, abort, turn, turn, close, turn, ' +
    'adopt, receive, turn, free, turn, turn, abort, turn, close, turn, adopt, receive, turn, sleep',
  'listen, turn, sleep, turn, sleep, turn, sleep',
  'listen, turn, pause, turn, sleep, resume, turn, sleep',
  'listen, turn, unlisten, turn, sleep, turn, listen, turn, sleep, turn, unlisten, turn',
  'connect, turn, sleep, turn, receive, send, turn, sleep',
  'connect, turn, abort, turn, close, turn, connect, turn, sleep',
  'adopt, shutdown, receive, watch, turn, sleep, turn, close, turn, adopt, receive, turn, sleep',
];

const DRIVERS = ['epoll', 'uring'] as const;

/** Runs a script to its end; `before` is called at each point. */
function walked(
  name: (typeof DRIVERS)[number],
  script: readonly Step[],
  before: (walk: Walk, index: number) => void,
): Hooks {
  const walk = new Walk(name);
  const offset = walk.hooks.calls.length;
  return withHookedMemory(walk.hooks, () => {
    walk.hooks.before = (_call, index) => before(walk, index - offset);
    walk.run(script);
    walk.settle();
    walk.hooks.before = () => {};
    walk.finish();
    return walk.hooks;
  });
}

for (const name of DRIVERS) {
  describe(`inside the calls of the ${name} driver`, () => {
    for (const text of SCRIPTS) {
      it(`each event at each point of: ${text}`, () => {
        const script = stepsOf(text);
        let points = 0;
        walked(name, script, (_walk, index) => {
          points = index + 1;
        });
        assert.ok(points > 1, 'there are points');
        for (let point = 0; point < points; point++) {
          for (const event of eventsOf(text)) {
            // An end also after bytes that come at first.
            for (const first of event === 'end' || event === 'reset' ? [false, true] : [false]) {
              try {
                walked(name, script, (walk, index) => {
                  if (index === 1 && first) walk.happen('write', 0);
                  if (index === point) walk.happen(event, 0);
                });
              } catch (error) {
                throw new Error(`${event} at point ${point}, ${first}`, { cause: error });
              }
            }
          }
        }
      });
    }

    const firstSeed = Number(process.env['VIBING_SEED'] ?? randomInt(1, 2 ** 30));

    it(`events at random points of long scripts, seed ${firstSeed}`, () => {
      for (let seed = firstSeed; seed < firstSeed + 100; seed++) {
        const random = new Random(seed, name);
        const script = Array.from({ length: 60 }, () => stepOf(random));
        try {
          walked(name, script, (walk) => {
            if (random.once(5)) walk.happen(random.pick(EVENTS), random.below(SLOTS));
          });
        } catch (error) {
          throw new Error(`repeat with VIBING_SEED=${seed}`, { cause: error });
        }
      }
    });
  });
}

/** The events that can matter to a script. */
function eventsOf(script: string): readonly Event[] {
  const needs: Partial<Record<Event, string>> = {
    client: 'listen',
    connected: 'connect',
    take: 'send',
  };
  return EVENTS.filter((event) => script.includes(needs[event] ?? ''));
}

const ACTS: readonly Act[] = [
  ...(['adopt', 'connect', 'receive', 'receive', 'send', 'sendFile', 'watch', 'shutdown'] as const),
  ...(['abort', 'reset', 'close', 'close', 'listen', 'pause', 'resume', 'unlisten'] as const),
  ...(['hold', 'free'] as const),
];

function stepOf(random: Random): Step {
  const slot = random.below(SLOTS);
  if (random.once(2)) return { act: random.once(3) ? 'sleep' : 'turn', slot };
  return { act: random.pick(ACTS), slot };
}
