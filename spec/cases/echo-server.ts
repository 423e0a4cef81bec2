// The server for the cases over real connections: its handler responds with the parts of each
// request, as the API presents them.

import type { Server } from '../../src/server/server.ts';
import type { RawResponse } from '../../testing/raw-response.ts';
import type { Pair } from './case.ts';
import type { ReadMessage } from './read-messages.ts';

/** A response without content has the echo in this field. */
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

/** The parts in a response with status 200. */
export function echoOf(response: RawResponse): Echo {
  const inField = response.field(ECHO_FIELD);
  const json = inField === undefined ? response.text : Buffer.from(inField, 'base64').toString();
  return JSON.parse(json) as Echo;
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64');
}
