// Sources for stream(), of every kind that Node has: short, endless, stalled and failing ones. Each
// counts its end: a source that is never ended is a leak.

import { Readable } from 'node:stream';
import type { ChunkSource } from '../../src/exchange/source.ts';
import { SOURCES, type SourceKind } from './grammar.ts';
import { repeated } from './marks.ts';
import { LOOP_CHUNK_BYTES, type Monitor, ROUNDS_IN_A_PHASE_MAX } from './monitor.ts';
import type { RequestRecord } from './record.ts';

/** Chunks until an endless source ends after all. */
const ENDLESS_CHUNKS = 600;
/** Chunks of a paced source. */
const PACED_CHUNKS = 24;
const PACE_MS = 7;
/** Larger than the buffers of most clients. */
const LARGE_BYTES = 30_000;

export interface SourceParts {
  readonly monitor: Monitor;
  readonly after: (ms: number, run: () => void) => void;
  /** Called from next() of a source. */
  readonly callBack: () => void;
}

type Chunk = string | Uint8Array;

/** Sources that stream() took and that have not ended. */
export class Sources {
  readonly #open = new Map<number, string>();
  #count = 0;

  /** Returns the callback for the end of the source. */
  opened(kind: string): () => void {
    this.#count += 1;
    const number = this.#count;
    this.#open.set(number, kind);
    return () => {
      this.#open.delete(number);
    };
  }

  /** The number of sources so far. */
  get count(): number {
    return this.#count;
  }

