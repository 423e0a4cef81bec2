// A reverse proxy: sends requests to upstream servers and their responses back, both as streams.
// Neither head is passed on as it came: the fields of a connection are removed, and the framing is
// built anew, so that both sides of the proxy see the same messages.

import {
  ContentTimeout,
  Upstream,
  UpstreamError,
  type UpstreamExchange,
  type UpstreamOptions,
  type UpstreamResponse,
} from '../async-io/upstream.ts';
import { authorityProblem, tlsContext } from '../async-io/upstream-tls.ts';
import { checkOptions, choice, FUNCTION, isPlainObject, wholeNumberIn } from '../base/options.ts';
import { shown } from '../base/shown.ts';
import { whenBegins } from '../exchange/begins.ts';
import { decodingOf } from '../exchange/decoding.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Handler, Middleware } from '../exchange/handler.ts';
import { HttpError } from '../exchange/http-error.ts';
import { notAwaited } from '../exchange/late.ts';
import { noteMaker } from '../exchange/makers.ts';
import { asPart } from '../exchange/parts.ts';
import { exchangeOf, type Request } from '../exchange/request.ts';
import type { Response } from '../exchange/response.ts';
import { BodyKind } from '../http/framing.ts';
import { hopFields } from '../http/hop-fields.ts';
import { forwardsLeft, respondAsLast } from './max-forwards.ts';
import { checkedFields, requestFields, setFields } from './proxy-fields.ts';
import {
  checkAgainAndAgain,
  checkHealth,
  healthWithDefaults,
  type ProxyHealth,
} from './proxy-health.ts';
import { ProxyServers } from './proxy-servers.ts';
import { upstreamAddress } from './upstream-address.ts';

/** Options of proxy(). */
export interface ProxyOptions {
  /**
   * 'http://host:port', 'https://host:port', or 'unix:/path' of a socket; requests take turns. The
   * certificate of an https one must be valid for its name.
   */
  readonly upstreams: readonly string[];
  /** Returns the target to request, as '/path?query', from that of the client. */
  readonly rewrite?: (target: string) => string;
  /**
   * Returns fields of the request to the upstream, or a promise of them, such as
   * `{ 'X-User': req.state.user }`: text or a number replaces what the client sent, undefined
   * removes it. Framing and `Host` cannot be set. A result that is not valid is a TypeError (500).
   */
  readonly fields?: (request: Request) => ProxyFields | PromiseLike<ProxyFields>;
  /** The Host field: that of the client ('client', the default), or of the upstream. */
  readonly host?: 'client' | 'upstream';
  /** How long an upstream may send nothing (504). Default 30,000. */
  readonly timeoutMs?: number;
  /** Connections to each upstream. Default 256. */
  readonly connectionsMax?: number;
  /** How long an upstream that failed is avoided while others work. Default 5,000. */
  readonly failedMs?: number;
  /** Requests a path of each upstream again and again; those without a 2xx are avoided. */
  readonly health?: ProxyHealth;
  /**
   * For https: certificates of the authorities that are trusted, as PEM text. Default: those of
   * Node, and with Node 22.15 or newer also those of the system.
   */
  readonly ca?: string | readonly string[];
  /** For https: the name that certificates must have, instead of the one in the address. */
  readonly servername?: string;
}

/** Values are text, numbers or undefined; those of `req.state` have no type, so none is here. */
type ProxyFields = Readonly<Record<string, unknown>>;

const NO_CONTENT = 204;
const DAY_MS = 24 * 60 * 60 * 1000;
const CONNECTIONS_MAX = 65_535;
/** Of a name in DNS (RFC 1035 2.3.4). */
const NAME_CHARACTERS_MAX = 253;
const TARGET = /^\/[\x21\x23-\x7e]*$/;

const OPTIONS = {
  upstreams: {
    wanted: "a list of one or more, such as ['http://127.0.0.1:3000']",
    fits: (value: unknown) => Array.isArray(value) && value.length > 0,
  },
  rewrite: FUNCTION,
  fields: FUNCTION,
  host: choice(['client', 'upstream']),
  timeoutMs: wholeNumberIn(1, DAY_MS),
  connectionsMax: wholeNumberIn(1, CONNECTIONS_MAX),
  failedMs: wholeNumberIn(1, DAY_MS),
  health: { wanted: "an object such as { path: '/healthz' }", fits: isPlainObject },
  ca: {
    wanted: 'certificates as PEM text, or a list of them',
    fits: (value: unknown) => [value].flat().every((one) => typeof one === 'string'),
  },
  servername: { wanted: "a name such as 'app.internal'", fits: isServerName },
} as const;

