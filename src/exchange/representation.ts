// Responds with a representation (RFC 9110 section 3.2): content in memory or in an open file, with
// the fields that describe it. A request for GET or HEAD gets all of it (200), the ranges that it
// asks for (206), or, by its preconditions, 304, 412 or 416.

import type { FileStat, OpenFile } from '../async-io/async-io.ts';
import { checkPreconditions, isUnconditional, rangeApplies, Verdict } from '../http/conditional.ts';
import { formatDate, parseDate } from '../http/date.ts';
import { Field } from '../http/fields.ts';
import { OFFSETS_PER_FIELD } from '../http/head.ts';
import { Method } from '../http/method.ts';
import { type ByteRange, selectRanges } from '../http/range.ts';
import { checkedName } from '../http/response-fields.ts';
import type { FileOwner } from '../reactor/file-owner.ts';
import { copyFile } from './copy-file.ts';
import type { Exchange } from './exchange.ts';
import { type Multipart, multipartOf } from './multipart.ts';
import { type Prepared, partsOf, prepare, prepareHead } from './prepared.ts';
import { endIfHeadOnly, isUnsent, respondConstant, respondFull, startStream } from './respond.ts';
import { EtagUse, Phase, Writer } from './state.ts';
import {
  etagField,
  failed,
  isSelection,
  notModified,
  notModifiedFields,
  verdictOf,
} from './validated.ts';

/** What is known of a representation before any of it is sent. */
export interface Representation {
  /** The length of the content. */
  readonly bytes: number;
  readonly etag: string | null;
  /** For Last-Modified; NaN when it is not known. */
  readonly modifiedMs: number;
  /** The media type. */
  readonly type: string;
  /** For Content-Encoding, as 'br'. */
  readonly coding: string | null;
  /** For Vary, as 'Accept-Encoding'. */
  readonly vary: string | null;
  readonly cacheControl: string | null;
  /** Further fields, as pairs of name and value. */
  readonly fields: readonly (readonly [string, string])[];
}

export type RepresentationOptions = Partial<
  Pick<Representation, 'etag' | 'coding' | 'vary' | 'cacheControl' | 'fields'>
>;

/**
 * A file that changed this recently may change again and keep its size and time. Times with
 * fractions of a second have steps of 10 ms at worst; those without may come from a file system
 * with steps of two seconds.
 */
const FINE_STEP_MS = 20;
const COARSE_STEP_MS = 2000;

/** A file may be written after its look-up began, which took less than this. */
const LOOK_UP_MS_MAX = 60_000;

/**
 * True when a later change of the file will also change this time of it. `wallMs` is a time before
 * the file was looked at. Only a time that is far in the future is one that a program has set.
 */
export function isSettled(timeMs: number, wallMs: number): boolean {
  const stepMs = timeMs % 1000 === 0 ? COARSE_STEP_MS : FINE_STEP_MS;
  const ageMs = wallMs - timeMs;
  return ageMs > stepMs || ageMs < -LOOK_UP_MS_MAX;
}

/** The resolution of modifiedMs, a number of 53 bits: 4,096 units in a millisecond. */
const UNITS_PER_MS = 4096;

/**
 * The entity tag of a file: its size and modification time, so that hosts with the same files have
 * the same tags. A strong tag must change whenever the content does (8.8.1), which the time ensures
 * only when it is settled. Until then the tag is weak, and it is another one: it serves to
 * revalidate for so long, but no version of that time is taken for the settled one.
 */
export function etagOf(stat: FileStat, wallMs: number, coding: string | null = null): string {
  const time = Math.round(stat.modifiedMs * UNITS_PER_MS).toString(16);
  const version = `${stat.bytes.toString(16)}-${time}${coding === null ? '' : `-${coding}`}`;
  return isSettled(stat.modifiedMs, wallMs) ? `"${version}"` : `W/"${version}-recent"`;
}

/**
 * The representation that a file is. Its entity tag is that of etagOf() unless `etag` says
 * otherwise: for content in memory contentTag() is better, as it does not depend on times, which
 * archives and images of containers may set to the same for all versions.
 */
export function representationOf(
  stat: FileStat,
  type: string,
  wallMs: number,
  options: RepresentationOptions = {},
): Representation {
  const { coding = null, vary = null, cacheControl = null, fields = [] } = options;
  const { etag = etagOf(stat, wallMs, coding) } = options;
  return {
    ...{ bytes: stat.bytes, etag, modifiedMs: stat.modifiedMs, type },
    ...{ coding, vary, cacheControl, fields },
  };
}

