// Compresses the content of responses (RFC 9110 8.4, 12.5.3): short content at once, longer content
// and streams in the thread pool.

import type { ContentCoding, ContentStream } from '../async-io/async-io.ts';
import {
  COMPRESS_NOW_BYTES_MAX,
  COMPRESSIONS_MAX,
  ENCODER_BYTES_MAX,
  RESPONSE_FIELD_BYTES_MAX,
  RESPONSE_FIELDS_MAX,
} from '../base/fixed-limits.ts';
import { checkOptions, type OptionRule, wholeNumber, wholeNumberIn } from '../base/options.ts';
import { type Content, ownContent } from '../exchange/content.ts';
import { EncodingTransport } from '../exchange/encoding.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Middleware } from '../exchange/handler.ts';
import type { ContentCoder } from '../exchange/handling.ts';
import { noteMaker } from '../exchange/makers.ts';
import { asPart } from '../exchange/parts.ts';
import { exchangeOf } from '../exchange/request.ts';
import { isHeadOnly } from '../exchange/respond.ts';
import { Phase, Writer } from '../exchange/state.ts';
import { weakenTag } from '../exchange/validated.ts';
import { CODING_NAMES, Coding, chooseCoding } from '../http/accept-encoding.ts';
import { hasNoContent } from '../http/status.ts';
import { TYPES, typeTest } from './compressible.ts';
import { encoderBytes } from './encoder-memory.ts';

/** Options of compress(). */
export interface CompressOptions {
  /** Content of fewer bytes is not compressed. Default 1024. */
  readonly threshold?: number;
  /**
   * The codings to use, where Node has them. Default ['br', 'zstd', 'gzip', 'deflate']. Of those
   * that a client prefers equally the first in that order is used, whatever the order given. With
   * [] nothing is compressed.
   */
  readonly encodings?: readonly ContentCoding[];
  /** A level for each coding: 1 to 9 for gzip and deflate, 0 to 11 for br, 1 to 19 for zstd. */
  readonly level?: Readonly<Partial<Record<ContentCoding, number>>>;
  /** Media types, as 'text/html', 'text/*' or '+json', instead of those that compress well. */
  readonly types?: readonly string[];
  /**
   * How many responses are compressed in the thread pool at a time, as far as their encoders fit
   * into 256 MB; further ones are sent as they are. Default 64.
   */
  readonly concurrency?: number;
}

const CODINGS: Readonly<Record<ContentCoding, Coding>> = {
  deflate: Coding.Deflate,
  gzip: Coding.Gzip,
  zstd: Coding.Zstd,
  br: Coding.Brotli,
};
const ALL: readonly ContentCoding[] = ['br', 'zstd', 'gzip', 'deflate'];

/**
 * Where compressing takes the time that its result saves on most networks. gzip takes 25
 * microseconds for 10 KB of JSON at level 3 (at 1 and 2 no less), 39 at level 4, 41 at level 6, and
 * makes text 2 to 6 % longer than at level 4.
 */
const LEVELS: Readonly<Record<ContentCoding, number>> = { gzip: 3, deflate: 3, br: 4, zstd: 3 };
const LEVEL_RANGES = { gzip: [1, 9], deflate: [1, 9], br: [0, 11], zstd: [1, 19] } as const;
/** Up to these levels short content is compressed at once. */
const QUICK_LEVELS: Readonly<Record<ContentCoding, number>> = {
  ...{ gzip: 6, deflate: 6, br: 4, zstd: 3 },
};

const ENCODINGS: OptionRule = {
  wanted: `a list of ${ALL.map((name) => `'${name}'`).join(', ')}`,
  fits: (value) => Array.isArray(value) && value.every((one) => ALL.includes(one)),
};

const LEVEL: OptionRule = {
  wanted: 'an object with a level for each coding, as { gzip: 6, br: 5 }',
  fits: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
};

const OPTIONS = {
  threshold: wholeNumber('bytes'),
  encodings: ENCODINGS,
  level: LEVEL,
  types: TYPES,
  concurrency: wholeNumber('responses'),
} as const;

/** Throws a TypeError for unknown or invalid options. */
export function compress(options: CompressOptions = {}): Middleware {
  checkOptions('compress', options, OPTIONS);
  const coder = new CompressCoder(options);
  return (request, _response, next) => {
    exchangeOf(request).coder = coder;
    return next();
  };
}

noteMaker(compress, 'compress');

function levelsOf(given: CompressOptions['level'] = {}): Readonly<Record<ContentCoding, number>> {
  const ruleOf = (name: ContentCoding): OptionRule => {
    const [least, most] = LEVEL_RANGES[name];
    return wholeNumberIn(least, most);
  };
  const rules = Object.fromEntries(ALL.map((name) => [name, ruleOf(name)]));
  checkOptions('compress: level', given, rules);
  const levels = { ...LEVELS };
  for (const name of ALL) levels[name] = given[name] ?? levels[name];
  return levels;
}

