// The public names of `vibing/fetch`.

export { type ConnInfo, FetchContext, getConnInfo } from './context.ts';
export { type FetchFunction, type FetchOptions, fetchHandler } from './handler.ts';
export type { Scheme } from './url.ts';

import { LeanResponse } from './response.ts';

/** A Response that makes no stream of text and bytes, for those who do not replace the global. */
export const Response: typeof globalThis.Response =
  LeanResponse as unknown as typeof globalThis.Response;
