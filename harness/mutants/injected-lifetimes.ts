// Injected bugs of lifetimes: a handle that reaches another request, a late call with an effect, a
// chain that runs twice, a promise that starves Node's event loop. The hostile application finds
// them.

import type { Mutant } from './mutant.ts';

const REQUEST = 'exchange/request.js';
const BODY_READS = 'exchange/body-reads.js';
const DELIVERY = 'connection/delivery.js';
const RESPONSE = 'exchange/response.js';
const EXCHANGE = 'exchange/exchange.js';
const LATE = 'exchange/late.js';
const OUTGOING = 'exchange/outgoing.js';
const EVENTS = 'exchange/event-stream.js';
const CONNECTION = 'connection/connection.js';
const CLOSE = 'connection/close.js';
const POOL = 'connection/exchange-pool.js';
const CHAIN = 'server/chain.js';
const APPLICATION = 'server/application.js';

const LIFETIMES: readonly Omit<Mutant, 'hostile'>[] = [
  {
    name: 'a kept request reads the next request of its exchange',
    file: REQUEST,
    find: 'if (exchange.identity !== request.#identity)\n            throw new Error(OVER);',
    replace: '',
  },
  {
    name: 'fields set on a kept response go to the next response of its exchange',
    file: RESPONSE,
    find: 'Phase.Open && !exchange.gone && exchange.identity === response) {',
    replace: 'Phase.Open && !exchange.gone) {',
  },
  {
    name: 'a kept response responds to the next request of its exchange',
    file: RESPONSE,
    find: 'if (isUnsent(exchange) && exchange.identity === response)\n            return exchange;',
    replace: 'if (isUnsent(exchange))\n            return exchange;',
  },
  {
    name: 'write() on a kept response goes to the next response of its exchange',
    file: RESPONSE,
    find: 'const isOurs = exchange.identity === response && !exchange.gone;',
    replace: 'const isOurs = !exchange.gone;',
  },
  {
    name: 'a kept response reads the fields of the next response of its exchange',
    file: RESPONSE,
    find: 'if (!Response.#isOver(response))\n            return response.#exchange;',
    replace: 'return response.#exchange;',
  },
  {
    name: 'a response that was sent is open again when its exchange is reused',
    file: RESPONSE,
    find: 'return Response.#isOver(this) || this.#exchange.phase !== Phase.Open;',
    replace: 'return this.#exchange.phase !== Phase.Open;',
  },
  {
    name: 'an exchange keeps its transport after the connection has detached it',
    file: CONNECTION,
    find: 'exchange.detach(DETACHED, this.knownPeer);',
    replace: '',
  },
  {
    name: 'an exchange keeps its transport when the client is gone',
    file: CLOSE,
    find: 'exchange.detach(DETACHED, connection.knownPeer);',
    replace: '',
  },
  {
    name: 'an exchange that a stream still uses is reused',
    file: CONNECTION,
    find: 'if (isSettled && !exchange.retained)\n            this.context.exchanges',
    replace: 'if (isSettled)\n            this.context.exchanges',
  },
  {
    name: 'an exchange with a pending handler is reused',
    file: CONNECTION,
    find: 'if (isSettled && !exchange.retained)\n            this.context.exchanges',
    replace: 'if (!exchange.retained || !isSettled)\n            this.context.exchanges',
  },
  {
    name: 'the state of a request is visible to the next one',
    file: POOL,
    find: 'exchange.reset(transport);\n        return exchange;',
    replace:
      'const { state } = exchange;\n        exchange.reset(transport);\n' +
      '        exchange.state = state;\n        return exchange;',
  },
  {
    name: 'a request has the query of the previous one',
    file: POOL,
    find: 'exchange.reset(transport);\n        return exchange;',
    replace:
      'const { query } = exchange;\n        exchange.reset(transport);\n' +
      '        exchange.query = query;\n        return exchange;',
  },
  {
    name: 'trailers are sent with the next response',
    file: POOL,
    find: 'exchange.reset(transport);\n        return exchange;',
    replace:
      'const { trailers } = exchange;\n        exchange.reset(transport);\n' +
      '        exchange.trailers = trailers;\n        return exchange;',
  },
  {
    name: 'a kept next() runs the handler of the next request of its exchange',
    file: CHAIN,
    find: 'const isOver = exchange.identity !== identity;',
    replace: 'const isOver = false;',
  },
  {
    name: 'next() runs the rest of the chain twice',
    file: CHAIN,
    find: 'exchange.phase === Phase.Ended || invocation.step !== at',
    replace: 'exchange.phase === Phase.Ended || invocation.step < at',
  },
  {
    name: 'next() runs a handler after the response',
    file: CHAIN,
    find: 'if (isOver || isLeft || exchange.phase === Phase.Ended || invocation.step !== at)',
    replace: 'if (isOver || isLeft || invocation.step !== at)',
  },
  {
    name: 'outgoing changes the next response of its exchange',
    file: OUTGOING,
    find: 'finish(outgoing);\n    }',
    replace: '}',
  },
  {
    name: 'late calls starve the event loop',
    file: LATE,
    find: 'return exchange.services.pause(Math.min(Math.max(beyond, 0), LATE_PAUSE_MS_MAX));',
    replace: 'return Promise.resolve();',
  },
  {
    name: 'late calls of a finished request starve the event loop',
    file: LATE,
    find: 'return exchange.services.pause(LATE_PAUSE_MS);',
    replace: 'return Promise.resolve();',
  },
  {
    name: 'writes that settle at once starve the event loop',
    file: LATE,
    find: 'if (exchange.quickWrites < QUICK_WRITES_MAX)\n        return settled;',
    replace: 'return settled;',
  },
  {
    name: 'failing reads of a body starve the event loop',
    file: BODY_READS,
    find:
      'catch (error) {\n        await lateRead(exchange);\n        throw error;\n    }\n}\n' +
      'export async function readText',
    replace: 'catch (error) {\n        throw error;\n    }\n}\nexport async function readText',
  },
  {
    name: 'the iterator of a finished body starves the event loop',
    file: BODY_READS,
    find: 'if (this.#ended)\n            await lateRead(exchange);',
    replace: '',
  },
  {
    name: 'an ignored late rejection ends the process',
    file: LATE,
    find: 'promise.catch(() => { });\n    return promise;',
    replace: 'return promise;',
  },
  {
    name: 'a late call throws outside of its handler',
    file: LATE,
    find: 'if (exchange.parts.entered && !isOver && !isExpected)',
    replace: 'if (!isOver && !isExpected)',
  },
  {
    name: 'a late call on a handle of a finished request throws',
    file: LATE,
    find: 'if (exchange.parts.entered && !isOver && !isExpected)',
    replace: 'if (isOver || (exchange.parts.entered && !isExpected))',
  },
  {
    name: 'late calls are not counted',
    file: LATE,
    find: 'services.countLateCall(!isExpected);',
    replace: '',
  },
  {
    name: 'a handler counts as being on the call stack for ever',
    file: CHAIN,
    find: 'parts.entered = false;\n        if (later === null)',
    replace: 'if (later === null)',
  },
  {
    name: 'two calls send one response',
    file: 'exchange/respond.js',
    find: 'exchange.writer === Writer.None && !exchange.gone;',
    replace: '!exchange.gone;',
  },
  {
    name: 'write() adds to a stream of another call',
    file: RESPONSE,
    find: 'if (isOurs && exchange.writer === Writer.Chunks && exchange.phase',
    replace: 'if (isOurs && exchange.phase',
  },
  {
    name: 'a closed event stream is open for the next request of its exchange',
    file: EVENTS,
    find: 'if (!this.#closed) {',
    replace: 'if (true) {',
  },
  {
    name: 'a quiet source is not ended when its client is gone',
    file: EXCHANGE,
    find: 'onGone?.();',
    replace: '',
  },
  {
    name: 'a late source is not ended',
    file: RESPONSE,
    find:
      'if (!isUnsent(this.#exchange) || Response.#isOver(this))\n' +
      '            cancelSource(source);',
    replace: '',
  },
  {
    name: 'a handler that returns nothing cannot respond later',
    file: APPLICATION,
    find: 'if (parts.deferred && !mayRespondLater) {',
    replace: 'if (parts.deferred) {',
  },
  {
    name: 'a kept iterator of a body does not retain its exchange',
    file: BODY_READS,
    find: "must stay this request's.\n            exchange.retain();",
    replace: "must stay this request's.",
  },
  {
    name: 'an iterator of fields continues after the request is over',
    file: REQUEST,
    find: 'const { bytes, base } = Request.#live(this);\n            yield',
    replace: 'const { bytes, base } = this.#exchange;\n            yield',
  },
  {
    name: 'afterSend() is not called when the client is gone',
    file: DELIVERY,
    find: 'this.#waiting = [];\n        for (const delivery',
    replace: 'this.#waiting = [];\n        return;\n        for (const delivery',
  },
  {
    name: 'afterSend() is called again for the next client',
    file: DELIVERY,
    find: 'if (waiting.length === 0)\n            return;\n        this.#waiting = [];',
    replace: 'if (waiting.length === 0)\n            return;',
  },
  {
    name: 'callbacks of a response run for the next response of its exchange',
    file: OUTGOING,
    find: 'exchange.beforeSend = null;\n    const outgoing',
    replace: 'queueMicrotask(() => { exchange.beforeSend ??= callbacks; });\n    const outgoing',
  },
  {
    name: 'handlers behind a mounted middleware see the path without its prefix',
    file: CHAIN,
    find: 'const request = mountBytes === 0 ? invocation.request : mounted',
    replace: 'const request = mountBytes === 0 ? invocation.request : invocation.request = mounted',
  },
  {
    name: 'a failed body makes the next one fail',
    file: 'connection/request-body.js',
    find: 'this.#failure = null;\n        if (this.ended)',
    replace: 'if (this.ended)',
  },
  {
    name: 'afterSend() reports a truncated response as complete',
    file: 'connection/delivery.js',
    find: 'const complete = delivery.complete && missing === 0;',
    replace: 'const complete = !delivery.complete;',
  },
];

export const INJECTED_LIFETIMES: readonly Mutant[] = LIFETIMES.map((mutant) => ({
  ...mutant,
  hostile: true,
}));
