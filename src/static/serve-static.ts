// Hot: runs for every static request. Measured by perf/micro/static.ts.
// Middleware that serves the files below a root. It responds with a file that exists and calls
// next() for other paths. It never sends a file outside of the root, whatever the path or its
// links, and within the root a file has exactly one path.

import { join, resolve, sep } from 'node:path';
import {
  type AsyncIo,
  FileKind,
  type FileStat,
  isFault,
  type OpenFile,
} from '../async-io/async-io.ts';
import { ERRNO } from '../base/errno.ts';
import { BOOLEAN, checkOptions, wholeNumber } from '../base/options.ts';
import { shown } from '../base/shown.ts';
import type { Exchange, Services } from '../exchange/exchange.ts';
import {
  describeFile,
  etagOf,
  isNotModified,
  sendNotModified,
  sendOpenFile,
} from '../exchange/file.ts';
import type { Middleware, Next } from '../exchange/handler.ts';
import { HttpError } from '../exchange/http-error.ts';
import { mediaType } from '../exchange/media-type.ts';
import { asPart } from '../exchange/parts.ts';
import { exchangeOf, mountBytesOf } from '../exchange/request.ts';
import { isUnsent } from '../exchange/respond.ts';
import { responseOf } from '../exchange/response.ts';
import { Field } from '../http/fields.ts';
import { Method } from '../http/method.ts';
import {
  type CachedFile,
  FileCache,
  FRESH_MS,
  GRACE_MS,
  RECHECK_MS,
  STAT_CACHED_MS,
} from './file-cache.ts';
import { Listings } from './listing/listing.ts';
import { isFileName } from './names.ts';
import { prepareFile, readFully } from './prepare-file.ts';
import { endsInSlash, requestedKey, requestedNames, withSlash } from './requested-path.ts';
import { Spelling } from './spelling.ts';

export interface StaticOptions {
  /** Respond to a directory without an index file with a page that lists it. Default false. */
  readonly listing?: boolean;
  /** The name of the file that is sent for a directory. Default 'index.html'. */
  readonly index?: string;
  /** Also serve names that begin with a dot; .well-known is always served. Default false. */
  readonly dotfiles?: boolean;
  /** Memory for small files, and the largest of them. Default 32 MiB and 64 KiB. */
  readonly cacheBytesMax?: number;
  readonly cacheEntryBytesMax?: number;
}

const CACHE_BYTES_MAX = 32 * 1024 * 1024;
const CACHE_ENTRY_BYTES_MAX = 64 * 1024;
const ALLOWED = Object.freeze(['GET', 'HEAD', 'OPTIONS']);
const NONE_ALLOWED: readonly string[] = Object.freeze([]);
const OPTIONS = {
  listing: BOOLEAN,
  index: {
    wanted: "the name of a file, as 'index.html'",
    fits: (value: unknown) => typeof value === 'string' && isFileName(value),
  },
  dotfiles: BOOLEAN,
  cacheBytesMax: wholeNumber('bytes'),
  cacheEntryBytesMax: wholeNumber('bytes'),
} as const;

/**
 * A file that changed this recently is not cached: its next change may leave size and time the
 * same. Times with fractions of a second have a resolution of 10 ms at worst; those without may
 * come from a file system with a resolution of two seconds.
 */
const FINE_STEP_MS = 20;
const COARSE_STEP_MS = 2000;

/**
 * Throws a TypeError for a root that is not a path, and for unknown or invalid options. The root is
 * resolved by the first request that needs it.
 */
export function serveStatic(root: string, options: StaticOptions = {}): Middleware {
  if (typeof root !== 'string' || root === '' || root.includes('\0')) {
    throw new TypeError(
      `serveStatic: the root must be the path of a directory, given ${shown(root)}`,
    );
  }
  checkOptions('serveStatic', options, OPTIONS);
  const { index, dotfiles } = options;
  if (index !== undefined && isHidden(index) && dotfiles !== true) {
    throw new TypeError(
      `serveStatic: index ${shown(index)} begins with a dot: set dotfiles: true to send it`,
    );
  }
  const site = new StaticSite(resolve(root), options);
  return (request, _response, next) => {
    return site.serve(exchangeOf(request), mountBytesOf(request), next);
  };
}

class StaticSite {
  readonly #root: string;
  readonly #listing: boolean;
  readonly #index: string;
  readonly #dotfiles: boolean;
  readonly #entryBytesMax: number;
  readonly #cache: FileCache;
  readonly #spelling: Spelling = new Spelling();
  readonly #listings: Listings = new Listings();
  /** The root with its links resolved; '' until it is first resolved. */
  #realRoot = '';

  constructor(root: string, options: StaticOptions) {
    this.#root = root;
    this.#listing = options.listing ?? false;
    this.#index = options.index ?? 'index.html';
    this.#dotfiles = options.dotfiles ?? false;
    this.#entryBytesMax = options.cacheEntryBytesMax ?? CACHE_ENTRY_BYTES_MAX;
    this.#cache = new FileCache(options.cacheBytesMax ?? CACHE_BYTES_MAX);
  }

