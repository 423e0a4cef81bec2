// Admission over a driver in memory: clients that wait, connections that are evicted, overload.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ERRNO } from '../../src/base/errno.ts';
import { ACCEPT_RETRY_MS, COMPLETIONS_PER_TURN } from '../../src/base/fixed-limits.ts';
import { Op } from '../../src/driver/driver.ts';
import {
  BACKLOG,
  AdmissionFixture as Fixture,
  Kind,
  WAIT_MS,
} from './fixtures/admission-fixture.ts';

it('clients beyond the free slots wait for one, in their order', () => {
  const fixture = new Fixture();
  fixture.arrive(11, 12, 13, 14);
  assert.deepEqual(fixture.admitted, ['0', '1']);
  assert.equal(fixture.reactor.waitingCount, 2);
  assert.equal(fixture.driver.calls.at(-1), 'setAccepting false');
  fixture.close(1);
  assert.deepEqual(fixture.admitted, ['0', '1', '1']);
  assert.equal(fixture.driver.calls.includes('setAccepting true'), false, 'a client still waits');
  fixture.close(0);
  assert.equal(fixture.reactor.waitingCount, 0);
  fixture.close(0);
  assert.equal(fixture.driver.calls.at(-1), 'setAccepting true');
  assert.deepEqual(fixture.driver.refused, []);
});

it('a slot that becomes free restarts the wait until overload', () => {
  const fixture = new Fixture();
  fixture.arrive(11, 12, 13, 14);
  fixture.pass(WAIT_MS - 1);
  fixture.close(0);
  fixture.pass(WAIT_MS - 1);
  assert.deepEqual(fixture.admitted, ['0', '1', '0']);
  fixture.pass(1);
  assert.deepEqual(fixture.admitted, ['0', '1', '0', '2 503']);
});

it('after the wait clients are turned away, as many at once as there are slots', () => {
  const fixture = new Fixture();
  fixture.arrive(11, 12, 13, 14, 15);
  fixture.pass(WAIT_MS);
  assert.deepEqual(fixture.admitted.slice(2), ['2 503', '3 503']);
  assert.equal(fixture.driver.calls.includes('setAccepting true'), false, 'no slot is left');
  fixture.close(3);
  assert.deepEqual(fixture.admitted.slice(4), ['3 503']);
  fixture.close(3);
  assert.equal(
    fixture.driver.calls.at(-1),
    'setAccepting true',
    'the next client is turned away at once',
  );
  fixture.arrive(16);
  assert.deepEqual(fixture.admitted.slice(5), ['3 503']);
  fixture.close(0);
  fixture.close(2);
  fixture.arrive(17);
  assert.equal(fixture.admitted.length, 7);
  assert.doesNotMatch(fixture.admitted[6], /503/, 'a slot is free again');
  fixture.arrive(18);
  assert.equal(fixture.reactor.waitingCount, 1, 'and a new wait begins');
});

it('clients that arrive while others wait do not postpone overload', () => {
  const fixture = new Fixture();
  fixture.arrive(11, 12, 13);
  fixture.pass(WAIT_MS - 1);
  fixture.arrive(14);
  fixture.pass(1);
  assert.deepEqual(fixture.admitted, ['0', '1', '2 503', '3 503']);
});

it('overload goes on while clients wait, also when a slot became free', () => {
  const fixture = new Fixture();
  fixture.arrive(11, 12, 13, 14, 15, 16, 17);
  fixture.pass(WAIT_MS);
  fixture.close(0);
  assert.deepEqual(fixture.admitted.slice(2), ['2 503', '3 503', '0']);
  fixture.close(2);
  assert.deepEqual(fixture.admitted.slice(5), ['2 503'], 'without another wait');
});

it('as many clients wait as a closing listener accepts; further ones are closed', () => {
  const fixture = new Fixture();
  fixture.arrive(1, 2);
  const most = BACKLOG + COMPLETIONS_PER_TURN;
  for (let handle = 3; handle < 3 + most + 2; handle++) fixture.driver.arrive(handle);
  fixture.reactor.turn();
  fixture.reactor.turn();
  assert.equal(fixture.reactor.waitingCount, most);
  assert.deepEqual(fixture.driver.refused, [3 + most, 4 + most]);
});

it('of connections with several kinds of deadline the one idle for longest is evicted', () => {
  for (const kinds of [
    [Kind.Idle, Kind.First],
    [Kind.First, Kind.Idle],
  ]) {
    const fixture = new Fixture();
    for (const [slot, kind] of kinds.entries()) {
      fixture.idleKind = kind;
      fixture.arrive(11 + slot);
      fixture.idle.add(slot);
      fixture.pass(10);
    }
    fixture.pass(WAIT_MS);
    fixture.arrive(13);
    fixture.pass(WAIT_MS);
    assert.ok(fixture.driver.calls.includes('close 0'), `kinds ${kinds}`);
    assert.equal(fixture.driver.calls.includes('close 1'), false);
  }
});