function isServerName(value: unknown): boolean {
  if (typeof value !== 'string' || value.length > NAME_CHARACTERS_MAX) return false;
  // No address: its certificate is checked for the one that is given as upstream.
  return /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/i.test(value) && !/^[0-9.]*$/.test(value);
}

/** RFC 9110 9.2.2: sending such a request again has no further effect. */
const IDEMPOTENT = ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'];

interface Policy {
  readonly servers: ProxyServers;
  readonly rewrite: ((target: string) => string) | undefined;
  readonly fieldsFor: ProxyOptions['fields'];
  readonly host: 'client' | 'upstream';
}

/**
 * Responds to every request that reaches it: as middleware, or as the handler of a route. Throws a
 * TypeError for invalid options.
 */
export function proxy(options: ProxyOptions): Handler & Middleware {
  checkOptions('proxy', options, OPTIONS);
  const { connectionsMax = 256, failedMs = 5_000, host = 'client', timeoutMs = 30_000 } = options;
  if (options.upstreams === undefined) {
    throw new TypeError("proxy: upstreams is missing, a list such as ['http://127.0.0.1:3000']");
  }
  if (options.health !== undefined) checkHealth(options.health);
  const ca = authoritiesOf(options);
  const found = options.upstreams.map((text) => {
    const address = upstreamAddress(text);
    if (typeof address === 'string') throw new TypeError(`proxy: upstreams: ${address}`);
    return { ...address, name: text };
  });
  const tls = found.some(({ isTls }) => isTls)
    ? { context: tlsContext(ca), servername: options.servername ?? null }
    : null;
  if (tls === null) {
    for (const name of ['ca', 'servername'] as const) {
      if (options[name] === undefined) continue;
      throw new TypeError(`proxy: ${name} has no effect: no upstream begins with "https://"`);
    }
  }
  const upstreamFor = ({ address, isTls }: (typeof found)[number], limits: UpstreamLimits) =>
    new Upstream({ address, tls: isTls ? tls : null, ...limits });
  const servers = found.map((one) => ({
    upstream: upstreamFor(one, { connectionsMax, timeoutMs, keepAlive: true }),
    host: one.host,
    name: one.name,
    failedUntilMs: Number.NEGATIVE_INFINITY,
    isDown: false,
  }));
  const { fields: fieldsFor, rewrite } = options;
  const policy = { servers: new ProxyServers(servers, failedMs), rewrite, fieldsFor, host };
  const run: Handler = (request, response) =>
    asPart(exchangeOf(request), forward(policy, request, response));
  if (options.health === undefined) return run;
  const health = healthWithDefaults(options.health);
  // A connection that was kept may just have been closed: that would say nothing of the server.
  const limits = { connectionsMax: 1, timeoutMs: health.timeoutMs, keepAlive: false };
  return whenBegins(run, (services) => {
    for (const [index, server] of servers.entries()) {
      const upstream = upstreamFor(found[index], limits);
      void checkAgainAndAgain(server, upstream, health, services);
    }
  });
}

noteMaker(proxy, 'proxy');

type UpstreamLimits = Pick<UpstreamOptions, 'connectionsMax' | 'timeoutMs' | 'keepAlive'>;

function authoritiesOf({ ca }: ProxyOptions): string | null {
  if (ca === undefined) return null;
  const pem = [ca].flat().join('\n');
  const problem = authorityProblem(pem);
  if (problem !== null) throw new TypeError(`proxy: ca: ${problem}`);
  return pem;
}