  /** stream() threw: the sources after the first `count` need no end. */
  rejected(count: number): void {
    for (const number of this.#open.keys()) if (number > count) this.#open.delete(number);
  }

  get left(): readonly string[] {
    return [...this.#open.values()];
  }
}

export function sourceOf(
  form: number,
  bytes: number,
  record: RequestRecord,
  sources: Sources,
  parts: SourceParts,
): { readonly kind: SourceKind; readonly source: ChunkSource } {
  const kind = SOURCES[form % SOURCES.length];
  const isText = form >= 128;
  const chunkBytes = chunkBytesOf(kind, form, bytes);
  const text = repeated(record.mark, chunkBytes);
  const chunk: Chunk = isText ? text : Buffer.from(text, 'latin1');
  const make = { kind, chunk, record, sources, parts, chunks: 1 + (form % 5) };
  return { kind, source: MAKERS[kind](make) as ChunkSource };
}

function chunkBytesOf(kind: SourceKind, form: number, bytes: number): number {
  if (kind === 'endless iterable') return LOOP_CHUNK_BYTES;
  // A large chunk fills the send queue, and the client may be gone before the next one.
  return kind.startsWith('quiet') && form % 4 === 0 ? LARGE_BYTES : bytes;
}

interface Make {
  readonly kind: SourceKind;
  readonly chunk: Chunk;
  readonly chunks: number;
  readonly record: RequestRecord;
  readonly sources: Sources;
  readonly parts: SourceParts;
}

const MAKERS: Readonly<Record<SourceKind, (make: Make) => unknown>> = {
  array: ({ chunk, chunks }) => Array.from({ length: chunks }, () => chunk),
  // A text is an iterable of characters: each is a chunk.
  text: ({ record }) => record.mark,
  'endless iterable': endless,
  'iterable that throws': function* ({ chunk, chunks }: Make): Generator<Chunk> {
    for (let count = 0; count < chunks; count++) yield chunk;
    throw new Error('the iterable threw');
  } as (make: Make) => unknown,
  'async iterable': (make) => asyncIterable(make, (done) => done()),
  'paced async iterable': (make) =>
    asyncIterable({ ...make, chunks: PACED_CHUNKS }, (done) => make.parts.after(PACE_MS, done)),
  'quiet async iterable': (make) =>
    asyncIterable({ ...make, chunks: 2 }, (done, at) => {
      if (at === 0 && startsWithChunk(make)) done();
    }),
  'async iterable that throws': (make) =>
    asyncIterable(make, (done, at) => done(at > 0 ? new Error('the source failed') : undefined)),
  'async iterable that calls back': (make) =>
    asyncIterable(make, (done) => {
      make.parts.callBack();
      done();
    }),
  'async iterable of numbers': () => asyncNumbers(),
  'no iterable': () => ({}),
  readable: ({ chunk, chunks }) => Readable.from(Array.from({ length: chunks }, () => chunk)),
  'paced readable': (make) => readable(make, (push, at) => pacedChunk(make, push, at)),
  'quiet readable': (make) =>
    readable(make, (push, at) => {
      if (at === 0 && startsWithChunk(make)) push(make.chunk);
    }),
  'readable that errs': (make) =>
    readable(make, (push, at) => {
      if (at < make.chunks) push(make.chunk);
      else push(null, new Error('the readable failed'));
    }),
  'destroyed readable': (make) => {
    const made = readable(make, (push) => push(make.chunk));
    made.on('error', () => {});
    made.destroy();
    return made;
  },
  'web stream': (make) => web(make, (give, at) => give(at < make.chunks ? make.chunk : null)),
  'quiet web stream': (make) =>
    web(make, (give, at) => {
      if (at === 0 && startsWithChunk(make)) give(make.chunk);
    }),
  'web stream that errs': (make) =>
    web(make, (give, at) => {
      if (at < make.chunks) give(make.chunk);
      else throw new Error('the web stream failed');
    }),
};

/** A quiet source has one chunk, or none. */
function startsWithChunk({ chunks }: Make): boolean {
  return chunks % 2 === 1;
}

/** Returns chunks without end; the server must let Node's event loop proceed meanwhile. */
function endless({ chunk, record, sources, parts, kind }: Make): Iterable<Chunk> {
  const { monitor } = parts;
  let phase = monitor.phases;
  let inPhase = 0;
  let chunks = 0;
  return {
    [Symbol.iterator]: () => {
      const ended = sources.opened(kind);
      return {
        next(): IteratorResult<Chunk> {
          if (monitor.phases !== phase) inPhase = 0;
          phase = monitor.phases;
          inPhase += 1;
          chunks += 1;
          const starves = inPhase > ROUNDS_IN_A_PHASE_MAX;
          if (starves) {
            const what = `stream() of an endless iterable of request ${record.id}`;
            monitor.report('starvation', `${what} blocks Node's event loop`, record);
          }
          if (!starves && !monitor.isOver && chunks < ENDLESS_CHUNKS) {
            return { done: false, value: chunk };
          }
          ended();
          return { done: true, value: undefined };
        },
        return(): IteratorResult<Chunk> {
          ended();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** `when` calls back when a chunk is there; a quiet source never does. */
function asyncIterable(
  { chunk, chunks, sources, kind }: Make,
  when: (done: (error?: Error) => void, at: number) => void,
): AsyncIterable<Chunk> {
  return {
    [Symbol.asyncIterator]: () => {
      const ended = sources.opened(kind);
      let at = 0;
      let isOver = false;
      const end = (): IteratorResult<Chunk> => {
        isOver = true;
        ended();
        return { done: true, value: undefined };
      };
      return {
        next: () =>
          new Promise<IteratorResult<Chunk>>((resolve, reject) => {
            if (isOver || at === chunks) {
              resolve(end());
              return;
            }
            const done = (error?: Error): void => {
              if (error === undefined) resolve({ done: false, value: chunk });
              else {
                end();
                reject(error);
              }
            };
            when(done, at);
            at += 1;
          }),
        return: () => Promise.resolve(end()),
      };
    },
  };
}

async function* asyncNumbers(): AsyncGenerator<number> {
  yield 7;
}

type Push = (chunk: Chunk | null, error?: Error) => void;

function pacedChunk({ chunk, parts }: Make, push: Push, at: number): void {
  parts.after(PACE_MS, () => push(at < PACED_CHUNKS ? chunk : null));
}

function readable(
  { chunk, sources, kind }: Make,
  read: (push: Push, at: number) => void,
): Readable {
  const ended = sources.opened(kind);
  let at = 0;
  const made = new Readable({
    // Without an encoding strings become buffers.
    ...(typeof chunk === 'string' ? { encoding: 'latin1' as const } : {}),
    read() {
      const number = at;
      at += 1;
      const push: Push = (given, error) => {
        if (made.destroyed) return;
        if (error !== undefined) made.destroy(error);
        else made.push(given);
      };
      read(push, number);
    },
    destroy(error, done) {
      ended();
      done(error);
    },
  });
  return made;
}

function web(
  { sources, kind }: Make,
  pull: (give: (chunk: Chunk | null) => void, at: number) => void,
): ReadableStream<Chunk> {
  const ended = sources.opened(kind);
  let at = 0;
  return new ReadableStream<Chunk>({
    pull(controller) {
      try {
        pull((given) => {
          if (given !== null) controller.enqueue(given);
          else {
            ended();
            controller.close();
          }
        }, at);
      } catch (error) {
        ended();
        throw error;
      }
      at += 1;
    },
    cancel() {
      ended();
    },
  });
}
