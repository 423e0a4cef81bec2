// Sends a file that was found: from memory, or from the open file.

import { isFault, type OpenFile } from '../async-io/async-io.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { representationOf, sendContent, sendOpenFile } from '../exchange/representation.ts';
import { isUnsent } from '../exchange/respond.ts';
import { responseOf } from '../exchange/response.ts';
import { isUnconditional } from '../http/conditional.ts';
import type { CachedFile, Variant } from './cached-file.ts';
import type { FoundFile } from './find.ts';
import { isSameFile } from './freshness.ts';
import type { SiteParts } from './load-file.ts';
import { OpenFiles } from './open-files.ts';

/** Sends content in memory; false when it is not there. */
export function sendFromMemory(exchange: Exchange, variant: Variant): boolean {
  const { content, response, representation } = variant;
  if (content === null || response === null) return false;
  if (isUnconditional(exchange.head)) responseOf(exchange).prepared(response);
  else sendContent(exchange, representation, content);
  return true;
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
  if (sendFromMemory(exchange, variant)) return true;
  if (opened !== null && variant === file.original) {
    await sendOpenFile(exchange, variant.representation, opened);
    return true;
  }
  const { services } = exchange;
  const { asyncIo } = services;
  const shared = openFiles.acquire(asyncIo, variant);
  const own = shared ?? (await asyncIo.open(variant.real));
  if (isFault(own)) return false;
  try {
    if (!isSameFile(own.stat, variant.stat)) return false;
    if (shared === null) openFiles.add(variant, own);
    await sendOpenFile(exchange, variant.representation, own);
    return true;
  } finally {
    await openFiles.release(services, variant, own);
  }
}

/** Of all sites. */
const openFiles = new OpenFiles();

/** Sends an open file that does not stay the same for long enough to be read completely. */
export async function sendWhole(
  exchange: Exchange,
  { rules }: SiteParts,
  { names, opened }: FoundFile,
): Promise<void> {
  if (!isUnsent(exchange)) return;
  const { type, others: fields } = rules.of(names);
  const wallMs = exchange.services.wallMs();
  const representation = representationOf(opened.stat, type, wallMs, { fields });
  await sendOpenFile(exchange, representation, opened);
}
