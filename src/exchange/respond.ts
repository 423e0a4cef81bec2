// Sends the response of an exchange: in full, or the head of a stream. All calls that send use it.

import { Coding } from '../http/accept-encoding.ts';
import { Method } from '../http/method.ts';
import { checkedName } from '../http/response-fields.ts';
import { hasNoContent } from '../http/status.ts';
import { type Content, checkContent, lengthOf, ownContent } from './content.ts';
import type { Exchange } from './exchange.ts';
import { noteLate } from './late.ts';
import { runBeforeSend } from './outgoing.ts';
import type { Prepared } from './prepared.ts';
import { EtagUse, Phase, Writer } from './state.ts';
import { validated } from './validated.ts';

/** True when a response has no content: to HEAD, or with a status that has none. */
export function isHeadOnly(exchange: Exchange): boolean {
  return exchange.head.method === Method.HEAD || hasNoContent(exchange.status);
}

/** True while nothing was sent, and no call is about to send. */
export function isUnsent(exchange: Exchange): boolean {
  return exchange.phase === Phase.Open && exchange.writer === Writer.None && !exchange.gone;
}

/**
 * Sends a full response, unless a callback has sent one, or has begun to. The memory of `content`
 * may change afterwards.
 */
export function respondFull(exchange: Exchange, content: Content, call: string): void {
  respond(exchange, content, call, false);
}

/** As respondFull(), for content whose memory never changes. */
export function respondConstant(exchange: Exchange, content: Uint8Array, call: string): void {
  respond(exchange, content, call, true);
}

function respond(exchange: Exchange, content: Content, call: string, isConstant: boolean): void {
  const { writer } = exchange;
  let sent = exchange.beforeSend === null ? content : runBeforeSend(exchange, content, false);
  if (exchange.phase !== Phase.Open || exchange.gone || exchange.writer !== writer) {
    noteLate(exchange, call, false);
    return;
  }
  if (sent !== null) checkContent(sent);
  if (exchange.etagUse !== EtagUse.None) sent = validated(exchange, sent);
  if (hasNoContent(exchange.status) && sent !== null && sent.length > 0) {
    throw new TypeError(`a response with status ${exchange.status} has no content`);
  }
  if (exchange.owedBytes >= 0) checkDeclared(exchange, sent);
  const isOwned = isConstant && sent === content;
  const { coder } = exchange;
  if (coder !== null) {
    const coding = coder.choose(exchange, contentBytes(exchange, sent));
    if (coding !== Coding.Identity) {
      coder.send(exchange, sent, coding, isOwned);
      return;
    }
  }
  exchange.transport.sendFull(exchange, isOwned ? sent : ownContent(sent));
}

/** The length of content; for a HEAD without content that which its handler has declared. */
function contentBytes(exchange: Exchange, content: Content): number {
  return content === null && isHeadOnly(exchange)
    ? Math.max(exchange.owedBytes, 0)
    : lengthOf(content);
}

/**
 * Sends the head of a stream of exchange.owedBytes, which are `bytes` where its content has that
 * length. False when a callback sent something else. Throws a TypeError when one declared another
 * length.
 */
export function startStream(exchange: Exchange, call: string, bytes: number = -1): boolean {
  const { writer } = exchange;
  if (bytes >= 0) exchange.owedBytes = bytes;
  runBeforeSend(exchange, null, true);
  if (exchange.phase !== Phase.Open || exchange.gone || exchange.writer !== writer) {
    noteLate(exchange, call, false);
    return false;
  }
  if (bytes >= 0 && exchange.owedBytes !== bytes) throw lengthError(exchange, bytes);
  const coding = exchange.coder?.choose(exchange, exchange.owedBytes) ?? Coding.Identity;
  if (coding !== Coding.Identity) exchange.coder?.begin(exchange, coding);
  exchange.transport.startStream(exchange, exchange.owedBytes);
  return true;
}

/** Ends a stream whose content is not sent: its source may be endless. */
export function endIfHeadOnly(exchange: Exchange): boolean {
  if (exchange.phase !== Phase.Streaming || !isHeadOnly(exchange)) return false;
  exchange.endHeadOnly();
  return true;
}

/** A declared Content-Length must be true, except where the response has no content anyway. */
function checkDeclared(exchange: Exchange, content: Content): void {
  const actual = lengthOf(content);
  if (actual === exchange.owedBytes || (actual === 0 && isHeadOnly(exchange))) return;
  throw lengthError(exchange, actual);
}

function lengthError({ owedBytes }: Exchange, actual: number): TypeError {
  return new TypeError(`Content-Length is ${owedBytes}, the content has ${actual} bytes`);
}

/** Fields that may occur several times: those of the prepared response are added. */
const LISTS = ['vary', 'set-cookie', 'link'];

/** Sets the status and fields of a prepared response, except the fields that are set already. */
export function applyPrepared(exchange: Exchange, prepared: Prepared): void {
  const { fields } = exchange;
  const before = fields.lowerNames.slice(0, fields.count);
  exchange.status = prepared.status;
  for (const [name, value] of prepared.headers) {
    const lower = checkedName(name);
    if (LISTS.includes(lower) || !before.includes(lower)) fields.append(name, lower, value);
  }
}
