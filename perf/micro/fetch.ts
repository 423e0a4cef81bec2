// Measures what a function of the Fetch standard costs above the kernel: the full path from a
// received block to a queued send, with a Request and a Response between.

import { Hono } from 'hono';
import { fetchHandler } from '../../src/fetch/handler.ts';
import { LeanResponse } from '../../src/fetch/response.ts';
import type { BenchCase } from '../bench/case.ts';
import { REQUESTS, SOCKETS, turnsOf } from './connection.ts';

type WebResponse = globalThis.Response;

const TEXT = 'Hello, World!';
const HANDLER = 'without a Request';

export function fetchCases(): readonly BenchCase[] {
  const hono = new Hono();
  hono.get('/', (context) => context.text(TEXT));
  const json = new Hono();
  json.get('/', (context) => context.json({ agent: context.req.header('user-agent') ?? '' }));
  const Lean = LeanResponse as unknown as typeof globalThis.Response;
  return [
    caseOf(HANDLER, REQUESTS.small, null),
    caseOf('a lean Response', REQUESTS.small, () => new Lean(TEXT)),
    caseOf("Node's Response", REQUESTS.small, () => new Response(TEXT)),
    caseOf('hono, text', REQUESTS.small, withLean(hono)),
    caseOf('hono, JSON and a field', REQUESTS.browser, withLean(json)),
  ];
}

function caseOf(
  name: string,
  request: string,
  respond: ((request: globalThis.Request) => WebResponse) | null,
): BenchCase {
  let responses = 0;
  const web = fetchHandler((given) => {
    responses += 1;
    return respond === null ? new Response(TEXT) : respond(given);
  });
  const turn = turnsOf(
    request,
    respond !== null
      ? web
      : (_request, response) => {
          responses += 1;
          response.text(TEXT);
        },
  );
  turn();
  turn();
  if (responses < SOCKETS) throw new Error(`${name}: not all requests had a response`);
  const versus = name === HANDLER ? {} : { versus: HANDLER };
  return { name: `fetch, ${name}`, operations: SOCKETS, run: turn, ...versus };
}

/** hono responds with the global Response: here it is the lean one while hono runs. */
function withLean(app: Hono): (request: globalThis.Request) => WebResponse {
  const native = globalThis.Response;
  return (request) => {
    globalThis.Response = LeanResponse as unknown as typeof globalThis.Response;
    try {
      return app.fetch(request) as WebResponse;
    } finally {
      globalThis.Response = native;
    }
  };
}
