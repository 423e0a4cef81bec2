// Replaces the global Response, when a user asks for it.

import { LeanResponse } from './response.ts';

/** Programs that hold on to the Response from before can go on: its instances are sent too. */
export function overrideGlobals(): void {
  Object.defineProperty(globalThis, 'Response', {
    configurable: true,
    enumerable: false,
    writable: true,
    value: LeanResponse,
  });
}
