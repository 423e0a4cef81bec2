// Marks: all that a handler writes has the mark of the request whose object it was written with,
// and all that a client sends has the secret of its request. Either one anywhere else has crossed
// from one request to another.

const DIGITS = 6;

/** The most requests of one client: their numbers follow from its own. */
const REQUESTS_OF_A_CLIENT = 40;

export function idOf(lane: number, index: number): number {
  return lane * REQUESTS_OF_A_CLIENT + index;
}

export function laneOf(id: number): number {
  return Math.floor(id / REQUESTS_OF_A_CLIENT);
}

/** The length of a mark and of a secret. */
export const MARK_BYTES: number = DIGITS + 2;

/** The mark that handlers write with objects of request `id`. */
export function markOf(id: number): string {
  return `M${String(id).padStart(DIGITS, '0')}m`;
}

/** The secret that the client sends in target, fields, body and trailers of request `id`. */
export function secretOf(id: number): string {
  return `S${String(id).padStart(DIGITS, '0')}s`;
}

/** A token repeated to about this length. */
export function repeated(token: string, bytes: number): string {
  return token.repeat(Math.max(1, Math.round(bytes / MARK_BYTES)));
}

const TOKEN = /[MS](\d{6})[ms]/g;

/** The first mark or secret of another request than `id`, null when there is none. */
export function foreignIn(text: string, id: number): string | null {
  for (const [token, digits] of text.matchAll(TOKEN)) if (Number(digits) !== id) return token;
  return null;
}

/** The numbers of all marks and secrets in a text. */
export function idsIn(text: string): number[] {
  return [...text.matchAll(TOKEN)].map(([, digits]) => Number(digits));
}

/** True when the bytes are a part of an endlessly repeated token. */
export function isPartOf(bytes: Uint8Array, token: string): boolean {
  if (bytes.length === 0) return true;
  const first = token.indexOf(String.fromCharCode(bytes[0]));
  // A digit may stand at several places of the token.
  for (let from = Math.max(first, 0); from < MARK_BYTES; from++) {
    if (isPartFrom(bytes, token, from)) return true;
  }
  return false;
}

function isPartFrom(bytes: Uint8Array, token: string, from: number): boolean {
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] !== token.charCodeAt((from + at) % MARK_BYTES)) return false;
  }
  return true;
}
