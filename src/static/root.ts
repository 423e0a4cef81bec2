// The root of a site in the file system. It finds and opens the files below it, and nothing else:
// names that lead out of the root, by links or by changes during the look-up, are not found.

import { join, sep } from 'node:path';
import {
  type AsyncIo,
  FileKind,
  type FileStat,
  isFault,
  type OpenFile,
} from '../async-io/async-io.ts';
import { ERRNO } from '../base/errno.ts';
import type { Services } from '../exchange/exchange.ts';
import { isAbsent, statOf } from './freshness.ts';
import { isHidden } from './names.ts';
import type { Settings, Symlinks } from './options.ts';
import { Spelling } from './spelling.ts';

const { ENOENT } = ERRNO;

/** A path that changes during a look-up is looked up again this often. */
const ATTEMPTS_MAX = 4;

/** What names lead to. */
export interface Found {
  /** The path with links resolved. */
  readonly real: string;
  readonly stat: FileStat;
  /** Null for what is no file, and where only a directory is wanted; the caller closes it. */
  readonly opened: OpenFile | null;
}

export class Root {
  readonly #path: string;
  readonly #dotfiles: boolean;
  readonly #symlinks: Symlinks;
  readonly #spelling: Spelling = new Spelling();
  /** The path with its links resolved; '' until it is first resolved. */
  #real = '';

  constructor(path: string, { dotfiles, symlinks }: Settings) {
    this.#path = path;
    this.#dotfiles = dotfiles;
    this.#symlinks = symlinks;
  }

  /** The path of names in the file system, before links are resolved. */
  pathOf(names: readonly string[]): string {
    // Names of a path need no normalization by join().
    const slash = this.#path.endsWith(sep) ? '' : sep;
    return names.length === 0 ? this.#path : `${this.#path}${slash}${names.join(sep)}`;
  }

  isHidden(names: readonly string[]): boolean {
    return !this.#dotfiles && names.some(isHidden);
  }

  /**
   * Opens what may be sent, or nothing when only a directory is wanted. -errno; -ENOENT also for
   * names that are not spelled as the directories have them or that lead out of the root.
   */
  async open(
    services: Services,
    names: readonly string[],
    isFolder = false,
  ): Promise<Found | number> {
    const { asyncIo } = services;
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const real = await this.locate(services, names);
      if (typeof real === 'number') return real;
      const found = await this.#openReal(asyncIo, real, isFolder);
      if (found === null || (typeof found === 'number' && isAbsent(found))) continue;
      const isFile = typeof found !== 'number' && found.opened !== null;
      // What it led to may lie outside of the root now, and is no reason for a 403.
      if (isFile || (await asyncIo.realPath(real)) === real) return found;
    }
    return -ENOENT;
  }

  /** Null for a file that lies outside of the root. */
  async #openReal(
    asyncIo: AsyncIo,
    real: string,
    isFolder: boolean,
  ): Promise<Found | number | null> {
    const stat = await statOf(asyncIo, real);
    if (isFault(stat)) return stat;
    // A device or a pipe is not even opened: that may rewind a tape, or wake a writer.
    if (isFolder || stat.kind !== FileKind.File) return { real, stat, opened: null };
    const opened = await asyncIo.open(real);
    if (isFault(opened)) return opened;
    if (await this.#isInside(asyncIo, real, opened)) return { real, stat: opened.stat, opened };
    await asyncIo.close(opened.file);
    return null;
  }

  /** The real path of names that are spelled as the directories have them, or -errno. */
  async locate(services: Services, names: readonly string[]): Promise<string | number> {
    const { asyncIo } = services;
    for (let attempt = 1; ; attempt++) {
      const real = await this.resolve(asyncIo, names);
      if (typeof real === 'number') return real;
      if (await this.#isExact(services, names, real)) return real;
      if (await this.#isFinal(asyncIo, attempt)) return -ENOENT;
    }
  }

  /** As locate(), in any spelling. */
  async resolve(asyncIo: AsyncIo, names: readonly string[]): Promise<string | number> {
    if (this.isHidden(names)) return -ENOENT;
    for (let attempt = 1; ; attempt++) {
      const real = await asyncIo.realPath(this.pathOf(names));
      if (typeof real === 'number' || this.#isAllowed(names, real)) return real;
      const isFinal = await this.#isFinal(asyncIo, attempt);
      if (this.#isAllowed(names, real)) return real;
      if (isFinal) return -ENOENT;
    }
  }

  /**
   * Resolves the root, which may be a link whose target changes. False when a look-up that found
   * nothing must be made again: the first one, whose parts may have seen different targets, and
   * those during which the root has changed.
   */
  async #isFinal(asyncIo: AsyncIo, attempt: number): Promise<boolean> {
    const root = await asyncIo.realPath(this.#path);
    if (typeof root !== 'string' || attempt === ATTEMPTS_MAX) return true;
    const isSame = root === this.#real;
    this.#real = root;
    return isSame && attempt > 1;
  }

  #isExact(services: Services, names: readonly string[], real: string): Promise<boolean> {
    return this.#spelling.isExact(services.asyncIo, services.nowMs(), this.#real, names, real);
  }

  #isAllowed(names: readonly string[], real: string): boolean {
    if (this.#real === '') return false;
    if (this.#symlinks === 'none') return real === join(this.#real, ...names);
    return this.#symlinks === 'all' || this.#isBelow(real);
  }

  #isBelow(real: string): boolean {
    const root = this.#real;
    return real === root || real.startsWith(root.endsWith(sep) ? root : root + sep);
  }

  /**
   * Whether the file that was opened lies below the root: between locate() and open() a directory
   * may have been replaced by a link.
   */
  async #isInside(asyncIo: AsyncIo, real: string, opened: OpenFile): Promise<boolean> {
    if (this.#symlinks === 'all') return true;
    const path = asyncIo.pathOf(opened.file);
    if (typeof path === 'string') return this.#isBelow(path);
    // Where the system does not report the path of an open file, a link that is there only for a
    // moment can be missed.
    if ((await asyncIo.realPath(real)) !== real) return false;
    const stat = await asyncIo.stat(real);
    if (isFault(stat)) return false;
    return stat.inode === opened.stat.inode && stat.device === opened.stat.device;
  }
}
