// The words of the hostile application: every call of the API by the kind of object it is made on,
// when it is made, what handlers throw and return, what they send and await. All of it must occur.

/** Calls by the kind of object; some are several calls that belong together. */
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
    'headers half way',
    'httpVersion',
    'remote',
    'signal',
    'state',
    'bytes',
    'text',
    'json',
    'form',
    'body',
    'body half way',
    'body not begun',
    'body twice',
    'body broken off',
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
  'after the answer',
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

/** What a handler or middleware returns; 'promise' settles when its steps are done. */
export const GIVES = [
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
export type Gives = (typeof GIVES)[number];

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

/** The parts of a chain that a hostile request runs a program in. */
export const PARTS = ['outer', 'inner', 'handler', 'onError'] as const;
export type PartName = (typeof PARTS)[number];

export const AREAS = ['open', 'mounted', 'guard/sync', 'guard/async', 'guard/timer'] as const;
export type Area = (typeof AREAS)[number];

/** What is sent as the body of a request. */
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

/** How a request is handled that must be answered exactly right, whatever others do. */
export const BEHAVIOURS = [
  'text at once',
  'text later',
  'text later, nothing returned',
  'prepared',
  'echo',
  'pieces of the body',
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
  'stream, and others beside',
  'events, and others beside',
  'file, and others beside',
  'text, and others behind',
] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

/** How a middleware that does nothing hands on. */
export const PASSES = ['returns next()', 'awaits next()', 'awaits before next()'] as const;
export type Pass = (typeof PASSES)[number];
