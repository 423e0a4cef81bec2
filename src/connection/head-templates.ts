// Hot: runs for every answer. Measured by perf/micro/connection.ts.
// Heads of the answers that a server gives most: a status, a Content-Type and nothing else. Copying
// one whole costs a quarter of putting it together from its parts (48 against 200 ns). A short text
// that is given again and again is kept behind its head: that saves another 50 ns.

import { writeDecimal } from '../base/bytes.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { DateField } from '../http/date.ts';
import {
  ConnectionField,
  encodeHead,
  headBytesBound,
  LENGTH_NONE,
  writeLineEnd,
} from '../http/encode.ts';
import { ResponseFields } from '../http/response-fields.ts';
import { asciiBytes } from '../http/text.ts';

/** A guess: a site answers with a handful of types. The oldest gives way. */
const TEMPLATES_MAX = 8;

/** So often in a row a text is given before it is kept: what changes all the time never is. */
const REPEATS_MIN = 8;

const CONTENT_LENGTH = asciiBytes('Content-Length: ');

interface Template {
  readonly status: number;
  readonly type: string;
  /** The second that its Date tells. */
  second: number;
  /** The head up to the value of Content-Length. */
  bytes: Uint8Array;
  /** The text given last, how often in a row, and the whole answer once that was often. */
  text: string;
  repeats: number;
  whole: Uint8Array | null;
}

export class HeadTemplates {
  readonly #date: DateField = new DateField();
  readonly #templates: Template[] = [];
  #next = 0;
  /** What write() used last; null when it was no common head. */
  #used: Template | null = null;

  /** Writes the head of a whole answer if it is a common one: where it ends, else -1. */
  write(
    target: Uint8Array,
    at: number,
    exchange: Exchange,
    length: number,
    wallMs: number,
  ): number {
    this.#used = null;
    if (length < 0 || !isCommon(exchange)) return -1;
    const template = this.#find(exchange.status, exchange.fields.values[0], wallMs);
    const { bytes } = template;
    this.#used = template;
    target.set(bytes, at);
    return writeLineEnd(
      target,
      writeLineEnd(target, writeDecimal(target, at + bytes.length, length)),
    );
  }

  /** Writes the whole answer if it is one that is kept: where it ends, else -1. */
  writeAgain(
    target: Uint8Array,
    at: number,
    exchange: Exchange,
    text: string,
    wallMs: number,
  ): number {
    if (!isCommon(exchange)) return -1;
    const { text: kept, whole } = this.#find(exchange.status, exchange.fields.values[0], wallMs);
    if (whole === null || text !== kept) return -1;
    target.set(whole, at);
    return at + whole.length;
  }

  /** The answer that write() began was ended with this text, and stands from `at` to `end`. */
  ended(text: string, target: Uint8Array, at: number, end: number): void {
    const template = this.#used;
    if (template === null) return;
    if (template.text !== text) {
      template.text = text;
      template.repeats = 0;
      template.whole = null;
    }
    template.repeats += 1;
    if (template.repeats < REPEATS_MIN) return;
    // A copy in any case: slice() of a Buffer would go on sharing its memory.
    template.whole = new Uint8Array(target.subarray(at, end));
  }

  #find(status: number, type: string, wallMs: number): Template {
    const second = Math.floor(wallMs / 1000);
    const templates = this.#templates;
    for (let index = 0; index < templates.length; index++) {
      const template = templates[index];
      if (template.status !== status || template.type !== type) continue;
      if (template.second !== second) {
        template.bytes = this.#make(status, type, second);
        template.second = second;
        template.whole = null;
      }
      return template;
    }
    const bytes = this.#make(status, type, second);
    const made = { status, type, second, bytes, text: '', repeats: 0, whole: null };
    templates[this.#next] = made;
    this.#next = (this.#next + 1) % TEMPLATES_MAX;
    return made;
  }

  #make(status: number, type: string, second: number): Uint8Array {
    this.#date.update(second * 1000);
    const fields = new ResponseFields();
    fields.set('Content-Type', 'content-type', type);
    const own = new Uint8Array(headBytesBound(fields));
    const none = ConnectionField.None;
    const end = encodeHead(own, 0, status, fields, this.#date.bytes, LENGTH_NONE, none);
    // Instead of the empty line at its end stands the beginning of Content-Length.
    own.set(CONTENT_LENGTH, end - 2);
    return own.slice(0, end - 2 + CONTENT_LENGTH.length);
  }
}

/** A Content-Type, and nothing said of the connection. */
function isCommon(exchange: Exchange): boolean {
  const { fields } = exchange;
  if (fields.count !== 1 || fields.lowerNames[0] !== 'content-type') return false;
  return persistenceOf(exchange) === ConnectionField.None;
}

/** Whether, and how, an answer speaks of its connection. */
export function persistenceOf(exchange: Exchange): ConnectionField {
  if (!exchange.keepAlive || !exchange.framing.keepAlive) return ConnectionField.Close;
  return exchange.head.minor === 0 ? ConnectionField.Keep : ConnectionField.None;
}
