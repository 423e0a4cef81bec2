// What is known to be in memory of open files. A check costs two system calls, a tenth of a
// request for 64 KiB, so its result counts for a while: the bytes are sent then, and the system
// takes memory last that was just used.

/** A busy file is sent a hundred times in this time. */
const KNOWN_MS = 10;

export class CachedRanges {
  /** By descriptor: the identity of its file, the bytes [from, to), and until when they count. */
  readonly #identities: number[] = [];
  readonly #from: number[] = [];
  readonly #to: number[] = [];
  readonly #untilMs: number[] = [];

  has(fd: number, identity: number, from: number, to: number, nowMs: number): boolean {
    return this.#isCurrent(fd, identity, nowMs) && this.#from[fd] <= from && to <= this.#to[fd];
  }

  /** Adds a range that was checked. Identity 0 is that of a file that is not known again. */
  add(fd: number, identity: number, from: number, to: number, nowMs: number): void {
    if (identity === 0) return;
    const isAdjacent = from <= this.#to[fd] && this.#from[fd] <= to;
    if (isAdjacent && this.#isCurrent(fd, identity, nowMs)) {
      this.#from[fd] = Math.min(from, this.#from[fd]);
      this.#to[fd] = Math.max(to, this.#to[fd]);
      return;
    }
    this.#identities[fd] = identity;
    this.#from[fd] = from;
    this.#to[fd] = to;
    this.#untilMs[fd] = nowMs + KNOWN_MS;
  }

  #isCurrent(fd: number, identity: number, nowMs: number): boolean {
    return identity !== 0 && this.#identities[fd] === identity && nowMs < this.#untilMs[fd];
  }
}
