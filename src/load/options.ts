// Checks the options of a load and makes a plan of them. Every problem is one line, and all are
// reported at once.

import { nearMiss } from '../base/near-miss.ts';
import type { DriverName } from '../driver/choose.ts';
import type { Address } from '../driver/driver.ts';
import { type HeaderPair, headerProblem, requestBytes } from './request-bytes.ts';
import { type SequencedRequest, sequenceBytes, weightsOf } from './request-sequence.ts';
import { type RateStep, stepsDurationMs } from './schedule.ts';
import { parseUrl } from './url.ts';

/** What a load requests, how often and for how long. */
export interface LoadOptions {
  /** `http://host[:port]/path`. Several URLs of one server are mixed by their weights. */
  readonly url: string | readonly string[];
  /** Integers from 1, one for each URL; equal when left out. */
  readonly weights?: readonly number[];
  /** A unix socket to connect to instead of the URL's host and port. */
  readonly socket?: string;
  readonly method?: string;
  readonly headers?: readonly HeaderPair[];
  readonly body?: string | Uint8Array;
  /** The body that every response must have. */
  readonly expectBody?: string | Uint8Array;
  readonly connections?: number;
  /** Requests in flight on each connection. */
  readonly pipelining?: number;
  /** Length of the counted time; may be Infinity with `count`. */
  readonly durationMs?: number;
  /** Ends the load after so many requests. */
  readonly count?: number;
  /** Length of the time before the counted time. */
  readonly warmUpMs?: number;
  /** Requests a second, or steps; without it a connection sends again when its response came. */
  readonly rate?: number | readonly RateStep[];
  /** For a response, and for a connect. */
  readonly timeoutMs?: number;
  /** False opens a connection for every request. */
  readonly keepAlive?: boolean;
  readonly driver?: DriverName;
  /** The core that the load is pinned to. */
  readonly core?: number;
}

export interface NumberRange {
  readonly min: number;
  readonly max: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;
export const CONNECTIONS_DEFAULT = 10;
export const DURATION_MS_DEFAULT = 10_000;
export const TIMEOUT_MS_DEFAULT = 10_000;
export const RATE_MAX = 10_000_000;

const RANGES: Readonly<Record<string, NumberRange>> = {
  connections: { min: 1, max: 50_000 },
  pipelining: { min: 1, max: 1_024 },
  durationMs: { min: 1, max: DAY_MS },
  count: { min: 1, max: 1e12 },
  warmUpMs: { min: 0, max: DAY_MS },
  timeoutMs: { min: 1, max: DAY_MS },
  core: { min: 0, max: 1_023 },
};

const KNOWN = [
  ...Object.keys(RANGES),
  ...['url', 'weights', 'socket', 'method', 'headers', 'body', 'expectBody', 'rate'],
  ...['keepAlive', 'driver'],
];

const WEIGHTS_SUM_MAX = 1_000;
/** For the encoded request sequence. */
const REQUEST_BYTES_MAX = 256 * 1024 * 1024;

export interface PlannedRequest extends SequencedRequest {
  /** For reports: `GET /path`. */
  readonly name: string;
}

export interface Plan {
  readonly address: Address;
  readonly requests: readonly PlannedRequest[];
  readonly connections: number;
  /** Requests in flight on each connection. */
  readonly depth: number;
  /** Infinity when `count` ends the load. */
  readonly durationMs: number;
  /** Counted requests; Infinity when the time ends the load. */
  readonly count: number;
  /** Length of the time before the counted time. */
  readonly warmUpMs: number;
  /** Empty for a closed loop. */
  readonly rate: readonly RateStep[];
  readonly timeoutMs: number;
  readonly keepAlive: boolean;
}

/** A plan without its address, which needs a look-up. */
export interface Prepared extends Omit<Plan, 'address'> {
  readonly host: string;
  readonly port: number;
  readonly socket: string | null;
  readonly urls: readonly string[];
  readonly driver: DriverName;
  /** -1 for any. */
  readonly core: number;
}

/** The plan, or all problems of the options. */
export function prepareLoad(options: LoadOptions): Prepared | readonly string[] {
  const problems = [...unknownProblems(options), ...numberProblems(options)];
  const urls = urlsOf(options.url);
  const parsed = parseUrls(urls, problems);
  problems.push(...weightProblems(options.weights, urls.length));
  const headers = options.headers ?? [];
  for (const pair of headers) problems.push(...headerProblem(pair));
  const method = options.method ?? 'GET';
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/.test(method)) problems.push(methodProblem(method));
  const rate = stepsFrom(options.rate, problems);
  const ends = endsFrom(options, rate, problems);
  const keepAlive = options.keepAlive ?? true;
  const depth = options.pipelining ?? 1;
  if (!keepAlive && depth > 1) {
    problems.push(
      `pipelining: given ${depth}, allowed: 1 without keep-alive, ` +
        'because each request has its own connection',
    );
  }
  if (problems.length > 0 || parsed.length === 0) return problems;
  const requests = requestsFrom(options, parsed, method, keepAlive);
  if (sequenceBytes(requests, depth) > REQUEST_BYTES_MAX) {
    return [
      `pipelining: the requests in flight of a connection take more than ${REQUEST_BYTES_MAX} ` +
        'bytes; allowed: a smaller body, or less pipelining',
    ];
  }
  return {
    host: parsed[0].hostname.replace(/^\[|\]$/g, ''),
    port: Number(parsed[0].port || 80),
    socket: options.socket ?? null,
    urls,
    requests,
    connections: options.connections ?? CONNECTIONS_DEFAULT,
    depth,
    ...ends,
    warmUpMs: options.warmUpMs ?? 0,
    rate,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS_DEFAULT,
    keepAlive,
    driver: options.driver ?? 'auto',
    core: options.core ?? -1,
  };
}