/** The full response with content that never changes, for requests that are unconditional. */
export function prepareRepresentation(
  representation: Representation,
  content: Uint8Array,
  wallMs: number,
): Prepared {
  return prepare(200, fieldsOf(representation, wallMs), content);
}

/** The head of the full response with an open file, for requests that are unconditional. */
export function prepareFileHead(representation: Representation, wallMs: number): Prepared {
  return prepareHead(fieldsOf(representation, wallMs), representation.bytes);
}

/** The 304 for requests whose client has the representation (15.4.5). */
export function prepareNotModified(representation: Representation, wallMs: number): Prepared {
  const fields = fieldsOf(representation, wallMs);
  return prepare(304, notModifiedFields(fields));
}

/** True while the response is a 200 without fields, and nothing will change it. */
function isUntouched(exchange: Exchange): boolean {
  return (
    isUnsent(exchange) &&
    exchange.status === 200 &&
    exchange.fields.count === 0 &&
    exchange.beforeSend === null &&
    exchange.coder === null &&
    exchange.etagUse === EtagUse.None
  );
}

/**
 * Sends `response`, that of prepareNotModified(), if the client has the representation and neither
 * handler nor middleware has set anything. False, and nothing was sent, in other cases.
 */
export function sendNotModified(
  exchange: Exchange,
  representation: Representation,
  response: Prepared,
): boolean {
  if (!isUntouched(exchange) || !isSelection(exchange)) return false;
  const { head, bytes, base, services } = exchange;
  const wallMs = services.wallMs();
  // The Last-Modified of a file from the future is the time of the response.
  if (representation.modifiedMs > wallMs) return false;
  const verdict = checkPreconditions(head, bytes, base, representation, wallMs);
  if (verdict !== Verdict.NotModified) return false;
  exchange.transport.sendPrepared(exchange, response);
  return true;
}

/**
 * As sendOpenFile(), but synchronous and for a file that several requests share. Only for the plain
 * case: false, and nothing was sent, for others.
 */
export function sendSharedFile(exchange: Exchange, head: Prepared, owner: FileOwner): boolean {
  const isPlain =
    exchange.head.method === Method.GET &&
    isUnconditional(exchange.head) &&
    isUntouched(exchange) &&
    partsOf(head).fileBytes > 0;
  return isPlain && exchange.transport.sendFile(exchange, head, owner);
}

/** Responds with content in memory that never changes. */
export function sendContent(
  exchange: Exchange,
  representation: Representation,
  content: Uint8Array,
): void {
  const ranges = select(exchange, representation);
  if (ranges === SENT) return;
  exchange.owedBytes = -1;
  if (ranges === null) {
    respondConstant(exchange, content, 'send()');
    return;
  }
  const multipart = multipartFor(exchange, representation, ranges);
  const { from, to } = ranges[0];
  const sent = multipart === null ? content.subarray(from, to) : multipart.join(content);
  respondConstant(exchange, sent, 'send()');
}

/** Responds with an open file, which the caller closes. */
export async function sendOpenFile(
  exchange: Exchange,
  representation: Representation,
  opened: OpenFile,
): Promise<void> {
  if (exchange.phase !== Phase.Open || exchange.gone) {
    exchange.services.countLateCall(false);
    return;
  }
  exchange.claimWriter(Writer.File);
  const ranges = select(exchange, representation);
  if (ranges === SENT) return;
  const { bytes } = representation;
  if (ranges === null) {
    if (!startStream(exchange, 'file()', bytes) || endIfHeadOnly(exchange)) return;
    await copyFile(exchange, opened.file, 0, bytes);
  } else {
    const multipart = multipartFor(exchange, representation, ranges);
    const { from, to } = ranges[0];
    const sentBytes = multipart === null ? to - from : multipart.bytes;
    if (!startStream(exchange, 'file()', sentBytes) || endIfHeadOnly(exchange)) return;
    if (multipart === null) await copyFile(exchange, opened.file, from, to);
    else await copyParts(exchange, opened.file, multipart);
  }
  if (!exchange.gone) exchange.transport.endStream(exchange);
}

async function copyParts(exchange: Exchange, file: number, multipart: Multipart): Promise<void> {
  const { transport } = exchange;
  for (const { head, range } of multipart.parts) {
    await transport.write(exchange, head, false);
    if (exchange.gone) return;
    await copyFile(exchange, file, range.from, range.to);
    if (exchange.gone) return;
  }
  await transport.write(exchange, multipart.end, false);
}

