// What the primary adds to node:cluster on `net`, over scripted children: clients that a dead
// worker did not confirm, and the mode of a unix socket. With real processes: handoffs.test.ts and
// service-unix.test.ts.

import assert from 'node:assert/strict';
import type { Worker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import { bindWithMode } from '../../src/cluster/bind-mode.ts';
import { watchHandoffs } from '../../src/cluster/handoffs.ts';

/** A child process of node:cluster, whose messages are kept. */
class Child extends EventEmitter {
  connected = true;
  readonly sent: unknown[] = [];

  send(...args: unknown[]): boolean {
    this.sent.push(args[0]);
    return true;
  }
}

interface Confirmation {
  readonly ack: number;
  readonly accepted: boolean;
}

function watched(others: () => boolean): { child: Child; confirmed: Confirmation[] } {
  const child = new Child();
  watchHandoffs({ process: child } as unknown as Worker, others);
  const confirmed: Confirmation[] = [];
  child.on('internalMessage', ({ ack, accepted, cmd }) => {
    if (cmd === 'NODE_CLUSTER') confirmed.push({ ack, accepted });
  });
  return { child, confirmed };
}

describe('clients that were sent to a worker', () => {
  it('are confirmed when it dies, unless it has confirmed them itself', () => {
    for (const isAlone of [false, true]) {
      const { child, confirmed } = watched(() => !isAlone);
      for (const seq of [4, 5, 6]) child.send({ act: 'newconn', seq });
      // Messages of other kinds have numbers, too.
      child.send({ act: 'suicide', seq: 7 });
      child.send({ cmd: 'other' });
      assert.equal(child.sent.length, 5, 'all are passed on');
      child.emit('internalMessage', { ack: 5, accepted: true });
      child.emit('internalMessage', { act: 'close' });
      assert.deepEqual(confirmed, []);
      child.connected = false;
      child.emit('disconnect');
      // With others node:cluster sends them there; without it closes them.
      assert.deepEqual(confirmed, [
        { ack: 4, accepted: isAlone },
        { ack: 6, accepted: isAlone },
      ]);
      child.emit('exit', 1, null);
      assert.equal(confirmed.filter(({ ack }) => ack === 5).length, 0);
    }
  });

  it('are confirmed at its exit, where the channel never ended', () => {
    const { child, confirmed } = watched(() => true);
    child.send({ act: 'newconn', seq: 1 });
    child.connected = false;
    child.emit('exit', null, 'SIGKILL');
    assert.deepEqual(confirmed, [{ ack: 1, accepted: false }]);
  });

  it('wait while the exit is known, and messages may still come', () => {
    const { child, confirmed } = watched(() => true);
    child.send({ act: 'newconn', seq: 1 });
    child.send({ act: 'newconn', seq: 2 });
    child.emit('exit', 0, null);
    assert.deepEqual(confirmed, []);
    child.emit('internalMessage', { ack: 1, accepted: true });
    child.connected = false;
    child.emit('disconnect');
    assert.deepEqual(confirmed, [{ ack: 2, accepted: false }]);
  });
});

describe('the mask of the primary', () => {
  it('is that of the mode while node:cluster binds, and no longer', () => {
    const given = process.umask(0o022);
    try {
      for (const mode of [0o600, 0o660, 0o777, 0o007]) {
        const child = new Child();
        const seen: number[] = [];
        // As node:cluster listens: before it is watched.
        child.on('internalMessage', () => seen.push(process.umask()));
        bindWithMode({ process: child } as unknown as Worker, mode);
        child.emit('internalMessage', { act: 'online' });
        child.emit('internalMessage', { act: 'queryServer' });
        assert.deepEqual(seen, [0o022, 0o777 & ~mode]);
        assert.equal(process.umask(), 0o022);
        // The program may change it in between.
        process.umask(0o077);
        child.emit('internalMessage', { act: 'close' });
        assert.equal(process.umask(), 0o077);
        process.umask(0o022);
      }
    } finally {
      process.umask(given);
    }
  });
});
