// What a path below the root leads to: a file, perhaps by an omitted extension or as the index of a
// directory, a directory, or nothing. Everything that was looked at on the way is recorded, so that
// the result can be kept for as long as all of it stays the same.

import { FileKind, isFault, type OpenFile } from '../async-io/async-io.ts';
import { ERRNO } from '../base/errno.ts';
import type { Services } from '../exchange/exchange.ts';
import { faultError, openError } from '../exchange/file-fault.ts';
import { isAbsent, type Probe, statOf } from './freshness.ts';
import type { Settings } from './options.ts';
import type { Found, Root } from './root.ts';

export interface FoundFile {
  readonly kind: 'file';
  readonly names: readonly string[];
  /** With links resolved. */
  readonly real: string;
  /** The caller closes it. */
  readonly opened: OpenFile;
  readonly probes: readonly Probe[];
}

export type Target =
  | FoundFile
  /** A directory, which redirects without its slash, and is listed with it. */
  | { readonly kind: 'directory'; readonly real: string }
  /** The probes are null when it may become a file while they stay the same. */
  | { readonly kind: 'missing'; readonly probes: readonly Probe[] | null };

/**
 * `isFolder`: the path ends in a slash. Rejects with HttpError where the system fails or denies.
 */
export function find(
  services: Services,
  root: Root,
  settings: Settings,
  names: readonly string[],
  isFolder: boolean,
): Promise<Target> {
  return new Search(services, root, settings).run(names, isFolder);
}

/** The names that a path without a slash at its end may mean, apart from a directory. */
export function spelledOut(
  names: readonly string[],
  extensions: readonly string[],
): readonly (readonly string[])[] {
  if (names.length === 0) return [];
  const parents = names.slice(0, -1);
  return extensions.map((extension) => [...parents, `${names[names.length - 1]}.${extension}`]);
}

const { EACCES } = ERRNO;

class Search {
  readonly #services: Services;
  readonly #root: Root;
  readonly #settings: Settings;
  readonly #probes: Probe[] = [];
  /** False when a probe cannot notice that the result has changed. */
  #isKnown = true;

  constructor(services: Services, root: Root, settings: Settings) {
    this.#services = services;
    this.#root = root;
    this.#settings = settings;
  }

  async run(names: readonly string[], isFolder: boolean): Promise<Target> {
    const found = await this.#open(names, isFolder);
    if (found !== null && found.opened !== null) {
      return this.#file(names, found.real, found.opened);
    }
    // The path of a file with a slash after it.
    if (found !== null && found.stat.kind !== FileKind.Directory) return this.#missing();
    if (!isFolder) {
      const file = await this.#firstFile(spelledOut(names, this.#settings.extensions));
      if (file !== null) return file;
    }
    return found === null ? this.#missing() : this.#directory(names, found.real, isFolder);
  }

  async #directory(names: readonly string[], real: string, isFolder: boolean): Promise<Target> {
    const { index, listing } = this.#settings;
    const file = await this.#firstFile(index.map((name) => [...names, name]));
    if (file === null) return listing ? { kind: 'directory', real } : this.#missing();
    if (isFolder) return file;
    await this.#close(file.opened);
    return { kind: 'directory', real };
  }

  async #firstFile(candidates: readonly (readonly string[])[]): Promise<FoundFile | null> {
    for (const names of candidates) {
      const found = await this.#open(names);
      if (found !== null && found.opened !== null) {
        return this.#file(names, found.real, found.opened);
      }
    }
    return null;
  }

  /** Null when there is nothing that may be sent. */
  async #open(names: readonly string[], isFolder = false): Promise<Found | null> {
    const path = this.#root.pathOf(names);
    const found = await this.#root.open(this.#services, names, isFolder);
    if (typeof found !== 'number') {
      if (found.stat.kind === FileKind.Other && !isFolder) throw faultError(-EACCES, path);
      this.#probes.push({ path, stat: found.stat });
      return found;
    }
    if (!isAbsent(found)) throw openError(found, path, this.#services);
    const stat = await statOf(this.#services.asyncIo, path);
    if (isFault(stat)) this.#probes.push({ path, stat: null });
    else this.#isKnown = false;
    return null;
  }

  #file(names: readonly string[], real: string, opened: OpenFile): FoundFile {
    return { kind: 'file', names, real, opened, probes: this.#probes };
  }

  #missing(): Target {
    return { kind: 'missing', probes: this.#isKnown ? this.#probes : null };
  }

  #close(opened: OpenFile): Promise<number> {
    return this.#services.asyncIo.close(opened.file);
  }
}
