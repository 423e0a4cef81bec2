// Requests that a server rejects, each with the status code of the response.

import type { Random } from '../../testing/random.ts';
import type { Expected, Planned, RequestKind } from './expected.ts';
import { GARBAGE } from './garbage.ts';

/** The limits of the server that they exceed. */
export interface LimitFacts {
  readonly targetBytesMax: number;
  readonly headBytesMax: number;
}

const text = (value: string): Buffer => Buffer.from(value, 'latin1');

export class BadRequests {
  readonly #random: Random;
  readonly #facts: LimitFacts;

  constructor(random: Random, facts: LimitFacts) {
    this.#random = random;
    this.#facts = facts;
  }

  garbage(): Planned {
    const bad = this.#random.pick(GARBAGE);
    return this.#raw('garbage', bad.status, text(bad.text));
  }

  /** The client ends its side before the end of the body. */
  truncatedBody(): Planned {
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
    const expected: Expected = { status, body: null, fields: [], close: 'yes', truncated: false };
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