  /** Responds synchronously from the cache if possible, else returns a promise. */
  serve(exchange: Exchange, mountBytes: number, next: Next): void | Promise<void> {
    const { head, pathBytes, pathTo } = exchange;
    // `*`, an authority, and a path that could not be decoded have no bytes here.
    if (pathTo === exchange.pathFrom) return next();
    if (head.method !== Method.GET && head.method !== Method.HEAD) {
      this.#pushAllowedMethods(exchange, mountBytes);
      return next();
    }
    const from = exchange.pathFrom + mountBytes;
    const cached = this.#cache.get(pathBytes, from, pathTo);
    if (cached === null) return asPart(exchange, this.#find(exchange, mountBytes, next));
    if (!this.#isUnchanged(exchange.services, cached)) {
      return asPart(exchange, this.#recheck(exchange, mountBytes, cached, next));
    }
    this.#sendCached(exchange, cached);
  }

  /** Whether a file is known to be unchanged; false also when only a slow check can decide. */
  #isUnchanged(services: Services, cached: CachedFile): boolean {
    const nowMs = services.nowMs();
    const ageMs = nowMs - cached.checkedMs;
    if (ageMs <= FRESH_MS) return true;
    const stat =
      ageMs <= STAT_CACHED_MS && cached.checking === null
        ? services.asyncIo.statNow(cached.file)
        : null;
    if (stat !== null) return this.#compare(cached, stat, nowMs);
    // While one request checks a busy file, others do not wait for it.
    return ageMs <= RECHECK_MS || (cached.checking !== null && ageMs <= GRACE_MS);
  }

  /** True when a check found the file unchanged; else the file is removed from the cache. */
  #compare(cached: CachedFile, stat: FileStat | number, nowMs: number): boolean {
    if (isFault(stat) || !sameFile(stat, cached.stat)) {
      this.#cache.remove(cached);
      return false;
    }
    this.#cache.refresh(cached, nowMs);
    return true;
  }

