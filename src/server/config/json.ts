// Parses the text of a JSON file with the positions of keys and errors: JSON.parse reports the
// position of some errors only, and no repeated keys.

import { shown } from '../../base/shown.ts';

export interface JsonKey {
  readonly name: string;
  /** From 1. */
  readonly line: number;
}

/** `keys` are those of the outermost object, in their order; line and column count from 1. */
export type JsonText =
  | { readonly ok: true; readonly value: unknown; readonly keys: readonly JsonKey[] }
  | { readonly ok: false; readonly line: number; readonly column: number; readonly fault: string };

/** A configuration is flat; this only limits the recursion. */
const DEPTH_MAX = 64;

const SPACE = /[ \t\n\r]*/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in strings.
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const SCALAR = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null/y;

export function readJson(textWithMark: string): JsonText {
  const text = textWithMark.replace(/^\ufeff/, '');
  const scan = new Scan(text);
  if (!scan.document()) {
    const fault = `expected ${scan.expected}, found ${found(text, scan.at)}`;
    return { ok: false, ...placeOf(text, scan.at), fault };
  }
  const keys: JsonKey[] = [];
  let line = 1;
  let counted = 0;
  for (const { name, at } of scan.keys) {
    line += placeOf(text.slice(counted, at), at - counted).line - 1;
    counted = at;
    keys.push({ name, line });
  }
  return { ok: true, value: JSON.parse(text), keys };
}

/**
 * A recursive descent parser: a method skips what it names, or stops at the error, returning false.
 */
class Scan {
  readonly text: string;
  /** Index of the next character; after a failure that of the wrong one. */
  at: number;
  /** After a failure: what was expected there. */
  expected: string;
  readonly keys: { readonly name: string; readonly at: number }[];

  constructor(text: string) {
    this.text = text;
    this.at = 0;
    this.expected = '';
    this.keys = [];
  }

  document(): boolean {
    return this.#value(0) && (this.at === this.text.length || this.#fail('the end of the file'));
  }

  #value(depth: number): boolean {
    this.#skip(SPACE);
    if (depth > DEPTH_MAX) return this.#fail(`at most ${DEPTH_MAX} levels`);
    const first = this.text[this.at];
    let passed: boolean;
    if (first === '{') passed = this.#list('}', () => this.#member(depth));
    else if (first === '[') passed = this.#list(']', () => this.#value(depth + 1));
    else if (first === '"') passed = this.#string();
    else passed = this.#skip(SCALAR) || this.#fail('a value');
    if (passed) this.#skip(SPACE);
    return passed;
  }

  #list(close: string, item: () => boolean): boolean {
    this.at += 1;
    this.#skip(SPACE);
    if (this.#take(close)) return true;
    while (item()) {
      if (this.#take(close)) return true;
      if (!this.#take(',')) return this.#fail(`"," or ${shown(close)}`);
    }
    return false;
  }

  #member(depth: number): boolean {
    this.#skip(SPACE);
    const start = this.at;
    if (this.text[start] !== '"') return this.#fail('a key in double quotes');
    if (!this.#string()) return false;
    if (depth === 0) {
      const name: string = JSON.parse(this.text.slice(start, this.at));
      this.keys.push({ name, at: start });
    }
    this.#skip(SPACE);
    return this.#take(':') ? this.#value(depth + 1) : this.#fail('":"');
  }

  #string(): boolean {
    return this.#skip(STRING) || this.#fail('a string closed on its line, with valid escapes');
  }

  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    if (!pattern.test(this.text)) return false;
    this.at = pattern.lastIndex;
    return true;
  }

  #take(character: string): boolean {
    if (this.text[this.at] !== character) return false;
    this.at += 1;
    return true;
  }

  #fail(expected: string): false {
    this.expected = expected;
    return false;
  }
}

function placeOf(text: string, at: number): { line: number; column: number } {
  const lines = text.slice(0, at).split(/\r\n|\n|\r/);
  return { line: lines.length, column: lines[lines.length - 1].length + 1 };
}

function found(text: string, at: number): string {
  const character = text.codePointAt(at);
  return character === undefined ? 'the end' : shown(String.fromCodePoint(character));
}
