// The text of one listing, part by part, in bounded memory. To sort entries they are kept, by name
// only where that suffices; entries beyond a limit are shown in the order of the directory.

import { type AsyncIo, isFault } from '../../async-io/async-io.ts';
import { ordering } from './order.ts';
import type { DirectoryReader, ListedDirectory, ListedEntry } from './reader.ts';
import { readReadme } from './readme.ts';
import { SortedRuns } from './sorted-runs.ts';
import type { ListingQuery, ListingView, Totals } from './view.ts';

/** Entries of all listings of a site that are kept now. */
export interface KeptEntries {
  count: number;
}

export interface KeptLimits {
  readonly kept: KeptEntries;
  readonly keptMax: number;
  readonly sortedMax: number;
}

export interface ListingSource {
  readonly asyncIo: AsyncIo;
  readonly listed: ListedDirectory;
  readonly limits: KeptLimits;
  readonly query: ListingQuery;
  readonly reader: DirectoryReader;
  readonly view: ListingView;
}

type Entries = readonly ListedEntry[];

/** Rows sent together: some 20 KB. */
const ROWS_AT_ONCE = 64;

export class ListingParts {
  readonly #source: ListingSource;
  readonly #runs: SortedRuns<ListedEntry>;
  /** Entries that were read and are not kept, as they would be too many. */
  #beyond: Entries = [];
  #keptHere = 0;

  constructor(source: ListingSource) {
    const { sort, isDescending } = source.query;
    this.#source = source;
    this.#runs = new SortedRuns<ListedEntry>(ordering(sort, isDescending));
  }

  /** Its entries no longer count. */
  release(): void {
    this.#source.limits.kept.count -= this.#keptHere;
    this.#keptHere = 0;
  }

  /** `first` are the first entries of the reader. */
  async *all(first: Entries): AsyncGenerator<string> {
    const { asyncIo, listed, reader, view } = this.#source;
    yield view.top();
    const isSorted = await this.#gather(first);
    yield view.begin(isSorted);
    const totals = { folders: 0, files: 0, bytes: 0 };
    for await (const entries of isSorted ? this.#sorted() : this.#unsorted()) {
      const shown = await reader.described(entries);
      addTo(totals, shown);
      yield view.rows(shown);
    }
    const readme = view.showsReadme ? await readReadme(asyncIo, listed, reader.readmes) : null;
    yield view.end(totals, readme);
  }

  /** Keeps all entries. False when they are too many. */
  async #gather(first: Entries): Promise<boolean> {
    const { query, reader } = this.#source;
    for (let entries = first; ; entries = await this.#next()) {
      if (!this.#keep(entries.length)) {
        this.#beyond = entries;
        return false;
      }
      const kept = query.sort === 'name' ? entries : await reader.described(entries);
      for (const entry of kept) this.#runs.add(entry);
      if (reader.isAtEnd || reader.isClosed) return true;
    }
  }

  #keep(count: number): boolean {
    const { kept, keptMax, sortedMax } = this.#source.limits;
    if (this.#keptHere + count > sortedMax || kept.count + count > keptMax) return false;
    this.#keptHere += count;
    kept.count += count;
    return true;
  }

  async #next(): Promise<Entries> {
    const entries = await this.#source.reader.next();
    // The head was sent: the client sees a truncated response, the log this message.
    if (isFault(entries)) throw new Error(`the directory cannot be read: errno ${-entries}`);
    return entries;
  }

  *#sorted(): Generator<Entries> {
    for (;;) {
      const entries = this.#runs.take(ROWS_AT_ONCE);
      if (entries.length === 0) return;
      yield entries;
    }
  }

  async *#unsorted(): AsyncGenerator<Entries> {
    const { reader } = this.#source;
    yield* slices(this.#runs.drain());
    this.release();
    for (let entries = this.#beyond; ; entries = await this.#next()) {
      yield* slices(entries);
      if (reader.isAtEnd || reader.isClosed) return;
    }
  }
}

function* slices(entries: Entries): Generator<Entries> {
  for (let from = 0; from < entries.length; from += ROWS_AT_ONCE) {
    yield entries.slice(from, from + ROWS_AT_ONCE);
  }
}

function addTo(totals: { -readonly [Name in keyof Totals]: number }, shown: Entries): void {
  for (const { isFolder, bytes } of shown) {
    if (isFolder) totals.folders += 1;
    else totals.files += 1;
    if (!isFolder) totals.bytes += bytes;
  }
}
