// Descriptors of large files that are busy, so that not every request opens its file. Each is
// shared by the requests that send it, and closed soon after the last one: the space of a deleted
// file is free again then, and a server that closes keeps no descriptor.

import { isFault, type OpenFile } from '../async-io/async-io.ts';
import type { Services } from '../exchange/exchange.ts';
import type { FileOwner } from '../reactor/file-owner.ts';
import { FRESH_MS, isSameFile } from './freshness.ts';

/** How long a descriptor stays open without a request: a busy file is requested more often. */
const IDLE_MS = 100;

/** More busy files than these are opened for each request. */
const OPEN_FILES_MAX = 64;

let nextIdentity = 1;

/** An open file, closed when nothing has used it for a while. */
export class SharedFile implements FileOwner {
  readonly opened: OpenFile;
  readonly identity: number;
  readonly #services: Services;
  readonly #closed: () => void;
  #users = 1;
  /** How often it was used to the end. */
  #uses = 0;
  /** When the open file was last compared with what it was. */
  #comparedMs = 0;
  #isWaiting = false;

  /** The caller is its first user. `closed` is called just before it is closed. */
  constructor(services: Services, opened: OpenFile, closed: () => void) {
    this.#services = services;
    this.opened = opened;
    this.identity = nextIdentity++;
    this.#closed = closed;
    this.#comparedMs = services.nowMs();
  }

  get file(): number {
    return this.opened.file;
  }

  /** True while the file is what it was when it was opened. */
  get isSame(): boolean {
    const nowMs = this.#services.nowMs();
    if (nowMs - this.#comparedMs <= FRESH_MS) return true;
    const stat = this.#services.asyncIo.openStat(this.file);
    if (isFault(stat) || !isSameFile(stat, this.opened.stat)) return false;
    this.#comparedMs = nowMs;
    return true;
  }

  use(): void {
    this.#users += 1;
  }

  released(): void {
    this.#users -= 1;
    this.#uses += 1;
    if (this.#users === 0 && !this.#isWaiting) void this.#closeWhenIdle();
  }

  async #closeWhenIdle(): Promise<void> {
    this.#isWaiting = true;
    for (let uses = -1; this.#users === 0 && uses !== this.#uses; ) {
      uses = this.#uses;
      await this.#services.pause(IDLE_MS);
    }
    this.#isWaiting = false;
    if (this.#users > 0) return;
    this.#closed();
    await this.#services.asyncIo.close(this.file);
  }
}

export class OpenFiles {
  /** By the record of the file, which is replaced when the file changes. */
  readonly #shared = new Map<object, SharedFile>();

  /** The open file with one more user; null when there is none that is unchanged. */
  acquire(key: object): SharedFile | null {
    const shared = this.#shared.get(key);
    if (shared === undefined || !shared.isSame) return null;
    shared.use();
    return shared;
  }

  /** Shares a file that the caller has opened and uses; null when there are too many. */
  add(services: Services, key: object, opened: OpenFile): SharedFile | null {
    if (this.#shared.has(key) || this.#shared.size >= OPEN_FILES_MAX) return null;
    const shared = new SharedFile(services, opened, () => this.#shared.delete(key));
    this.#shared.set(key, shared);
    return shared;
  }
}
