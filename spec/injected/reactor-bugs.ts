// Injected bugs of the reactor, of connections and of responses.

import type { Bug } from './bug.ts';

const ADMISSION = 'reactor/admission.js';
const TIMEOUTS = 'connection/timeouts.js';
const CONDITIONAL = 'http/conditional.js';

export const REACTOR_BUGS: readonly Bug[] = [
  {
    name: 'a freed slot keeps its flags',
    kind: 'again',
    file: 'reactor/sockets.js',
    find: 'this.state[slot] = 0;\n        this.owners[slot] = null;',
    replace: 'this.state[slot] &= ~OPEN;\n        this.owners[slot] = null;',
    tests: ['reactor/sockets', 'reactor/reactor', 'reactor/admission'],
  },
  {
    name: 'a closed slot stays in the list of evicted ones',
    kind: 'again',
    file: ADMISSION,
    find: 'this.#evicted.splice(at, 1);',
    replace: ';',
    tests: ['reactor/admission'],
  },
  {
    name: 'the wait for a free slot goes on when one is free',
    kind: 'again',
    file: ADMISSION,
    find: 'this.#parts.deadlines.disarm(this.#overloadNode);',
    replace: ';',
    tests: ['reactor/admission'],
  },
  {
    name: 'an overload wait of 0 is no wait instead of none',
    kind: 'special',
    file: ADMISSION,
    find: 'overload === null || overload.waitMs === 0 || overload.extraSlots === 0',
    replace: 'overload === null || overload.extraSlots === 0',
    tests: ['reactor/admission', 'server/zero-limits'],
  },
  {
    name: 'after an accept that failed, accepting is off for ever',
    kind: 'fails',
    file: ADMISSION,
    find: 'if (deadlines.expire(retryKind, nowMs) >= 0 && this.#canTakeMore)',
    replace: 'if (deadlines.expire(retryKind, nowMs) >= 0 && this.#isFull)',
    tests: ['reactor/admission', 'reactor/reactor'],
  },
  {
    name: 'a response in parts disarms the timeout of a body',
    kind: 'middle',
    file: TIMEOUTS,
    find: 'else if (body.wanted || (exchange.phase === Phase.Ended && !body.ended)) {',
    replace: 'else if (exchange.phase === Phase.Ended && !body.ended) {',
    tests: ['connection/slow-bodies', 'server/every-timeout', 'connection/bodies'],
  },
  {
    name: 'a client that has sent nothing is closed while blocks are short',
    kind: 'middle',
    file: TIMEOUTS,
    find: 'return sendQueue.waiting > 0 || reactor.slab.freeCount === 0;',
    replace: 'return sendQueue.waiting > 0;',
    tests: ['connection/closing', 'server/every-timeout', 'connection/close'],
  },
  {
    name: 'ranges may be longer together than the file',
    kind: 'special',
    file: 'http/range.js',
    find: 'ranges.push(range) > RANGE_PARTS_MAX || total > length',
    replace: 'ranges.push(range) > RANGE_PARTS_MAX',
    tests: ['http/range'],
  },
  {
    name: 'the last byte of a range may lie behind the end',
    kind: 'special',
    file: 'http/range.js',
    find: 'to: Math.min(last + 1, length)',
    replace: 'to: last + 1',
    tests: ['http/range'],
  },
  {
    name: 'a weak tag in If-Range gets a part',
    kind: 'special',
    file: CONDITIONAL,
    find: 'return searchTags(bytes, from, to, etag, true) === TagSearch.Present;',
    replace: 'return searchTags(bytes, from, to, etag, false) === TagSearch.Present;',
    tests: ['http/conditional'],
  },
  {
    name: 'a date that occurs twice is compared',
    kind: 'special',
    file: CONDITIONAL,
    find: 'if (index < 0 || head.count(field) > 1)',
    replace: 'if (index < 0)',
    tests: ['http/conditional'],
  },
  {
    name: 'bytes of a connection that is gone are still read from a file',
    kind: 'middle',
    file: 'connection/read-file.js',
    find: 'if (!sendQueue.isReading(region))\n        return;',
    replace: '',
    tests: ['connection/read-file'],
  },
  {
    name: 'the first check of a wait counts as one without progress',
    kind: 'special',
    file: 'reactor/progress.js',
    find: 'bytes < 0 || bytes === this.#unacknowledged[slot]',
    replace: 'bytes < 0 || bytes >= this.#unacknowledged[slot]',
    tests: ['reactor/reactor', 'behaviour/slow-readers'],
  },
  {
    name: 'a deadline passes over what came while the process was paused',
    kind: 'middle',
    file: 'reactor/reactor.js',
    find: 'const late = this.driver.poll(this.#out);',
    replace: 'const late = 0;',
    tests: ['reactor/reactor'],
  },
];