async function forward(policy: Policy, request: Request, response: Response): Promise<void> {
  const received = exchangeOf(request);
  const { services } = received;
  const { method, signal } = request;
  if (method === 'CONNECT') throw new HttpError(501);
  const left = forwardsLeft(request);
  if (left === -1) return respondAsLast(request, response);
  const target = targetFor(policy, request);
  const { fieldsFor } = policy;
  const set = fieldsFor === undefined ? null : checkedFields(await fieldsFor(request));
  const bodyBytes = bodyBytesOf(received);
  const mayRepeat = bodyBytes === 0 && IDEMPOTENT.includes(method);
  // One more: a kept connection may have been closed meanwhile.
  const attempts = mayRepeat ? policy.servers.all.length + 1 : 1;
  let failure: unknown;
  for (let attempt = 0; attempt < attempts && !signal.aborted; attempt++) {
    const server = policy.servers.next(services.nowMs());
    const host = policy.host === 'client' ? request.header('host') : server.host;
    const fields = requestFields(request, host ?? server.host);
    if (left !== null) fields['max-forwards'] = String(left);
    if (decodingOf(received) !== null) delete fields['content-encoding'];
    if (set !== null) setFields(fields, set);
    const exchange = server.upstream.send({ method, target, fields, bodyBytes });
    const giveUp = () => exchange.destroy();
    signal.addEventListener('abort', giveUp);
    try {
      await transfer(exchange, request, response, bodyBytes !== 0);
      server.failedUntilMs = Number.NEGATIVE_INFINITY;
      return;
    } catch (error) {
      exchange.destroy();
      if (!(error instanceof UpstreamError)) throw error;
      failure = error;
      if (!signal.aborted && !error.wasKept) {
        policy.servers.noteFailure(server, error, services);
      }
      if (error.isTimeout) break;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }
  const isTimeout = failure instanceof UpstreamError && failure.isTimeout;
  throw new HttpError(isTimeout ? 504 : 502, undefined, { cause: failure });
}

/** The length of the body as it is sent, -1 when that is not known: decoded it is another one. */
function bodyBytesOf(exchange: Exchange): number {
  const { kind, length } = exchange.framing;
  if (kind === BodyKind.None) return 0;
  return kind === BodyKind.Length && decodingOf(exchange) === null ? length : -1;
}

/** Origin-form of the client's target (RFC 9112 3.2.1), or asterisk-form (3.2.4). */
function targetFor({ rewrite }: Policy, request: Request): string {
  const own = request.target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i, '');
  if (own === '' && request.method === 'OPTIONS') return '*';
  const target = own.startsWith('?') || own === '' ? `/${own}` : own;
  if (rewrite === undefined || target === '*') return target;
  const rewritten: unknown = rewrite(target);
  if (typeof rewritten === 'string' && TARGET.test(rewritten)) return rewritten;
  notAwaited(rewritten);
  throw new TypeError(`proxy: rewrite() returns a target as '/path', returned ${shown(rewritten)}`);
}

/** Sends the body while the response is awaited: an upstream may respond before its end. */
async function transfer(
  exchange: UpstreamExchange,
  request: Request,
  response: Response,
  hasBody: boolean,
): Promise<void> {
  const body = hasBody ? sendBody(exchange, request) : null;
  if (body === null) exchange.end();
  // Only a body that fails settles this race.
  const failed = new Promise<never>((_resolve, reject) => {
    body?.catch((error: unknown) => {
      reject(error);
      exchange.destroy();
    });
  });
  failed.catch(() => {});
  const received = await Promise.race([exchange.response, failed]);
  try {
    copyHead(received, response);
    await copyContent(received, response);
  } catch (cause) {
    if (response.sent) throw cause;
    throw new HttpError(cause instanceof ContentTimeout ? 504 : 502, undefined, { cause });
  } finally {
    // What the upstream did not read of the body is not sent to it any more.
    if (hasBody) exchange.stop();
  }
}

/** Fields that are added to those of middleware; others replace them. */
const ADDED: readonly string[] = ['link', 'set-cookie', 'vary', 'via'];

function copyHead({ fields, status }: UpstreamResponse, response: Response): void {
  response.status(status);
  const removed = hopFields(joined(fields, 'connection'));
  const added = new Set(ADDED);
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index].toLowerCase();
    if (removed.has(name)) continue;
    if (added.has(name)) response.appendHeader(fields[index], fields[index + 1]);
    else response.header(fields[index], fields[index + 1]);
    added.add(name);
  }
  response.appendHeader('Via', '1.1 vibing');
  const length = joined(fields, 'content-length');
  if (length !== undefined && status !== NO_CONTENT) response.header('Content-Length', length);
}

async function copyContent({ content }: UpstreamResponse, response: Response): Promise<void> {
  for await (const chunk of content) {
    if (response.closed) return;
    await response.write(chunk);
  }
  response.end();
}

async function sendBody(exchange: UpstreamExchange, request: Request): Promise<void> {
  for await (const chunk of request.body) {
    await exchange.write(chunk);
    // It has responded without reading the rest, or is gone.
    if (!exchange.takesBody) return;
  }
  exchange.end();
}

function joined(fields: readonly string[], lowerName: string): string | undefined {
  const values = fields.filter((_text, index) => {
    return index % 2 === 1 && fields[index - 1].toLowerCase() === lowerName;
  });
  return values.length === 0 ? undefined : values.join(', ');
}
