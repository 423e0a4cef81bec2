// Where Vibing asks for more than the grammar does, and where for less: all of it, each with its
// reason and a stream that shows it. The model names these when it refuses for one of them.

export interface Strictness {
  readonly reason: string;
  readonly status: number;
  /** Refused for this reason and, but for it, a stream that the grammar has. */
  readonly example: string;
}

const HOST = 'Host: a\r\n';
const REQUEST = `GET / HTTP/1.1\r\n${HOST}`;
const POST = `POST / HTTP/1.1\r\n${HOST}`;
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;

/** The names of what is refused though the grammar has it. */
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

/** Refused though the grammar has it, or though the RFC lets a server be lenient. */
export const STRICT: Readonly<Record<Strict, Strictness>> = {
  'one-empty-line': {
    reason:
      'RFC 9112 2.2: a server SHOULD ignore at least one empty line before a request-line. ' +
      'One is what old clients send; a run of them is no request.',
    status: 400,
    example: `\r\n\r\n${REQUEST}\r\n`,
  },
  'line-feed-alone': {
    reason:
      'RFC 9112 2.2: a recipient MAY recognize a single LF as a line terminator. ' +
      'Those who do and those who do not see different messages.',
    status: 400,
    example: `GET / HTTP/1.1\n${HOST}\r\n`,
  },
  'method-bytes': {
    reason: 'A method may have 32 bytes; the longest registered one has 17.',
    status: 400,
    example: `${'A'.repeat(33)} / HTTP/1.1\r\n${HOST}\r\n`,
  },
  'asterisk-for-options': {
    reason: 'RFC 9112 3.2.4 has the asterisk-form for OPTIONS alone.',
    status: 400,
    example: `GET * HTTP/1.1\r\n${HOST}\r\n`,
  },
  'authority-for-connect': {
    reason: 'RFC 9112 3.2.3 has the authority-form for CONNECT alone.',
    status: 400,
    example: `GET a:80 HTTP/1.1\r\n${HOST}\r\n`,
  },
  'scheme-of-http': {
    reason: 'An absolute-form target of another scheme than http and https is not ours to serve.',
    status: 400,
    example: `GET ftp://a/ HTTP/1.1\r\n${HOST}\r\n`,
  },
  'no-user-information': {
    reason:
      'RFC 9110 4.2.4: user information before an authority is to be treated as an error, ' +
      'it is likely there to obscure the authority.',
    status: 400,
    example: `GET http://u@a/ HTTP/1.1\r\n${HOST}\r\n`,
  },
  'no-future-address': {
    reason: 'No version of IP has the IPvFuture form of RFC 3986 3.2.2.',
    status: 400,
    example: `GET / HTTP/1.1\r\nHost: [v1.a]\r\n\r\n`,
  },
  'port-number': {
    reason: 'The grammar has ports of any length, TCP has 65536 of them.',
    status: 400,
    example: `GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n`,
  },
  'host-not-empty': {
    reason:
      'A reg-name may be empty in RFC 3986. RFC 9110 4.2.1 refuses that in an http URI; ' +
      'a Host of a port alone names nobody either.',
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
      'RFC 9110 2.5: a higher minor version SHOULD be taken for the highest one known. There ' +
      'is no HTTP/1.2, and who sends one is trying something.',
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
      'RFC 9112 6.3: a list of one repeated length may be taken for that length or refused. ' +
      'Two fields, or a list, are refused.',
    status: 400,
    example: `${POST}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`,
  },
  'exact-length': {
    reason: 'A length that no double holds exactly is more than anybody sends.',
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
    reason: 'chunked has no parameters (RFC 9112 7.1), and no coding that has any is known here.',
    status: 400,
    example: `${POST}Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n`,
  },
  'no-empty-codings': {
    reason:
      'RFC 9110 5.6.1 has a recipient ignore empty elements of a list. Where a body ends is ' +
      'no place for what others may read in another way.',
    status: 400,
    example: `${POST}Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n`,
  },
  'chunked-alone': {
    reason: 'RFC 9112 6.1: a coding that is not understood is answered with 501. Only chunked is.',
    status: 501,
    example: `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  },
  'known-expectation': {
    reason:
      'RFC 9110 10.1.1: a server MAY respond with 417 to an expectation other than ' +
      '100-continue. It does; a list of several is one.',
    status: 417,
    example: `${REQUEST}Expect: 100-continue, 100-continue\r\n\r\n`,
  },
  'chunk-size-digits': {
    reason: 'Sixteen hexadecimal digits hold any size; more zeros before it are padding.',
    status: 400,
    example: `${CHUNKED}00000000000000001\r\na\r\n0\r\n\r\n`,
  },
  'exact-chunk-size': {
    reason: 'As for exact-length.',
    status: 413,
    example: `${CHUNKED}20000000000000\r\n`,
  },
  'extension-bytes': {
    reason: 'chunk_extension_bytes_max. RFC 9112 7.1.1 asks for a limit on their total length.',
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
  /** Accepted, though the grammar does not have it. */
  readonly example: string;
}

/** Accepted though the grammar does not have it. None of it bears on where a message ends. */
export const TOLERANT: Readonly<Record<string, Tolerance>> = {
  'target-bytes-of-browsers': {
    reason:
      'Browsers send \\ ^ ` { | } [ ] in paths and queries as they are, and a % that begins no ' +
      'triplet in queries. Visible ASCII cannot end a target early. In a path such a % is ' +
      'refused when the path is looked up.',
    example: 'GET /{a}|[b]^?c=100% HTTP/1.1\r\nHost: a\r\n\r\n',
  },
  'options-of-a-connection': {
    reason:
      'Elements of Connection, TE and Upgrade that are no tokens are passed over: only close, ' +
      'keep-alive, upgrade and trailers mean anything, and none of them frames a message.',
    example: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: ,"a b",;\r\n\r\n',
  },
};

/** Names that may not stand in a trailer section, in the order of the sentence in RFC 9110 6.5.1. */
export const TRAILER_NAMES_REFUSED: readonly string[] = [
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
