// Every limit of the server: one name, one default, one range, one sentence. The names in camelCase
// are options of createServer, in snake_case keys of the config file, in kebab-case flags.

import { assert } from './assert.ts';

export interface LimitSpec {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  /** Below min, 0 is allowed as well. */
  readonly orZero?: true;
  readonly unit: 'bytes' | 'ms' | 'count';
  readonly what: string;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const DAY_MS = 24 * 60 * 60 * 1000;

/** A timeout that follows connectionTimeoutMs unless it is set. */
const FOLLOWS = 0;

/** Written out, because a declared type may not be inferred from the table. */
export type LimitName =
  | 'connectionTimeoutMs'
  | 'keepAliveTimeoutMs'
  | 'headTimeoutMs'
  | 'bodyTimeoutMs'
  | 'bodyTotalTimeoutMs'
  | 'writeTimeoutMs'
  | 'handlerTimeoutMs'
  | 'lingerTimeoutMs'
  | 'drainLingerMs'
  | 'shutdownTimeoutMs'
  | 'workerTimeoutMs'
  | 'connectionsMax'
  | 'overloadWaitMs'
  | 'backlog'
  | 'requestsPerConnectionMax'
  | 'pipelineDepthMax'
  | 'headBytesMax'
  | 'targetBytesMax'
  | 'fieldsMax'
  | 'trailerBytesMax'
  | 'chunkExtensionBytesMax'
  | 'bodyBytesMax'
  | 'formPartsMax'
  | 'formFilesMax'
  | 'streamBytesMax'
  | 'discardBytesMax'
  | 'blockCount'
  | 'sendQueueBytesMax'
  | 'fileCacheBytesMax'
  | 'fileCacheEntryBytesMax';

export const LIMITS: Readonly<Record<LimitName, LimitSpec>> = {
  connectionTimeoutMs: {
    default: 30_000,
    min: 10,
    max: DAY_MS,
    unit: 'ms',
    what: 'how long a connection may be idle, waiting for a request or in the middle of one',
  },
  keepAliveTimeoutMs: {
    default: FOLLOWS,
    min: 0,
    max: DAY_MS,
    unit: 'ms',
    what: 'idle time between two requests; 0 follows connection_timeout_ms',
  },
  headTimeoutMs: {
    default: FOLLOWS,
    min: 0,
    max: DAY_MS,
    unit: 'ms',
    what: 'from the first byte of a head to its last (408); 0 follows connection_timeout_ms',
  },
  bodyTimeoutMs: {
    default: FOLLOWS,
    min: 0,
    max: DAY_MS,
    unit: 'ms',
    what: 'silence within a request body (408); 0 follows connection_timeout_ms',
  },
  bodyTotalTimeoutMs: {
    // With bodyTimeoutMs alone a byte now and then would hold a connection for ever; a fixed limit
    // would fail large uploads. So each byte extends the timeout: the floor is 1,000 bytes a
    // second.
    default: 60_000,
    min: 0,
    max: DAY_MS,
    unit: 'ms',
    what:
      'waiting for a request body in all, and a millisecond more for each byte of it (408); ' +
      '0 is no limit',
  },
  writeTimeoutMs: {
    // Progress is what the client's kernel has acknowledged. Where that is unknown (the net driver:
    // on other systems than Linux, and on unix sockets), progress is what the server's kernel took,
    // which takes more only when a good part of its send buffer is free.
    default: FOLLOWS,
    min: 0,
    max: DAY_MS,
    unit: 'ms',
    what:
      'a client taking no byte of its response (reset), noticed up to a quarter later; ' +
      '0 follows connection_timeout_ms',
  },
  handlerTimeoutMs: {
    default: 60_000,
    min: 10,
    max: DAY_MS,
    unit: 'ms',
    what: 'from the head to the beginning of a response (503)',
  },
  lingerTimeoutMs: {
    default: 2_000,
    min: 1,
    max: 60_000,
    unit: 'ms',
    what:
      'waiting for the client to close after it has received all of the last response, up to a ' +
      'quarter longer (RFC 9112 9.6)',
  },
  drainLingerMs: {
    // A client notices the close by `Connection: close` or by the end of the stream. The latter may
    // cross its next request, so there is time for the former: a few of the longest round trips.
    default: 500,
    min: 0,
    max: 60_000,
    unit: 'ms',
    what: 'how long close() still responds to requests on connections that were idle',
  },
  shutdownTimeoutMs: {
    default: 10_000,
    min: 0,
    max: DAY_MS,
    unit: 'ms',
    what: 'how long close() lets requests in flight finish',
  },
  workerTimeoutMs: {
    // A shorter one would kill workers that a collection of garbage or a full machine delays.
    default: 30_000,
    min: 1_000,
    max: DAY_MS,
    orZero: true,
    unit: 'ms',
    what:
      'how long the event loop of a worker may be blocked before it is killed and replaced; ' +
      '0 is no limit',
  },
  connectionsMax: {
    // When all are used, accept() pauses and clients wait in the kernel's queue. After
    // overloadWaitMs without a free one, a new client gets the slot of the connection that was idle
    // for longest, if it was for as long as that, else a 503. A connection has one exchange at
    // most, so the pool of exchanges needs no limit of its own: an empty pool makes another.
    default: 16_384,
    min: 1,
    max: 1_000_000,
    unit: 'count',
    what: 'open connections per worker; more wait in the kernel',
  },
  overloadWaitMs: {
    default: 1_000,
    min: 0,
    max: DAY_MS,
    unit: 'ms',
    what:
      'how long connections_max may be reached before idle connections make room and new clients ' +
      'get 503; 0 lets them wait for ever',
  },
  backlog: {
    default: 4_096,
    min: 1,
    max: 65_535,
    unit: 'count',
    what: 'connections the kernel may hold for a busy worker',
  },
  requestsPerConnectionMax: {
    default: 0,
    min: 0,
    max: 2_147_483_647,
    unit: 'count',
    what: 'requests before a connection is closed; 0 is no limit',
  },
  pipelineDepthMax: {
    // Far above what clients do (16 is much), and about the number of short responses that
    // sendQueueBytesMax allows. The next request is read when all of them are sent.
    default: 1_024,
    min: 1,
    max: 1_000_000,
    unit: 'count',
    what: 'responses of one connection that wait to be sent, beyond which no request is read',
  },
  headBytesMax: {
    default: 16 * KIB,
    min: 512,
    max: 256 * KIB,
    unit: 'bytes',
    what: 'request line and fields together (431)',
  },
  targetBytesMax: {
    default: 8 * KIB,
    min: 64,
    max: 256 * KIB,
    unit: 'bytes',
    what: 'request target (414)',
  },
  fieldsMax: {
    default: 100,
    min: 1,
    max: 1_000,
    unit: 'count',
    what: 'fields of a head, and of a trailer section (431)',
  },
  trailerBytesMax: {
    default: 8 * KIB,
    min: 64,
    max: 256 * KIB,
    unit: 'bytes',
    what: 'trailer section of a chunked body (431)',
  },
  chunkExtensionBytesMax: {
    default: 4 * KIB,
    min: 0,
    max: 64 * KIB,
    unit: 'bytes',
    what: 'chunk extensions of one body (400)',
  },
  bodyBytesMax: {
    default: 1 * MIB,
    min: 0,
    max: 4 * GIB,
    unit: 'bytes',
    what: 'a body read in full by bytes(), text(), json() or form() (413)',
  },
  formPartsMax: {
    // A field takes some 5 microseconds, so this many block the loop for 5 ms.
    default: 1_000,
    min: 1,
    max: 1_000_000,
    unit: 'count',
    what: 'fields and files together of a form that form() reads (413)',
  },
  formFilesMax: {
    // A file takes some 40 microseconds: Node makes a File in several steps.
    default: 100,
    min: 0,
    max: 1_000_000,
    unit: 'count',
    what: 'files of a form that form() reads (413)',
  },
  streamBytesMax: {
    default: 1 * GIB,
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    unit: 'bytes',
    what: 'any request body, also one read as a stream (413)',
  },
  discardBytesMax: {
    default: 256 * KIB,
    min: 0,
    max: 1 * GIB,
    unit: 'bytes',
    what: 'unread body that is skipped to keep a connection; beyond it the connection closes',
  },
  blockCount: {
    // Why 8,192: a block is in use while a connection receives, holds part of a head, or has a
    // response waiting; 4,096 slow clients at once in each direction. Untouched pages cost no
    // memory. When none is left, receives are starved until one is free: nothing fails and nothing
    // grows.
    default: 8_192,
    min: 16,
    max: 1_000_000,
    unit: 'count',
    what: 'blocks for receiving and sending per worker',
  },
  sendQueueBytesMax: {
    default: 64 * KIB,
    min: 1 * KIB,
    max: 64 * MIB,
    unit: 'bytes',
    what: 'bytes waiting to be sent beyond which write() has its caller wait',
  },
  fileCacheBytesMax: {
    default: 32 * MIB,
    min: 0,
    max: 16 * GIB,
    unit: 'bytes',
    what: 'memory for small static files per worker',
  },
  fileCacheEntryBytesMax: {
    default: 64 * KIB,
    min: 0,
    max: 64 * MIB,
    unit: 'bytes',
    what: 'largest static file that is kept in memory',
  },
};

/** A value for every limit. */
export type Limits = Readonly<Record<LimitName, number>>;

/**
 * The defaults overridden by `given`, following timeouts filled in. config/ checks ranges.
 */
export function limitsFrom(given: Partial<Limits> = {}): Limits {
  const limits = {} as Record<LimitName, number>;
  for (const name of Object.keys(LIMITS) as LimitName[]) {
    limits[name] = given[name] ?? LIMITS[name].default;
  }
  const following = [
    'keepAliveTimeoutMs',
    'headTimeoutMs',
    'bodyTimeoutMs',
    'writeTimeoutMs',
  ] as const;
  for (const name of following) {
    if (limits[name] === FOLLOWS) limits[name] = limits.connectionTimeoutMs;
  }
  return Object.freeze(limits);
}

/**
 * Bytes of a block: a head must fit in one, and a response of 16 KiB with its head, so that a
 * common file goes out in one send.
 */
export function blockBytesFor(limits: Limits): number {
  const lineBytes = 64;
  const bytes = Math.max(16 * KIB, limits.headBytesMax) + 1 * KIB;
  return Math.ceil(bytes / lineBytes) * lineBytes;
}

assert(LIMITS.targetBytesMax.default <= LIMITS.headBytesMax.default, 'a target fits in a head');
assert(LIMITS.formFilesMax.default <= LIMITS.formPartsMax.default, 'a file is a part');
assert(LIMITS.fileCacheEntryBytesMax.default <= LIMITS.fileCacheBytesMax.default, 'an entry fits');
