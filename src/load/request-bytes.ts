// Encodes a request.

import { FIELD_VALUE, TOKEN } from '../http/grammar.ts';

export type HeaderPair = readonly [name: string, value: string];

export interface RequestParts {
  readonly method: string;
  readonly target: string;
  /** For the field Host, unless `headers` has one. */
  readonly host: string;
  readonly headers: readonly HeaderPair[];
  readonly body: Uint8Array | null;
  readonly keepAlive: boolean;
}

/** Fields that are made from other options. */
const OWN = ['content-length', 'transfer-encoding', 'connection'];

export function requestBytes(parts: RequestParts): Uint8Array {
  const { method, target, host, headers, body, keepAlive } = parts;
  const hasHost = headers.some(([name]) => name.toLowerCase() === 'host');
  const lines = [`${method} ${target} HTTP/1.1`];
  if (!hasHost) lines.push(`Host: ${host}`);
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  if (body !== null) lines.push(`Content-Length: ${body.length}`);
  if (!keepAlive) lines.push('Connection: close');
  const head = new TextEncoder().encode(`${lines.join('\r\n')}\r\n\r\n`);
  const bytes = new Uint8Array(head.length + (body?.length ?? 0));
  bytes.set(head);
  if (body !== null) bytes.set(body, head.length);
  return bytes;
}

/** The problem of a header field, if any. */
export function headerProblem([name, value]: HeaderPair): readonly string[] {
  const shown = JSON.stringify(`${name}: ${value}`);
  const nameBytes = new TextEncoder().encode(name);
  if (name === '' || nameBytes.some((byte) => TOKEN[byte] === 0)) {
    return [`header: ${shown} has an invalid field name`];
  }
  if (new TextEncoder().encode(value).some((byte) => FIELD_VALUE[byte] === 0)) {
    return [`header: ${shown} has an invalid field value`];
  }
  if (OWN.includes(name.toLowerCase())) {
    return [`header: ${name} cannot be given, it is made from body and keep-alive`];
  }
  return [];
}
