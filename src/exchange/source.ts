// Sources of streamed content: iterables, Node's Readable, and the web's ReadableStream. They have
// one interface, so that a source can be cancelled while it waits.

/** Chunks of content: strings (as UTF-8) or bytes. */
export type ChunkSource =
  | AsyncIterable<string | Uint8Array>
  | Iterable<string | Uint8Array>
  | ReadableStream<Uint8Array>;

/** What a source returns at its end. */
export const END: unique symbol = Symbol('end');

export interface Source {
  /** The next chunk, or END. */
  next(): Promise<unknown>;
  /** Cancels the source at once, also while it waits. */
  cancel(): void;
}

/** Throws a TypeError for anything else. */
export function openSource(source: ChunkSource): Source {
  if (isWebStream(source)) return openWebStream(source);
  const iterator = iteratorOf(source);
  return {
    async next() {
      const result = await iterator.next();
      return result.done === true ? END : await result.value;
    },
    cancel() {
      if (isDestroyable(source)) destroyQuietly(source);
      else endQuietly(() => iterator.return?.());
    },
  };
}

/** Cancels a source that is never read. */
export function cancelSource(source: unknown): void {
  endQuietly(() => {
    if (isWebStream(source)) return source.cancel();
    if (isDestroyable(source)) return destroyQuietly(source);
    if (isObject(source) && typeof (source as AsyncGenerator).return === 'function') {
      return (source as AsyncGenerator).return(undefined);
    }
  });
}

/** An 'error' event without a listener would end the process. */
function destroyQuietly(source: Destroyable): void {
  endQuietly(() => {
    if (typeof source.on === 'function') source.on('error', () => {});
    source.destroy();
  });
}

interface Destroyable {
  destroy(): void;
  on?: (event: 'error', listener: () => void) => void;
}

type AnyIterator = AsyncIterator<unknown> | Iterator<unknown>;

function iteratorOf(source: unknown): AnyIterator {
  if (typeof source === 'string' || isObject(source)) {
    const one = source as AsyncIterable<unknown> & Iterable<unknown>;
    if (typeof one[Symbol.asyncIterator] === 'function') return one[Symbol.asyncIterator]();
    if (typeof one[Symbol.iterator] === 'function') return one[Symbol.iterator]();
  }
  throw new TypeError('stream() takes an async iterable, an iterable, or a readable stream');
}

function openWebStream(stream: ReadableStream<unknown>): Source {
  const reader = stream.getReader();
  return {
    async next() {
      const { done, value } = await reader.read();
      return done ? END : value;
    },
    cancel() {
      endQuietly(() => reader.cancel());
    },
  };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isWebStream(value: unknown): value is ReadableStream<unknown> {
  return isObject(value) && typeof (value as ReadableStream).getReader === 'function';
}

function isDestroyable(value: unknown): value is Destroyable {
  return isObject(value) && typeof (value as { destroy?: unknown }).destroy === 'function';
}

/** Errors of a cancelled source are ignored: they must not end the process. */
function endQuietly(end: () => unknown): void {
  try {
    Promise.resolve(end()).catch(() => {});
  } catch {
    // As for a rejection: the source is not used again.
  }
}
