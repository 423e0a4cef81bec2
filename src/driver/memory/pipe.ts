// One direction of a connection in memory: bytes in order, then the end of the stream.

/** What a kernel buffers of a stream: beyond it the writer waits for the reader. */
export const PIPE_BYTES_MAX: number = 64 * 1024;

export class MemoryPipe {
  readonly #chunks: Uint8Array[] = [];
  /** Bytes written that are not read yet. */
  bytes = 0;
  /** Nothing follows the bytes. */
  ended = false;

  /** How many bytes can be written before the reader reads; 0 or less when it is full. */
  get room(): number {
    return PIPE_BYTES_MAX - this.bytes;
  }

  /** Takes the memory of `chunk`, which must not change any more. */
  write(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.bytes += chunk.length;
  }

  /** The next chunk; null when there is none. */
  read(): Uint8Array | null {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return null;
    this.bytes -= chunk.length;
    return chunk;
  }

  /** Moves at most `max` bytes to `target`, and returns how many. */
  readInto(target: Uint8Array, at: number, max: number): number {
    let count = 0;
    while (count < max && this.#chunks.length > 0) {
      const first = this.#chunks[0];
      const taken = Math.min(first.length, max - count);
      target.set(first.subarray(0, taken), at + count);
      count += taken;
      if (taken === first.length) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(taken);
    }
    this.bytes -= count;
    return count;
  }
}
