// Hot: runs for every static request. Measured by perf/micro/static.ts.
// Static files below a root, as middleware: what it has, it answers; what it does not have falls
// through. Nothing outside the root is ever sent, however a path is written or linked.

import { isAbsolute, join, resolve, sep } from 'node:path';
import { checkOptions } from '../base/options.ts';
import type { Exchange } from '../exchange/exchange.ts';
import {
  clientHas,
  describeFile,
  etagOf,
  sendNotModified,
  sendOpenFile,
} from '../exchange/file.ts';
import { HttpError } from '../exchange/http-error.ts';
import { mediaType } from '../exchange/media-type.ts';
import type { Middleware, Next } from '../exchange/middleware.ts';
import { type Prepared, prepare } from '../exchange/prepared.ts';
import { exchangeOf, mountBytesOf } from '../exchange/request.ts';
import type { Services } from '../exchange/transport.ts';
import { formatDate } from '../http/date.ts';
import { Field } from '../http/fields.ts';
import { Method } from '../http/method.ts';
import { latin1 } from '../http/text.ts';
import {
  type DirectoryEntry,
  FileKind,
  type FileStat,
  isFault,
  type OpenFile,
  type Work,
} from '../work/work.ts';
import {
  type CachedFile,
  FileCache,
  FRESH_MS,
  GRACE_MS,
  KNOWN_MS,
  RECHECK_MS,
} from './file-cache.ts';
import { listingPage } from './listing.ts';

export interface StaticOptions {
  /** Answer a directory without an index file with a page that lists it. Default false. */
  readonly listing?: boolean;
  /** What is sent for a directory. Default 'index.html'. */
  readonly index?: string;
  /** Also serve names that begin with a dot, other than .well-known. Default false. */
  readonly dotfiles?: boolean;
  /** Memory for small files, and the largest of them. Default 32 MiB and 64 KiB. */
  readonly cacheBytesMax?: number;
  readonly cacheEntryBytesMax?: number;
}

const CACHE_BYTES_MAX = 32 * 1024 * 1024;
const CACHE_ENTRY_BYTES_MAX = 64 * 1024;
const ALLOWED = 'GET, HEAD, OPTIONS';
const OPTIONS = ['listing', 'index', 'dotfiles', 'cacheBytesMax', 'cacheEntryBytesMax'];

/**
 * A file that changed this short a time ago is not remembered: its next change may leave size and
 * time as they are. Times with fractions of a second step by 10 ms at most; those without may come
 * from a file system that counts in steps of two seconds.
 */
const FINE_STEPS_MS = 20;
const COARSE_STEPS_MS = 2000;

/** Entries of a listing that are looked at together: a guess, four times what works at once. */
const ENTRIES_AT_ONCE = 16;

