// The model of a client's parser of responses (RFC 9112 sections 4 and 6.3).

import { exactly, fieldByte } from './abnf.ts';
import { modelChunkedBody } from './model-chunked.ts';
import { fieldSection, type ModelField, type ModelLimits } from './model-head.ts';
import { Reader, reject } from './reader.ts';

export interface RawResponse {
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly ModelField[];
  readonly body: string;
  readonly trailers: readonly ModelField[];
}

const DIGIT = exactly('[0-9]');
/** reason-phrase = 1*( HTAB / SP / VCHAR / obs-text ), the same bytes as in a field value. */
const REASON_BYTE = exactly(fieldByte);

/** The responses to GET requests in a stream, in sequence. */
export function modelResponses(bytes: Uint8Array, limits: ModelLimits): readonly RawResponse[] {
  const text = Buffer.from(bytes).toString('latin1');
  const reader = new Reader(text, 0);
  const responses: RawResponse[] = [];
  while (reader.at < text.length) responses.push(modelResponse(reader, limits));
  return responses;
}

/** status-line = HTTP-version SP status-code SP [ reason-phrase ] */
function modelResponse(reader: Reader, limits: ModelLimits): RawResponse {
  reader.literal('HTTP/1.1 ', 'status-line');
  const digits = reader.while(DIGIT);
  if (digits.length !== 3) reject('status-code');
  reader.literal(' ', 'status-line');
  const reason = reader.while(REASON_BYTE);
  reader.crlf();
  const fields = fieldSection(reader, limits.fieldsMax);
  const status = Number(digits);
  const { content, trailers } = responseBody(reader, status, fields, limits);
  return { status, reason, fields, body: content, trailers };
}

/** The rules of RFC 9112 6.3 for a response, in their order. */
function responseBody(
  reader: Reader,
  status: number,
  fields: readonly ModelField[],
  limits: ModelLimits,
): { content: string; trailers: readonly ModelField[] } {
  const codings = fields.filter(([name]) => name === 'transfer-encoding');
  const lengths = fields.filter(([name]) => name === 'content-length');
  if (status < 200 || status === 204 || status === 304) return { content: '', trailers: [] };
  if (codings.length > 0) {
    if (lengths.length > 0 || codings.length > 1 || codings[0][1] !== 'chunked') {
      reject('RFC 9112 6.1');
    }
    return modelChunkedBody(reader, limits);
  }
  if (lengths.length > 1) reject('RFC 9112 6.3');
  let content = '';
  if (lengths.length === 0) {
    // Without a length the content ends with the stream.
    while (reader.at < reader.text.length) content += reader.take();
  } else {
    if (!/^\d+$/.test(lengths[0][1])) reject('Content-Length');
    for (let index = 0; index < Number(lengths[0][1]); index++) content += reader.take();
  }
  return { content, trailers: [] };
}
