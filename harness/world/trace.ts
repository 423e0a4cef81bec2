// A hash of all that happened in a run: two runs of a seed must have the same. While recording it
// also keeps the events, for the timeline; a failing run is repeated for that.

export interface TraceEvent {
  readonly atMs: number;
  /** The client's number, or -1 for the server as a whole. */
  readonly lane: number;
  /** Decides how the timeline draws it. */
  readonly group: TraceGroup;
  readonly text: string;
}

export type TraceGroup = 'server' | 'client' | 'network' | 'fault' | 'check' | 'handler';

export class Trace {
  readonly events: TraceEvent[] | null;
  #high = 0x811c9dc5;
  #low = 0x01000193;
  count = 0;

  constructor(recording: boolean) {
    this.events = recording ? [] : null;
  }

  /** Mixes one event into the hash. */
  mix(kind: number, one: number, two: number, three: number): void {
    this.count += 1;
    let low = Math.imul(this.#low ^ kind, 0x01000193);
    low = Math.imul(low ^ one, 0x85ebca6b);
    low = Math.imul(low ^ (low >>> 13) ^ two, 0xc2b2ae35);
    low = Math.imul(low ^ (low >>> 16) ^ three, 0x27d4eb2f);
    this.#low = low ^ (low >>> 15);
    this.#high = Math.imul(this.#high ^ this.#low, 0x9e3779b1) + this.count;
  }

  mixBytes(bytes: Uint8Array): void {
    let hash = bytes.length;
    for (let index = 0; index < bytes.length; index++) {
      hash = Math.imul(hash ^ bytes[index], 0x01000193);
    }
    this.mix(bytes.length, hash, 0, 0);
  }

  /** Keeps an event for the timeline. `text` is called only while recording. */
  note(atMs: number, lane: number, group: TraceGroup, text: () => string): void {
    this.events?.push({ atMs, lane, group, text: text() });
  }

  get hash(): string {
    return hex(this.#high) + hex(this.#low);
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