/** The memory of all encoders of the process. */
let encodersBytes = 0;

class CompressCoder implements ContentCoder<Exchange> {
  readonly #threshold: number;
  readonly #encodings: readonly ContentCoding[];
  readonly #levels: Readonly<Record<ContentCoding, number>>;
  readonly #isCompressible: (type: string) => boolean;
  readonly #concurrency: number;
  /** Of the encodings those that Node has, as a set by codingSet(); -1 before the first request. */
  #available = -1;
  /** Responses that are compressed in the thread pool now. */
  #running = 0;
  /** Encoded forms of content that never changes, for as long as that content is used. */
  readonly #encoded: WeakMap<Uint8Array, Map<Coding, Uint8Array>> = new WeakMap();

  constructor(options: CompressOptions) {
    this.#threshold = options.threshold ?? 1024;
    this.#encodings = [...(options.encodings ?? ALL)];
    this.#levels = levelsOf(options.level);
    this.#isCompressible = typeTest(options.types && [...options.types]);
    this.#concurrency = options.concurrency ?? COMPRESSIONS_MAX;
  }

  choose(exchange: Exchange, contentBytes: number): Coding {
    const isPart = exchange.status === 206;
    if (!this.#isEligible(exchange, isPart ? -1 : contentBytes)) return Coding.Identity;
    const available = this.#availableIn(exchange);
    if (available === 0) return Coding.Identity;
    exchange.fields.append('Vary', 'vary', 'Accept-Encoding');
    // A part is not encoded, but has the Vary of the whole (RFC 9110 15.3.7).
    if (isPart) return Coding.Identity;
    const { head, bytes, base } = exchange;
    const coding = chooseCoding(head, bytes, base, available);
    if (coding === Coding.Identity) return coding;
    const isNow = contentBytes >= 0 && this.#isQuick(nameOf(coding), contentBytes);
    return isNow || this.#hasRoom(nameOf(coding)) ? coding : Coding.Identity;
  }

  #isEligible({ fields, status }: Exchange, contentBytes: number): boolean {
    if (contentBytes >= 0 && contentBytes < this.#threshold) return false;
    if (hasNoContent(status)) return false;
    const type = fields.get('content-type');
    if (type === undefined || !this.#isCompressible(type)) return false;
    for (const name of status === 206 ? EXCLUDING_PARTS : EXCLUDING) {
      if (fields.find(name) >= 0) return false;
    }
    if (isTransformForbidden(fields.get('cache-control'))) return false;
    // A response at its limits stays as the handler made it.
    const isFull = fields.count + ADDED_FIELDS > RESPONSE_FIELDS_MAX;
    return !isFull && fields.characters + ADDED_CHARACTERS <= RESPONSE_FIELD_BYTES_MAX;
  }

  #availableIn({ services }: Exchange): number {
    if (this.#available >= 0) return this.#available;
    const { codings } = services.asyncIo;
    this.#available = 0;
    for (const name of this.#encodings) {
      if (codings.includes(name)) this.#available |= 1 << CODINGS[name];
    }
    return this.#available;
  }

  #hasRoom(name: ContentCoding): boolean {
    const bytes = encodersBytes + encoderBytes(name, this.#levels[name]);
    return this.#running < this.#concurrency && bytes <= ENCODER_BYTES_MAX;
  }

  /** Returns what is to be called, once, when the encoder is released. */
  #countEncoder(name: ContentCoding): () => void {
    const bytes = encoderBytes(name, this.#levels[name]);
    this.#running += 1;
    encodersBytes += bytes;
    return () => {
      this.#running -= 1;
      encodersBytes -= bytes;
    };
  }

  #isQuick(name: ContentCoding, contentBytes: number): boolean {
    return contentBytes <= COMPRESS_NOW_BYTES_MAX && this.#levels[name] <= QUICK_LEVELS[name];
  }

  send(exchange: Exchange, content: Content, coding: Coding, isConstant: boolean): void {
    if (content === null) {
      this.#sendHead(exchange, coding);
      return;
    }
    const known = typeof content === 'string' ? undefined : this.#encoded.get(content)?.get(coding);
    const name = nameOf(coding);
    if (known !== undefined) {
      sendEncoded(exchange, content, content?.length ?? 0, known, coding);
      return;
    }
    if (this.#isQuick(name, content.length)) {
      const bytes = typeof content === 'string' ? encodedNow(content) : content;
      const { length } = bytes;
      const encoded = exchange.services.asyncIo.compressNow(name, bytes, this.#levels[name]);
      if (isConstant && bytes === content) this.#keep(bytes, coding, encoded);
      sendEncoded(exchange, content, length, encoded, coding);
      return;
    }
    exchange.claimWriter(Writer.Full);
    const bytes = isConstant ? toBytes(content) : toBytes(ownContent(content));
    void asPart(exchange, this.#sendLater(exchange, bytes, coding, isConstant));
  }

  /** The handler of a HEAD knows only the length of the content before it is compressed. */
  #sendHead(exchange: Exchange, coding: Coding): void {
    setFields(exchange, coding);
    exchange.transport.startStream(exchange, -1);
    exchange.endHeadOnly();
  }

  async #sendLater(
    exchange: Exchange,
    content: Uint8Array,
    coding: Coding,
    isConstant: boolean,
  ): Promise<void> {
    const name = nameOf(coding);
    const encoder = exchange.services.asyncIo.encoder(name, this.#levels[name]);
    const released = this.#countEncoder(name);
    let encoded: Uint8Array | null = null;
    exchange.onGone = () => encoder.close();
    try {
      encoded = await encoder.finish(content);
    } catch (error) {
      // The client left, the handler took too long, or there is no memory for an encoder.
      if (isWaiting(exchange)) exchange.services.handlerFailed(exchange, error, 'not compressed: ');
    } finally {
      released();
    }
    if (!isWaiting(exchange)) return;
    exchange.onGone = null;
    exchange.releaseWriter();
    if (encoded === null) {
      exchange.transport.sendFull(exchange, content);
      return;
    }
    if (isConstant) this.#keep(content, coding, encoded);
    sendEncoded(exchange, content, content.length, encoded, coding);
  }

  #keep(content: Uint8Array, coding: Coding, encoded: Uint8Array): void {
    let forms = this.#encoded.get(content);
    if (forms === undefined) {
      forms = new Map();
      this.#encoded.set(content, forms);
    }
    forms.set(coding, encoded);
  }

  begin(exchange: Exchange, coding: Coding): void {
    const { owedBytes, services, transport } = exchange;
    setFields(exchange, coding);
    if (isHeadOnly(exchange)) return;
    const name = nameOf(coding);
    const encoder: ContentStream = services.asyncIo.encoder(name, this.#levels[name]);
    const released = this.#countEncoder(name);
    // What encodes keeps the record until its end.
    exchange.retain();
    exchange.transport = new EncodingTransport(transport, encoder, owedBytes, released);
  }
}

/** With one of these the content has a coding, is a part, or is described by its bytes. */
const EXCLUDING_PARTS = ['content-encoding', 'content-digest', 'repr-digest', 'content-md5'];
const EXCLUDING = [...EXCLUDING_PARTS, 'content-range'];

/** The fields that are added, and their names and values: far less. */
const ADDED_FIELDS = 3;
const ADDED_CHARACTERS = 256;

function isTransformForbidden(cacheControl: string | undefined): boolean {
  return cacheControl !== undefined && /(?:^|[\s,])no-transform(?:$|[\s,])/i.test(cacheControl);
}

function nameOf(coding: Coding): ContentCoding {
  return CODING_NAMES[coding] as ContentCoding;
}

/** True while the response waits for its compressed content. */
function isWaiting(exchange: Exchange): boolean {
  return exchange.phase === Phase.Open && exchange.writer === Writer.Full && !exchange.gone;
}

/** Of a string that is compressed at once: a character takes three bytes at most. */
let quickBytes: Buffer | null = null;

/** The bytes of a short string, valid until the next call. */
function encodedNow(content: string): Uint8Array {
  quickBytes ??= Buffer.allocUnsafeSlow(3 * COMPRESS_NOW_BYTES_MAX);
  return quickBytes.subarray(0, quickBytes.write(content));
}

function toBytes(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
}

/** Sends the encoded form, or the content itself when that is shorter. */
function sendEncoded(
  exchange: Exchange,
  content: string | Uint8Array,
  contentBytes: number,
  encoded: Uint8Array,
  coding: Coding,
): void {
  if (encoded.length >= contentBytes) {
    exchange.transport.sendFull(exchange, ownContent(content));
    return;
  }
  setFields(exchange, coding);
  const { meter } = exchange.services;
  meter?.compressed(contentBytes, encoded.length);
  exchange.transport.sendFull(exchange, encoded);
}

/** The fields of a response in a coding. Its ranges would be those of other bytes. */
function setFields(exchange: Exchange, coding: Coding): void {
  const { fields } = exchange;
  fields.setKnown('Content-Encoding', 'content-encoding', CODING_NAMES[coding]);
  fields.remove('accept-ranges');
  weakenTag(exchange);
  exchange.owedBytes = -1;
}