  #sendCached(exchange: Exchange, cached: CachedFile): void {
    // Another part of the program may have responded during the check.
    if (!isUnsent(exchange)) return;
    const { head } = exchange;
    const isConditional =
      head.find(Field.IfNoneMatch) >= 0 || head.find(Field.IfModifiedSince) >= 0;
    if (isConditional && isNotModified(exchange, cached.stat, cached.etag)) {
      describeFile(exchange, cached.stat, cached.etag, '');
      sendNotModified(exchange);
      return;
    }
    responseOf(exchange).prepared(cached.response);
  }

  async #recheck(
    exchange: Exchange,
    mountBytes: number,
    cached: CachedFile,
    next: Next,
  ): Promise<void> {
    cached.checking ??= this.#check(exchange.services, cached);
    if (!(await cached.checking)) return this.#find(exchange, mountBytes, next);
    this.#sendCached(exchange, cached);
  }

  /** One check for all requests that wait for it. */
  async #check(services: Services, cached: CachedFile): Promise<boolean> {
    const stat = await services.asyncIo.stat(cached.file);
    cached.checking = null;
    return this.#compare(cached, stat, services.nowMs());
  }

  async #find(exchange: Exchange, mountBytes: number, next: Next): Promise<void> {
    const names = requestedNames(exchange, mountBytes);
    if (names === null) return next();
    const { asyncIo } = exchange.services;
    const key = requestedKey(exchange, mountBytes);
    const file = await this.#locate(asyncIo, names, endsInSlash(exchange));
    if (file === null) return next();
    const opened = await asyncIo.open(file);
    if (isFault(opened)) {
      if (opened === -EISDIR) return this.#directory(exchange, names, key, file, next);
      checkDenied(opened);
      return next();
    }
    try {
      const isFile = opened.stat.kind === FileKind.File && names.length > 0;
      if (!isFile || endsInSlash(exchange)) return await next();
      await this.#sendFile(exchange, opened, join(this.#root, ...names), key);
    } finally {
      await asyncIo.close(opened.file);
    }
  }

  /** The real path of these names; null when a name is not spelled as its directory has it. */
  async #locate(
    asyncIo: AsyncIo,
    names: readonly string[],
    folder = false,
  ): Promise<string | null> {
    const real = await this.#realPath(asyncIo, names, folder);
    if (real === null) return null;
    const root = this.#realRoot;
    if (await this.#spelling.isExact(asyncIo, root, names, real)) return real;
    if (!(await this.#resolveRoot(asyncIo)) || this.#realRoot === root) return null;
    if (!this.#isBelowRoot(real)) return null;
    return (await this.#spelling.isExact(asyncIo, this.#realRoot, names, real)) ? real : null;
  }

  /** The root may be a link whose target has changed. False when it cannot be resolved. */
  async #resolveRoot(asyncIo: AsyncIo): Promise<boolean> {
    const root = await asyncIo.realPath(this.#root);
    if (typeof root !== 'string') return false;
    this.#realRoot = root;
    return true;
  }

  /** The path of names with links resolved; null when it is hidden or not below the root. */
  async #realPath(
    asyncIo: AsyncIo,
    names: readonly string[],
    folder = false,
  ): Promise<string | null> {
    if (!this.#dotfiles && names.some(isHidden)) return null;
    const real = await asyncIo.realPath(join(this.#root, ...names, folder ? sep : ''));
    if (typeof real !== 'string') return null;
    if (this.#isBelowRoot(real)) return real;
    return (await this.#resolveRoot(asyncIo)) && this.#isBelowRoot(real) ? real : null;
  }

  #isBelowRoot(real: string): boolean {
    const root = this.#realRoot;
    if (root === '') return false;
    return real === root || real.startsWith(root.endsWith(sep) ? root : root + sep);
  }

  async #sendFile(
    exchange: Exchange,
    opened: OpenFile,
    file: string,
    key: Uint8Array,
  ): Promise<void> {
    const { stat } = opened;
    const { services } = exchange;
    const type = mediaType(file);
    const wallMs = services.wallMs();
    const isSmall = stat.bytes <= this.#entryBytesMax;
    const content = isSmall ? await readFully(services.asyncIo, opened) : null;
    if (exchange.gone) return;
    // Null also when the file changed while it was read: send its current bytes, cache nothing.
    if (content === null) {
      await sendOpenFile(exchange, opened, type);
      return;
    }
    const etag = etagOf(stat);
    const response = prepareFile(stat, etag, type, content, wallMs);
    const checkedMs = services.nowMs();
    const cached: CachedFile = { key, file, stat, etag, response, checkedMs, checking: null };
    if (isSettled(stat, wallMs)) this.#cache.add(cached);
    this.#sendCached(exchange, cached);
  }

  async #directory(
    exchange: Exchange,
    names: readonly string[],
    key: Uint8Array,
    directory: string,
    next: Next,
  ): Promise<void> {
    const { asyncIo } = exchange.services;
    const index = await this.#locate(asyncIo, [...names, this.#index]);
    const opened = index === null ? -ENOENT : await asyncIo.open(index);
    if (isFault(opened)) checkDenied(opened);
    try {
      if (isFault(opened) && !this.#listing) return await next();
      if (!endsInSlash(exchange)) {
        responseOf(exchange).redirect(withSlash(exchange), 301);
      } else if (!isFault(opened)) {
        const file = join(this.#root, ...names, this.#index);
        await this.#sendFile(exchange, opened, file, key);
      } else {
        await this.#list(exchange, names, directory, next);
      }
    } finally {
      if (!isFault(opened)) await asyncIo.close(opened.file);
    }
  }

  async #list(
    exchange: Exchange,
    names: readonly string[],
    directory: string,
    next: Next,
  ): Promise<void> {
    const { asyncIo } = exchange.services;
    const dotfiles = this.#dotfiles;
    // An entry that links out of the root is never sent, so it is not listed either.
    const resolve = (name: string) => this.#realPath(asyncIo, [...names, name]);
    if (!(await this.#listings.send(exchange, { directory, dotfiles, resolve }))) return next();
  }

  /**
   * For other methods: if no later handler responds, a check adds the methods of an existing file.
   */
  #pushAllowedMethods(exchange: Exchange, mountBytes: number): void {
    exchange.allowances ??= [];
    exchange.allowances.push(async () => {
      const names = requestedNames(exchange, mountBytes);
      return names !== null && (await this.#hasFile(exchange, names)) ? ALLOWED : NONE_ALLOWED;
    });
  }

  /** Whether GET would get a response here. */
  async #hasFile(exchange: Exchange, names: readonly string[]): Promise<boolean> {
    const { asyncIo } = exchange.services;
    const file = await this.#locate(asyncIo, names, endsInSlash(exchange));
    const stat = file === null ? -ENOENT : await asyncIo.stat(file);
    if (isFault(stat)) return false;
    if (stat.kind !== FileKind.Directory) {
      return stat.kind === FileKind.File && names.length > 0 && !endsInSlash(exchange);
    }
    if (this.#listing) return true;
    const index = await this.#locate(asyncIo, [...names, this.#index]);
    const indexStat = index === null ? -ENOENT : await asyncIo.stat(index);
    return !isFault(indexStat) && indexStat.kind === FileKind.File;
  }
}

const { EPERM, ENOENT, EACCES, EISDIR } = ERRNO;

/** Throws HttpError 403 for a file that exists and must not be read. */
function checkDenied(fault: number): void {
  if (fault === -EACCES || fault === -EPERM) throw new HttpError(403);
}

function isSettled(stat: FileStat, wallMs: number): boolean {
  const stepsMs = stat.modifiedMs % 1000 === 0 ? COARSE_STEP_MS : FINE_STEP_MS;
  return Math.abs(wallMs - stat.modifiedMs) > stepsMs;
}

function sameFile(one: FileStat, other: FileStat): boolean {
  return (
    one.bytes === other.bytes && one.modifiedMs === other.modifiedMs && one.inode === other.inode
  );
}

function isHidden(name: string): boolean {
  return name.startsWith('.') && name !== '.well-known';
}
