// The epoll driver on a kernel that misbehaves as scripted: for each fault of receiving, sending
// and waiting the contract of driver.ts holds. The same kernel at random: epoll-walk.test.ts.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ERRNO } from '../../../src/base/errno.ts';
import { Op } from '../../../src/driver/driver.ts';
import {
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
} from '../../../src/driver/linux/layout.ts';
import type { ScriptedFixture } from '../scripted/driver-fixture.ts';
import { BLOCK, epollFixture, withSocket } from '../scripted/epoll-fixture.ts';
import type { ScriptedSocket } from '../scripted/syscalls.ts';

const { EAGAIN, EINTR, ENOBUFS, ENOMEM, ECONNRESET, ECANCELED, EPIPE } = ERRNO;

const LONG = 'abcdefghij'.repeat(10);

/** Sends everything, in as many sends as it takes, to a peer that takes it all: the last result. */
function sendAll(fixture: ScriptedFixture, socket: ScriptedSocket, text: string): number {
  fixture.send(0, text);
  let sent = 0;
  let result = 0;
  for (let rounds = 0; rounds < 1000 && sent < text.length; rounds++) {
    fixture.settle((completion) => {
      assert.equal(completion.op, Op.Send);
      result = completion.result;
      if (result < 0) return;
      sent += result;
      if (sent < text.length) fixture.sendRange(0, sent, text.length);
    });
    if (result < 0) return result;
    socket.take();
  }
  assert.equal(sent, text.length, 'everything was sent');
  return result;
}

describe('receiving', () => {
  it('an interrupted receive is tried again: the kernel announces nothing twice', () => {
    withSocket((fixture, socket) => {
      fixture.receive(0);
      fixture.settle();
      fixture.kernel.script('recv', -EINTR, -EINTR);
      socket.write('once');
      assert.deepEqual(fixture.drain(0), { text: 'once', end: null });
    });
  });

  it('readiness that turns out empty is waited for again', () => {
    withSocket((fixture, socket) => {
      fixture.receive(0);
      fixture.kernel.script('recv', -EAGAIN, -EAGAIN, -EAGAIN);
      socket.write('late');
      assert.equal(fixture.drain(0).text, 'late');
      for (let round = 0; round < 5; round++) {
        fixture.kernel.inject(0, EPOLLIN);
        fixture.settle();
      }
      assert.ok(fixture.isInFlight(Op.Receive, 0));
      socket.write('later');
      assert.equal(fixture.drain(0).text, 'later');
    });
  });

  it('bytes that come in pieces are all there, in order', () => {
    withSocket((fixture, socket) => {
      fixture.receive(0);
      fixture.kernel.script('recv', 1, 2, 1, 3);
      socket.write('0123456789');
      assert.equal(fixture.drain(0).text, '0123456789');
    });
  });

  for (const tail of ['', 'tail', BLOCK]) {
    it(`two full blocks are followed by ${tail.length} bytes`, () => {
      withSocket((fixture, socket) => {
        socket.write(BLOCK + BLOCK + tail);
        assert.equal(fixture.drain(0).text, BLOCK + BLOCK + tail);
        socket.write('more');
        assert.equal(fixture.drain(0).text, 'more');
      });
    });
  }

  for (const bytes of [0, 1, 64, 65, 128]) {
    it(`an end announced with ${bytes} bytes comes after them, again and again`, () => {
      for (const isEarly of [true, false]) {
        withSocket((fixture, socket) => {
          if (isEarly) fixture.receive(0);
          fixture.settle();
          if (bytes > 0) socket.write(LONG.repeat(2).slice(0, bytes));
          socket.end();
          // Without a receive in flight the announcement is kept.
          if (!isEarly) fixture.settle();
          assert.deepEqual(fixture.drain(0), { text: LONG.repeat(2).slice(0, bytes), end: 0 });
          assert.deepEqual(fixture.drain(0), { text: '', end: 0 });
        });
      }
    });
  }

  it('an end that comes between the announcement and the receive is told', () => {
    withSocket((fixture, socket) => {
      socket.write('bytes');
      fixture.settle();
      socket.end();
      assert.deepEqual(fixture.drain(0), { text: 'bytes', end: 0 });
    });
  });

  for (const text of ['', 'bytes', BLOCK]) {
    it(`a reset is told after ${text.length} bytes before it, and is an end from then on`, () => {
      withSocket((fixture, socket) => {
        if (text !== '') socket.write(text);
        socket.reset();
        assert.deepEqual(fixture.drain(0), { text, end: -ECONNRESET });
        assert.deepEqual(fixture.drain(0), { text: '', end: 0 });
      });
    });
  }

  it('want of kernel memory is told, and what came meanwhile is kept', () => {
    for (const errno of [ENOMEM, ENOBUFS]) {
      withSocket((fixture, socket) => {
        fixture.kernel.script('recv', -errno);
        socket.write('still there');
        assert.deepEqual(fixture.drain(0), { text: '', end: -errno });
        assert.equal(fixture.drain(0).text, 'still there');
      });
    }
  });
});

