// Node's own parser, llhttp, through the binding that node:http uses, without any leniency flag. It
// parses a stream that arrives in segments.

import { createRequire } from 'node:module';

type Callback = (...values: never[]) => number;

/** What this project uses of the binding. */
interface Binding {
  initialize(type: number, resource: object, headBytesMax: number, lenient: number): void;
  execute(bytes: Uint8Array): number | Error;
  [callback: number]: Callback | null;
}
interface BindingClass {
  new (): Binding;
  readonly REQUEST: number;
  readonly kLenientNone: number;
  readonly kOnMessageBegin: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}

interface HttpCommon {
  readonly HTTPParser: BindingClass;
  readonly methods: readonly string[];
}
const { HTTPParser, methods } = createRequire(import.meta.url)('_http_common') as HttpCommon;

/** Larger than any head in the tests, so that the limit of llhttp never applies. */
const HEAD_BYTES_MAX = 1 << 20;

export const LLHTTP_METHODS: readonly string[] = methods;

/** A message as llhttp reports it. Text has one character for each byte. */
export interface LlhttpMessage {
  method: string;
  target: string;
  major: number;
  minor: number;
  fields: string[];
  trailers: string[];
  keepAlive: boolean;
  /** llhttp stops parsing behind this message and hands the connection over. */
  upgrade: boolean;
  body: string;
}

/** Why llhttp has stopped. */
export interface LlhttpError {
  readonly code: string;
  readonly reason: string;
  /** The position in the last segment where it stopped. */
  readonly at: number;
}

export class Llhttp {
  /** The complete messages. */
  readonly messages: LlhttpMessage[];
  error: LlhttpError | null;
  readonly #binding: Binding;
  #current: LlhttpMessage;
  #headComplete: boolean;

  constructor() {
    this.messages = [];
    this.error = null;
    this.#current = emptyMessage();
    this.#headComplete = false;
    this.#binding = new HTTPParser();
    const { REQUEST, kLenientNone } = HTTPParser;
    this.#binding.initialize(REQUEST, {}, HEAD_BYTES_MAX, kLenientNone);
    this.#listen();
  }

  /** Parses one more segment, unless it failed before. */
  feed(bytes: Uint8Array): void {
    if (this.error !== null || bytes.length === 0) return;
    const result = this.#binding.execute(Buffer.from(bytes));
    if (typeof result === 'number') return;
    const { code, reason, bytesParsed } = result as Error & Record<string, unknown>;
    this.error = { code: String(code), reason: String(reason), at: Number(bytesParsed) };
  }

  #listen(): void {
    const binding = this.#binding;
    binding[HTTPParser.kOnMessageBegin] = (): number => {
      this.#current = emptyMessage();
      this.#headComplete = false;
      return 0;
    };
    // Called for fields beyond the first 32, and for trailers.
    binding[HTTPParser.kOnHeaders] = (fields: string[], target: string): number => {
      const current = this.#current;
      if (this.#headComplete) current.trailers.push(...fields);
      else {
        current.fields.push(...fields);
        current.target = target;
      }
      return 0;
    };
    binding[HTTPParser.kOnHeadersComplete] = this.#head.bind(this);
    binding[HTTPParser.kOnBody] = (bytes: Uint8Array): number => {
      this.#current.body += Buffer.from(bytes).toString('latin1');
      return 0;
    };
    binding[HTTPParser.kOnMessageComplete] = (): number => {
      this.messages.push(this.#current);
      return 0;
    };
  }

  #head(
    major: number,
    minor: number,
    fields: string[] | undefined,
    method: number,
    target: string | undefined,
    _status: unknown,
    _phrase: unknown,
    upgrade: boolean,
    keepAlive: boolean,
  ): number {
    const current = this.#current;
    this.#headComplete = true;
    if (fields !== undefined) current.fields.push(...fields);
    if (target !== undefined) current.target = target;
    // The list has no names for methods that only the binding has.
    current.method = methods[method] ?? '';
    Object.assign(current, { major, minor, upgrade, keepAlive });
    return 0;
  }
}

function emptyMessage(): LlhttpMessage {
  return {
    method: '',
    target: '',
    major: 0,
    minor: 0,
    fields: [],
    trailers: [],
    keepAlive: false,
    upgrade: false,
    body: '',
  };
}
