// Whether a request spells a file's names exactly as the directories do. Where a file system
// ignores case, or treats two forms of a letter as one, `/ADMIN/x` leads to `admin/x`; middleware
// that guards `/admin` does not see that request, so another spelling must find no file.
//
// A directory in which the other case of a name leads to nothing, or to another file, distinguishes
// spellings: what was found there has exactly the requested name. So a directory that may be
// entered but not listed (mode 711) is served; only where both cases lead to one file are the
// entries read.

import { basename, dirname, join } from 'node:path';
import { type AsyncIo, isFault } from '../async-io/async-io.ts';
import { ERRNO } from '../base/errno.ts';
import { STAT_CACHED_MS } from './freshness.ts';

const { ENOENT } = ERRNO;

/** How many exact directories are remembered: some 100 KB. */
const EXACT_MAX = 1_000;

export class Spelling {
  /** Real paths of directories that distinguish spellings; forgotten after STAT_CACHED_MS. */
  readonly #exact: Set<string> = new Set();
  #sinceMs = 0;

  /** `real` is the real path of `names` below `root`; `root` is a real path, too. */
  async isExact(
    asyncIo: AsyncIo,
    nowMs: number,
    root: string,
    names: readonly string[],
    real: string,
  ): Promise<boolean> {
    if (nowMs - this.#sinceMs > STAT_CACHED_MS) {
      this.#exact.clear();
      this.#sinceMs = nowMs;
    }
    const isDirect = real === join(root, ...names);
    let parent = root;
    for (const name of names) {
      // Without links on the way, each name leads to what it spells.
      const child = isDirect ? join(parent, name) : await asyncIo.realPath(join(parent, name));
      if (typeof child !== 'string') return false;
      if (!(await this.#isEntry(asyncIo, parent, name, child))) return false;
      parent = child;
    }
    return parent === real;
  }

  /** Whether the directory has an entry with exactly this name, which leads to `child`. */
  async #isEntry(asyncIo: AsyncIo, parent: string, name: string, child: string): Promise<boolean> {
    const other = otherSpelling(name);
    if (other === null || this.#exact.has(parent)) return true;
    const isLink = child !== join(parent, name);
    if (isLink && isOtherForm(parent, name, child)) return false;
    const found = await asyncIo.realPath(join(parent, other));
    if (found === -ENOENT || (await isAnotherFile(asyncIo, found, child))) {
      if (this.#exact.size >= EXACT_MAX) this.#exact.clear();
      this.#exact.add(parent);
      return true;
    }
    // A system that has one real path for both spellings returns it as the directories spell it.
    if (found === child && !isLink) return true;
    const entries = await asyncIo.list(parent);
    return !isFault(entries) && entries.some((entry) => entry.name === name);
  }
}

async function isAnotherFile(
  asyncIo: AsyncIo,
  found: string | number,
  child: string,
): Promise<boolean> {
  if (typeof found !== 'string' || found === child) return false;
  const one = asyncIo.statNow(found) ?? (await asyncIo.stat(found));
  const other = asyncIo.statNow(child) ?? (await asyncIo.stat(child));
  if (isFault(one) || isFault(other)) return false;
  return one.inode !== other.inode || one.device !== other.device;
}

/** Whether the entry has another Unicode form of the requested name: é as one character or two. */
function isOtherForm(parent: string, name: string, child: string): boolean {
  const entry = basename(child);
  return entry !== name && dirname(child) === parent && entry.normalize() === name.normalize();
}

/**
 * A spelling that a file system may treat as equal: the other case, else the other Unicode form.
 * Null for a name that has one spelling.
 */
function otherSpelling(name: string): string | null {
  const upper = mapped(name, (letter) => letter.toUpperCase());
  if (upper !== name) return upper;
  const lower = mapped(name, (letter) => letter.toLowerCase());
  if (lower !== name) return lower;
  const composed = name.normalize('NFC');
  const form = composed !== name ? composed : name.normalize('NFD');
  return form !== name ? form : null;
}

/** Maps each letter, except those that become several. */
function mapped(name: string, change: (letter: string) => string): string {
  return Array.from(name, (letter) => {
    const changed = change(letter);
    return changed.length === letter.length ? changed : letter;
  }).join('');
}
