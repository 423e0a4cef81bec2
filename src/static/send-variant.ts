// Sends a file that was found: from memory, or from the open file.

import { isFault, type OpenFile } from '../async-io/async-io.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { HttpError } from '../exchange/http-error.ts';
import {
  representationOf,
  sendContent,
  sendNotModified,
  sendOpenFile,
  sendSharedFile,
} from '../exchange/representation.ts';
import { isUnsent } from '../exchange/respond.ts';
import { responseOf } from '../exchange/response.ts';
import { isUnconditional } from '../http/conditional.ts';
import type { CachedFile, Variant } from './cached-file.ts';
import type { FoundFile } from './find.ts';
import { isSameFile } from './freshness.ts';
import type { SiteParts } from './load-file.ts';
import { OpenFiles } from './open-files.ts';
import { AGREED_BYTES_MAX, readAgreed } from './read-agreed.ts';

/** Of all sites. */
const openFiles = new OpenFiles();

/** Responds at once from memory or from a file that is open; false when that is not possible. */
export function sendNow(exchange: Exchange, variant: Variant): boolean {
  const { content, response, notModified, representation } = variant;
  const isWhole = isUnconditional(exchange.head);
  if (!isWhole && sendNotModified(exchange, representation, notModified)) return true;
  if (content !== null) {
    if (isWhole && exchange.status === 200) responseOf(exchange).prepared(response);
    else sendContent(exchange, representation, content);
    return true;
  }
  const shared = openFiles.acquire(variant);
  if (shared === null) return false;
  if (sendSharedFile(exchange, response, shared)) return true;
  shared.released();
  return false;
}

/**
 * Sends the variant that the request accepts best. `opened` is the original, null when it must be
 * opened. False when the file has changed since it was found.
 */
export async function sendVariant(
  exchange: Exchange,
  file: CachedFile,
  opened: OpenFile | null,
): Promise<boolean> {
  // Another part of the program may have responded during the look-up.
  if (!isUnsent(exchange)) return true;
  const variant = file.variantFor(exchange.head, exchange.bytes, exchange.base);
  if (sendNow(exchange, variant)) return true;
  if (opened !== null && variant === file.original) {
    await sendOpenFile(exchange, variant.representation, opened);
    return true;
  }
  return sendByOpening(exchange, variant);
}

async function sendByOpening(exchange: Exchange, variant: Variant): Promise<boolean> {
  const { services } = exchange;
  let shared = openFiles.acquire(variant);
  const opened = shared?.opened ?? (await services.asyncIo.open(variant.real));
  if (isFault(opened)) return false;
  try {
    if (!isSameFile(opened.stat, variant.stat)) return false;
    shared ??= openFiles.add(services, variant, opened);
    await sendOpenFile(exchange, variant.representation, opened);
    return true;
  } finally {
    if (shared === null) await services.asyncIo.close(opened.file);
    else shared.released();
  }
}

/**
 * Sends an open file that does not stay the same for long enough to be read completely. No entity
 * tag names what is sent: the content may be newer than what is known of the file.
 */
export async function sendUnstable(
  exchange: Exchange,
  { rules }: SiteParts,
  { names, opened }: FoundFile,
): Promise<void> {
  if (!isUnsent(exchange)) return;
  const { type, others: fields } = rules.of(names);
  const wallMs = exchange.services.wallMs();
  const representation = representationOf(opened.stat, type, wallMs, { etag: null, fields });
  if (opened.stat.bytes > AGREED_BYTES_MAX) {
    await sendOpenFile(exchange, representation, opened);
    return;
  }
  const content = readAgreed(exchange.services.asyncIo, opened);
  if (content === null) throw new HttpError(503);
  sendContent(exchange, representation, content);
}