/** Throws a TypeError for a root that is no text. The root is looked at when it is first needed. */
export function serveStatic(root: string, options: StaticOptions = {}): Middleware {
  if (typeof root !== 'string' || root === '') throw new TypeError('the root is a directory path');
  checkOptions('serveStatic', options, OPTIONS);
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
  /** The root with its links followed; '' until it was looked at. */
  #realRoot = '';

  constructor(root: string, options: StaticOptions) {
    this.#root = root;
    this.#listing = options.listing ?? false;
    this.#index = options.index ?? 'index.html';
    this.#dotfiles = options.dotfiles ?? false;
    this.#entryBytesMax = options.cacheEntryBytesMax ?? CACHE_ENTRY_BYTES_MAX;
    this.#cache = new FileCache(options.cacheBytesMax ?? CACHE_BYTES_MAX);
  }

  /** At once from memory where that is possible, else with a promise. */
  serve(exchange: Exchange, mountBytes: number, next: Next): void | Promise<void> {
    const { head, pathBytes, pathTo } = exchange;
    // Neither `*` nor an authority has a path, nor has what could not be decoded.
    if (pathTo === exchange.pathFrom) return next();
    if (head.method !== Method.GET && head.method !== Method.HEAD) {
      return this.#otherMethod(exchange, mountBytes, next);
    }
    const from = exchange.pathFrom + mountBytes;
    const cached = this.#cache.get(pathBytes, from, pathTo);
    if (cached === null) return this.#find(exchange, mountBytes, next);
    if (!this.#isUnchanged(exchange.services, cached)) {
      return this.#recheck(exchange, mountBytes, cached, next);
    }
    this.#sendCached(exchange, cached);
  }

  /** Whether a file is known to be as it was; false also where that takes longer to find out. */
  #isUnchanged(services: Services, cached: CachedFile): boolean {
    const nowMs = services.nowMs();
    const ageMs = nowMs - cached.checkedMs;
    if (ageMs <= FRESH_MS) return true;
    const stat =
      ageMs <= KNOWN_MS && cached.checking === null ? services.work.statNow(cached.file) : null;
    if (stat !== null) return this.#compare(cached, stat, nowMs);
    // While somebody looks at a busy file the others need not wait.
    return ageMs <= RECHECK_MS || (cached.checking !== null && ageMs <= GRACE_MS);
  }

  /** True when a look found the file as it was; else it is forgotten. */
  #compare(cached: CachedFile, stat: FileStat | number, nowMs: number): boolean {
    if (isFault(stat) || !sameFile(stat, cached.stat)) {
      this.#cache.remove(cached);
      return false;
    }
    this.#cache.refresh(cached, nowMs);
    return true;
  }

  #sendCached(exchange: Exchange, cached: CachedFile): void {
    const { head } = exchange;
    const asks = head.find(Field.IfNoneMatch) >= 0 || head.find(Field.IfModifiedSince) >= 0;
    if (asks && clientHas(exchange, cached.stat, cached.etag)) {
      describeFile(exchange, cached.stat, cached.etag, '');
      sendNotModified(exchange);
      return;
    }
    exchange.response.prepared(cached.answer);
  }

  async #recheck(
    exchange: Exchange,
    mountBytes: number,
    cached: CachedFile,
    next: Next,
  ): Promise<void> {
    cached.checking ??= this.#check(exchange.services, cached);
    if (!(await cached.checking)) return this.#find(exchange, mountBytes, next);
    if (!exchange.gone) this.#sendCached(exchange, cached);
  }

  /** One look serves all who wait. */
  async #check(services: Services, cached: CachedFile): Promise<boolean> {
    const stat = await services.work.stat(cached.file);
    cached.checking = null;
    return this.#compare(cached, stat, services.nowMs());
  }

  async #find(exchange: Exchange, mountBytes: number, next: Next): Promise<void> {
    const path = exchange.path(mountBytes);
    const key = exchange.pathBytes.slice(exchange.pathFrom + mountBytes, exchange.pathTo);
    const file = await this.#locate(exchange.services.work, path);
    if (file === null) return next();
    const opened = await exchange.services.work.open(file);
    if (isFault(opened)) {
      if (opened === -EISDIR) return this.#directory(exchange, path, key, file, next);
      checkDenied(opened);
      return next();
    }
    try {
      if (path.endsWith('/') || opened.stat.kind !== FileKind.File) return await next();
      await this.#sendFile(exchange, opened, join(this.#root, path), key);
    } finally {
      await exchange.services.work.close(opened.file);
    }
  }

  /** The file behind a path with its links followed; null when it is not below the root. */
  async #locate(work: Work, path: string): Promise<string | null> {
    if (!this.#isAllowed(path)) return null;
    const real = await work.realPath(join(this.#root, path));
    if (typeof real !== 'string') return null;
    if (this.#isBelowRoot(real)) return real;
    // The root may be a link too, and lead elsewhere than it did.
    const root = await work.realPath(this.#root);
    if (typeof root !== 'string') return null;
    this.#realRoot = root;
    return this.#isBelowRoot(real) ? real : null;
  }

  #isBelowRoot(real: string): boolean {
    const root = this.#realRoot;
    if (root === '') return false;
    return real === root || real.startsWith(root.endsWith(sep) ? root : root + sep);
  }

  #isAllowed(path: string): boolean {
    // On Windows a backslash separates, and a colon names drives and streams.
    if (sep === '\\' && /[\\:]/.test(path)) return false;
    if (path.includes('\0') || isAbsolute(path.slice(1)) || path.includes('/../')) return false;
    if (this.#dotfiles) return true;
    for (const segment of path.split('/')) {
      if (segment.startsWith('.') && segment !== '.well-known') return false;
    }
    return true;
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
    const content = isSmall ? await readWhole(services.work, opened) : null;
    if (exchange.gone) return;
    // Null also when it changed while it was read: send what is there, remember nothing.
    if (content === null) {
      await sendOpenFile(exchange, opened, type);
      return;
    }
    const etag = etagOf(stat);
    const answer = prepareFile(stat, etag, type, content, wallMs);
    const checkedMs = services.nowMs();
    const cached: CachedFile = { key, file, stat, etag, answer, checkedMs, checking: null };
    if (isSettled(stat, wallMs) && isPlain(key)) this.#cache.add(cached);
    this.#sendCached(exchange, cached);
  }

  async #directory(
    exchange: Exchange,
    path: string,
    key: Uint8Array,
    directory: string,
    next: Next,
  ): Promise<void> {
    const { work } = exchange.services;
    const folder = path.endsWith('/') ? path : `${path}/`;
    const index = await this.#locate(work, folder + this.#index);
    const opened = index === null ? -ENOENT : await work.open(index);
    if (isFault(opened)) checkDenied(opened);
    try {
      if (isFault(opened) && !this.#listing) return await next();
      if (!endsInSlash(exchange)) {
        exchange.response.redirect(withSlash(exchange), 301);
      } else if (!isFault(opened)) {
        const file = join(this.#root, path, this.#index);
        await this.#sendFile(exchange, opened, file, key);
      } else {
        await this.#list(exchange, folder, directory, next);
      }
    } finally {
      if (!isFault(opened)) await work.close(opened.file);
    }
  }

  async #list(exchange: Exchange, folder: string, directory: string, next: Next): Promise<void> {
    const { work } = exchange.services;
    const entries = await work.list(directory);
    if (typeof entries === 'number') return next();
    const shown: DirectoryEntry[] = [];
    for (let index = 0; index < entries.length; index += ENTRIES_AT_ONCE) {
      const some = entries.slice(index, index + ENTRIES_AT_ONCE);
      // What leads out of the root is not sent, so nothing is said of it either.
      const files = await Promise.all(some.map(({ name }) => this.#locate(work, folder + name)));
      shown.push(...some.filter((_, at) => files[at] !== null));
    }
    exchange.response.html(listingPage(exchange.path(0), shown));
  }

  /** A file is there, but not for this method. */
  async #otherMethod(exchange: Exchange, mountBytes: number, next: Next): Promise<void> {
    if (!(await this.#has(exchange.services.work, exchange.path(mountBytes)))) return next();
    exchange.response.header('Allow', ALLOWED);
    if (exchange.head.method === Method.OPTIONS) exchange.response.empty(204);
    else exchange.response.status(405).text('Method Not Allowed\n');
  }

  /** Whether GET would be answered here. */
  async #has(work: Work, path: string): Promise<boolean> {
    const file = await this.#locate(work, path);
    const stat = file === null ? -ENOENT : await work.stat(file);
    if (isFault(stat)) return false;
    if (stat.kind !== FileKind.Directory) return stat.kind === FileKind.File;
    if (this.#listing) return true;
    const index = await this.#locate(work, `${path}/${this.#index}`.replace('//', '/'));
    const indexStat = index === null ? -ENOENT : await work.stat(index);
    return !isFault(indexStat) && indexStat.kind === FileKind.File;
  }
}

const EPERM = 1;
const ENOENT = 2;
const EACCES = 13;
const EISDIR = 21;
const SLASH = 47;

/** Throws HttpError 403 where a file is there and may not be read. */
function checkDenied(fault: number): void {
  if (fault === -EACCES || fault === -EPERM) throw new HttpError(403);
}

/**
 * False for the other spellings of a path (`//`, an encoded slash): each that was remembered would
 * let a client fill the cache with one file.
 */
function isPlain(key: Uint8Array): boolean {
  return !key.includes(0) && !key.some((byte, at) => byte === SLASH && key[at + 1] === SLASH);
}

function isSettled(stat: FileStat, wallMs: number): boolean {
  const stepsMs = stat.modifiedMs % 1000 === 0 ? COARSE_STEPS_MS : FINE_STEPS_MS;
  return Math.abs(wallMs - stat.modifiedMs) > stepsMs;
}

function sameFile(one: FileStat, other: FileStat): boolean {
  return (
    one.bytes === other.bytes && one.modifiedMs === other.modifiedMs && one.inode === other.inode
  );
}

/** Null when the file is not as long as it said. */
async function readWhole(work: Work, opened: OpenFile): Promise<Uint8Array | null> {
  // One byte more than there should be: reading into it means that the file grew.
  const bytes = new Uint8Array(opened.stat.bytes + 1);
  let length = 0;
  while (length < bytes.length) {
    const count = await work.read(opened.file, bytes.subarray(length), length);
    if (count <= 0) break;
    length += count;
  }
  return length === opened.stat.bytes ? bytes.subarray(0, length) : null;
}

function prepareFile(
  stat: FileStat,
  etag: string,
  type: string,
  content: Uint8Array,
  wallMs: number,
): Prepared {
  // A time in the future is not told (RFC 9110 8.8.2.1).
  const modified = formatDate(Math.min(stat.modifiedMs, wallMs));
  const fields = { 'Content-Type': type, 'Last-Modified': modified, ETag: etag };
  return prepare(200, fields, content);
}

function endsInSlash(exchange: Exchange): boolean {
  return exchange.pathBytes[exchange.pathTo - 1] === SLASH && exchange.pathTo > exchange.pathFrom;
}

/**
 * The path of a directory with the slash it lacked. It is written anew from what the path means: as
 * it was sent it may begin as the name of another host does (`/\\host/..`).
 */
function withSlash(exchange: Exchange): string {
  const path = encodeURI(exchange.path(0)).replace(/[?#]/g, encodeURIComponent);
  return `${path.replace(/^\/+|\/+$/g, '/')}${path.endsWith('/') ? '' : '/'}${rawQuery(exchange)}`;
}

function rawQuery(exchange: Exchange): string {
  const { head, bytes, base } = exchange;
  if (head.queryStart < 0) return '';
  return `?${latin1(bytes, base + head.queryStart, base + head.queryEnd)}`;
}
