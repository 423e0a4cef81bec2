// Which clients that were sent to a worker are confirmed in its name when it ends, and how, over
// a process that a test drives. Real processes are in handoffs.test.ts.

import assert from 'node:assert/strict';
import type { Worker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { watchHandoffs } from '../../src/cluster/handoffs.ts';

interface Confirmation {
  readonly cmd: string;
  readonly ack: number;
  readonly accepted: boolean;
}

class Child extends EventEmitter {
  connected = true;
  readonly sent: unknown[] = [];
  readonly confirmed: Confirmation[] = [];

  constructor(others: () => boolean) {
    super();
    watchHandoffs({ process: this } as unknown as Worker, others);
    this.on('internalMessage', (message: Confirmation) => {
      if ('accepted' in message) this.confirmed.push(message);
    });
  }

  send(message: unknown): boolean {
    this.sent.push(message);
    return true;
  }

  sendClients(...numbers: number[]): void {
    for (const seq of numbers) this.send({ cmd: 'NODE_CLUSTER', act: 'newconn', seq });
  }

  confirm(ack: number): void {
    this.emit('internalMessage', { ack });
  }

  /** With 'disconnect', as most do, or without. */
  end(isDisconnected: boolean): void {
    this.connected = false;
    if (isDisconnected) this.emit('disconnect');
    this.emit('exit');
  }
}

test('those that it has not confirmed, once, by the messages that were sent as they were', () => {
  for (const isDisconnected of [true, false]) {
    const child = new Child(() => true);
    child.sendClients(1, 2, 3);
    child.send({ act: 'close', seq: 4 });
    child.send('a message of the program');
    child.confirm(2);
    assert.equal(child.sent.length, 5);
    assert.deepEqual(child.confirmed, []);
    child.end(isDisconnected);
    const numbers = child.confirmed.map(({ ack, cmd }) => [ack, cmd]);
    assert.deepEqual(numbers, [
      [1, 'NODE_CLUSTER'],
      [3, 'NODE_CLUSTER'],
    ]);
  }
});

test('as not accepted while another worker could serve them, else as accepted', () => {
  for (const others of [true, false]) {
    let now = !others;
    const child = new Child(() => now);
    child.sendClients(7);
    // What counts is what is left at the end.
    now = others;
    child.end(true);
    assert.deepEqual(
      child.confirmed.map(({ accepted }) => accepted),
      [!others],
    );
  }
});

test('not before the channel is closed: messages of the worker may still arrive', () => {
  const child = new Child(() => true);
  child.sendClients(1, 2);
  child.emit('exit');
  assert.deepEqual(child.confirmed, []);
  child.confirm(1);
  child.connected = false;
  child.emit('disconnect');
  assert.deepEqual(
    child.confirmed.map(({ ack }) => ack),
    [2],
  );
});
