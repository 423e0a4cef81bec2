// Injected bugs of the drivers and of what they are made of.

import type { Bug } from './bug.ts';

const LINUX = 'driver/linux/linux-driver.js';
const LISTENER = 'driver/linux/listener.js';
const EPOLL = 'driver/linux/epoll.js';
const URING = 'driver/linux/uring.js';
const FILES = 'driver/linux/file-sends.js';
const CLIENTS = 'driver/net/clients.js';
const INSIDE = 'driver/linux/inside-calls';
const FAILS = 'driver/linux/every-call-fails';
const ON_EPOLL = ['driver/linux/epoll', 'driver/linux/epoll-faults', INSIDE];
const ON_URING = ['driver/linux/uring', 'driver/linux/uring-faults', INSIDE];
const ON_NET = ['driver/net/clients', 'driver/net/net'];

export const DRIVER_BUGS: readonly Bug[] = [
  {
    name: 'an operation of net stays in flight when Node closes its socket',
    kind: 'fails',
    file: 'driver/net/socket.js',
    find: 'if (this.fault !== 0)\n            this.cancel(this.fault);',
    replace: '',
    tests: ['driver/net/callbacks-fail'],
  },
  {
    name: 'a socket of net that is aborted waits for a block',
    kind: 'fails',
    file: 'driver/net/socket.js',
    find: 'this.shared.starved.delete(this);',
    replace: '',
    tests: ['driver/net/callbacks-fail'],
  },
  {
    name: 'epoll sleeps although a receive was not tried',
    kind: 'middle',
    file: EPOLL,
    find: 'this.slab.freeCount > 0 || this.#untried > 0;',
    replace: 'this.slab.freeCount > 0;',
    tests: ON_EPOLL,
  },
  {
    name: 'epoll sleeps while clients of a closed listener wait',
    kind: 'middle',
    file: EPOLL,
    find: 'this.#unsent.length > 0 || this.listener.isAcceptingRest',
    replace: 'this.#unsent.length > 0',
    tests: ON_EPOLL,
  },
  {
    name: 'epoll takes a short read for an empty socket after the end was reported',
    kind: 'middle',
    file: EPOLL,
    find: 'result < slab.blockBytes && (this.#state[slot] & END_REPORTED) === 0;',
    replace: 'result < slab.blockBytes;',
    tests: ON_EPOLL,
  },
  {
    name: 'epoll aborts no send that was not tried yet',
    kind: 'middle',
    file: EPOLL,
    find: 'if ((state & (SEND_BLOCKED | UNSENT)) !== 0)',
    replace: 'if ((state & SEND_BLOCKED) !== 0)',
    tests: ON_EPOLL,
  },
  {
    name: 'epoll forgets that a retry is in the queue',
    kind: 'again',
    file: EPOLL,
    find: 'this.#state[slot] &= ~RETRY_QUEUED;',
    replace: '',
    tests: ON_EPOLL,
  },
  {
    name: 'a watch of the last owner of a slot counts for the next one',
    kind: 'again',
    file: LINUX,
    find: 'this.fds[slot] = -1;\n        this.#watches[slot] = 0;',
    replace: 'this.fds[slot] = -1;',
    tests: [...ON_EPOLL, 'driver/reused'],
  },
  {
    name: 'a socket stays open when its source address cannot be bound',
    kind: 'fails',
    file: LINUX,
    find: 'this.calls.close(fd);\n        return status;',
    replace: 'return status;',
    tests: [FAILS],
  },
  {
    name: 'a listener stays open when it cannot be watched',
    kind: 'fails',
    file: LISTENER,
    find: 'this.#calls.close(fd);\n        this.#fd = CLOSED;\n        return status;',
    replace: 'this.#fd = CLOSED;\n        return status;',
    tests: [FAILS],
  },
  {
    name: 'the file of a socket stays when its listener cannot be watched',
    kind: 'fails',
    file: LISTENER,
    find:
      'if (this.#file !== null)\n            removeSocketFile(this.#file);\n' +
      '        this.#calls.close(fd);',
    replace: 'this.#calls.close(fd);',
    tests: ['driver/linux/listener'],
  },
  {
    name: 'a closed listener accepts as long as clients connect',
    kind: 'late',
    file: LISTENER,
    find: 'this.#restMax -= count - from;',
    replace: '',
    tests: ['driver/linux/listener'],
  },
  {
    name: 'an interrupted accept ends the turn',
    kind: 'fails',
    file: LISTENER,
    find: 'if (handle === -ERRNO.ECONNABORTED || handle === -ERRNO.EINTR)',
    replace: 'if (handle === -ERRNO.ECONNABORTED)',
    tests: ['driver/linux/listener'],
  },
  {
    name: 'io_uring sleeps without a last look at its ring',
    kind: 'middle',
    file: URING,
    find: 'ring.enableNotification();\n        if (ring.isDue()) {',
    replace: 'ring.enableNotification();\n        if (ring.pending > 0) {',
    tests: ON_URING,
  },
  {
    name: 'io_uring cancels a receive where it waits for readiness',
    kind: 'middle',
    file: URING,
    find: '(state & POLLING) === 0 ? Kind.Receive : Kind.Poll;',
    replace: 'Kind.Receive;',
    tests: ON_URING,
  },
  {
    name: 'a socket of io_uring waits for readiness for ever',
    kind: 'again',
    file: URING,
    find: 'this.#state[slot] &= ~POLLING;\n        if (result >= 0',
    replace: 'if (result >= 0',
    tests: ON_URING,
  },
  {
    name: 'the next owner of a slot has the generation of the last one',
    kind: 'again',
    file: URING,
    find: 'this.#generation[slot] = (this.#generation[slot] + 1) & GENERATION_MASK;',
    replace: '',
    tests: ON_URING,
  },
  {
    name: 'a block that comes for an earlier owner is lost',
    kind: 'again',
    file: URING,
    find:
      'if (generation !== this.#generation[slot]) {\n            if (block >= 0)\n' +
      '                this.slab.release(block);',
    replace: 'if (generation !== this.#generation[slot]) {',
    tests: ON_URING,
  },
  {
    name: 'a file of which a part is in memory is sent by the driver',
    kind: 'middle',
    file: FILES,
    find: 'if (pages === CachedPages.Some)\n            return false;',
    replace: '',
    tests: ['driver/linux/file-sends'],
  },
  {
    name: 'net closes its listener after the first quiet round',
    kind: 'middle',
    file: CLIENTS,
    find: 'const QUIET_ROUNDS = 2;',
    replace: 'const QUIET_ROUNDS = 1;',
    tests: ON_NET,
  },
  {
    name: 'net frees no handle of a client that was adopted',
    kind: 'again',
    file: CLIENTS,
    find: 'this.handles[handle] = null;\n        this.handlesFree.release(handle);',
    replace: 'this.handles[handle] = null;',
    tests: ON_NET,
  },
  {
    name: 'net is not woken when a block is free again',
    kind: 'middle',
    file: 'driver/net/net.js',
    find: 'this.#slab.whenFree = this.#shared.blockReleased;',
    replace: ';',
    tests: ON_NET,
  },
  {
    name: 'the length of a ring is wrong where its counters pass 2^31',
    kind: 'late',
    file: 'base/ring.js',
    find: 'return (this.#tail - this.#head) | 0;',
    replace: 'return this.#tail - this.#head;',
    tests: ['base/ring'],
  },
  {
    name: 'a send of more than a system call takes is asked for in one',
    kind: 'late',
    file: 'driver/linux/epoll-sends.js',
    find: 'this.#bytes[slot] = Math.min(end - start, SEND_BYTES_MAX);',
    replace: 'this.#bytes[slot] = end - start;',
    tests: ['driver/linux/large-sends'],
  },
  {
    name: 'a read in memory puts the second chunk over the first',
    kind: 'middle',
    file: 'driver/memory/pipe.js',
    find: 'target.set(first.subarray(0, taken), at + count);',
    replace: 'target.set(first.subarray(0, taken), at);',
    tests: ['driver/memory/memory'],
  },
  {
    name: 'the length of a completion queue is wrong where its counters pass 2^31',
    kind: 'late',
    file: 'driver/completion-queue.js',
    find: 'return (this.#tail - this.#head) | 0;',
    replace: 'return Math.abs(this.#tail) - Math.abs(this.#head);',
    tests: ['driver/completion-queue'],
  },
  {
    name: 'a send within a block begins at the start of the block',
    kind: 'middle',
    file: 'driver/linux/region-addresses.js',
    find: 'if (this.#slab.start(block) === at)',
    replace: 'if (this.#slab.start(block) <= at)',
    tests: ['driver/linux/large-sends'],
  },
  {
    name: 'io_uring sleeps although a send from a file was not tried',
    kind: 'middle',
    file: URING,
    find: '|| this.#files.isDue)\n            return false;',
    replace: ')\n            return false;',
    tests: ['driver/linux/uring-notification'],
  },
];
