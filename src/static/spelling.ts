// Whether a request spells a file's names exactly as the directories do. Where a file system
// ignores case, or treats two forms of a letter as one, `/ADMIN/x` leads to `admin/x`; middleware
// that guards `/admin` does not see that request, so another spelling must find no file.

import { join } from 'node:path';
import { type AsyncIo, isFault } from '../async-io/async-io.ts';
import { ERRNO } from '../base/errno.ts';

const { ENOENT } = ERRNO;

/** How many case-sensitive directories are remembered: some 100 KB. */
const CASE_SENSITIVE_MAX = 1_000;

export class Spelling {
  /** Real paths of directories in which a name in the other case was not found. */
  readonly #caseSensitive: Set<string> = new Set();

  /** `real` is the real path of `names` below `root`; `root` is a real path, too. */
  async isExact(
    asyncIo: AsyncIo,
    root: string,
    names: readonly string[],
    real: string,
  ): Promise<boolean> {
    if (real === join(root, ...names)) {
      const at = names.findLastIndex((name) => otherCase(name) !== null);
      if (at < 0) return true;
      const parent = join(root, ...names.slice(0, at));
      const found = await this.#findOtherCase(asyncIo, parent, names[at]);
      if (found === null) return true;
      // A system that has one real path for both spellings returns it as the directories spell it.
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

  /** The real path of the directory entry with exactly this name, or null. */
  async #child(asyncIo: AsyncIo, parent: string, name: string): Promise<string | null> {
    const child = await asyncIo.realPath(join(parent, name));
    if (typeof child !== 'string') return null;
    const isLink = child !== join(parent, name);
    if (otherCase(name) === null) {
      if (!isLink) return child;
    } else {
      const found = await this.#findOtherCase(asyncIo, parent, name);
      if (found === null || (found === child && !isLink)) return child;
    }
    const entries = await asyncIo.list(parent);
    return !isFault(entries) && entries.some((entry) => entry.name === name) ? child : null;
  }

  /**
   * The real path of a name in the other case; null when the directory has no such name, '' when
   * the system does not report it.
   */
  async #findOtherCase(asyncIo: AsyncIo, parent: string, name: string): Promise<string | null> {
    if (this.#caseSensitive.has(parent)) return null;
    const found = await asyncIo.realPath(join(parent, otherCase(name) ?? name));
    if (typeof found === 'string') return found;
    if (found !== -ENOENT) return '';
    if (this.#caseSensitive.size >= CASE_SENSITIVE_MAX) this.#caseSensitive.clear();
    this.#caseSensitive.add(parent);
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

/** Maps each letter, except those that become several. */
function mapped(name: string, change: (letter: string) => string): string {
  return Array.from(name, (letter) => {
    const changed = change(letter);
    return changed.length === letter.length ? changed : letter;
  }).join('');
}