it('the connection idle for longest is evicted, if it was idle for long enough', () => {
  const fixture = new Fixture();
  fixture.arrive(11);
  fixture.pass(10);
  fixture.arrive(12);
  fixture.idle.add(0).add(1);
  fixture.pass(WAIT_MS);
  fixture.arrive(13);
  assert.deepEqual(fixture.admitted, ['0', '1', '2']);
  assert.ok(fixture.driver.calls.includes('close 0'), 'the first was idle for longest');
  fixture.arrive(14);
  assert.ok(fixture.driver.calls.includes('close 1'));
  assert.equal(fixture.admitted.length, 4);
  fixture.arrive(15);
  assert.match(fixture.admitted[4], /503/, 'busy connections stay');
});

it('an evicted connection may close late, until no slot is left', () => {
  const fixture = new Fixture();
  fixture.lingers = true;
  fixture.arrive(11, 12);
  fixture.idle.add(0).add(1);
  fixture.pass(WAIT_MS);
  const closes = (): string[] => fixture.driver.calls.filter((call) => call.startsWith('close'));
  fixture.arrive(13);
  fixture.pass(WAIT_MS);
  fixture.arrive(14);
  fixture.pass(WAIT_MS);
  assert.deepEqual(fixture.admitted, ['0', '1', '2', '3']);
  assert.deepEqual(closes(), ['close 0'], 'the first evicted is closed, to have one slot ready');
  fixture.idle.add(2);
  fixture.arrive(15);
  assert.deepEqual(fixture.admitted.slice(4), ['0']);
  assert.deepEqual(closes(), ['close 0', 'close 1']);
});

it('an evicted connection is not evicted again, whatever it says', () => {
  const fixture = new Fixture();
  fixture.lingers = true;
  fixture.arrive(11, 12);
  fixture.idle.add(0).add(1);
  fixture.pass(WAIT_MS);
  fixture.arrive(13);
  fixture.pass(WAIT_MS);
  assert.deepEqual(fixture.admitted, ['0', '1', '2']);
  fixture.idle.add(0);
  fixture.arrive(14);
  fixture.pass(WAIT_MS);
  assert.deepEqual([...fixture.idle], [0], 'the other one was asked');
});

it('an evicted connection that has closed is not closed again', () => {
  const fixture = new Fixture();
  fixture.lingers = true;
  fixture.arrive(11, 12);
  fixture.idle.add(0).add(1);
  fixture.pass(WAIT_MS);
  fixture.arrive(13);
  fixture.pass(WAIT_MS);
  fixture.close(0);
  fixture.arrive(14);
  assert.deepEqual(fixture.admitted, ['0', '1', '2', '0']);
  fixture.pass(WAIT_MS);
  fixture.close(1);
  fixture.idle.add(2);
  fixture.pass(WAIT_MS);
  fixture.arrive(15);
  const closes = fixture.driver.calls.filter((call) => call.startsWith('close'));
  assert.deepEqual(closes, ['close 0', 'close 1']);
});

it('the next owner of the slot of an evicted connection is not closed', () => {
  const fixture = new Fixture();
  fixture.lingers = true;
  fixture.arrive(11, 12);
  fixture.idle.add(0).add(1);
  fixture.pass(WAIT_MS);
  // Slot 0 is evicted and closes by itself; a busy client has it next.
  fixture.arrive(13);
  fixture.pass(WAIT_MS);
  fixture.close(0);
  fixture.arrive(14);
  assert.deepEqual(fixture.admitted, ['0', '1', '2', '0']);
  // All slots are taken now: the evicted are closed, and no other.
  fixture.pass(WAIT_MS);
  fixture.arrive(15, 16, 17);
  fixture.pass(WAIT_MS);
  const closes = fixture.driver.calls.filter((call) => call === 'close 0');
  assert.equal(closes.length, 1, 'slot 0 was closed once, by its first owner');
});

it('without an overload limit clients wait for ever', () => {
  const fixture = new Fixture({ waitMs: 0 });
  fixture.arrive(11, 12, 13);
  fixture.idle.add(0).add(1);
  fixture.pass(1_000_000);
  assert.equal(fixture.reactor.waitingCount, 1);
  assert.equal(fixture.admitted.length, 2);
});

it('a fault while clients are turned away still pauses accept()', () => {
  const fixture = new Fixture();
  fixture.arrive(11, 12);
  fixture.arrive(-ERRNO.EMFILE);
  assert.equal(fixture.driver.calls.at(-1), 'setAccepting false');
  fixture.pass(WAIT_MS);
  assert.equal(fixture.driver.calls.includes('setAccepting true'), false);
  fixture.pass(ACCEPT_RETRY_MS);
  assert.equal(fixture.driver.calls.at(-1), 'setAccepting true');
});

it('after unlisten() waiting clients still get slots; refuseWaiting() closes them', () => {
  const fixture = new Fixture();
  fixture.arrive(11, 12, 13, 14);
  fixture.reactor.unlisten(false);
  fixture.driver.complete(Op.Accept, -1, 15);
  fixture.reactor.turn();
  assert.equal(fixture.reactor.waitingCount, 3);
  fixture.close(0);
  assert.equal(fixture.admitted.length, 3);
  fixture.reactor.refuseWaiting();
  assert.deepEqual(fixture.driver.refused, [14, 15]);
  assert.equal(fixture.reactor.waitingCount, 0);
});
