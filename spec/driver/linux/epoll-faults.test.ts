// The epoll driver on a kernel with scripted faults: for each fault of receiving, sending and
// waiting the contract of driver.ts holds. epoll-fuzz.test.ts uses the same kernel at random.

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

/** Sends all of a text, in as many sends as needed, to a peer that takes it: the last result. */
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
  it('an interrupted receive is tried again, as the kernel reports readiness once', () => {
    withSocket((fixture, socket) => {
      fixture.receive(0);
      fixture.settle();
      fixture.kernel.script('recv', -EINTR, -EINTR);
      socket.write('once');
      assert.deepEqual(fixture.drain(0), { text: 'once', end: null });
    });
  });

  it('after a false readiness the receive waits again', () => {
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

  it('bytes that arrive in segments are received in full and in order', () => {
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
    it(`an end reported with ${bytes} bytes comes after them, at each receive`, () => {
      for (const isEarly of [true, false]) {
        withSocket((fixture, socket) => {
          if (isEarly) fixture.receive(0);
          fixture.settle();
          if (bytes > 0) socket.write(LONG.repeat(2).slice(0, bytes));
          socket.end();
          // Without a receive in flight the readiness is kept.
          if (!isEarly) fixture.settle();
          assert.deepEqual(fixture.drain(0), { text: LONG.repeat(2).slice(0, bytes), end: 0 });
          assert.deepEqual(fixture.drain(0), { text: '', end: 0 });
        });
      }
    });
  }

  it('an end between the event and the receive is reported', () => {
    withSocket((fixture, socket) => {
      socket.write('bytes');
      fixture.settle();
      socket.end();
      assert.deepEqual(fixture.drain(0), { text: 'bytes', end: 0 });
    });
  });

  for (const text of ['', 'bytes', BLOCK]) {
    it(`a reset is reported after ${text.length} bytes before it, and is an end later`, () => {
      withSocket((fixture, socket) => {
        if (text !== '') socket.write(text);
        socket.reset();
        assert.deepEqual(fixture.drain(0), { text, end: -ECONNRESET });
        assert.deepEqual(fixture.drain(0), { text: '', end: 0 });
      });
    });
  }

  it('a lack of kernel memory is reported, and bytes that came meanwhile are kept', () => {
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
      // The same for a send that had to wait for room.
      fixture.kernel.script('send', -EAGAIN, -EINTR);
      sendAll(fixture, socket, 'twice');
      assert.equal(socket.takenText, 'oncetwice');
    });
  });

  it('a full buffer blocks the send until there is room, despite false reports of room', () => {
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

  it('short sends lose no byte and send none twice', () => {
    withSocket((fixture, socket) => {
      fixture.kernel.script('send', 1, -EAGAIN, 2, 7, 1, -EAGAIN, -EAGAIN, 5);
      sendAll(fixture, socket, LONG);
      assert.equal(socket.takenText, LONG);
    });
  });

  it('a lack of kernel memory is reported once, and nothing was sent', () => {
    for (const errno of [ENOMEM, ENOBUFS]) {
      withSocket((fixture, socket) => {
        fixture.kernel.script('send', -errno);
        assert.equal(sendAll(fixture, socket, 'lost'), -errno);
        sendAll(fixture, socket, 'sent');
        assert.equal(socket.takenText, 'sent');
      });
    }
  });

  it('a reset breaks a blocked send and a receive, each once', () => {
    withSocket((fixture, socket) => {
      fixture.send(0, BLOCK);
      fixture.settle();
      fixture.receive(0);
      fixture.send(0, 'parked');
      fixture.settle();
      socket.reset();
      fixture.settle();
      assert.equal(fixture.last(Op.Receive, 0), -ECONNRESET);
      assert.equal(fixture.last(Op.Send, 0), -EPIPE, 'the error was reported already');
    });
  });

  it('sending continues after the end of the received stream', () => {
    withSocket((fixture, socket) => {
      fixture.receive(0);
      socket.end();
      fixture.settle();
      sendAll(fixture, socket, LONG);
      assert.equal(socket.takenText, LONG);
    });
  });

  it('receiving continues after the end of the sent stream', () => {
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

  it('with any mask, true or not, do no harm to a receive and a blocked send', () => {
    for (const mask of masks) {
      withSocket((fixture, socket) => {
        fixture.send(0, BLOCK);
        fixture.settle();
        fixture.receive(0);
        fixture.send(0, 'parked');
        fixture.settle();
        fixture.kernel.inject(0, mask);
        fixture.settle();
        assert.equal(fixture.inFlight.size, 2, `nothing completed, mask ${mask}`);
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

  it('with any mask do no harm to an idle socket', () => {
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

  it('of an end or an error alone complete a receive and a blocked send', () => {
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

  it('after an interrupted wait they come with the next one', () => {
    withSocket((fixture, socket) => {
      fixture.receive(0);
      fixture.settle();
      fixture.kernel.script('wait', -EINTR, -EINTR);
      socket.write('patience');
      assert.equal(fixture.drain(0).text, 'patience');
    });
  });

  it('a socket that the epoll does not take waits without spinning, and abort closes it', () => {
    for (const errno of [ENOMEM, 28]) {
      const fixture = epollFixture();
      fixture.kernel.script('control', -errno);
      const socket = fixture.kernel.accepted();
      socket.write('before');
      fixture.driver.adopt(socket.fd, 0);
      assert.equal(fixture.drain(0).text, 'before', 'bytes from before the adoption are received');
      socket.write('never heard');
      assert.deepEqual(fixture.settle(), []);
      fixture.finish(0);
      assert.equal(fixture.last(Op.Receive, 0), -ECANCELED);
      fixture.end();
    }
  });

  it('that make two completions each have room for both', () => {
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
        fixture.send(slot, 'output');
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
