// What the reactor finds when it checks whether the peer of a half closed connection has all bytes.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WRITE_CHECKS } from '../../src/base/fixed-limits.ts';
import { Fixture } from './fixtures/reactor-fixture.ts';

describe('checks after shutdownSend()', () => {
  const checksOf = (reported: readonly number[]): number[] => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    const socket = fixture.driver.socket(slot);
    fixture.reactor.shutdownSend(slot);
    return reported.map((left) => {
      socket.unacknowledged = left;
      return fixture.reactor.stalledChecks(slot);
    });
  };

  it('count in a row those without progress, until all is acknowledged', () => {
    assert.deepEqual(checksOf([500, 500, 500, 400, 400, 1, 0]), [0, 1, 2, 0, 1, 0, -1]);
  });

  it('keep what is known while the system does not report it for once', () => {
    assert.deepEqual(checksOf([500, -1, -1, 500, 400, -1, 0]), [0, 1, 2, 3, 0, 1, -1]);
  });

  it('start anew, whatever checks of sends found', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.driver.socket(slot).unacknowledged = 500;
    fixture.reactor.send(slot, 0, 0, 10, false);
    fixture.reactor.turn();
    for (let check = 0; check < WRITE_CHECKS; check++) fixture.pass(200);
    fixture.driver.take(slot);
    fixture.reactor.turn();
    fixture.reactor.shutdownSend(slot);
    assert.equal(fixture.reactor.stalledChecks(slot), 0);
    assert.equal(fixture.reactor.stalledChecks(slot), 1);
  });

  it('have nothing to wait for where nothing is known', () => {
    assert.deepEqual(checksOf([-1]), [-1]);
  });
});
