// The last head of a response to a kind of request, with what was parsed from it. Most responses of
// a load differ in nothing, or once a second in their Date: a response whose head has the same
// bytes is not parsed again, and whole responses of known length that follow each other are
// counted. Any other byte, the date included, takes the response to the strict parser.

const MEMORY_BYTES = 2048;
const WORD_BYTES = 4;

export class HeadMemory {
  readonly #words: Int32Array = new Int32Array(MEMORY_BYTES / WORD_BYTES);
  #lastWord = 0;
  /** 0 while nothing is remembered. */
  length = 0;
  status = 0;
  /** How the body is framed, as ResponseReader numbers it. */
  body = 0;
  contentLength = 0;
  closes = false;
  /**
   * The bytes of head and body together; 0 when the head does not say, or when the connection ends
   * after the response.
   */
  responseBytes = 0;

  forget(): void {
    this.length = 0;
    this.responseBytes = 0;
  }

  /** Remembers bytes [from, to); false when they are too many. */
  keep(view: DataView, from: number, to: number): boolean {
    this.forget();
    const length = to - from;
    if (length > MEMORY_BYTES || length < WORD_BYTES) return false;
    for (let index = 0; index + WORD_BYTES <= length; index += WORD_BYTES) {
      this.#words[index / WORD_BYTES] = view.getInt32(from + index, true);
    }
    this.#lastWord = view.getInt32(to - WORD_BYTES, true);
    this.length = length;
    return true;
  }

  /** Whether the bytes from `at` on begin with the remembered head. */
  isAt(view: DataView, at: number, end: number): boolean {
    const { length } = this;
    if (end - at < length) return false;
    const known = this.#words;
    const last = length - WORD_BYTES;
    let from = at;
    let word = 0;
    for (let left = last >> 4; left > 0; left--) {
      const differs =
        (view.getInt32(from, true) ^ known[word]) |
        (view.getInt32(from + 4, true) ^ known[word + 1]) |
        (view.getInt32(from + 8, true) ^ known[word + 2]) |
        (view.getInt32(from + 12, true) ^ known[word + 3]);
      if (differs !== 0) return false;
      from += 16;
      word += 4;
    }
    for (; from < at + last; from += WORD_BYTES) {
      if (view.getInt32(from, true) !== known[word++]) return false;
    }
    // The last word may overlap the one before it.
    return view.getInt32(at + last, true) === this.#lastWord;
  }

  /** How many whole responses with the remembered head lie one after the other from `at` on. */
  countAt(view: DataView, at: number, end: number, most: number): number {
    const { responseBytes } = this;
    if (responseBytes === 0) return 0;
    let count = 0;
    let next = at + responseBytes;
    while (count < most && next <= end && this.isAt(view, next - responseBytes, next)) {
      count += 1;
      next += responseBytes;
    }
    return count;
  }
}
