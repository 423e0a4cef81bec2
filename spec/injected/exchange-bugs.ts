// Injected bugs of requests and responses: the cache of heads, memory that is shared, what is kept
// beyond a request, forms, and the functions of the Fetch standard.

import type { Bug } from './bug.ts';

const CACHE = 'connection/response-cache.js';
const CACHE_TESTS = ['connection/response-cache'];
const FETCH_TESTS = ['fetch/special-values'];

export const EXCHANGE_BUGS: readonly Bug[] = [
  {
    name: 'a response gets the cached head of one that has a field more',
    kind: 'special',
    file: CACHE,
    find: 'if (names.length !== count)\n        return false;',
    replace: '',
    tests: [...CACHE_TESTS, 'connection/repeated-responses'],
  },
  {
    name: 'the cache of heads grows without bound',
    kind: 'late',
    file: CACHE,
    find: 'this.#next = (this.#next + 1) % ENTRIES_MAX;',
    replace: 'this.#next += 1;',
    tests: CACHE_TESTS,
  },
  {
    name: 'afterSend() learns of no bytes where the full response was cached',
    kind: 'again',
    file: 'connection/response-writer.js',
    find: 'exchange.contentBytes = text.length;\n                sendQueue',
    replace: 'sendQueue',
    tests: ['connection/repeated-responses'],
  },
  {
    name: 'a copy goes to the chunk of memory before',
    kind: 'late',
    file: 'base/carve.js',
    find: 'bytes = Buffer.from(chunk);\n    used',
    replace: 'used',
    tests: ['base/carve'],
  },
  {
    name: 'a kept iterator over a body reads that of the next request',
    kind: 'again',
    file: 'exchange/body-reads.js',
    find: 'exchange.retain();',
    replace: '',
    tests: ['connection/kept'],
  },
  {
    name: 'a kept iterator over parts reads those of the next request',
    kind: 'again',
    file: 'exchange/parts-iterator.js',
    find: 'exchange.retain();',
    replace: '',
    tests: ['connection/kept'],
  },
  {
    name: 'decompress() with a limit of its own ignores that of bodyLimit()',
    kind: 'special',
    file: 'exchange/decoding.js',
    find: 'bodyBytesMax < 0 ? most : Math.min(most, bodyBytesMax)',
    replace: 'most',
    tests: ['middleware/decompress'],
  },
  {
    name: 'a part of a form may have a filename* in capitals',
    kind: 'special',
    file: 'exchange/part-head.js',
    find: "lower === 'filename*'",
    replace: "parameter === 'filename*'",
    tests: ['exchange/part-head'],
  },
  {
    name: 'a Response with Connection: Close keeps its connection',
    kind: 'special',
    file: 'fetch/fields.js',
    find: '/(^|[\\s,])close([\\s,]|$)/i',
    replace: '/(^|[\\s,])close([\\s,]|$)/',
    tests: FETCH_TESTS,
  },
  {
    name: 'of two fields of a Response whose names differ in case the first is lost',
    kind: 'special',
    file: 'fetch/send.js',
    find: 'if (pairs[before].toLowerCase() === name)',
    replace: 'if (pairs[before] === name)',
    tests: FETCH_TESTS,
  },
  {
    name: 'of several keys of signed cookies only the last one is accepted',
    kind: 'special',
    file: 'exchange/signed-cookies.js',
    find: '|| isValid;',
    replace: ';',
    tests: ['exchange/signed-cookies'],
  },
  {
    name: 'a file has no Vary of its own where the handler has set one',
    kind: 'special',
    file: 'exchange/representation.js',
    find: "lower === 'vary' || !before",
    replace: '!before',
    tests: ['exchange/representation-kinds'],
  },
  {
    name: 'a request that no tracer saw begin has the message of one before it',
    kind: 'again',
    file: 'exchange/tracing.js',
    find: 'open.delete(exchange);',
    replace: '',
    tests: ['exchange/tracing'],
  },
  {
    name: 'the size of a chunk begins in the extension of the one before',
    kind: 'again',
    file: 'http/chunked.js',
    find: 'this.state = State.Extension;\n        this.extensionState = ExtensionState.Space;',
    replace: 'this.state = State.Extension;',
    tests: ['http/chunked'],
  },
  {
    name: 'the error that middleware caught takes the place of the one that it throws',
    kind: 'fails',
    file: 'exchange/parts.js',
    find: '!mayBeCaught || parts.failure === null',
    replace: 'parts.failure === null',
    tests: ['server/which-error'],
  },
];
