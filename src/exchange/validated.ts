// Preconditions of requests for content in memory: res.etag().

import type { AsyncIo } from '../async-io/async-io.ts';
import { Coding } from '../http/accept-encoding.ts';
import { checkPreconditions, isUnconditional, Verdict } from '../http/conditional.ts';
import { parseDate } from '../http/date.ts';
import { isEntityTag, isWeakTag } from '../http/entity-tag.ts';
import { Method } from '../http/method.ts';
import { reasonPhrase } from '../http/status.ts';
import { type Content, lengthOf } from './content.ts';
import type { Exchange } from './exchange.ts';
import { EtagUse } from './state.ts';

/** Digits of a computed tag: 128 bits of SHA-256, so that no two contents have the same one. */
const TAG_DIGITS = 32;
const NO_BYTES = new Uint8Array(0);

/**
 * A strong tag that follows from the content alone. A short checksum would not do: two versions
 * with the same one would be taken for each other for as long as a client keeps its copy.
 */
export function contentTag(asyncIo: AsyncIo, content: Uint8Array): string {
  return `"${asyncIo.hashNow('sha256', content).slice(0, TAG_DIGITS)}"`;
}

/** True when a response selects a representation, to which preconditions apply (13.2.1). */
export function isSelection(exchange: Exchange): boolean {
  const { method } = exchange.head;
  return (method === Method.GET || method === Method.HEAD) && exchange.status === 200;
}

/** Sets the tag, checks the preconditions, and returns the content to send. */
export function validated(exchange: Exchange, content: Content): Content {
  if (!isSelection(exchange)) return content;
  const { fields } = exchange;
  if (exchange.etagUse !== EtagUse.Given) {
    const bytes = typeof content === 'string' ? Buffer.from(content) : (content ?? NO_BYTES);
    const tag = contentTag(exchange.services.asyncIo, bytes);
    fields.setKnown('ETag', 'etag', exchange.etagUse === EtagUse.Computed ? tag : `W/${tag}`);
  }
  const verdict = isUnconditional(exchange.head)
    ? Verdict.Proceed
    : verdictOf(exchange, lastModified(exchange));
  if (verdict === Verdict.NotModified) return notModified(exchange, bytesOf(exchange, content));
  return verdict === Verdict.Failed ? failed(exchange, 412) : content;
}

/** The length of the content; of a HEAD without content that which its handler has declared. */
function bytesOf({ head, owedBytes }: Exchange, content: Content): number {
  const isDeclared = content === null && head.method === Method.HEAD;
  return isDeclared ? Math.max(owedBytes, 0) : lengthOf(content);
}

/** Checks the preconditions with the response's ETag and a time; both may be unknown. */
export function verdictOf(exchange: Exchange, modifiedMs: number): Verdict {
  const { head, bytes, base, services } = exchange;
  if (isUnconditional(head)) return Verdict.Proceed;
  const validators = { etag: etagField(exchange), modifiedMs };
  return checkPreconditions(head, bytes, base, validators, services.wallMs());
}

/** The time of the response's Last-Modified; NaN without a valid one. */
function lastModified({ fields, services }: Exchange): number {
  return parseDate(fields.get('last-modified') ?? '', services.wallMs());
}

/** The response's ETag; null without a valid one. */
export function etagField(exchange: Exchange): string | null {
  const etag = exchange.fields.get('etag');
  return etag !== undefined && isEntityTag(etag) ? etag : null;
}

/**
 * Makes the response a 304, without fields that describe content; Last-Modified stays where it is
 * the only validator (15.4.5). Vary and the entity tag are those of the response with the content,
 * of so many bytes. Returns the content of the 304.
 */
export function notModified(exchange: Exchange, contentBytes: number): null {
  const { coder, fields } = exchange;
  const coding = coder?.choose(exchange, contentBytes) ?? Coding.Identity;
  if (coding !== Coding.Identity) weakenTag(exchange);
  exchange.status = 304;
  exchange.owedBytes = -1;
  for (const name of DESCRIPTION) fields.remove(name);
  if (fields.find('etag') >= 0) fields.remove('last-modified');
  return null;
}

/** Those of the fields of a response with content that its 304 has, as notModified() keeps them. */
export function notModifiedFields(
  fields: readonly (readonly [string, string])[],
): (readonly [string, string])[] {
  const lowerNames = fields.map(([name]) => name.toLowerCase());
  const hasTag = lowerNames.includes('etag');
  const isKept = (lower: string): boolean =>
    !DESCRIPTION.includes(lower) && !(hasTag && lower === 'last-modified');
  return fields.filter((_, index) => isKept(lowerNames[index]));
}

/** The tag of content that was encoded: another encoder, or level, makes other bytes (8.8.1). */
export function weakenTag({ fields }: Exchange): void {
  const etag = fields.get('etag');
  if (etag !== undefined && !isWeakTag(etag)) fields.setKnown('ETag', 'etag', `W/${etag}`);
}

/** Makes the response an error for a request whose condition or Range fails; returns its text. */
export function failed(exchange: Exchange, status: 412 | 416): string {
  const { fields } = exchange;
  exchange.status = status;
  exchange.owedBytes = -1;
  for (const name of [...DESCRIPTION, ...VERSION]) fields.remove(name);
  fields.setKnown('Content-Type', 'content-type', 'text/plain; charset=utf-8');
  return `${reasonPhrase(status)}\n`;
}

/** Fields that describe content; and those that describe a version and how long it is fresh. */
const DESCRIPTION = [
  'content-type',
  'content-encoding',
  'content-language',
  'content-range',
  'content-disposition',
  'accept-ranges',
];
const VERSION = ['etag', 'last-modified', 'cache-control', 'expires'];
