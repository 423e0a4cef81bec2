// Sends a request to a server and reduces the response to what the two servers must agree on.

import { createHash } from 'node:crypto';
import { RawClient } from '../../../testing/raw-client.ts';
import type { RawResponse } from '../../../testing/raw-response.ts';
import type { StaticRequest } from './requests.ts';

/** The parts of a response that decide what a client does with it, as text. */
export type Reduced = Readonly<Record<string, string>>;

/** Where both must agree for a response that has content of the file. */
const FIELDS = [
  'content-type',
  'content-length',
  'content-range',
  'content-encoding',
  'last-modified',
  'location',
];

/** A server, with the entity tags that it gives its targets. */
export class Responder {
  readonly #port: number;
  readonly #tags = new Map<string, string>();

  constructor(port: number) {
    this.#port = port;
  }

  async request(request: StaticRequest): Promise<RawResponse> {
    const { method, target } = request;
    let { fields } = request;
    if (fields.some(([, value]) => value.includes('{etag}'))) {
      const tag = await this.#tagOf(request);
      fields = fields.map(([name, value]) => [name, value.replaceAll('{etag}', tag)]);
    }
    const lines = fields.map(
      ([name, value]) => `${name}: ${value.replaceAll('{other}', '"x"')}\r\n`,
    );
    return this.#send(method, `${method} ${target} HTTP/1.1\r\nHost: a\r\n${lines.join('')}\r\n`);
  }

  /** Of the representation that the request selects. */
  async #tagOf({ target, fields }: StaticRequest): Promise<string> {
    const accepted = fields.filter(([name]) => name === 'Accept-Encoding');
    const key = JSON.stringify([target, accepted]);
    const known = this.#tags.get(key);
    if (known !== undefined) return known;
    const tag =
      (await this.request({ method: 'GET', target, fields: accepted })).field('etag') ?? '"none"';
    this.#tags.set(key, tag);
    return tag;
  }

  /** Each request has a connection of its own: servers may close one after an error. */
  async #send(method: string, text: string): Promise<RawResponse> {
    const client = await RawClient.open(this.#port);
    try {
      await client.send(Buffer.from(text, 'latin1'));
      return await client.nextResponse(method);
    } catch (error) {
      throw new Error(`${text.split('\r\n', 1)[0]}: ${(error as Error).message}`);
    } finally {
      client.socket.destroy();
    }
  }
}

export function reduce(method: string, response: RawResponse): Reduced {
  const { status } = response;
  const reduced: Record<string, string> = { status: String(status) };
  for (const name of FIELDS) {
    const value = response.field(name);
    // The pages that describe errors and redirections are each server's own.
    const isPage = status >= 300 && (name === 'content-type' || name === 'content-length');
    if (value !== undefined && !isPage) reduced[name] = value;
  }
  const type = reduced['content-type'] ?? '';
  const boundary = /^multipart\/byteranges; ?boundary="?([^"]+)"?$/.exec(type)?.[1];
  if (status < 300) reduced['etag'] = response.field('etag') === undefined ? 'none' : 'some';
  if (boundary !== undefined) {
    reduced['content-type'] = 'multipart/byteranges';
    delete reduced['content-length'];
    if (method === 'GET') reduced['parts'] = parts(response.body, boundary);
  } else if (method === 'GET' && status < 300) {
    reduced['content'] = digest(response.body);
  }
  return reduced;
}

/** Each part: its range, its type and its content. */
function parts(body: Buffer, boundary: string): string {
  const text = body.toString('latin1');
  const pieces = `\r\n${text.replace(/^\r\n/, '')}`.split(`\r\n--${boundary}`);
  if (!/^--\s*$/.test(pieces.at(-1) ?? '')) return 'the last boundary is missing';
  return pieces
    .slice(1, -1)
    .map((piece) => {
      const end = piece.indexOf('\r\n\r\n');
      const lines = piece.slice(2, end).toLowerCase().split('\r\n').sort();
      return `${lines.join(', ')}: ${piece.slice(end + 4)}`;
    })
    .join('\n');
}

function digest(content: Buffer): string {
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 12);
  return `${content.length} bytes ${hash}`;
}
