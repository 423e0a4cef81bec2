// All rules where Vibing is stricter or more tolerant than the grammar, each with its reason and an
// example. The model reports these names when it rejects a stream for one of them.

export interface Strictness {
  readonly reason: string;
  readonly status: number;
  /** A stream that is rejected only for this reason; otherwise it matches the grammar. */
  readonly example: string;
}

const HOST = 'Host: a\r\n';
const REQUEST = `GET / HTTP/1.1\r\n${HOST}`;
const POST = `POST / HTTP/1.1\r\n${HOST}`;
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;

/** Names of the rules that are stricter than the grammar. */
export type Strict =
  | 'one-empty-line'
  | 'line-feed-alone'
  | 'method-bytes'
  | 'asterisk-for-options'
  | 'authority-for-connect'
  | 'scheme-of-http'
  | 'no-user-information'
  | 'no-future-address'
  | 'port-number'
  | 'host-not-empty'
  | 'port-for-connect'
  | 'minor-version'
  | 'no-line-folding'
  | 'head-bytes'
  | 'target-bytes'
  | 'field-count'
  | 'one-content-length'
  | 'exact-length'
  | 'length-or-coding'
  | 'no-coding-parameters'
  | 'no-empty-codings'
  | 'chunked-alone'
  | 'known-expectation'
  | 'chunk-size-digits'
  | 'exact-chunk-size'
  | 'extension-bytes'
  | 'trailer-bytes'
  | 'trailer-names';

/** Rejected although the grammar allows it, or the RFC permits a server to be lenient. */
export const STRICT: Readonly<Record<Strict, Strictness>> = {
  'one-empty-line': {
    reason:
      'RFC 9112 2.2: a server SHOULD ignore at least one empty line before a request-line. ' +
      'Old clients send one; no client sends several.',
    status: 400,
    example: `\r\n\r\n${REQUEST}\r\n`,
  },
  'line-feed-alone': {
    reason:
      'RFC 9112 2.2: a recipient MAY recognize a single LF as a line terminator. ' +
      'Recipients that do and those that do not see different messages.',
    status: 400,
    example: `GET / HTTP/1.1\n${HOST}\r\n`,
  },
  'method-bytes': {
    reason:
      'RFC 9112 3: a method longer than any that is implemented SHOULD get a 501 response. ' +
      'The limit is 32 bytes; the longest registered method has 17.',
    status: 501,
    example: `${'A'.repeat(33)} / HTTP/1.1\r\n${HOST}\r\n`,
  },
  'asterisk-for-options': {
    reason: 'RFC 9112 3.2.4: the asterisk-form is only for OPTIONS.',
    status: 400,
    example: `GET * HTTP/1.1\r\n${HOST}\r\n`,
  },
  'authority-for-connect': {
    reason: 'RFC 9112 3.2.3: the authority-form is only for CONNECT.',
    status: 400,
    example: `GET host:80 HTTP/1.1\r\n${HOST}\r\n`,
  },
  'scheme-of-http': {
    reason: 'The server has no resources of a scheme other than http and https.',
    status: 400,
    example: `GET httpx://a/ HTTP/1.1\r\n${HOST}\r\n`,
  },
  'no-user-information': {
    reason:
      'RFC 9110 4.2.4: user information before an authority should be treated as an error, ' +
      'it is likely used to obscure the authority.',
    status: 400,
    example: `GET http://u@a/ HTTP/1.1\r\n${HOST}\r\n`,
  },
  'no-future-address': {
    reason: 'No version of IP has the IPvFuture form of RFC 3986 3.2.2.',
    status: 400,
    example: `GET / HTTP/1.1\r\nHost: [v1.a]\r\n\r\n`,
  },
  'port-number': {
    reason: 'The grammar allows ports of any length, TCP has 65536 ports.',
    status: 400,
    example: `GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n`,
  },
  'host-not-empty': {
    reason:
      'A reg-name may be empty in RFC 3986. RFC 9110 4.2.1 rejects that in an http URI; ' +
      'a Host with only a port has no host either.',
    status: 400,
    example: `GET / HTTP/1.1\r\nHost: :80\r\n\r\n`,
  },
  'port-for-connect': {
    reason: 'RFC 9110 9.3.6: a server MUST reject a CONNECT that targets an empty port number.',
    status: 400,
    example: `CONNECT a: HTTP/1.1\r\n${HOST}\r\n`,
  },
  'minor-version': {
    reason:
      'RFC 9110 2.5: a higher minor version SHOULD be treated as the highest one known. There ' +
      'is no HTTP/1.2, and no HTTP client sends it.',
    status: 505,
    example: `GET / HTTP/1.2\r\n${HOST}\r\n`,
  },
  'no-line-folding': {
    reason: 'RFC 9112 5.2: a server MUST reject obs-fold or replace it. It rejects.',
    status: 400,
    example: `${REQUEST}A: b\r\n c\r\n\r\n`,
  },
  'head-bytes': {
    reason: 'head_bytes_max (RFC 6585 5).',
    status: 431,
    example: `${REQUEST}A: ${'b'.repeat(16_384)}\r\n\r\n`,
  },
  'target-bytes': {
    reason: 'target_bytes_max. RFC 9112 3 recommends 8000 bytes at least for the line.',
    status: 414,
    example: `GET /${'a'.repeat(8_192)} HTTP/1.1\r\n${HOST}\r\n`,
  },
  'field-count': {
    reason: 'fields_max (RFC 6585 5).',
    status: 431,
    example: `${REQUEST}${'a: b\r\n'.repeat(100)}\r\n`,
  },
  'one-content-length': {
    reason:
      'RFC 9112 6.3: a list of one repeated length may be read as that length or rejected. ' +
      'Two fields, or a list, are rejected.',
    status: 400,
    example: `${POST}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`,
  },
  'exact-length': {
    reason: 'A length above 2^53 - 1 is not exact in a number, and larger than any content.',
    status: 413,
    example: `${POST}Content-Length: 9007199254740992\r\n\r\n`,
  },
  'length-or-coding': {
    reason:
      'RFC 9112 6.3: a message with both a Transfer-Encoding and a Content-Length ought to be ' +
      'handled as an error.',
    status: 400,
    example: `${POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  },
  'no-coding-parameters': {
    reason: 'chunked has no parameters (RFC 9112 7.1), and no coding with parameters is supported.',
    status: 400,
    example: `${POST}Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n`,
  },
  'no-empty-codings': {
    reason:
      'RFC 9110 5.6.1: a recipient ignores empty elements of a list. For the end of a body, ' +
      'recipients may differ on that.',
    status: 400,
    example: `${POST}Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n`,
  },
  'chunked-alone': {
    reason: 'RFC 9112 6.1: 501 for a coding that is not understood. Only chunked is understood.',
    status: 501,
    example: `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  },
  'known-expectation': {
    reason:
      'RFC 9110 10.1.1: a server MAY respond with 417 to an expectation other than ' +
      '100-continue. It does; a list with several members is another expectation.',
    status: 417,
    example: `${REQUEST}Expect: 100-continue, 100-continue\r\n\r\n`,
  },
  'chunk-size-digits': {
    reason: 'Sixteen hexadecimal digits are enough for 64 bits; leading zeros beyond are padding.',
    status: 400,
    example: `${CHUNKED}00000000000000001\r\na\r\n0\r\n\r\n`,
  },
  'exact-chunk-size': {
    reason: 'As for exact-length.',
    status: 413,
    example: `${CHUNKED}20000000000000\r\n`,
  },
  'extension-bytes': {
    reason: 'chunk_extension_bytes_max. RFC 9112 7.1.1 requires a limit on their total length.',
    status: 400,
    example: `${CHUNKED}0;a="${'b'.repeat(4_096)}"\r\n\r\n`,
  },
  'trailer-bytes': {
    reason: 'trailer_bytes_max (RFC 6585 5).',
    status: 431,
    example: `${CHUNKED}0\r\na: ${'b'.repeat(8_192)}\r\n\r\n`,
  },
  'trailer-names': {
    reason:
      'RFC 9110 6.5.1: a field for framing, routing, request modifiers, authentication or ' +
      'content format MUST NOT come in a trailer section.',
    status: 400,
    example: `${CHUNKED}0\r\nContent-Length: 1\r\n\r\n`,
  },
};

