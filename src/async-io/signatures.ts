// Signatures of short text. node:crypto is loaded at their first use: most servers sign nothing.

import { builtInModule } from '../base/built-in-module.ts';

type Crypto = typeof import('node:crypto');

let loaded: Crypto | null = null;

function crypto(): Crypto {
  loaded ??= builtInModule('node:crypto');
  return loaded;
}

/** HMAC-SHA256 (RFC 2104) of `text` in UTF-8, in base64url. */
export function signatureOf(key: Buffer, text: string): string {
  return crypto().createHmac('sha256', key).update(text).digest('base64url');
}

/** In a time that does not depend on which bytes differ. */
export function isSameSignature(given: Buffer, expected: string): boolean {
  const wanted = Buffer.from(expected);
  return given.length === wanted.length && crypto().timingSafeEqual(given, wanted);
}
