// Overload at its edges: when the wait begins and ends, which idle connections are asked, when
// accept() pauses, and that the slots of clients turned away stay apart from the others.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { EVICTIONS_TRIED_MAX } from '../../src/reactor/admission.ts';
import {
  AdmissionFixture as Fixture,
  Kind,
  TIMEOUTS_MS,
  WAIT_MS,
} from './fixtures/admission-fixture.ts';

const accepting = ({ driver }: Fixture): string[] =>
  driver.calls.filter((call) => call.startsWith('setAccepting'));

it('the client with handle 0 is one like others', () => {
  const fixture = new Fixture();
  fixture.arrive(0);
  assert.deepEqual(fixture.admitted, ['0']);
  assert.deepEqual(accepting(fixture), []);
});

it('the wait begins when the last slot is used, not before', () => {
  const fixture = new Fixture();
  const { driver, reactor } = fixture;
  fixture.arrive(11);
  assert.equal(reactor.nextDueMs(), driver.nowMs + TIMEOUTS_MS[Kind.Idle]);
  assert.deepEqual(accepting(fixture), []);
  fixture.arrive(12);
  assert.equal(reactor.nextDueMs(), driver.nowMs + WAIT_MS);
  assert.deepEqual(accepting(fixture), ['setAccepting false']);
});

it('a slot that becomes free while no client waits ends the wait', () => {
  const fixture = new Fixture();
  fixture.arrive(11, 12);
  fixture.close(0);
  assert.equal(
    fixture.reactor.nextDueMs(),
    fixture.driver.nowMs + TIMEOUTS_MS[Kind.Idle],
    'that of the other client',
  );
  fixture.pass(WAIT_MS);
  fixture.arrive(13, 14);
  assert.deepEqual(fixture.admitted, ['0', '1', '0']);
});

it('without slots for those turned away clients wait for ever', () => {
  const fixture = new Fixture({ extraSlots: 0 });
  const idleDueMs = fixture.driver.nowMs + TIMEOUTS_MS[Kind.Idle];
  fixture.arrive(11, 12, 13);
  fixture.idle.add(0).add(1);
  assert.equal(fixture.reactor.nextDueMs(), idleDueMs);
  fixture.pass(10 * WAIT_MS);
  assert.deepEqual(fixture.admitted, ['0', '1']);
  assert.deepEqual(fixture.asked, []);
  assert.equal(fixture.reactor.nextDueMs(), idleDueMs);
});

it('accept() pauses during overload only while no slot is left', () => {
  const fixture = new Fixture({ extraSlots: 3 });
  fixture.arrive(11, 12, 13);
  fixture.pass(WAIT_MS);
  assert.equal(fixture.admitted.at(-1), '2 503');
  assert.deepEqual(accepting(fixture), ['setAccepting false', 'setAccepting true']);
  fixture.driver.calls.length = 0;
  fixture.arrive(14);
  assert.equal(fixture.admitted.at(-1), '3 503');
  assert.deepEqual(accepting(fixture), [], 'one more can be turned away');
  fixture.close(2);
  assert.deepEqual(accepting(fixture), []);
  fixture.arrive(15, 16);
  assert.deepEqual(accepting(fixture), ['setAccepting false']);
});

it('a connection is asked once it was idle for the whole wait', () => {
  const fixture = new Fixture({ extraSlots: 8 });
  fixture.arrive(11, 12);
  fixture.pass(WAIT_MS / 2);
  fixture.reactor.arm(0, Kind.Idle);
  fixture.reactor.arm(1, Kind.Idle);
  fixture.pass(WAIT_MS / 2);
  fixture.arrive(13);
  fixture.pass(WAIT_MS / 2 - 1);
  fixture.arrive(14);
  assert.deepEqual(fixture.asked, []);
  fixture.pass(1);
  fixture.arrive(15);
  assert.deepEqual(fixture.asked, [0, 1]);
});

it('of connections idle for equally long, those of the first kind are asked first', () => {
  const fixture = new Fixture();
  fixture.idleKind = Kind.First;
  fixture.arrive(11);
  fixture.idleKind = Kind.Idle;
  fixture.arrive(12);
  fixture.pass(WAIT_MS);
  fixture.arrive(13);
  assert.deepEqual(fixture.asked, [1, 0]);
});

it('for one client so many connections are asked at most', () => {
  const slots = EVICTIONS_TRIED_MAX + 4;
  const fixture = new Fixture({ slots });
  fixture.arrive(...Array.from({ length: slots + 1 }, (_, index) => 11 + index));
  // The last one would agree, but is not reached.
  fixture.idle.add(EVICTIONS_TRIED_MAX);
  fixture.pass(WAIT_MS);
  assert.deepEqual(
    fixture.asked,
    Array.from({ length: EVICTIONS_TRIED_MAX }, (_, index) => index),
  );
  assert.equal(fixture.admitted.at(-1), `${slots} 503`);
});

it('a client turned away that leaves does not save an evicted connection', () => {
  const fixture = new Fixture({ extraSlots: 3 });
  const { calls } = fixture.driver;
  fixture.lingers = true;
  fixture.arrive(11, 12);
  fixture.idle.add(0);
  fixture.pass(WAIT_MS);
  fixture.arrive(13, 14);
  assert.deepEqual(fixture.admitted.slice(2), ['2', '3 503']);
  fixture.close(3);
  assert.equal(calls.includes('close 0'), false);
  fixture.arrive(15, 16);
  assert.deepEqual(fixture.admitted.slice(4), ['3 503', '4 503']);
  assert.ok(calls.includes('close 0'), 'it is closed to have one slot ready');
});

it('a client turned away that leaves late does not restart the next wait', () => {
  const fixture = new Fixture();
  fixture.arrive(11, 12, 13);
  fixture.pass(WAIT_MS);
  assert.equal(fixture.admitted.at(-1), '2 503');
  // A slot ends the overload, and a client takes it: the next wait begins.
  fixture.close(0);
  fixture.arrive(14);
  fixture.pass(WAIT_MS - 1);
  fixture.close(2);
  fixture.arrive(15);
  assert.deepEqual(fixture.admitted.slice(3), ['0']);
  fixture.pass(1);
  assert.deepEqual(fixture.admitted.slice(4), ['2 503']);
});

it('the end of a wait does not end the deadline of a send on the last slot', () => {
  const fixture = new Fixture();
  const { driver, reactor } = fixture;
  fixture.arrive(11, 12, 13, 14);
  fixture.pass(WAIT_MS);
  assert.deepEqual(fixture.admitted.slice(2), ['2 503', '3 503']);
  reactor.send(3, 0, 0, 10, false);
  reactor.turn();
  fixture.close(0);
  fixture.pass(TIMEOUTS_MS[Kind.Write]);
  assert.ok(driver.calls.includes('unacknowledged 3'), 'its progress is checked');
});

it('as soon as no client waits and a slot is free, the next ones wait again', () => {
  const fixture = new Fixture();
  fixture.arrive(11, 12, 13, 14);
  fixture.pass(WAIT_MS);
  for (const slot of [2, 3, 0, 1]) fixture.close(slot);
  fixture.arrive(15, 16, 17);
  assert.deepEqual(
    fixture.admitted.slice(4).filter((text) => text.includes('503')),
    [],
  );
  assert.equal(fixture.reactor.waitingCount, 1);
  assert.equal(fixture.reactor.nextDueMs(), fixture.driver.nowMs + WAIT_MS);
});
