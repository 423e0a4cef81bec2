// The grammar of the hostile application: every call of the API by the kind of its object, when it
// is made, what handlers throw and return, what they send and await. All of it has to occur.

/** Calls by the kind of object; some are sequences of calls. */
export const CALLS = {
  response: [
    'status',
    'header',
    'appendHeader',
    'getHeader',
    'statusCode',
    'sent',
    'closed',
    'send',
    'text',
    'html',
    'json',
    'empty',
    'redirect',
    'prepared',
    'file',
    'stream',
    'write',
    'write reused',
    'end',
    'trailer',
    'events',
    'beforeSend',
    'afterSend',
    'declare length',
    'declare close',
    'loop of write',
    'loop of empty write',
    'loop of stream',
    'loop of file',
  ],
  request: [
    'method',
    'target',
    'path',
    'query',
    'params',
    'header',
    'headers',
    'headers partly read',
    'httpVersion',
    'remote',
    'signal',
    'state',
    'bytes',
    'text',
    'json',
    'form',
    'body',
    'body partly read',
    'body not begun',
    'body twice',
    'body left early',
    'trailers',
    'loop of bytes',
    'loop of body',
  ],
  next: ['call', 'loop of call'],
  events: ['send', 'comment', 'close', 'closed', 'loop of send', 'loop of comment'],
  outgoing: [
    'status',
    'set status',
    'header',
    'setHeader',
    'appendHeader',
    'removeHeader',
    'content',
    'set content',
    'streamed',
  ],
  fields: ['next', 'return'],
  chunks: ['next', 'return', 'loop of next'],
  body: ['iterate'],
  signal: ['aborted', 'listen'],
  query: ['read', 'write'],
  params: ['read'],
  state: ['read', 'write'],
} as const;

export type Kind = keyof typeof CALLS;
export type CallOf<K extends Kind> = (typeof CALLS)[K][number];

export const KINDS: readonly Kind[] = Object.keys(CALLS) as Kind[];

export const WHENS = [
  'now',
  'after microtasks',
  'after a timer',
  'after a long timer',
  'in an immediate',
  'after the response',
  'after the client is gone',
  'after the handler timeout',
  'after close() began',
] as const;
export type When = (typeof WHENS)[number];

export const THROWS = [
  'nothing',
  'Error',
  'HttpError',
  'null',
  'undefined',
  'text',
  'frozen object',
  'proxy',
  'thenable',
  'error with getters',
] as const;
export type Thrown = (typeof THROWS)[number];

/** What a handler or middleware returns; 'promise' settles at the end of its steps. */
export const RETURNS = [
  'promise',
  'nothing',
  'a promise that never settles',
  'thenable',
  'thenable that settles at once',
  'thenable that settles twice',
  'thenable whose then throws',
  'thenable whose then cannot be read',
  'thenable of a thenable',
  'proxy of a promise',
  'number',
  'function',
] as const;
export type Returned = (typeof RETURNS)[number];

export const SOURCES = [
  'array',
  'text',
  'endless iterable',
  'iterable that throws',
  'async iterable',
  'paced async iterable',
  'quiet async iterable',
  'async iterable that throws',
  'async iterable that calls back',
  'async iterable of numbers',
  'no iterable',
  'readable',
  'paced readable',
  'quiet readable',
  'readable that errs',
  'destroyed readable',
  'web stream',
  'quiet web stream',
  'web stream that errs',
] as const;
export type SourceKind = (typeof SOURCES)[number];

/** The parts of a chain that run a program. */
export const PARTS = ['outer', 'inner', 'handler', 'onError'] as const;
export type PartName = (typeof PARTS)[number];

export const AREAS = ['open', 'mounted', 'guard/sync', 'guard/async', 'guard/timer'] as const;
export type Area = (typeof AREAS)[number];

/** Forms of a request body. */
export const BODIES = [
  'none',
  'length',
  'chunked',
  'chunked with trailers',
  'expect',
  'json',
  'urlencoded',
  'multipart',
] as const;
export type BodyName = (typeof BODIES)[number];

/** What correct handlers do. */
export const BEHAVIOURS = [
  'text at once',
  'text later',
  'text later, nothing returned',
  'prepared',
  'echo',
  'chunks of the body',
  'what the request says',
  'what the request says later',
  'stream of write',
  'stream of an iterable',
  'stream of a readable',
  'events',
  'trailers',
  'file',
  'no content',
  'error',
  'stream, with late calls',
  'events, with late calls',
  'file, with late calls',
  'text, then late calls',
] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

/** How a middleware that does nothing calls next(). */
export const PASSES = ['returns next()', 'awaits next()', 'awaits before next()'] as const;
export type Pass = (typeof PASSES)[number];
