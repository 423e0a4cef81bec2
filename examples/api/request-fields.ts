// Fields of requests that change something: their media type, and the key by which a repeated one
// is recognized.

import { createHash } from 'node:crypto';
import { HttpError, type Request } from 'vibing';

const KEY_CHARACTERS_MAX = 255;

/** Throws a 415 for another media type. */
export function requireType(req: Request, type: string): void {
  const given = req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (given !== type) throw new HttpError(415, `send the body as Content-Type: ${type}`);
}

/**
 * The Idempotency-Key (draft-ietf-httpapi-idempotency-key-header), with or without the quotes of a
 * structured field; null without one. Throws a 400 for a malformed one.
 */
export function idempotencyKey(req: Request): string | null {
  const field = req.header('idempotency-key');
  if (field === undefined) return null;
  const key = /^"([^"\\]+)"$/.exec(field)?.[1] ?? field;
  if (/^[\x21\x23-\x7e]+$/.test(key) && key.length <= KEY_CHARACTERS_MAX) return key;
  throw new HttpError(400, `Idempotency-Key: send 1 to ${KEY_CHARACTERS_MAX} visible characters`);
}

/** Equal for equal contents, whatever their spelling was: `value` has passed its schema. */
export function fingerprint(value: object): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url');
}
