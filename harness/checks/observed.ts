// Counts expired deadlines and faults of requests by the server's own names. It wraps two methods
// of the prototype of Connection.

import { Connection } from '../../src/connection/connection.ts';
import { Timeout } from '../../src/connection/context.ts';
import { Fault, faultText } from '../../src/http/fault.ts';

/** Every kind of deadline and of request fault, as the source lists them. */
export const DEADLINES: readonly string[] = Object.keys(Timeout);
export const REQUEST_FAULTS: readonly string[] = Object.keys(Fault);

const REQUEST_FAULT_OF_TEXT: ReadonlyMap<string, string> = new Map(
  Object.entries(Fault).map(([name, fault]) => [faultText(fault), name]),
);

export class Observed {
  readonly deadlines: Map<string, number> = new Map();
  readonly requestFaults: Map<string, number> = new Map();
  #restore: () => void = () => {};

  /** Observes all connections until restore(). */
  install(): void {
    const { prototype } = Connection;
    const { due, debug } = prototype;
    const { deadlines, requestFaults } = this;
    prototype.due = function (this: Connection, kind: number): void {
      increment(deadlines, DEADLINES[kind]);
      due.call(this, kind);
    };
    prototype.debug = function (this: Connection, message: string): void {
      // 'no Host', and 'no Host: 400' where the connection itself responds.
      const fault = REQUEST_FAULT_OF_TEXT.get(message.replace(/: \d{3}$/, ''));
      if (fault !== undefined) increment(requestFaults, fault);
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