export interface Tolerance {
  readonly reason: string;
  /** A stream that is accepted although it does not match the grammar. */
  readonly example: string;
}

/** Accepted although the grammar does not allow it. None of it affects where a message ends. */
export const TOLERANT: Readonly<Record<string, Tolerance>> = {
  'target-bytes-of-browsers': {
    reason:
      'Browsers send \\ ^ ` { | } [ ] in paths and queries without encoding, and in queries a % ' +
      'that begins no triplet. Visible ASCII cannot end a target early. In a path such a % is ' +
      'rejected when the path is decoded.',
    example: 'GET /{a}|[b]^?c=100% HTTP/1.1\r\nHost: a\r\n\r\n',
  },
  'options-of-a-connection': {
    reason:
      'Elements of Connection, TE and Upgrade that are not tokens are ignored: only close, ' +
      'keep-alive, upgrade and trailers have a meaning, and none of them affects framing.',
    example: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: ,"a b",;\r\n\r\n',
  },
};

/** Names that a trailer section must not contain, in the order of RFC 9110 6.5.1. */
export const REJECTED_TRAILER_NAMES: readonly string[] = [
  // Message framing.
  'transfer-encoding',
  'content-length',
  'trailer',
  // Routing.
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'upgrade',
  // Request modifiers.
  'expect',
  'max-forwards',
  'range',
  // Authentication.
  'authorization',
  'proxy-authorization',
  'cookie',
  // Content format.
  'content-encoding',
  'content-type',
  'content-range',
];
