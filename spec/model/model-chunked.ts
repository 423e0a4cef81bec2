// The model's chunked body (RFC 9112 7.1).

import { exactly, HEXDIG, qdtext, quotedPairByte, tchar } from './abnf.ts';
import { fieldSection, type ModelField, type ModelLimits } from './model-head.ts';
import { type Reader, rejectAt, rejectStrictly } from './reader.ts';
import { REJECTED_TRAILER_NAMES } from './strictness.ts';

const HEX_DIGIT = exactly(HEXDIG);
const TCHAR = exactly(tchar);
const BWS = exactly('[ \\t]');
const QDTEXT = exactly(qdtext);
const QUOTED_PAIR_BYTE = exactly(quotedPairByte);
const SIZE_DIGITS_MAX = 16;

export interface ModelChunkedBody {
  readonly content: string;
  readonly trailers: readonly ModelField[];
}

/** The limit applies to all extensions of a body, so their number of bytes is passed on. */
interface Extensions {
  bytes: number;
  readonly bytesMax: number;
}

/** chunked-body = *chunk last-chunk trailer-section CRLF */
export function modelChunkedBody(reader: Reader, limits: ModelLimits): ModelChunkedBody {
  const extensions = { bytes: 0, bytesMax: limits.chunkExtensionBytesMax };
  let content = '';
  for (;;) {
    const size = chunkSize(reader);
    chunkExt(reader, extensions);
    reader.crlf();
    if (size === 0) break;
    for (let index = 0; index < size; index++) content += reader.take();
    reader.crlf();
  }
  return { content, trailers: trailerSection(reader, limits) };
}

/** chunk-size = 1*HEXDIG */
function chunkSize(reader: Reader): number {
  let digits = '';
  while (reader.sees(HEX_DIGIT)) {
    digits += reader.take();
    if (digits.length > SIZE_DIGITS_MAX) rejectStrictly('chunk-size-digits');
    if (BigInt(`0x${digits}`) > Number.MAX_SAFE_INTEGER) rejectStrictly('exact-chunk-size');
  }
  if (digits === '') rejectAt(reader.peek(), 'chunk-size');
  return Number.parseInt(digits, 16);
}

/** chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] ) */
function chunkExt(reader: Reader, extensions: Extensions): void {
  while (reader.peek() !== '\r') {
    bws(reader, extensions);
    if (reader.peek() !== ';') rejectAt(reader.peek(), 'chunk-ext');
    counted(reader, extensions);
    bws(reader, extensions);
    extensionToken(reader, extensions, 'chunk-ext-name');
    // This white space may also be that before the next ';', but not white space before the end.
    if (bws(reader, extensions) > 0 && !/[=;]/.test(reader.peek())) {
      rejectAt(reader.peek(), 'chunk-ext');
    }
    if (reader.peek() !== '=') continue;
    counted(reader, extensions);
    bws(reader, extensions);
    // chunk-ext-val = token / quoted-string
    if (reader.peek() === '"') quotedString(reader, extensions);
    else extensionToken(reader, extensions, 'chunk-ext-val');
  }
}

function extensionToken(reader: Reader, extensions: Extensions, rule: string): void {
  if (!reader.sees(TCHAR)) rejectAt(reader.peek(), rule);
  while (reader.sees(TCHAR)) counted(reader, extensions);
}

/** quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE */
function quotedString(reader: Reader, extensions: Extensions): void {
  counted(reader, extensions);
  while (reader.peek() !== '"') {
    const isPair = reader.peek() === '\\';
    if (isPair) counted(reader, extensions);
    if (!reader.sees(isPair ? QUOTED_PAIR_BYTE : QDTEXT)) rejectAt(reader.peek(), 'quoted-string');
    counted(reader, extensions);
  }
  counted(reader, extensions);
}

/** BWS = OWS; returns how many bytes. */
function bws(reader: Reader, extensions: Extensions): number {
  const before = reader.at;
  while (reader.sees(BWS)) counted(reader, extensions);
  return reader.at - before;
}

function counted(reader: Reader, extensions: Extensions): void {
  reader.take();
  extensions.bytes += 1;
  if (extensions.bytes > extensions.bytesMax) rejectStrictly('extension-bytes');
}

/** trailer-section = *( field-line CRLF ), and the CRLF that ends the body. */
function trailerSection(reader: Reader, limits: ModelLimits): readonly ModelField[] {
  if (reader.peek() !== '\r') reader.limit(limits.trailerBytesMax, 'trailer-bytes');
  const trailers = fieldSection(reader, limits.fieldsMax);
  reader.unlimited();
  for (const [name] of trailers) {
    if (REJECTED_TRAILER_NAMES.includes(name)) rejectStrictly('trailer-names');
  }
  return trailers;
}
