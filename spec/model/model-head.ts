// The model of the request-line and field section (RFC 9112 sections 3 and 5).

import { exactly, fieldByte, tchar } from './abnf.ts';
import { type ModelTarget, modelTarget, targetForm } from './model-target.ts';
import { type Reader, reject, rejectAt, rejectStrictly } from './reader.ts';

const TCHAR = exactly(tchar);
const FIELD_BYTE = exactly(fieldByte);
const SPACE = exactly('[ \\t]');
const DIGIT = exactly('[0-9]');
/** More tolerant than RFC 3986: see target-bytes-of-browsers. */
const TARGET_BYTE = exactly('(?=[^"<>#])[\\x21-\\x7e]');

const TRAILING_SPACE = /[ \t]+$/;

const METHOD_BYTES_MAX = 32;

export interface ModelLimits {
  readonly headBytesMax: number;
  readonly targetBytesMax: number;
  readonly fieldsMax: number;
  readonly trailerBytesMax: number;
  readonly chunkExtensionBytesMax: number;
}

/** Names in lower case, values without the white space around them. */
export type ModelField = readonly [name: string, value: string];

export interface ModelHead {
  readonly method: string;
  readonly target: ModelTarget;
  /** The minor version of HTTP/1.x. */
  readonly minor: number;
  readonly fields: readonly ModelField[];
}

/** [ CRLF ] request-line CRLF *( field-line CRLF ) CRLF */
export function modelHead(reader: Reader, limits: ModelLimits): ModelHead {
  reader.limit(limits.headBytesMax, 'head-bytes');
  if (reader.peek() === '\r') {
    reader.crlf();
    if (reader.peek() === '\r') rejectStrictly('one-empty-line');
  }
  const method = requestMethod(reader);
  reader.literal(' ', 'request-line');
  const form = targetForm(method, reader.peek());
  const target = requestTarget(reader, limits.targetBytesMax);
  reader.literal(' ', 'request-target');
  const parts = modelTarget(form, target);
  const minor = versionAndCrlf(reader);
  const fields = fieldSection(reader, limits.fieldsMax);
  reader.unlimited();
  return { method, target: parts, minor, fields };
}

/** method = token */
function requestMethod(reader: Reader): string {
  let method = '';
  while (reader.sees(TCHAR)) {
    method += reader.take();
    if (method.length > METHOD_BYTES_MAX) rejectStrictly('method-bytes');
  }
  if (method === '') rejectAt(reader.peek(), 'method');
  return method;
}

function requestTarget(reader: Reader, bytesMax: number): string {
  let target = '';
  while (target.length < bytesMax && reader.sees(TARGET_BYTE)) target += reader.take();
  if (target.length === bytesMax && reader.peek() !== ' ') rejectStrictly('target-bytes');
  return target;
}

/** HTTP-version = HTTP-name "/" DIGIT "." DIGIT, and CRLF before the numbers are checked. */
function versionAndCrlf(reader: Reader): number {
  reader.literal('HTTP/', 'HTTP-name');
  if (!reader.sees(DIGIT)) rejectAt(reader.peek(), 'HTTP-version');
  const major = Number(reader.take());
  reader.literal('.', 'HTTP-version');
  if (!reader.sees(DIGIT)) rejectAt(reader.peek(), 'HTTP-version');
  const minor = Number(reader.take());
  reader.crlf();
  if (major !== 1) reject('RFC 9110 15.6.6', 505);
  if (minor > 1) rejectStrictly('minor-version');
  return minor;
}

/** *( field-line CRLF ) CRLF */
export function fieldSection(reader: Reader, fieldsMax: number): readonly ModelField[] {
  const fields: ModelField[] = [];
  while (reader.peek() !== '\r') {
    if (reader.sees(SPACE)) rejectStrictly('no-line-folding');
    if (!reader.sees(TCHAR)) rejectAt(reader.peek(), 'field-name');
    if (fields.length === fieldsMax) rejectStrictly('field-count');
    fields.push(fieldLine(reader));
    reader.crlf();
  }
  reader.crlf();
  return fields;
}

/** field-line = field-name ":" OWS field-value OWS */
function fieldLine(reader: Reader): ModelField {
  const name = reader.while(TCHAR);
  // RFC 9112 5.1: no white space is allowed between the name and the colon.
  reader.literal(':', 'field-name');
  reader.while(SPACE);
  const valueAndSpace = reader.while(FIELD_BYTE);
  if (reader.peek() !== '\r') rejectAt(reader.peek(), 'field-value');
  return [name.toLowerCase(), valueAndSpace.replace(TRAILING_SPACE, '')];
}