describe('sending', () => {
  it('an interrupted send is tried again', () => {
    withSocket((fixture, socket) => {
      fixture.kernel.script('send', -EINTR, -EINTR);
      sendAll(fixture, socket, 'once');
      assert.equal(socket.takenText, 'once');
      // The same for one that had to wait for room.
      fixture.kernel.script('send', -EAGAIN, -EINTR);
      sendAll(fixture, socket, 'twice');
      assert.equal(socket.takenText, 'oncetwice');
    });
  });

  it('a full buffer parks the send until there is room, storms of false room included', () => {
    withSocket((fixture, socket) => {
      fixture.send(0, BLOCK);
      fixture.settle();
      fixture.send(0, 'after');
      for (let round = 0; round < 5; round++) {
        fixture.settle();
        fixture.kernel.inject(0, EPOLLOUT);
        fixture.settle();
        assert.ok(fixture.isInFlight(Op.Send, 0), 'there is no room');
      }
      socket.take(3);
      fixture.settle();
      assert.equal(fixture.last(Op.Send, 0), 3, 'as much as there is room for');
      socket.take();
      assert.equal(socket.takenText, `${BLOCK}aft`);
    });
  });

  it('short sends lose nothing and send nothing twice', () => {
    withSocket((fixture, socket) => {
      fixture.kernel.script('send', 1, -EAGAIN, 2, 7, 1, -EAGAIN, -EAGAIN, 5);
      sendAll(fixture, socket, LONG);
      assert.equal(socket.takenText, LONG);
    });
  });

  it('want of kernel memory is told once, and nothing was sent', () => {
    for (const errno of [ENOMEM, ENOBUFS]) {
      withSocket((fixture, socket) => {
        fixture.kernel.script('send', -errno);
        assert.equal(sendAll(fixture, socket, 'lost'), -errno);
        sendAll(fixture, socket, 'sent');
        assert.equal(socket.takenText, 'sent');
      });
    }
  });

  it('a reset breaks a parked send and a receive, each once', () => {
    withSocket((fixture, socket) => {
      fixture.send(0, BLOCK);
      fixture.settle();
      fixture.receive(0);
      fixture.send(0, 'parked');
      fixture.settle();
      socket.reset();
      fixture.settle();
      assert.equal(fixture.last(Op.Receive, 0), -ECONNRESET);
      assert.equal(fixture.last(Op.Send, 0), -EPIPE, 'the error was told already');
    });
  });

  it('sending goes on after the end of what is received', () => {
    withSocket((fixture, socket) => {
      fixture.receive(0);
      socket.end();
      fixture.settle();
      sendAll(fixture, socket, LONG);
      assert.equal(socket.takenText, LONG);
    });
  });

  it('receiving goes on after the end of what is sent', () => {
    withSocket((fixture, socket) => {
      fixture.receive(0);
      fixture.driver.shutdownSend(0);
      fixture.settle();
      assert.ok(socket.sendingEnded);
      socket.write('thanks');
      assert.equal(fixture.drain(0).text, 'thanks');
      socket.end();
      assert.deepEqual(fixture.drain(0), { text: '', end: 0 });
    });
  });
});

