// Requests that a server refuses, each with the status that says why.

import type { Random } from '../../testing/random.ts';
import type { Expected, Planned, RequestKind } from './expected.ts';
import { GARBAGE } from './garbage.ts';

/** What they have to know of the server. */
export interface RefusingFacts {
  readonly targetBytesMax: number;
  readonly headBytesMax: number;
}

const text = (value: string): Buffer => Buffer.from(value, 'latin1');

export class BadRequests {
  readonly #random: Random;
  readonly #facts: RefusingFacts;

  constructor(random: Random, facts: RefusingFacts) {
    this.#random = random;
    this.#facts = facts;
  }

  garbage(): Planned {
    const bad = this.#random.pick(GARBAGE);
    return this.#raw('garbage', bad.status, text(bad.text));
  }

  /** Its body ends before its length, with the stream. */
  brokenOff(): Planned {
    const head = 'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n';
    return this.#raw('garbage', 400, text(head + 'b'.repeat(this.#random.below(900))));
  }

  longTarget(): Planned {
    const target = `/${'t'.repeat(this.#facts.targetBytesMax + this.#random.below(200))}`;
    return this.#raw('long target', 414, text(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`));
  }

  longHead(): Planned {
    const line = `X-Long: ${'v'.repeat(900)}\r\n`;
    const lines = line.repeat(Math.ceil((this.#facts.headBytesMax + 100) / line.length));
    return this.#raw('long head', 431, text(`GET /hello HTTP/1.1\r\nHost: a\r\n${lines}\r\n`));
  }

  #raw(kind: RequestKind, status: number, bytes: Uint8Array): Planned {
    const expected: Expected = { status, body: null, fields: [], close: 'yes', cut: false };
    const rest = { usesFiles: false, takesMs: 0, isLast: true };
    return {
      kind,
      method: 'GET',
      parts: [{ bytes, pauseMs: 0, awaitsContinue: false }],
      expected,
      ...rest,
    };
  }
}
