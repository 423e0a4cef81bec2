// The intended differences between Vibing's parser and llhttp, each with its reason in
// spec/differences.md under the same name, and the classification of a difference that was found.

import type { LlhttpError, LlhttpMessage } from './llhttp.ts';
import type { End, Message } from './model.ts';

/** Vibing rejects and llhttp accepts, the reverse, or both accept and parse differently. */
export type Direction = 'stricter' | 'wider' | 'parts';

export interface Difference {
  readonly direction: Direction;
  /** A stream with this difference. */
  readonly example: string;
}

const HOST = 'Host: a\r\n';
const GET = `GET / HTTP/1.1\r\n${HOST}\r\n`;
const POST = `POST / HTTP/1.1\r\n${HOST}`;
const CHUNKED = 'Transfer-Encoding: chunked\r\n';

export const DIFFERENCES: Readonly<Record<string, Difference>> = {
  'empty-lines': { direction: 'stricter', example: `\r\n\r\n${GET}` },
  'request-line-space': { direction: 'stricter', example: `GET  / HTTP/1.1\r\n${HOST}\r\n` },
  'simple-request': { direction: 'stricter', example: 'GET /\r\n\r\n' },
  'protocol-name': { direction: 'stricter', example: 'GET / RTSP/1.0\r\n\r\n' },
  'major-version': { direction: 'stricter', example: `GET / HTTP/2.0\r\n${HOST}\r\n` },
  'target-form': { direction: 'stricter', example: `GET * HTTP/1.1\r\n${HOST}\r\n` },
  'target-bytes': { direction: 'stricter', example: `GET /" HTTP/1.1\r\n${HOST}\r\n` },
  authority: { direction: 'stricter', example: 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n' },
  'one-host': { direction: 'stricter', example: 'GET / HTTP/1.1\r\n\r\n' },
  'coding-in-http-1.0': {
    direction: 'stricter',
    example: `POST / HTTP/1.0\r\n${CHUNKED}\r\n0\r\n\r\n`,
  },
  'empty-codings': {
    direction: 'stricter',
    example: `GET / HTTP/1.1\r\n${HOST}Transfer-Encoding: \r\n\r\n`,
  },
  'coding-and-length': {
    direction: 'stricter',
    example: `${POST}Transfer-Encoding: \r\nContent-Length: 1\r\n\r\na`,
  },
  'coding-before-chunked': {
    direction: 'stricter',
    example: `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  },
  'coding-parameters': {
    direction: 'stricter',
    example: `${POST}Transfer-Encoding: a;b, chunked\r\n\r\n0\r\n\r\n`,
  },
  expectations: { direction: 'stricter', example: `${POST}Expect: a\r\n\r\n` },
  'extension-grammar': { direction: 'stricter', example: `${POST}${CHUNKED}\r\n0;a=\r\n\r\n` },
  'chunk-size-padding': {
    direction: 'stricter',
    example: `${POST}${CHUNKED}\r\n00000000000000000\r\n\r\n`,
  },
  'trailer-names': { direction: 'stricter', example: `${POST}${CHUNKED}\r\n0\r\nHost: a\r\n\r\n` },
  'connect-content': {
    direction: 'parts',
    example: `CONNECT a:80 HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\na`,
  },
  'any-method': { direction: 'wider', example: `BREW / HTTP/1.1\r\n${HOST}\r\n` },
  'extension-space': { direction: 'wider', example: `${POST}${CHUNKED}\r\n0 ;a\r\n\r\n` },
  'coding-tab': {
    direction: 'wider',
    example: `${POST}Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n`,
  },
  'length-tab': { direction: 'wider', example: `${POST}Content-Length: 1\t\r\n\r\na` },
  'close-first': {
    direction: 'parts',
    example: 'GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n',
  },
  'connection-tab': {
    direction: 'parts',
    example: `GET / HTTP/1.1\r\n${HOST}Connection: close\t\r\n\r\n`,
  },
  'upgrade-content': {
    direction: 'parts',
    example: `${POST}Connection: upgrade\r\nUpgrade: a\r\n${CHUNKED}\r\n0 ;a\r\n\r\n`,
  },
  'upgrade-in-http-1.0': {
    direction: 'parts',
    example: 'GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n',
  },
  'upgrade-without-names': {
    direction: 'parts',
    example: `GET / HTTP/1.1\r\n${HOST}Connection: upgrade\r\nUpgrade:\r\n\r\n`,
  },
};

/** Rules of the model that llhttp does not, or not always, enforce, and the listed difference. */
const REJECTED: Readonly<Record<string, string>> = {
  'one-empty-line': 'empty-lines',
  'RFC 9110 15.6.6': 'major-version',
  'scheme-of-http': 'target-form',
  'authority-for-connect': 'target-form',
  'asterisk-for-options': 'target-form',
  'asterisk-form': 'target-form',
  'absolute-form': 'target-form',
  'authority-form': 'target-form',
  'http-URI': 'target-form',
  'no-user-information': 'authority',
  'no-future-address': 'authority',
  'host-not-empty': 'authority',
  'port-for-connect': 'authority',
  'port-number': 'authority',
  'IP-literal': 'authority',
  'uri-host': 'authority',
  authority: 'authority',
  port: 'authority',
  'RFC 9112 3.2': 'one-host',
  'RFC 9112 6.1': 'coding-in-http-1.0',
  'length-or-coding': 'coding-and-length',
  'no-empty-codings': 'empty-codings',
  'no-coding-parameters': 'coding-parameters',
  'transfer-coding': 'coding-parameters',
  'chunked-alone': 'coding-before-chunked',
  'known-expectation': 'expectations',
  'chunk-ext': 'extension-grammar',
  'chunk-ext-name': 'extension-grammar',
  'chunk-ext-val': 'extension-grammar',
  'chunk-size-digits': 'chunk-size-padding',
  'trailer-names': 'trailer-names',
};

/**
 * A message that llhttp accepts and Vibing rejects or has not completed; '' for an unlisted one.
 */
export function classifyRejected(
  end: End,
  rule: string,
  bytes: Uint8Array,
  other: LlhttpMessage,
): string {
  const text = textOf(bytes);
  if (other.method === 'CONNECT' && isAfterHead(end, rule)) return 'connect-content';
  if (other.upgrade && isAfterHead(end, rule)) return 'upgrade-content';
  if (end.kind === 'incomplete') return '';
  if (other.major === 0 && /^(\r\n)?[A-Z-]+ [^ \r\n]+\r?\n/.test(text)) return 'simple-request';
  if (rule === 'line-feed-alone' || rule === 'CRLF') {
    return /^[\r\n]*\n/.test(text) || /^\r[^\n]/.test(text) ? 'empty-lines' : '';
  }
  if (rule === 'HTTP-name' && /^[A-Z-]+ [^ ]+ (RTSP|ICE)\//m.test(text)) return 'protocol-name';
  if (rule === 'HTTP-name' || rule === 'request-target') {
    if (/^(\r\n)?[A-Z-]+ {2}|^(\r\n)?[A-Z-]+ [^ ]+ {2}/.test(text)) return 'request-line-space';
    return rule === 'request-target' ? targetName(other.target) : '';
  }
  return REJECTED[rule] ?? '';
}

function targetName(target: string): string {
  return /^[/*hH]/.test(target) ? 'target-bytes' : 'target-form';
}

/** Whether the parser was reading a body, which a tunnel does not have. */
function isAfterHead(end: End, rule: string): boolean {
  return end.kind === 'incomplete' || BODY_RULES.test(rule);
}

const BODY_RULES = new RegExp(
  [
    '^chunk-|^extension-|^exact-|^trailer-|^quoted-|^field-|^no-line|^no-coding|^no-empty',
    '^CRLF|^line-feed|^RFC 9112 6|^transfer-coding|^length-or|^one-content',
  ].join('|'),
);

/** A HTAB behind the value. */
const TABBED_CODING = /^transfer-encoding:[ \t]*[^ \t\r][^\r]*\t/im;
const TABBED_LENGTH = /^content-length:[ \t]*[^ \t\r][^\r]*\t/im;

/** A message that Vibing accepts and llhttp rejects. */
export function classifyAccepted(
  message: Message,
  bytes: Uint8Array,
  error: LlhttpError,
  known: readonly string[],
): string {
  const text = textOf(bytes);
  switch (error.code) {
    case 'HPE_INVALID_METHOD':
      return known.includes(message.method) ? '' : 'any-method';
    case 'HPE_INVALID_TRANSFER_ENCODING':
      return TABBED_CODING.test(text) ? 'coding-tab' : '';
    case 'HPE_INVALID_CONTENT_LENGTH':
      return TABBED_LENGTH.test(text) ? 'length-tab' : '';
    case 'HPE_INVALID_CHUNK_SIZE':
    case 'HPE_STRICT':
      return hasExtensionSpace(text) ? 'extension-space' : '';
    default:
      return '';
  }
}

/** A message that both accept: the difference of one part. */
export function classifyParts(
  part: string,
  message: Message,
  bytes: Uint8Array,
  other: LlhttpMessage | undefined,
): string {
  const text = textOf(bytes);
  if (part === 'early' || part === 'late') {
    if (part === 'early' && message.method === 'CONNECT') return 'connect-content';
    return message.framing.upgrade && isInvalidForLlhttp(text) ? 'upgrade-content' : '';
  }
  if (part === 'keepAlive') {
    if (/^connection:.*\t/im.test(text)) return 'connection-tab';
    const options = valuesOf(message, 'connection');
    const both = /close/i.test(options) && /keep-alive/i.test(options);
    return both && !message.framing.keepAlive && other?.keepAlive === true ? 'close-first' : '';
  }
  if (part !== 'upgrade') return '';
  if (message.minor === 0) return 'upgrade-in-http-1.0';
  if (/^connection:.*\t/im.test(text)) return 'connection-tab';
  return /^upgrade:[ \t]*\r$/im.test(text) ? 'upgrade-without-names' : '';
}

function valuesOf(message: Message, wanted: string): string {
  return message.fields
    .filter(([name]) => name === wanted)
    .map(([, value]) => value)
    .join(',');
}

/** White space before or behind a ';', or around a '=', in a line of a chunk size. */
function hasExtensionSpace(text: string): boolean {
  const behindSize = /^[0-9a-f]+(?:[^\r]*;)?[ \t]/im;
  return behindSize.test(text) || /^[0-9a-f]+[^\r]*(?:[ \t][;=]|[;=][ \t])/im.test(text);
}

/** Whether only llhttp rejects the message; after it has handed over, it reports no error. */
function isInvalidForLlhttp(text: string): boolean {
  return TABBED_CODING.test(text) || TABBED_LENGTH.test(text) || hasExtensionSpace(text);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
