// What connections hear of and give up for in a run, by the server's own names: deadlines that
// passed, and what was wrong with requests. Read where every connection comes by, its prototype.

import { Connection } from '../../src/connection/connection.ts';
import { Timeout } from '../../src/connection/context.ts';
import { Fault, faultText } from '../../src/http/fault.ts';

/** Every kind of deadline and of fault there is, as the source lists them. */
export const DEADLINES: readonly string[] = Object.keys(Timeout);
export const REFUSALS: readonly string[] = Object.keys(Fault);

const REFUSAL_OF_TEXT: ReadonlyMap<string, string> = new Map(
  Object.entries(Fault).map(([name, fault]) => [faultText(fault), name]),
);

export class Heard {
  readonly deadlines: Map<string, number> = new Map();
  readonly refusals: Map<string, number> = new Map();
  #restore: () => void = () => {};

  /** Listens to all connections until restore(). */
  install(): void {
    const { prototype } = Connection;
    const { due, debug } = prototype;
    const { deadlines, refusals } = this;
    prototype.due = function (this: Connection, kind: number): void {
      increment(deadlines, DEADLINES[kind]);
      due.call(this, kind);
    };
    prototype.debug = function (this: Connection, message: string): void {
      // 'no Host', and 'no Host: 400' where the connection answers by itself.
      const refusal = REFUSAL_OF_TEXT.get(message.replace(/: \d{3}$/, ''));
      if (refusal !== undefined) increment(refusals, refusal);
      debug.call(this, message);
    };
    this.#restore = () => Object.assign(prototype, { due, debug });
  }

  restore(): void {
    this.#restore();
  }
}

function increment(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
