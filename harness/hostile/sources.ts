// Sources for stream(), of every kind that there is in Node: short and endless, quiet and failing.
// Each keeps account of its end, because a source that nobody ends is a leak.

import { Readable } from 'node:stream';
import type { ChunkSource } from '../../src/exchange/source.ts';
import { SOURCES, type SourceKind } from './grammar.ts';
import { repeated } from './marks.ts';
import { LOOP_PIECE_BYTES, ROUNDS_IN_A_PHASE_MAX, type Watch } from './monitor.ts';
import type { RequestRecord } from './record.ts';

/** Pieces of a source that would go on for ever. */
const ENDLESS_PIECES = 600;
/** Pieces of a paced one. */
const PACED_PIECES = 24;
const PACE_MS = 7;
/** More than most clients have room for. */
const LARGE_BYTES = 30_000;

export interface SourceParts {
  readonly watch: Watch;
  readonly after: (ms: number, run: () => void) => void;
  /** Called while a source is asked for its next piece. */
  readonly callBack: () => void;
}

type Piece = string | Uint8Array;

/** Sources that were handed to stream() and have not come to an end. */
export class Sources {
  readonly #open = new Map<number, string>();
  #count = 0;

  /** Gives what tells that the source has come to its end. */
  opened(kind: string): () => void {
    this.#count += 1;
    const number = this.#count;
    this.#open.set(number, kind);
    return () => {
      this.#open.delete(number);
    };
  }

  /** How many there were so far. */
  get count(): number {
    return this.#count;
  }

  /** Those that came behind the first `count` stay with who made them: nobody took them. */
  refused(count: number): void {
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
  const pieceBytes = pieceBytesOf(kind, form, bytes);
  const text = repeated(record.mark, pieceBytes);
  const piece: Piece = isText ? text : Buffer.from(text, 'latin1');
  const make = { kind, piece, record, sources, parts, pieces: 1 + (form % 5) };
  return { kind, source: MAKERS[kind](make) as ChunkSource };
}

function pieceBytesOf(kind: SourceKind, form: number, bytes: number): number {
  if (kind === 'endless iterable') return LOOP_PIECE_BYTES;
  // The client may leave while there is no room for it, and the source is asked after that.
  return kind.startsWith('quiet') && form % 4 === 0 ? LARGE_BYTES : bytes;
}

interface Make {
  readonly kind: SourceKind;
  readonly piece: Piece;
  readonly pieces: number;
  readonly record: RequestRecord;
  readonly sources: Sources;
  readonly parts: SourceParts;
}

const MAKERS: Readonly<Record<SourceKind, (make: Make) => unknown>> = {
  array: ({ piece, pieces }) => Array.from({ length: pieces }, () => piece),
  // A text is an iterable of its characters: the mark comes in pieces.
  text: ({ record }) => record.mark,
  'endless iterable': endless,
  'iterable that throws': function* ({ piece, pieces }: Make): Generator<Piece> {
    for (let count = 0; count < pieces; count++) yield piece;
    throw new Error('the iterable threw');
  } as (make: Make) => unknown,
  'async iterable': (make) => asyncIterable(make, (done) => done()),
  'paced async iterable': (make) =>
    asyncIterable({ ...make, pieces: PACED_PIECES }, (done) => make.parts.after(PACE_MS, done)),
  'quiet async iterable': (make) =>
    asyncIterable({ ...make, pieces: 2 }, (done, at) => {
      if (at === 0 && beginsWell(make)) done();
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
  readable: ({ piece, pieces }) => Readable.from(Array.from({ length: pieces }, () => piece)),
  'paced readable': (make) => readable(make, (push, at) => pacedPiece(make, push, at)),
  'quiet readable': (make) =>
    readable(make, (push, at) => {
      if (at === 0 && beginsWell(make)) push(make.piece);
    }),
  'readable that errs': (make) =>
    readable(make, (push, at) => {
      if (at < make.pieces) push(make.piece);
      else push(null, new Error('the readable failed'));
    }),
  'destroyed readable': (make) => {
    const made = readable(make, (push) => push(make.piece));
    made.on('error', () => {});
    made.destroy();
    return made;
  },
  'web stream': (make) => web(make, (give, at) => give(at < make.pieces ? make.piece : null)),
  'quiet web stream': (make) =>
    web(make, (give, at) => {
      if (at === 0 && beginsWell(make)) give(make.piece);
    }),
  'web stream that errs': (make) =>
    web(make, (give, at) => {
      if (at < make.pieces) give(make.piece);
      else throw new Error('the web stream failed');
    }),
};

/** A quiet source gives one piece, or none at all. */
function beginsWell({ pieces }: Make): boolean {
  return pieces % 2 === 1;
}

/** Gives pieces for as long as it is asked; whoever asks must let Node's loop go on. */
function endless({ piece, record, sources, parts, kind }: Make): Iterable<Piece> {
  const { watch } = parts;
  let phase = watch.phases;
  let inPhase = 0;
  let pieces = 0;
  return {
    [Symbol.iterator]: () => {
      const ended = sources.opened(kind);
      return {
        next(): IteratorResult<Piece> {
          if (watch.phases !== phase) inPhase = 0;
          phase = watch.phases;
          inPhase += 1;
          pieces += 1;
          const starves = inPhase > ROUNDS_IN_A_PHASE_MAX;
          if (starves) {
            const what = `stream() of an endless iterable of request ${record.id}`;
            watch.report('starvation', `${what} keeps Node's loop waiting`, record);
          }
          if (!starves && !watch.isOver && pieces < ENDLESS_PIECES) {
            return { done: false, value: piece };
          }
          ended();
          return { done: true, value: undefined };
        },
        return(): IteratorResult<Piece> {
          ended();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** `when` says when a piece is there; never calling back is a source that stays quiet. */
function asyncIterable(
  { piece, pieces, sources, kind }: Make,
  when: (done: (error?: Error) => void, at: number) => void,
): AsyncIterable<Piece> {
  return {
    [Symbol.asyncIterator]: () => {
      const ended = sources.opened(kind);
      let at = 0;
      let isOver = false;
      const end = (): IteratorResult<Piece> => {
        isOver = true;
        ended();
        return { done: true, value: undefined };
      };
      return {
        next: () =>
          new Promise<IteratorResult<Piece>>((resolve, reject) => {
            if (isOver || at === pieces) {
              resolve(end());
              return;
            }
            const done = (error?: Error): void => {
              if (error === undefined) resolve({ done: false, value: piece });
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

type Push = (piece: Piece | null, error?: Error) => void;

function pacedPiece({ piece, parts }: Make, push: Push, at: number): void {
  parts.after(PACE_MS, () => push(at < PACED_PIECES ? piece : null));
}

function readable(
  { piece, sources, kind }: Make,
  read: (push: Push, at: number) => void,
): Readable {
  const ended = sources.opened(kind);
  let at = 0;
  const made = new Readable({
    // Strings stay strings only where an encoding says so.
    ...(typeof piece === 'string' ? { encoding: 'latin1' as const } : {}),
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
  pull: (give: (piece: Piece | null) => void, at: number) => void,
): ReadableStream<Piece> {
  const ended = sources.opened(kind);
  let at = 0;
  return new ReadableStream<Piece>({
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
