// Makes the record of a file that was found: its fields, its precompressed variants, and the
// content of what is small. Content and fields are of one version of the file, also when it changes
// meanwhile.

import {
  type AsyncIo,
  FileKind,
  type FileStat,
  isFault,
  type OpenFile,
} from '../async-io/async-io.ts';
import { ERRNO } from '../base/errno.ts';
import type { Services } from '../exchange/exchange.ts';
import { faultError, openError } from '../exchange/file-fault.ts';
import {
  isSettled,
  prepareFileHead,
  prepareNotModified,
  prepareRepresentation,
  representationOf,
} from '../exchange/representation.ts';
import { contentTag } from '../exchange/validated.ts';
import { CODING_NAMES, Coding } from '../http/accept-encoding.ts';
import { CachedFile, type Variant } from './cached-file.ts';
import type { FieldRules } from './file-fields.ts';
import type { FoundFile } from './find.ts';
import { isAbsent, isSameFile, type Moment, type Probe, statOf } from './freshness.ts';
import type { Listings } from './listing/listing.ts';
import type { Settings } from './options.ts';
import { AGREED_BYTES_MAX, readAgreed } from './read-agreed.ts';
import type { Root } from './root.ts';

export interface Loaded {
  readonly file: CachedFile;
  /** False when it may change again without a difference in size and times. */
  readonly isCacheable: boolean;
}

const { EACCES, EPERM } = ERRNO;

/** Where the variants are, beside their original. */
const SUFFIXES: readonly (readonly [Coding, string])[] = [
  [Coding.Brotli, '.br'],
  [Coding.Zstd, '.zst'],
  [Coding.Gzip, '.gz'],
];

const VARY = 'Accept-Encoding';

/** What a site is made of. */
export interface SiteParts {
  readonly root: Root;
  readonly settings: Settings;
  readonly rules: FieldRules;
  readonly listings: Listings;
}

/**
 * `began` is when the look-up of the target began. Null when the file has changed while it was
 * read: it must be looked up again.
 */
export async function loadFile(
  services: Services,
  site: SiteParts,
  target: FoundFile,
  key: Uint8Array,
  began: Moment,
): Promise<Loaded | null> {
  const open = new Map<Coding, OpenVariant>();
  try {
    const probes = [...target.probes];
    if (site.settings.precompressed) await openVariants(services, site, target, open, probes);
    // A variant that was made when the original was already another one, or none, is not its own.
    if (open.size > 0 && !(await isStill(services, site, target))) return null;
    return await load(services, site, target, open, probes, key, began);
  } finally {
    for (const { opened } of open.values()) await services.asyncIo.close(opened.file);
  }
}

/** Whether the path still leads to the file that was opened. */
async function isStill(
  services: Services,
  { root }: SiteParts,
  { names, opened }: FoundFile,
): Promise<boolean> {
  const stat = await statOf(services.asyncIo, root.pathOf(names));
  return !isFault(stat) && isSameFile(stat, opened.stat);
}

interface OpenVariant {
  readonly real: string;
  readonly opened: OpenFile;
}

/** Opens the variants that are not older than the file, and records all that was looked at. */
async function openVariants(
  services: Services,
  { root }: SiteParts,
  { names, opened }: FoundFile,
  open: Map<Coding, OpenVariant>,
  probes: Probe[],
): Promise<void> {
  const parents = names.slice(0, -1);
  for (const [coding, suffix] of SUFFIXES) {
    const variantNames = [...parents, `${names[names.length - 1]}${suffix}`];
    const path = root.pathOf(variantNames);
    const stat = await statOf(services.asyncIo, path);
    probes.push({ path, stat: isFault(stat) ? null : stat });
    if (isFault(stat) || stat.kind !== FileKind.File) continue;
    if (stat.modifiedMs < opened.stat.modifiedMs) continue;
    const found = await root.open(services, variantNames);
    if (typeof found === 'number') {
      // One that may not be read is not used: the original is there.
      if (isAbsent(found) || found === -EACCES || found === -EPERM) continue;
      throw openError(found, path, services);
    }
    if (found.opened === null) continue;
    if (isSameFile(stat, found.stat)) open.set(coding, { ...found, opened: found.opened });
    else await services.asyncIo.close(found.opened.file);
  }
}

async function load(
  services: Services,
  { rules, settings }: SiteParts,
  { names, real, opened }: FoundFile,
  open: ReadonlyMap<Coding, OpenVariant>,
  probes: readonly Probe[],
  key: Uint8Array,
  began: Moment,
): Promise<Loaded | null> {
  const { asyncIo } = services;
  const { type, others: fields } = rules.of(names);
  const { nowMs, wallMs } = began;
  const vary = open.size > 0 ? VARY : null;
  const loadOne = async (one: OpenVariant, coding: string | null): Promise<Variant | null> => {
    const { stat } = one.opened;
    const options = { coding, vary, fields };
    if (stat.bytes > settings.cacheEntryBytesMax) {
      const representation = representationOf(stat, type, wallMs, options);
      const response = prepareFileHead(representation, wallMs);
      const notModified = prepareNotModified(representation, wallMs);
      return { real: one.real, stat, representation, content: null, response, notModified };
    }
    const content = await readVersion(asyncIo, one.opened, one.real, wallMs);
    if (content === null) return null;
    const etag = contentTag(asyncIo, content);
    const representation = representationOf(stat, type, wallMs, { ...options, etag });
    const response = prepareRepresentation(representation, content, wallMs);
    const notModified = prepareNotModified(representation, wallMs);
    return { real: one.real, stat, representation, content, response, notModified };
  };
  const original = await loadOne({ real, opened }, null);
  if (original === null) return null;
  const variants = new Map<Coding, Variant>();
  for (const [coding, one] of open) {
    const variant = await loadOne(one, CODING_NAMES[coding]);
    if (variant === null) return null;
    variants.set(coding, variant);
  }
  const file = new CachedFile(key, probes, original, variants, nowMs);
  return { file, isCacheable: probes.every((probe) => isLastingProbe(probe, wallMs)) };
}

/** False when a further change might not be noticed. */
function isLastingProbe({ stat }: Probe, wallMs: number): boolean {
  if (stat === null || stat.kind === FileKind.Directory) return true;
  return isQuiet(stat, wallMs);
}

/** True when no write was in progress that began before `wallMs`. */
function isQuiet({ changedMs, modifiedMs }: FileStat, wallMs: number): boolean {
  return isSettled(modifiedMs, wallMs) && isSettled(changedMs, wallMs);
}

/** All bytes of one version of a file; null when it has changed since it was opened. */
async function readVersion(
  asyncIo: AsyncIo,
  opened: OpenFile,
  path: string,
  wallMs: number,
): Promise<Uint8Array | null> {
  const { file, stat } = opened;
  const mustAgree = !isQuiet(stat, wallMs) && stat.bytes <= AGREED_BYTES_MAX;
  const bytes = mustAgree ? readAgreed(asyncIo, opened) : await readFully(asyncIo, opened, path);
  const after = asyncIo.openStat(file);
  return isFault(after) || !isSameFile(stat, after) ? null : bytes;
}

/** As many bytes as the file had when it was opened; null when it has fewer now. */
async function readFully(
  asyncIo: AsyncIo,
  { file, stat }: OpenFile,
  path: string,
): Promise<Uint8Array | null> {
  const bytes = new Uint8Array(stat.bytes);
  let length = 0;
  while (length < bytes.length) {
    const count = await asyncIo.read(file, bytes.subarray(length), length);
    if (count < 0) throw faultError(count, path);
    if (count === 0) return null;
    length += count;
  }
  return bytes;
}
