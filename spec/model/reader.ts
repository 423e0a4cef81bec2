// A place in a text with one character a byte, and the two ways not to go on from there: the text is
// over, or what stands there is refused.

import { STRICT, type Strict } from './strictness.ts';

/** The text ends before the message does. */
export class Incomplete extends Error {
  constructor() {
    super('the text ends in the middle of a message');
  }
}

/** No message: which rule it breaks, and the status that says so. */
export class Refusal extends Error {
  readonly status: number;
  /** A rule of the grammar, a section of the RFC, or a name of STRICT. */
  readonly rule: string;

  constructor(status: number, rule: string) {
    super(`${status}: ${rule}`);
    this.status = status;
    this.rule = rule;
  }
}

/** Refuses what breaks a rule of the grammar. */
export function refuse(rule: string, status: number = 400): never {
  throw new Refusal(status, rule);
}

/** Refuses what is stricter than the grammar. */
export function refuseStrictly(name: Strict): never {
  throw new Refusal(STRICT[name].status, name);
}

export class Reader {
  readonly text: string;
  at: number;
  /** What may not be read, and why; the text itself when there is no limit. */
  #limit: number;
  #limitName: Strict;

  constructor(text: string, at: number) {
    this.text = text;
    this.at = at;
    this.#limit = Number.POSITIVE_INFINITY;
    this.#limitName = 'head-bytes';
  }

  /** The next `bytesMax` bytes may be read, and none behind them. */
  limit(bytesMax: number, name: Strict): void {
    this.#limit = this.at + bytesMax;
    this.#limitName = name;
  }

  unlimited(): void {
    this.#limit = Number.POSITIVE_INFINITY;
  }

  /** The next character. */
  peek(): string {
    if (this.at === this.text.length) throw new Incomplete();
    if (this.at === this.#limit) refuseStrictly(this.#limitName);
    return this.text[this.at];
  }

  /** Whether the next character matches; it is not taken. */
  sees(rule: RegExp): boolean {
    return rule.test(this.peek());
  }

  take(): string {
    const character = this.peek();
    this.at += 1;
    return character;
  }

  /** As many characters as match, each one by itself. */
  while(rule: RegExp): string {
    let taken = '';
    while (this.sees(rule)) taken += this.take();
    return taken;
  }

  /** Exactly this text, of which each character belongs to `rule`. */
  literal(text: string, rule: string): void {
    for (const character of text) {
      if (this.peek() !== character) refuseAt(this.peek(), rule);
      this.at += 1;
    }
  }

  crlf(): void {
    this.literal('\r\n', 'CRLF');
  }
}

/** A line feed where no CR came before it has a name of its own. */
export function refuseAt(character: string, rule: string): never {
  if (character === '\n') refuseStrictly('line-feed-alone');
  refuse(rule);
}
