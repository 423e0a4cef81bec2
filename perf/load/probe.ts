// Asks a server once, by hand, to see what it answers: the status and how many bytes that takes.

import { connect } from 'node:net';

const TIMEOUT_MS = 5_000;

export interface Probe {
  readonly status: number;
  /** Head and body together. */
  readonly bytes: number;
  readonly head: string;
  readonly body: string;
}

/** The answer to GET; rejects when it has no Content-Length or does not come. */
export function probe(port: number, path: string): Promise<Probe> {
  const request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
  return probeWith(port, Buffer.from(request, 'latin1'), `GET ${path}`);
}

/** The same for any request; `name` is what it is called when there is no answer. */
export function probeWith(port: number, request: Uint8Array, name: string): Promise<Probe> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const finish = (result: Probe | Error): void => {
      socket.destroy();
      if (result instanceof Error) reject(result);
      else resolve(result);
    };
    socket.setTimeout(TIMEOUT_MS, () => finish(new Error(`no answer to ${name}`)));
    socket.setEncoding('latin1');
    socket.once('error', finish);
    socket.once('end', () => finish(new Error(`half an answer to ${name}: ${text}`)));
    socket.on('data', (more: string) => {
      text += more;
      const response = wholeResponse(text);
      if (response !== null) finish(response);
    });
    socket.write(request);
  });
}

/** Null while more has to come. */
export function wholeResponse(text: string): Probe | Error | null {
  const headEnd = text.indexOf('\r\n\r\n') + 4;
  if (headEnd < 4) return null;
  const head = text.slice(0, headEnd);
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1];
  const length = /\r\nContent-Length: (\d+)\r\n/i.exec(head)?.[1];
  if (status === undefined || length === undefined) return new Error(`not such an answer: ${head}`);
  const bytes = headEnd + Number(length);
  if (text.length < bytes) return null;
  if (text.length > bytes) return new Error(`more than one answer: ${text}`);
  return { status: Number(status), bytes, head, body: text.slice(headEnd) };
}