/** A response was sent instead of the representation. */
const SENT = Symbol('a response was sent');

/**
 * Sets the fields, except those that the handler has set, and checks the preconditions. Returns the
 * ranges to send, null for all of the representation.
 */
function select(
  exchange: Exchange,
  representation: Representation,
): readonly ByteRange[] | null | typeof SENT {
  const { fields, services, head } = exchange;
  const wallMs = services.wallMs();
  const modified = fields.get('last-modified');
  const before = fields.lowerNames.slice(0, fields.count);
  for (const [name, value] of fieldsOf(representation, wallMs)) {
    const lower = checkedName(name);
    if (lower === 'vary' || !before.includes(lower)) fields.append(name, lower, value);
  }
  exchange.useEtag(EtagUse.None);
  if (!isSelection(exchange) || isUnconditional(head)) return null;
  const modifiedMs =
    modified === undefined
      ? Math.min(representation.modifiedMs, wallMs)
      : parseDate(modified, wallMs);
  const verdict = verdictOf(exchange, modifiedMs);
  if (verdict === Verdict.NotModified) {
    respondFull(exchange, notModified(exchange, representation.bytes), 'file()');
    return SENT;
  }
  if (verdict === Verdict.Failed) {
    respondFull(exchange, failed(exchange, 412), 'file()');
    return SENT;
  }
  const ranges = requestedRanges(exchange, representation, modifiedMs);
  if (ranges === null || ranges.length > 0) return ranges;
  const text = failed(exchange, 416);
  fields.set('Content-Range', 'content-range', `bytes */${representation.bytes}`);
  respondFull(exchange, text, 'file()');
  return SENT;
}

/** The ranges that a GET asks for (14.2); null when all is to be sent, [] for 416. */
function requestedRanges(
  exchange: Exchange,
  { bytes: length, coding }: Representation,
  modifiedMs: number,
): readonly ByteRange[] | null {
  const { head, bytes, base, services } = exchange;
  const index = head.find(Field.Range);
  if (index < 0 || head.method !== Method.GET || head.count(Field.Range) > 1) return null;
  const validators = { etag: etagField(exchange), modifiedMs };
  if (!rangeApplies(head, bytes, base, validators, services.wallMs())) return null;
  const at = index * OFFSETS_PER_FIELD;
  const from = base + head.offsets[at + 2];
  const ranges = selectRanges(bytes, from, base + head.offsets[at + 3], length);
  // Clients would decode several parts together with what separates them.
  if (ranges !== null && ranges.length > 1 && coding !== null) return null;
  return ranges;
}

/** Makes the response a 206 (15.3.7); null for one range, which has no parts. */
function multipartFor(
  exchange: Exchange,
  { bytes }: Representation,
  ranges: readonly ByteRange[],
): Multipart | null {
  const { fields, services } = exchange;
  exchange.status = 206;
  if (ranges.length === 1) {
    const { from, to } = ranges[0];
    fields.set('Content-Range', 'content-range', `bytes ${from}-${to - 1}/${bytes}`);
    return null;
  }
  const boundary = services.asyncIo.randomHex(BOUNDARY_BYTES);
  const type = fields.get('content-type') ?? null;
  fields.set('Content-Type', 'content-type', `multipart/byteranges; boundary=${boundary}`);
  return multipartOf(ranges, boundary, type, bytes);
}

/** Unpredictable, so that no content can contain the boundary on purpose. */
const BOUNDARY_BYTES = 16;

/** The fields of a representation, in the order in which they are sent. */
function fieldsOf(
  representation: Representation,
  wallMs: number,
): readonly (readonly [string, string])[] {
  const { type, coding, etag, modifiedMs, vary, cacheControl } = representation;
  const fields: (readonly [string, string])[] = [['Content-Type', type]];
  if (coding !== null) fields.push(['Content-Encoding', coding]);
  if (!Number.isNaN(modifiedMs)) {
    // A time in the future is not allowed (8.8.2.1).
    fields.push(['Last-Modified', formatDate(Math.min(modifiedMs, wallMs))]);
  }
  if (etag !== null) fields.push(['ETag', etag]);
  if (vary !== null) fields.push(['Vary', vary]);
  if (cacheControl !== null) fields.push(['Cache-Control', cacheControl]);
  fields.push(...representation.fields, ['Accept-Ranges', 'bytes']);
  return fields;
}
