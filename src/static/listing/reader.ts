// Reads a directory for a listing, in batches: names first, and the stat of an entry when it is
// needed. Leaves out what no request could get: hidden names, links out of the root, special files.

import {
  type AsyncIo,
  type DirectoryName,
  FileKind,
  type FileStat,
  isFault,
} from '../../async-io/async-io.ts';
import { isFileName } from '../names.ts';
import { isText } from './text.ts';
import type { ShownEntry } from './view.ts';

/** A directory, and what may be shown of it. */
export interface ListedDirectory {
  /** Its real path. */
  readonly directory: string;
  /** Show names that begin with a dot. */
  readonly dotfiles: boolean;
  /** The real path of an entry that is a link; null when no request would get it. */
  readonly resolve: (name: string) => Promise<string | null>;
}

/** An entry, whose stat may not be known yet. */
export interface ListedEntry extends ShownEntry {
  bytes: number;
  modifiedMs: number;
  hasStat: boolean;
}

/** Names of a batch. A directory with fewer is sent in one go, with its Content-Length. */
const NAMES_AT_ONCE = 1_000;

/** Calls in flight: a guess, eight times the threads of Node's pool. */
const CALLS_AT_ONCE = 32;

export class DirectoryReader {
  readonly #asyncIo: AsyncIo;
  readonly #listed: ListedDirectory;
  readonly #number: number;
  /** In lower case; '' for none. */
  readonly #filter: string;
  /** Names that were not UTF-8 may have become the same text as others. */
  readonly #unsure: Set<string> = new Set<string>();
  #reading: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  isAtEnd = false;
  /** The names of README files among those read. */
  readonly readmes: string[] = [];

  private constructor(asyncIo: AsyncIo, listed: ListedDirectory, filter: string, number: number) {
    this.#asyncIo = asyncIo;
    this.#listed = listed;
    this.#filter = filter.toLowerCase();
    this.#number = number;
  }

  /** Returns -errno when the directory cannot be opened. */
  static async open(
    asyncIo: AsyncIo,
    listed: ListedDirectory,
    filter: string,
  ): Promise<DirectoryReader | number> {
    const number = await asyncIo.openDirectory(listed.directory);
    return isFault(number) ? number : new DirectoryReader(asyncIo, listed, filter, number);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The next entries, in any order, perhaps none; or -errno. */
  async next(): Promise<readonly ListedEntry[] | number> {
    if (this.isAtEnd || this.#isClosed) return [];
    const reading = this.#asyncIo.readNames(this.#number, NAMES_AT_ONCE);
    this.#reading = reading;
    const names = await reading;
    if (isFault(names)) return names;
    this.isAtEnd = names.length < NAMES_AT_ONCE;
    const shown = names.filter((one) => this.#isShown(one));
    const entries = await inBatches(shown, (one) => this.#entry(one));
    return entries.filter((entry) => entry !== null);
  }

  #isShown({ name, kind, isLink }: DirectoryName): boolean {
    if (name.startsWith('.') && !this.#listed.dotfiles) return false;
    if (!isFileName(name) || !isText(name)) return false;
    if (kind === FileKind.Other && !isLink) return false;
    if (name.includes('\ufffd')) {
      if (this.#unsure.has(name)) return false;
      this.#unsure.add(name);
    }
    if (isReadme(name)) this.readmes.push(name);
    return this.#filter === '' || name.toLowerCase().includes(this.#filter);
  }

  /** The kind of a link is that of its target. */
  async #entry({ name, kind, isLink }: DirectoryName): Promise<ListedEntry | null> {
    if (!isLink) {
      const isFolder = kind === FileKind.Directory;
      return { name, isFolder, bytes: 0, modifiedMs: 0, hasStat: false };
    }
    const real = await this.#listed.resolve(name);
    if (real === null) return null;
    const stat = await this.#asyncIo.stat(real);
    if (isFault(stat) || stat.kind === FileKind.Other) return null;
    const isFolder = stat.kind === FileKind.Directory;
    const entry: ListedEntry = { name, isFolder, bytes: 0, modifiedMs: 0, hasStat: false };
    setStat(entry, stat);
    return entry;
  }

  /** The entries with their stat, without those that no longer exist. */
  async described(entries: readonly ListedEntry[]): Promise<readonly ListedEntry[]> {
    const found = await inBatches(entries, (entry) => this.#describe(entry));
    return entries.filter((_, index) => found[index]);
  }

  /** False when the entry has gone, or has become something else. */
  async #describe(entry: ListedEntry): Promise<boolean> {
    if (entry.hasStat) return true;
    if (this.#isClosed) return false;
    const stat = await this.#asyncIo.stat(`${this.#listed.directory}/${entry.name}`);
    if (isFault(stat)) return false;
    if (stat.kind !== (entry.isFolder ? FileKind.Directory : FileKind.File)) return false;
    setStat(entry, stat);
    return true;
  }

  /** May be called at any time; what is being read is then dropped. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#reading;
    await this.#asyncIo.closeDirectory(this.#number);
  }
}

function setStat(entry: ListedEntry, stat: FileStat): void {
  entry.bytes = stat.bytes;
  entry.modifiedMs = stat.modifiedMs;
  entry.hasStat = true;
}

function isReadme(name: string): boolean {
  return /^readme(?:\.md|\.txt)?$/i.test(name);
}

/** The results in order. Few calls are in flight, however many items there are. */
async function inBatches<T, R>(
  items: readonly T[],
  call: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  for (let from = 0; from < items.length; from += CALLS_AT_ONCE) {
    results.push(...(await Promise.all(items.slice(from, from + CALLS_AT_ONCE).map(call))));
  }
  return results;
}
