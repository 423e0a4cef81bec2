// Status codes: their reason phrases (RFC 9110 section 15), and status lines as bytes.

import { shown } from '../base/shown.ts';

const PHRASES: Readonly<Record<number, string>> = {
  100: 'Continue',
  101: 'Switching Protocols',
  102: 'Processing',
  103: 'Early Hints',
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  203: 'Non-Authoritative Information',
  204: 'No Content',
  205: 'Reset Content',
  206: 'Partial Content',
  207: 'Multi-Status',
  208: 'Already Reported',
  226: 'IM Used',
  300: 'Multiple Choices',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  305: 'Use Proxy',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length Required',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  417: 'Expectation Failed',
  418: "I'm a teapot",
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  423: 'Locked',
  424: 'Failed Dependency',
  425: 'Too Early',
  426: 'Upgrade Required',
  428: 'Precondition Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  451: 'Unavailable For Legal Reasons',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
  506: 'Variant Also Negotiates',
  507: 'Insufficient Storage',
  508: 'Loop Detected',
  510: 'Not Extended',
  511: 'Network Authentication Required',
};

const STATUS_MIN = 100;
const STATUS_MAX = 599;

/** The reason phrase of a status; for an unknown code, that of the x00 code of its class. */
export function reasonPhrase(status: number): string {
  return PHRASES[status] ?? PHRASES[Math.floor(status / 100) * 100] ?? 'Unknown';
}

/** True for the status codes that a handler may set: the final ones (RFC 9110 15). */
export function isFinalStatus(status: number): boolean {
  return Number.isInteger(status) && status >= 200 && status <= STATUS_MAX;
}

/** Throws a RangeError, which names the call, unless it is a final status from `least` on. */
export function checkStatus(call: string, status: number, least = 200): void {
  if (isFinalStatus(status) && status >= least) return;
  const wanted = `a whole number from ${least} to ${STATUS_MAX}`;
  throw new RangeError(`${call}: its status is ${wanted}, given ${shown(status)}`);
}

/** True when a response of this status never has content (RFC 9110 15.3.5, 15.3.6, 15.4.5). */
export function hasNoContent(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

/**
 * True when a response of this status has no Content-Length: it always ends with its head (RFC 9112
 * 6.3). 205 does not, so it has a Content-Length of 0.
 */
export function hasNoLength(status: number): boolean {
  return status === 204 || status === 304;
}

const LINES: readonly Uint8Array[] = Array.from({ length: STATUS_MAX + 1 }, (_, status) =>
  status < STATUS_MIN
    ? new Uint8Array(0)
    : new TextEncoder().encode(`HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`),
);

/** `HTTP/1.1 200 OK` and CRLF as bytes, for a status of 100 to 599. */
export function statusLine(status: number): Uint8Array {
  return LINES[status];
}
