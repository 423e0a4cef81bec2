// Descriptors of large files that are busy, so that not every request opens its file. Each is shared
// by the requests that send it, and closed soon after the last one: the space of a deleted file is
// free again then, and a server that closes keeps no descriptor.

import { type AsyncIo, isFault, type OpenFile } from '../async-io/async-io.ts';
import type { Services } from '../exchange/exchange.ts';
import { isSameFile } from './freshness.ts';

/** How long a descriptor stays open without a request: a busy file is requested more often. */
const IDLE_MS = 100;

/** More busy files than these are opened for each request. */
const OPEN_FILES_MAX = 64;

interface Shared {
  readonly opened: OpenFile;
  users: number;
  /** When the last user released it. */
  usedMs: number;
}

export class OpenFiles {
  /** By the record of the file, which is replaced when the file changes. */
  readonly #shared = new Map<object, Shared>();

  /** The open file, which the caller releases; null when there is none that is unchanged. */
  acquire(asyncIo: AsyncIo, key: object): OpenFile | null {
    const shared = this.#shared.get(key);
    if (shared === undefined) return null;
    const stat = asyncIo.openStat(shared.opened.file);
    if (isFault(stat) || !isSameFile(stat, shared.opened.stat)) return null;
    shared.users += 1;
    return shared.opened;
  }

  /** Shares a file that the caller has opened, uses, and releases from now on. */
  add(key: object, opened: OpenFile): void {
    if (this.#shared.has(key) || this.#shared.size >= OPEN_FILES_MAX) return;
    this.#shared.set(key, { opened, users: 1, usedMs: 0 });
  }

  /** Closes a file that is not shared; one that is shared is closed when it has been idle. */
  async release(services: Services, key: object, opened: OpenFile): Promise<void> {
    const shared = this.#shared.get(key);
    if (shared?.opened !== opened) {
      await services.asyncIo.close(opened.file);
      return;
    }
    shared.users -= 1;
    shared.usedMs = services.nowMs();
    if (shared.users === 0) void this.#closeWhenIdle(services, key, shared);
  }

  async #closeWhenIdle(services: Services, key: object, shared: Shared): Promise<void> {
    const { usedMs } = shared;
    await services.pause(IDLE_MS);
    if (shared.users > 0 || shared.usedMs !== usedMs || this.#shared.get(key) !== shared) return;
    this.#shared.delete(key);
    await services.asyncIo.close(shared.opened.file);
  }
}
