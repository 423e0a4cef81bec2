// Injected bugs of buffers: memory released too early or never, bytes dropped or sent twice.

import type { Mutant } from './mutant.ts';

const SEND_QUEUE = 'connection/send-queue.js';
const RECEIVE_BUFFER = 'connection/receive-buffer.js';
const BODY = 'connection/request-body.js';
const WRITER = 'connection/response-writer.js';

export const INJECTED_MEMORY: readonly Mutant[] = [
  {
    name: 'the rest of a partial send is dropped',
    file: SEND_QUEUE,
    find: 'if (span.start === span.end)\n            this.#pop(span);\n        if',
    replace: 'this.sentTotal += span.end - span.start; this.#pop(span);\n        if',
  },
  {
    name: 'a partial send is sent again from its beginning',
    file: SEND_QUEUE,
    find: 'span.start += bytes;',
    replace: 'if (span.start + bytes === span.end) span.start += bytes;',
  },
  {
    name: 'a block is released when its send begins',
    file: SEND_QUEUE,
    find: 'this.#reactor.send(this.#slot, span.number, span.start, span.end, more);',
    replace:
      'this.#reactor.send(this.#slot, span.number, span.start, span.end, more);\n' +
      '        if (span.block >= 0) { this.#slab.release(span.block); span.block = -1; }',
  },
  {
    name: 'a region is unmapped when its send begins',
    file: SEND_QUEUE,
    find: 'this.#reactor.send(this.#slot, span.number, span.start, span.end, more);',
    replace:
      'this.#reactor.send(this.#slot, span.number, span.start, span.end, more);\n' +
      '        span.region?.release(); span.region = null;',
  },
  {
    name: 'a block that was sent is never released',
    file: SEND_QUEUE,
    find: 'if (span.block >= 0)\n            this.#slab.release(span.block);',
    replace: '',
  },
  {
    name: 'a response is written past the end of its block',
    file: SEND_QUEUE,
    find: 'if (last.end + bytes <= slab.start(last.block) + slab.blockBytes)',
    replace: 'if (last.end + bytes <= slab.start(last.block) + slab.blockBytes + 4096)',
  },
  {
    name: 'a writer that waits for room is resumed too early',
    file: SEND_QUEUE,
    find: 'if (target <= this.sentTotal ||',
    replace: 'if (target <= this.sentTotal + 1000000 ||',
  },
  {
    name: 'a writer that waits for room is never resumed',
    file: SEND_QUEUE,
    find: 'if (this.#waiters !== null)\n            this.#resolveReached();',
    replace: '',
  },
  {
    name: 'a second send is started while one is in flight',
    file: SEND_QUEUE,
    find: 'this.waiting === 0 || this.#reactor.sending(this.#slot) ||',
    replace: 'this.waiting === 0 ||',
  },
  {
    name: 'the second part of a block is moved from its beginning',
    file: RECEIVE_BUFFER,
    find: 'const from = this.#nextStart;',
    replace: 'const from = this.#slab.start(this.#nextBlock);',
  },
  {
    name: 'unread bytes are not moved to the front',
    file: RECEIVE_BUFFER,
    find: 'this.memory.copyWithin(this.#low, this.start, this.end);',
    replace: '',
  },
  {
    name: 'a joined block is not released',
    file: RECEIVE_BUFFER,
    find:
      'if (this.#nextStart === this.#nextEnd) {\n' +
      '            this.#slab.release(this.#nextBlock);',
    replace: 'if (this.#nextStart === this.#nextEnd) {',
  },
  {
    name: 'the last byte is lost when bytes are spilled out of the slab',
    file: RECEIVE_BUFFER,
    find: 'this.start = 0;\n        this.end = unread;\n        this.join();',
    replace: 'this.start = 0;\n        this.end = unread - 1;\n        this.join();',
  },
  {
    name: 'a closed connection keeps its second block',
    file: RECEIVE_BUFFER,
    find:
      'clear() {\n        if (this.#nextBlock !== NONE)\n' +
      '            this.#slab.release(this.#nextBlock);',
    replace: 'clear() {',
  },
  {
    name: 'a body ends one byte early',
    file: BODY,
    find: 'this.ended = this.#remaining === 0;',
    replace: 'this.ended = this.#remaining <= 1;',
  },
  {
    name: 'gathered chunks of a body overlap when the buffer grows',
    file: BODY,
    find: 'this.#gathered.copy(larger, 0, 0, this.#gatheredBytes);',
    replace: 'this.#gathered.copy(larger, 0, 0, this.#gatheredBytes - 1);',
  },
  {
    name: 'a stream drops the end of a large chunk',
    file: WRITER,
    find:
      'if (exchange.chunked)\n            this.#raw(sendQueue, LINE_END);\n' +
      '        return target;',
    replace:
      'if (exchange.chunked && sendQueue.waiting < 15000)\n' +
      '            this.#raw(sendQueue, LINE_END);\n        return target;',
  },
  {
    name: 'write() of a large chunk resolves at once',
    file: WRITER,
    find: 'const target = sendQueue.queuedTotal;',
    replace: 'const target = 0;',
  },
];
