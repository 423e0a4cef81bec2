// Hot: runs for every request for a file. Measured by perf/micro/static.ts.
// Serves the files below a root. A request for a file in memory, or for a path that is known to
// have none, is decided synchronously; others are looked up.

import type { OpenFile } from '../async-io/async-io.ts';
import type { Exchange, Services } from '../exchange/exchange.ts';
import { fieldValue } from '../exchange/field-value.ts';
import type { Next } from '../exchange/handler.ts';
import { asPart } from '../exchange/parts.ts';
import { isUnsent } from '../exchange/respond.ts';
import { Method } from '../http/method.ts';
import { latin1 } from '../http/text.ts';
import { allowedMethods } from './allowed-methods.ts';
import type { CachedFile } from './cached-file.ts';
import { respondDirectory } from './directory.ts';
import { FileCache } from './file-cache.ts';
import { FieldRules } from './file-fields.ts';
import { type FoundFile, find } from './find.ts';
import {
  Check,
  checkLater,
  checkNow,
  FRESH_MS,
  GRACE_MS,
  momentOf,
  RECHECK_MS,
  STAT_CACHED_MS,
} from './freshness.ts';
import { Listings } from './listing/listing.ts';
import { type Loaded, loadFile, type SiteParts } from './load-file.ts';
import { MissingFiles } from './missing-files.ts';
import type { Settings } from './options.ts';
import { acceptsHtml, mayBePage, sendNotFound } from './pages.ts';
import { keyOf, requestedNames, type Wanted, wantedBy } from './requested-path.ts';
import { Root } from './root.ts';
import { sendNow, sendUnstable, sendVariant } from './send-variant.ts';

/** A file that changes while it is read is looked up again this often. */
const ATTEMPTS_MAX = 4;

/** Sends a file that was found; false when it has changed before it could be sent. */
type Send = (exchange: Exchange, file: CachedFile, opened: OpenFile | null) => Promise<boolean>;

const NO_METHODS: readonly string[] = Object.freeze([]);

export class Site {
  readonly #parts: SiteParts;
  readonly #cache: FileCache;
  readonly #missing: MissingFiles;
  /** Look-ups in progress by path, until each has found its file. */
  readonly #lookUps: Map<string, Promise<void>> = new Map<string, Promise<void>>();
  readonly #spa: Wanted | null;
  readonly #notFound: Wanted | null;

  constructor(path: string, settings: Settings) {
    const root = new Root(path, settings);
    const rules = new FieldRules(settings);
    this.#parts = { root, settings, rules, listings: new Listings() };
    this.#cache = new FileCache(settings.cacheBytesMax);
    this.#missing = new MissingFiles(root, settings);
    this.#spa = pageOf(settings.spa);
    this.#notFound = pageOf(settings.notFound);
  }

