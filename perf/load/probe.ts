// Sends one request over a plain socket and reads the response: its status and its length in bytes.

import { connect } from 'node:net';

const TIMEOUT_MS = 5_000;

export interface ProbedResponse {
  readonly status: number;
  /** Head and content together. */
  readonly bytes: number;
  readonly head: string;
  readonly body: string;
}

/** The response to GET; rejects when it has no Content-Length or does not come in time. */
export function probe(port: number, path: string): Promise<ProbedResponse> {
  const request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
  return probeWith(port, Buffer.from(request, 'latin1'), `GET ${path}`);
}

/** The same for any request; errors call it `name`. */
export function probeWith(
  port: number,
  request: Uint8Array,
  name: string,
): Promise<ProbedResponse> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const finish = (result: ProbedResponse | Error): void => {
      socket.destroy();
      if (result instanceof Error) reject(result);
      else resolve(result);
    };
    socket.setTimeout(TIMEOUT_MS, () => finish(new Error(`no response to ${name}`)));
    socket.setEncoding('latin1');
    socket.once('error', finish);
    socket.once('end', () => finish(new Error(`incomplete response to ${name}: ${text}`)));
    socket.on('data', (more: string) => {
      text += more;
      const response = completeResponse(text);
      if (response !== null) finish(response);
    });
    socket.write(request);
  });
}

/** Null while more has to come. */
export function completeResponse(text: string): ProbedResponse | Error | null {
  const headEnd = text.indexOf('\r\n\r\n') + 4;
  if (headEnd < 4) return null;
  const head = text.slice(0, headEnd);
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1];
  // A 304 ends at its head, whatever length it says (RFC 9112 6.3).
  const length = status === '304' ? '0' : /\r\nContent-Length: (\d+)\r\n/i.exec(head)?.[1];
  if (status !== undefined && /\r\nTransfer-Encoding: chunked\r\n/i.test(head)) {
    const body = chunkedBody(text.slice(headEnd));
    return body === null ? null : { status: Number(status), bytes: text.length, head, body };
  }
  if (status === undefined || length === undefined) {
    return new Error(`no HTTP/1.1 response with a Content-Length: ${head}`);
  }
  const bytes = headEnd + Number(length);
  if (text.length < bytes) return null;
  if (text.length > bytes) return new Error(`more than one response: ${text}`);
  return { status: Number(status), bytes, head, body: text.slice(headEnd) };
}

/** The content of chunks without extensions or trailers; null while more has to come. */
function chunkedBody(text: string): string | null {
  let body = '';
  let at = 0;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const bytes = Number.parseInt(text.slice(at, lineEnd), 16);
    const next = lineEnd + 2 + bytes + 2;
    if (Number.isNaN(bytes) || text.length < next) return null;
    if (bytes === 0) return body;
    body += text.slice(lineEnd + 2, next - 2);
    at = next;
  }
}
