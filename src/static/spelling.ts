// Whether a file is asked for by the very names that its directories have for it. Where a file
// system ignores case, or takes two forms of a letter for one, `/ADMIN/x` leads to `admin/x`; a
// guard before `/admin` does not know that, so such a spelling has to find nothing.

import { join } from 'node:path';
import { type AsyncIo, isFault } from '../async-io/async-io.ts';
import { ERRNO } from '../base/errno.ts';

const { ENOENT } = ERRNO;

/** Directories of which it is remembered that they tell case apart: some 100 KB. */
const REMEMBERED_MAX = 1_000;

export class Spelling {
  /** Real paths of directories in which the other case of a name was not found. */
  readonly #tellApart: Set<string> = new Set();

  /** `real` is the real path of `names` below `root`, which is a real path itself. */
  async isAsAsked(
    asyncIo: AsyncIo,
    root: string,
    names: readonly string[],
    real: string,
  ): Promise<boolean> {
    if (real === join(root, ...names)) {
      const at = names.findLastIndex((name) => otherCase(name) !== null);
      if (at < 0) return true;
      const parent = join(root, ...names.slice(0, at));
      const found = await this.#findOther(asyncIo, parent, names[at]);
      if (found === null) return true;
      // A system that gives one real path for both spellings gives it as it is written.
      if (join(found, ...names.slice(at + 1)) === real) return true;
    }
    let parent = root;
    for (const name of names) {
      const child = await this.#child(asyncIo, parent, name);
      if (child === null) return false;
      parent = child;
    }
    return parent === real;
  }

  /** The real path of what a directory holds by exactly this name, or null. */
  async #child(asyncIo: AsyncIo, parent: string, name: string): Promise<string | null> {
    const child = await asyncIo.realPath(join(parent, name));
    if (typeof child !== 'string') return null;
    const isLink = child !== join(parent, name);
    if (otherCase(name) === null) {
      if (!isLink) return child;
    } else {
      const found = await this.#findOther(asyncIo, parent, name);
      if (found === null || (found === child && !isLink)) return child;
    }
    const entries = await asyncIo.list(parent);
    return !isFault(entries) && entries.some((entry) => entry.name === name) ? child : null;
  }

  /**
   * The real path of a name in the other case; null where the directory has no such name, '' where
   * the system does not tell.
   */
  async #findOther(asyncIo: AsyncIo, parent: string, name: string): Promise<string | null> {
    if (this.#tellApart.has(parent)) return null;
    const found = await asyncIo.realPath(join(parent, otherCase(name) ?? name));
    if (typeof found === 'string') return found;
    if (found !== -ENOENT) return '';
    if (this.#tellApart.size >= REMEMBERED_MAX) this.#tellApart.clear();
    this.#tellApart.add(parent);
    return null;
  }
}

/** Null for a name without letters that have two cases. */
function otherCase(name: string): string | null {
  const upper = mapped(name, (letter) => letter.toUpperCase());
  if (upper !== name) return upper;
  const lower = mapped(name, (letter) => letter.toLowerCase());
  return lower !== name ? lower : null;
}

/** Letter by letter, without those that become several. */
function mapped(name: string, change: (letter: string) => string): string {
  return Array.from(name, (letter) => {
    const changed = change(letter);
    return changed.length === letter.length ? changed : letter;
  }).join('');
}
