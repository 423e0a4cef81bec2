// A position in a text with one character for each byte, and the two errors of the model: the text
// is incomplete, or it is rejected.

import { STRICT, type Strict } from './strictness.ts';

/** The text ends before the message does. */
export class Incomplete extends Error {
  constructor() {
    super('the text ends within a message');
  }
}

/** The text is not a message: the violated rule, and the status of the response. */
export class Rejection extends Error {
  readonly status: number;
  /** A rule of the grammar, a section of the RFC, or a name of STRICT. */
  readonly rule: string;

  constructor(status: number, rule: string) {
    super(`${status}: ${rule}`);
    this.status = status;
    this.rule = rule;
  }
}

/** Rejects text that violates a rule of the grammar. */
export function reject(rule: string, status: number = 400): never {
  throw new Rejection(status, rule);
}

/** Rejects text where Vibing is stricter than the grammar. */
export function rejectStrictly(name: Strict): never {
  throw new Rejection(STRICT[name].status, name);
}

export class Reader {
  readonly text: string;
  at: number;
  /** The position that must not be read, and its limit; infinite without a limit. */
  #limit: number;
  #limitName: Strict;

  constructor(text: string, at: number) {
    this.text = text;
    this.at = at;
    this.#limit = Number.POSITIVE_INFINITY;
    this.#limitName = 'head-bytes';
  }

  /** Allows the next `bytesMax` bytes to be read, and none behind them. */
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
    if (this.at === this.#limit) rejectStrictly(this.#limitName);
    return this.text[this.at];
  }

  /** Whether the next character matches; it is not consumed. */
  sees(rule: RegExp): boolean {
    return rule.test(this.peek());
  }

  take(): string {
    const character = this.peek();
    this.at += 1;
    return character;
  }

  /** Consumes characters while each one matches. */
  while(rule: RegExp): string {
    let consumed = '';
    while (this.sees(rule)) consumed += this.take();
    return consumed;
  }

  /** Consumes exactly this text, whose characters belong to `rule`. */
  literal(text: string, rule: string): void {
    for (const character of text) {
      if (this.peek() !== character) rejectAt(this.peek(), rule);
      this.at += 1;
    }
  }

  crlf(): void {
    this.literal('\r\n', 'CRLF');
  }
}

/** A line feed without a CR before it has its own rule. */
export function rejectAt(character: string, rule: string): never {
  if (character === '\n') rejectStrictly('line-feed-alone');
  reject(rule);
}
