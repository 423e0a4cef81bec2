// What the cases are asked of over a real connection: a server whose handler tells the exact parts
// of each request, as its API shows them.

import type { Server } from '../../src/server/server.ts';
import type { RawResponse } from '../../testing/raw-response.ts';
import type { Pair } from './case.ts';
import type { ReadMessage } from './read-messages.ts';

/** Without content an answer has to say it here. */
const ECHO_FIELD = 'X-Echo';

export type Echo = Omit<ReadMessage, 'closes'>;

export function echoRoutes(server: Server): void {
  server.all('/*', async (request, response) => {
    const body = (await request.bytes()).toString('latin1');
    const echo: Echo = {
      method: request.method,
      target: request.target,
      version: request.httpVersion,
      path: request.path,
      fields: [...request.headers()],
      body,
      trailers: request.trailers().map(([name, value]): Pair => [name, value]),
    };
    const json = JSON.stringify(echo);
    if (request.method === 'HEAD') response.header(ECHO_FIELD, toBase64(json));
    response.send(json, 'application/json');
  });
}

/** What an answer with status 200 tells. */
export function echoOf(response: RawResponse): Echo {
  const inField = response.field(ECHO_FIELD);
  const json = inField === undefined ? response.text : Buffer.from(inField, 'base64').toString();
  return JSON.parse(json) as Echo;
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64');
}