describe('events', () => {
  const bits = [EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR];
  const masks = Array.from({ length: 2 ** bits.length }, (_, number) =>
    bits.reduce((mask, bit, index) => mask | ((number >> index) & 1 ? bit : 0), 0),
  );

  it('of every mask, true or not, do no harm to a receive and a parked send', () => {
    for (const mask of masks) {
      withSocket((fixture, socket) => {
        fixture.send(0, BLOCK);
        fixture.settle();
        fixture.receive(0);
        fixture.send(0, 'parked');
        fixture.settle();
        fixture.kernel.inject(0, mask);
        fixture.settle();
        assert.equal(fixture.inFlight.size, 2, `nothing happened, mask ${mask}`);
        socket.write('in');
        assert.equal(fixture.drain(0).text, 'in');
        socket.write('more');
        assert.equal(fixture.drain(0).text, 'more');
        socket.take();
        fixture.settle();
        assert.equal(fixture.last(Op.Send, 0), 6);
      });
    }
  });

  it('of every mask do no harm to a quiet socket', () => {
    for (const mask of masks) {
      withSocket((fixture, socket) => {
        fixture.kernel.inject(0, mask);
        fixture.settle();
        socket.write('in');
        assert.deepEqual(fixture.drain(0), { text: 'in', end: null });
        socket.end();
        assert.deepEqual(fixture.drain(0), { text: '', end: 0 });
      });
    }
  });

  it('of an end or an error alone are enough for a receive and a parked send', () => {
    for (const mask of [EPOLLRDHUP, EPOLLHUP, EPOLLERR]) {
      withSocket((fixture, socket) => {
        fixture.receive(0);
        fixture.settle();
        socket.peerEnded = true;
        fixture.kernel.inject(0, mask);
        fixture.settle();
        assert.equal(fixture.last(Op.Receive, 0), 0);
      });
    }
    for (const mask of [EPOLLHUP, EPOLLERR]) {
      withSocket((fixture, socket) => {
        fixture.send(0, BLOCK);
        fixture.settle();
        fixture.send(0, 'parked');
        fixture.settle();
        socket.isReset = true;
        fixture.kernel.inject(0, mask);
        fixture.settle();
        assert.equal(fixture.last(Op.Send, 0), -EPIPE);
      });
    }
  });

  it('an interrupted wait finds them the next time', () => {
    withSocket((fixture, socket) => {
      fixture.receive(0);
      fixture.settle();
      fixture.kernel.script('wait', -EINTR, -EINTR);
      socket.write('patience');
      assert.equal(fixture.drain(0).text, 'patience');
    });
  });

  it('a socket that epoll does not take hangs, spins not, and is closed by abort', () => {
    for (const errno of [ENOMEM, 28]) {
      const fixture = epollFixture();
      fixture.kernel.script('control', -errno);
      const socket = fixture.kernel.accepted();
      socket.write('before');
      fixture.driver.adopt(socket.fd, 0);
      assert.equal(fixture.drain(0).text, 'before', 'what was there at adoption is heard');
      socket.write('never heard');
      assert.deepEqual(fixture.settle(), []);
      fixture.finish(0);
      assert.equal(fixture.last(Op.Receive, 0), -ECANCELED);
      fixture.end();
    }
  });

  it('that give two completions each leave room for both', () => {
    for (const completions of [4, 5, 7, 8]) {
      const fixture = epollFixture({ completions });
      const sockets = Array.from({ length: 8 }, (_, slot) => fixture.adopt(slot));
      for (const slot of sockets.keys()) fixture.send(slot, BLOCK);
      fixture.settle();
      for (const slot of sockets.keys()) {
        fixture.receive(slot);
        fixture.send(slot, 'parked');
      }
      fixture.settle();
      for (const socket of sockets) {
        socket.write('bytes');
        socket.take();
      }
      fixture.settle((completion) => {
        if (completion.op === Op.Receive) fixture.take(completion);
      });
      assert.equal(fixture.inFlight.size, 0);
      for (const slot of sockets.keys()) fixture.finish(slot);
      fixture.end();
    }
  });

  for (const capacity of [4, 5, 7, 16]) {
    it(`more ready sockets than fit into ${capacity} completions are all served`, () => {
      const fixture = epollFixture({ slots: 30, blockCount: 30, completions: capacity });
      const sockets = Array.from({ length: 30 }, (_, slot) => fixture.adopt(slot));
      for (const [slot, socket] of sockets.entries()) {
        fixture.receive(slot);
        fixture.send(slot, 'answer');
        socket.write(`${slot}`);
      }
      const completions = fixture.settle();
      const texts = completions
        .filter(({ op }) => op === Op.Receive)
        .map((completion) => fixture.take(completion));
      assert.deepEqual(new Set(texts), new Set(sockets.map((_, slot) => `${slot}`)));
      assert.equal(
        completions.filter(({ op, result }) => op === Op.Send && result === 6).length,
        30,
      );
      for (const slot of sockets.keys()) fixture.finish(slot);
      fixture.end();
    });
  }
});
