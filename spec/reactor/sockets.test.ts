// The table of sockets: a slot is used once at a time, released clean, and used again soon.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { AssertionFault } from '../../src/base/assert.ts';
import {
  CLOSING,
  OPEN,
  RECEIVING,
  SENDING,
  type SocketOwner,
  Sockets,
} from '../../src/reactor/sockets.ts';

const OWNER: SocketOwner = {
  received() {},
  sent() {},
  due() {},
  closed() {},
  evict: () => false,
};

it('acquires every slot once, and no more than there are', () => {
  const sockets = new Sockets(3);
  const slots = [sockets.acquire(), sockets.acquire(), sockets.acquire()];
  assert.deepEqual([...slots].sort(), [0, 1, 2]);
  assert.equal(sockets.freeCount, 0);
  assert.equal(sockets.openCount, 3);
  assert.throws(() => sockets.acquire(), AssertionFault);
});

it('a released slot is clean and the next to be acquired', () => {
  const sockets = new Sockets(3);
  sockets.acquire();
  const slot = sockets.acquire();
  assert.equal(sockets.state[slot], OPEN);
  sockets.owners[slot] = OWNER;
  sockets.state[slot] |= CLOSING;
  sockets.release(slot);
  assert.equal(sockets.state[slot], 0);
  assert.equal(sockets.owners[slot], null);
  assert.equal(sockets.openCount, 1);
  assert.equal(sockets.acquire(), slot);
});

it('a slot with something in flight, or a free one, cannot be released', () => {
  const sockets = new Sockets(2);
  const slot = sockets.acquire();
  for (const flight of [RECEIVING, SENDING]) {
    sockets.state[slot] = OPEN | flight;
    assert.throws(() => sockets.release(slot), AssertionFault);
  }
  sockets.state[slot] = OPEN;
  sockets.release(slot);
  assert.throws(() => sockets.release(slot), AssertionFault);
});