  /** Responds synchronously from memory if possible, else returns a promise. */
  serve(exchange: Exchange, mountBytes: number, next: Next): void | Promise<void> {
    const { head, pathBytes, pathFrom, pathTo, services } = exchange;
    // `*`, an authority, and a path that could not be decoded have no bytes here.
    if (pathTo === pathFrom) return next();
    if (head.method !== Method.GET && head.method !== Method.HEAD) {
      exchange.allowances ??= [];
      exchange.allowances.push(() => allowedMethods(exchange, this.#parts, mountBytes));
      return next();
    }
    const cached = this.#cache.get(pathBytes, pathFrom + mountBytes, pathTo);
    if (cached === null) return this.#serveOther(exchange, mountBytes, next);
    const check = this.#check(services, cached);
    if (check === Check.Same) {
      const variant = cached.variantFor(head, exchange.bytes, exchange.base);
      if (sendNow(exchange, variant)) {
        services.meter?.cacheHit();
        return;
      }
    }
    const wanted = wantedBy(exchange, mountBytes);
    return asPart(exchange, this.#serveCached(exchange, wanted, cached, check, next));
  }

  /** For a path that has no file in memory. */
  #serveOther(exchange: Exchange, mountBytes: number, next: Next): void | Promise<void> {
    const { pathBytes, pathFrom, pathTo, services } = exchange;
    const path = latin1(pathBytes, pathFrom + mountBytes, pathTo);
    if (this.#missing.isFresh(services, path)) return this.#pass(exchange, next);
    const names = requestedNames(exchange, mountBytes);
    if (names === null || this.#parts.root.isHidden(names)) return this.#pass(exchange, next);
    const wanted = wantedBy(exchange, mountBytes, names);
    if (this.#missing.isMissing(services, wanted)) return this.#pass(exchange, next);
    return asPart(exchange, this.#serveFound(exchange, wanted, next));
  }

  /** Whether a file in memory is current; Unknown when only a slow check can decide. */
  #check(services: Services, cached: CachedFile): Check {
    const nowMs = services.nowMs();
    const ageMs = nowMs - cached.checkedMs;
    if (ageMs <= FRESH_MS) return Check.Same;
    if (ageMs <= STAT_CACHED_MS && cached.checking === null) {
      const check = checkNow(services.asyncIo, cached.probes);
      if (check === Check.Same) this.#cache.refresh(cached, nowMs);
      else if (check === Check.Changed) this.#cache.remove(cached);
      if (check !== Check.Unknown) return check;
    }
    // While one request checks a busy file, others do not wait for it.
    const isFresh = ageMs <= RECHECK_MS || (cached.checking !== null && ageMs <= GRACE_MS);
    return isFresh ? Check.Same : Check.Unknown;
  }

  async #serveCached(
    exchange: Exchange,
    wanted: Wanted,
    cached: CachedFile,
    check: Check,
    next: Next,
  ): Promise<void> {
    if (await this.#sendCached(exchange, cached, check, sendVariant)) return;
    return this.#serveFound(exchange, wanted, next);
  }

  /** False when the file has changed. */
  async #sendCached(
    exchange: Exchange,
    cached: CachedFile,
    check: Check,
    send: Send,
  ): Promise<boolean> {
    if (check === Check.Changed) return false;
    if (check === Check.Unknown && !(await this.#isSameLater(exchange.services, cached))) {
      return false;
    }
    if (await send(exchange, cached, null)) {
      exchange.services.meter?.cacheHit();
      return true;
    }
    this.#cache.remove(cached);
    return false;
  }

  /** A check that began before the request may not have seen what the client knows of. */
  async #isSameLater(services: Services, cached: CachedFile): Promise<boolean> {
    const arrivedMs = services.nowMs();
    const earlier = cached.checking;
    if (earlier !== null) {
      if (!(await earlier)) return false;
      if (cached.checkedMs >= arrivedMs - FRESH_MS) return true;
    }
    cached.checking ??= this.#checkAgain(services, cached);
    return cached.checking;
  }

  /** One check for all requests that wait for it. */
  async #checkAgain(services: Services, cached: CachedFile): Promise<boolean> {
    const beganMs = services.nowMs();
    const isSame = await checkLater(services.asyncIo, cached.probes);
    cached.checking = null;
    if (isSame) this.#cache.refresh(cached, beganMs);
    else this.#cache.remove(cached);
    return isSame;
  }

  /**
   * A thousand clients that request a new file at once wait for one look-up: as many would keep the
   * thread pool busy for half a second.
   */
  async #serveFound(exchange: Exchange, wanted: Wanted, next: Next): Promise<void> {
    const path = latin1(wanted.key, 0, wanted.key.length);
    const earlier = this.#lookUps.get(path);
    if (earlier !== undefined) {
      await earlier;
      if (await this.#sendKnown(exchange, wanted)) return;
      if (this.#missing.isMissing(exchange.services, wanted)) return this.#pass(exchange, next);
    }
    const found = this.#beginLookUp(path);
    try {
      if (await this.#sendFound(exchange, wanted, sendVariant, true, found)) return;
    } finally {
      found();
    }
    return this.#pass(exchange, next);
  }

  /** Returns what ends the look-up for those who wait; nothing while another one is in progress. */
  #beginLookUp(path: string): () => void {
    if (this.#lookUps.has(path)) return () => {};
    let resolve: () => void = () => {};
    const lookUp = new Promise<void>((resolved) => {
      resolve = resolved;
    });
    this.#lookUps.set(path, lookUp);
    return () => {
      if (this.#lookUps.get(path) === lookUp) this.#lookUps.delete(path);
      resolve();
    };
  }

  /** Sends a file that is in memory and unchanged. */
  async #sendKnown(
    exchange: Exchange,
    { key }: Wanted,
    send: Send = sendVariant,
  ): Promise<boolean> {
    const cached = this.#cache.get(key, 0, key.length);
    if (cached === null) return false;
    const check = this.#check(exchange.services, cached);
    return this.#sendCached(exchange, cached, check, send);
  }

  /** Looks a path up and sends what it leads to; false when that is nothing. */
  async #sendFound(
    exchange: Exchange,
    wanted: Wanted,
    send: Send,
    mayBeDirectory: boolean,
    found: () => void = () => {},
  ): Promise<boolean> {
    const { services } = exchange;
    const { root, settings } = this.#parts;
    for (let attempt = 1; ; attempt++) {
      const began = momentOf(services);
      const target = await find(services, root, settings, wanted.names, wanted.isFolder);
      if (target.kind === 'missing') {
        this.#missing.add(wanted, target.probes, began.nowMs);
        return false;
      }
      if (target.kind === 'directory') {
        if (!mayBeDirectory) return false;
        // A listing is sent as fast as its client reads.
        found();
        await respondDirectory(exchange, this.#parts, wanted, target.real);
        return true;
      }
      if (attempt === 1) services.meter?.cacheMiss();
      try {
        const isLast = attempt === ATTEMPTS_MAX;
        const loaded = await loadFile(services, this.#parts, target, wanted.key, began);
        if (loaded?.isCacheable) this.#cache.add(loaded.file);
        found();
        if (await this.#sendFile(exchange, target, loaded, send, isLast)) return true;
      } finally {
        await services.asyncIo.close(target.opened.file);
      }
    }
  }

  async #sendFile(
    exchange: Exchange,
    target: FoundFile,
    loaded: Loaded | null,
    send: Send,
    isLast: boolean,
  ): Promise<boolean> {
    if (loaded !== null) {
      if (await send(exchange, loaded.file, target.opened)) return true;
      this.#cache.remove(loaded.file);
    }
    if (isLast) await sendUnstable(exchange, this.#parts, target);
    return isLast;
  }

  /** Continues with later handlers. When none responds, a page may take the place of the 404. */
  #pass(exchange: Exchange, next: Next): Promise<void> {
    if (this.#spa !== null || this.#notFound !== null) {
      exchange.allowances ??= [];
      exchange.allowances.push((hasRoute) => this.#sendPage(exchange, hasRoute));
    }
    return next();
  }

  async #sendPage(exchange: Exchange, hasRoute: boolean): Promise<readonly string[]> {
    if (hasRoute) return NO_METHODS;
    if (this.#spa !== null && mayBePage(exchange) && isUnsent(exchange)) {
      // The page, and the 404 in its place (RFC 9110 12.5.5).
      exchange.fields.append('Vary', 'vary', 'Accept');
      if (acceptsHtml(fieldValue(exchange, 'accept'))) {
        await this.#sendWanted(exchange, this.#spa, sendVariant);
      }
    }
    if (this.#notFound !== null && isUnsent(exchange)) {
      await this.#sendWanted(exchange, this.#notFound, sendNotFound);
    }
    return NO_METHODS;
  }

  async #sendWanted(exchange: Exchange, wanted: Wanted, send: Send): Promise<void> {
    if (await this.#sendKnown(exchange, wanted, send)) return;
    await this.#sendFound(exchange, wanted, send, false);
  }
}

function pageOf(names: readonly string[] | null): Wanted | null {
  return names === null ? null : { key: keyOf(names), names, isFolder: false };
}
