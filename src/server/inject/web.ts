// server.fetch(): an injected request as a Request of the Fetch standard, and its response as a
// Response.

import { hasNoContent } from '../../http/status.ts';
import type { InjectBody, InjectOptions } from './options.ts';
import type { InjectedResponse } from './response.ts';

export type WebRequest = globalThis.Request;
export type WebResponse = globalThis.Response;

/** What relative URLs are resolved against. */
const BASE = 'http://localhost';

/** Redirects are not followed, and nothing is cached: the response is the server's. */
export async function fetchInjected(
  inject: (options: InjectOptions) => Promise<InjectedResponse>,
  input: WebRequest | URL | string,
  init?: RequestInit,
): Promise<WebResponse> {
  const isRequest = typeof input === 'object' && 'url' in input;
  const request = new Request(isRequest ? input : new URL(input, BASE), init);
  const { host, pathname, search } = new URL(request.url);
  const fields = [...request.headers];
  if (!request.headers.has('host')) fields.push(['host', host]);
  const response = await inject({
    method: request.method,
    target: `${pathname}${search}`,
    headers: fields,
    body: await bodyOf(request, init),
    signal: request.signal,
  });
  const { status, statusText, headers } = response;
  const isEmpty = request.method === 'HEAD' || hasNoContent(status);
  return new Response(isEmpty ? null : response.body, { status, statusText, headers });
}

/** A stream as it is, anything else with its length. */
async function bodyOf(
  request: WebRequest,
  init: RequestInit | undefined,
): Promise<InjectBody | null> {
  const given = init?.body ?? null;
  const isStream = typeof given === 'object' && given !== null && Symbol.asyncIterator in given;
  if (given === null || isStream) return request.body as ReadableStream<Uint8Array> | null;
  return new Uint8Array(await request.arrayBuffer());
}
