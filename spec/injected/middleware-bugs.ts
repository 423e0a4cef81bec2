// Injected bugs of middleware, routes, forms, and handlers of the Fetch standard.

import type { Bug } from './bug.ts';

const PROXY = 'middleware/proxy.js';
const ROUTER = 'route/router.js';
const FORM_READER = 'exchange/form-reader.js';
const FETCH_REQUEST = 'fetch/request.js';
const FETCH_SEND = 'fetch/send.js';

export const MIDDLEWARE_BUGS: readonly Bug[] = [
  {
    name: 'a bucket that loses tokens again keeps its place in the heap',
    kind: 'again',
    file: 'middleware/token-buckets.js',
    find: 'known.fullMs = fullMs;\n            this.#moveDown(known);',
    replace: 'known.fullMs = fullMs;',
    tests: ['middleware/token-buckets'],
  },
  {
    name: 'tokens that are granted while a message leaves are not reported',
    kind: 'middle',
    file: 'middleware/shared-counts.js',
    find:
      'for (const [key] of counts)\n                this.#granted.delete(key);\n' +
      '            await services.siblings?.publish(this.#topic, counts);',
    replace:
      'await services.siblings?.publish(this.#topic, counts);\n' +
      '            for (const [key] of counts)\n                this.#granted.delete(key);',
    tests: ['middleware/shared-counts'],
  },
  {
    name: 'the proxy repeats an idempotent request whose body it has sent',
    kind: 'special',
    file: PROXY,
    find: 'const mayRepeat = bodyBytes === 0 && ',
    replace: 'const mayRepeat = ',
    tests: ['middleware/proxy'],
  },
  {
    name: 'the proxy repeats a request that took too long',
    kind: 'fails',
    file: PROXY,
    find: 'if (error.isTimeout)\n                break;',
    replace: ';',
    tests: ['middleware/proxy'],
  },
  {
    name: 'an unknown hop hides the last proxy that is known',
    kind: 'special',
    file: 'middleware/trust-proxy.js',
    find: 'hop.address === null && client !== null ? { ...hop, ...addressOf(client) } : hop',
    replace: 'hop',
    tests: ['middleware/trust-proxy'],
  },
  {
    name: 'the other spelling of the default port is another origin',
    kind: 'special',
    file: 'middleware/csrf.js',
    find: "withoutPort(host, ':443')",
    replace: 'host',
    tests: ['middleware/csrf'],
  },
  {
    name: 'an error is fresh for as long as the content',
    kind: 'fails',
    file: 'middleware/cache.js',
    find: 'isSafe && mayBeFresh(outgoing) ? ',
    replace: 'isSafe ? ',
    tests: ['middleware/cache'],
  },
  {
    name: 'an encoder that is released counts as memory',
    kind: 'again',
    file: 'middleware/compress.js',
    find: 'this.#running -= 1;\n            encodersBytes -= bytes;',
    replace: 'this.#running -= 1;',
    tests: ['middleware/compress-streams'],
  },
  {
    name: 'a parameter matches an empty segment',
    kind: 'special',
    file: ROUTER,
    find: 'at < end && param !== null',
    replace: 'param !== null',
    tests: ['route/router'],
  },
  {
    name: 'a shape of several parameters counts as one',
    kind: 'special',
    file: ROUTER,
    find: 'const count = params + shape.constraints.length;',
    replace: 'const count = params + 1;',
    tests: ['route/router'],
  },
  {
    name: 'a path with a route of another method only below a dead end is not found',
    kind: 'special',
    file: ROUTER,
    find: 'if (route !== null || node.rest === null)\n                    return route;',
    replace:
      'if (node.rest === null || node.slashEndpoint !== null)\n                    return route;',
    tests: ['route/router'],
  },
  {
    name: 'the bytes of a part are counted for the next one, too',
    kind: 'again',
    file: FORM_READER,
    find: 'this.#inPart = true;\n        this.#partBytes = 0;',
    replace: 'this.#inPart = true;',
    tests: ['exchange/form-reader', 'exchange/form'],
  },
  {
    name: 'the end of the head of a part is not seen where two chunks meet',
    kind: 'middle',
    file: FORM_READER,
    find: 'const unsearched = Math.max(this.#bytes.length - HEAD_END.length + 1, this.#at)',
    replace: 'const unsearched = Math.max(this.#bytes.length, this.#at)',
    tests: ['exchange/form-reader'],
  },
  {
    name: 'a delimiter is content where two chunks meet',
    kind: 'middle',
    file: FORM_READER,
    find: 'return bytes.subarray(last).equals(begun) ? last : bytes.length;',
    replace: 'return bytes.length;',
    tests: ['exchange/form-reader'],
  },
  {
    name: 'a Response of Node that was sent is sent again',
    kind: 'again',
    file: FETCH_SEND,
    find: 'sent.add(response);',
    replace: ';',
    tests: ['fetch/response', 'fetch/handler'],
  },
  {
    name: 'the second of two fields of one name replaces the first',
    kind: 'special',
    file: FETCH_SEND,
    find: 'if (pairs[before].toLowerCase() === name)',
    replace: 'if (pairs[before] === pairs[at])',
    tests: ['fetch/response', 'fetch/handler'],
  },
  {
    name: 'a stream of a body takes the memory of the receive block',
    kind: 'middle',
    file: FETCH_REQUEST,
    find: 'controller.enqueue(new Uint8Array(result.value));',
    replace: 'controller.enqueue(result.value);',
    tests: ['fetch/request', 'fetch/handler', 'fetch/streams'],
  },
  {
    name: 'a limit of the body that middleware has set is not that of a stream',
    kind: 'special',
    file: FETCH_REQUEST,
    find: '? limits : { ...limits, bodyBytesMax: bodyLimit }',
    replace: '? limits : limits',
    tests: ['fetch/request', 'fetch/streams', 'fetch/handler'],
  },
];