/** Callers in JavaScript may leave it out. */
function urlsOf(url: string | readonly string[] | undefined): readonly string[] {
  return typeof url === 'string' ? [url] : (url ?? []);
}

function methodProblem(method: string): string {
  return `method: given ${JSON.stringify(method)}, allowed: a name such as GET`;
}

function unknownProblems(options: LoadOptions): readonly string[] {
  const unknown = Object.keys(options).filter((name) => !KNOWN.includes(name));
  return unknown.map((name) => {
    const near = nearMiss(name, KNOWN);
    return `${name}: no such option${near === undefined ? '' : `; did you mean ${near}?`}`;
  });
}

function numberProblems(options: LoadOptions): readonly string[] {
  const found: string[] = [];
  for (const [name, { min, max }] of Object.entries(RANGES)) {
    const value = (options as unknown as Record<string, unknown>)[name];
    if (value === undefined) continue;
    const isEndless = value === Number.POSITIVE_INFINITY;
    if (isEndless && (name === 'durationMs' || name === 'count')) continue;
    const isMs = name.endsWith('Ms');
    const fits = typeof value === 'number' && value >= min && value <= max;
    if (fits && (isMs || Number.isInteger(value))) continue;
    const kind = isMs ? 'milliseconds' : 'an integer';
    found.push(`${name}: given ${String(value)}, allowed: ${kind} from ${min} to ${max}`);
  }
  return found;
}

function parseUrls(urls: readonly string[], problems: string[]): readonly URL[] {
  if (urls.length === 0) problems.push('url: none given, at least one is needed');
  const parsed: URL[] = [];
  for (const text of urls) {
    const url = parseUrl(text);
    if (typeof url === 'string') problems.push(url);
    else parsed.push(url);
  }
  const other = parsed.find((url) => url.host !== parsed[0].host);
  if (other !== undefined) {
    problems.push(`${other.href}: all URLs of a load must be of one server, ${parsed[0].host}`);
  }
  return parsed;
}

function weightProblems(weights: readonly number[] | undefined, urls: number): readonly string[] {
  if (weights === undefined) return [];
  if (weights.length !== urls) return [`weights: ${weights.length} given for ${urls} URLs`];
  if (weights.some((weight) => !Number.isInteger(weight) || weight < 1 || weight > 1e6)) {
    return ['weights: allowed: integers from 1 to 1000000'];
  }
  const sum = weightsOf(weights).reduce((total, weight) => total + weight, 0);
  return sum > WEIGHTS_SUM_MAX
    ? [`weights: their sum in lowest terms is ${sum}, allowed: up to ${WEIGHTS_SUM_MAX}`]
    : [];
}

function stepsFrom(rate: LoadOptions['rate'], problems: string[]): readonly RateStep[] {
  if (rate === undefined) return [];
  const steps =
    typeof rate === 'number'
      ? [{ from: rate, to: rate, durationMs: Number.POSITIVE_INFINITY }]
      : rate;
  const isRate = (value: number): boolean => value >= 0 && value <= RATE_MAX;
  const isStep = ({ from, to, durationMs }: RateStep, index: number): boolean =>
    isRate(from) &&
    isRate(to) &&
    durationMs > 0 &&
    (from === to || durationMs < Number.POSITIVE_INFINITY) &&
    (index === steps.length - 1 || durationMs < Number.POSITIVE_INFINITY);
  const isAny = steps.some(({ from, to }) => from > 0 || to > 0);
  if (!steps.every(isStep)) {
    problems.push(
      `rate: allowed: requests a second up to ${RATE_MAX}, or steps; ` +
        'only the last step may have no duration, and only with a constant rate',
    );
  } else if (!isAny) problems.push('rate: allowed: more than 0 requests a second');
  return steps;
}

function endsFrom(
  options: LoadOptions,
  rate: readonly RateStep[],
  problems: string[],
): { readonly durationMs: number; readonly count: number } {
  const { count = Number.POSITIVE_INFINITY, warmUpMs = 0 } = options;
  const rateMs = rate.length === 0 ? Number.POSITIVE_INFINITY : stepsDurationMs(rate);
  const standard =
    rateMs < Number.POSITIVE_INFINITY
      ? rateMs - warmUpMs
      : options.count === undefined
        ? DURATION_MS_DEFAULT
        : Number.POSITIVE_INFINITY;
  const durationMs = options.durationMs ?? standard;
  if (durationMs <= 0) problems.push('warmUpMs: not shorter than all steps of the rate together');
  if (durationMs === Number.POSITIVE_INFINITY && count === Number.POSITIVE_INFINITY) {
    problems.push('durationMs: Infinity is allowed only with a count');
  }
  return { durationMs, count };
}

function requestsFrom(
  options: LoadOptions,
  urls: readonly URL[],
  method: string,
  keepAlive: boolean,
): readonly PlannedRequest[] {
  const body = bytesOf(options.body);
  const expected = bytesOf(options.expectBody);
  const fields = { method, headers: options.headers ?? [], body, keepAlive };
  return urls.map((url, index) => {
    const target = `${url.pathname}${url.search}`;
    return {
      name: `${method} ${target}`,
      bytes: requestBytes({ ...fields, host: url.host, target }),
      isHead: method === 'HEAD',
      expected,
      weight: options.weights?.[index] ?? 1,
    };
  });
}

function bytesOf(value: string | Uint8Array | undefined): Uint8Array | null {
  if (value === undefined) return null;
  return typeof value === 'string' ? new TextEncoder().encode(value) : value;
}
