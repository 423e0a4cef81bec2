// The requests of a scenario as the bytes that are sent, and the responses that are expected.

export type Framing = 'none' | 'length' | 'chunked';

export interface ScenarioRequest {
  readonly method: 'GET' | 'POST';
  readonly target: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly framing: Framing;
  readonly body: Uint8Array;
  /** The text of the response's content, or its length in bytes. */
  readonly expected: string | number;
  /** Of the response. */
  readonly status: number;
  /** The coding of its content, '' for none. */
  readonly coding: '' | 'gzip';
}

const NO_BODY = new Uint8Array(0);
/** The same for all servers, so that requests have one length whatever the port. */
const HOST = 'localhost';
const PAD_NAME = 'User-Agent';

export function get(target: string, expected: string | number): ScenarioRequest {
  const response = { expected, status: 200, coding: '' } as const;
  return { method: 'GET', target, fields: [], framing: 'none', body: NO_BODY, ...response };
}

export function getWith(
  target: string,
  fields: ScenarioRequest['fields'],
  expected: string,
): ScenarioRequest {
  return { ...get(target, expected), fields };
}

/** A request whose response is to be compressed. */
export function getGzip(target: string, expected: string): ScenarioRequest {
  return { ...getWith(target, [['Accept-Encoding', 'gzip']], expected), coding: 'gzip' };
}

/** A request for a file that the client has: its date is not older than that of any file. */
export function revalidate(target: string): ScenarioRequest {
  const fields = [['If-Modified-Since', 'Thu, 31 Dec 2099 23:59:59 GMT']] as const;
  return { ...get(target, ''), fields, status: 304 };
}

export function post(
  target: string,
  body: Uint8Array,
  framing: 'length' | 'chunked',
  expected: string | number,
  type = 'text/plain',
): ScenarioRequest {
  const fields = [['Content-Type', type]] as const;
  return { ...get(target, expected), method: 'POST', fields, framing, body };
}

/** The request of a browser for a document it has visited before: 16 fields in 750 bytes. */
export function browserRequest(target: string, expected: string | number): ScenarioRequest {
  const fields = [
    ['Connection', 'keep-alive'],
    ['sec-ch-ua', '"Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99"'],
    ['sec-ch-ua-mobile', '?0'],
    ['sec-ch-ua-platform', '"Linux"'],
    ['Upgrade-Insecure-Requests', '1'],
    ['User-Agent', USER_AGENT],
    ['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'],
    ['Sec-Fetch-Site', 'same-origin'],
    ['Sec-Fetch-Mode', 'navigate'],
    ['Sec-Fetch-User', '?1'],
    ['Sec-Fetch-Dest', 'document'],
    ['Referer', 'http://localhost/'],
    ['Accept-Encoding', 'gzip, deflate, br, zstd'],
    ['Accept-Language', 'en-GB,en;q=0.9,de;q=0.8'],
    ['Cookie', 'session=5f2b1c9e8d7a4b6390cafe; theme=dark; consent=1'],
  ] as const;
  return { ...get(target, expected), fields };
}

const USER_AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) ' +
  'Chrome/142.0.0.0 Safari/537.36';

export function bytesOf(request: ScenarioRequest): Buffer {
  const { body, fields, framing, method, target } = request;
  const lines = [`${method} ${target} HTTP/1.1`, `Host: ${HOST}`];
  for (const [name, value] of fields) lines.push(`${name}: ${value}`);
  if (framing === 'length') lines.push(`Content-Length: ${body.length}`);
  if (framing === 'chunked') lines.push('Transfer-Encoding: chunked');
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  return Buffer.concat([head, framing === 'chunked' ? chunked(body) : body]);
}

function chunked(body: Uint8Array): Buffer {
  const size = Buffer.from(`${body.length.toString(16)}\r\n`, 'latin1');
  return Buffer.concat([size, body, Buffer.from('\r\n0\r\n\r\n', 'latin1')]);
}

/**
 * The same requests, each with a field that pads it to the length of the longest: a floor that
 * parses nothing can only count bytes.
 */
export function equallyLong(requests: readonly ScenarioRequest[]): readonly ScenarioRequest[] {
  const padded = requests.map((request) => withPad(request, 'x'));
  const most = Math.max(...padded.map((request) => bytesOf(request).length));
  return padded.map((request) => {
    const missing = most - bytesOf(request).length;
    return withPad(request, 'x'.repeat(1 + missing));
  });
}

function withPad(request: ScenarioRequest, value: string): ScenarioRequest {
  const fields = request.fields.filter(([name]) => name !== PAD_NAME);
  return { ...request, fields: [...fields, [PAD_NAME, value]] };
}
