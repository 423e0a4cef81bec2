// Marks: every byte that a handler writes names the request whose object it was written with, and
// every byte that a client sends names its own request. A name that turns up anywhere else has
// crossed from one request to another.

const DIGITS = 6;

/** Requests of one client at most: their numbers follow from its own. */
const REQUESTS_OF_A_CLIENT = 40;

export function idOf(lane: number, index: number): number {
  return lane * REQUESTS_OF_A_CLIENT + index;
}

export function laneOf(id: number): number {
  return Math.floor(id / REQUESTS_OF_A_CLIENT);
}

/** Bytes of a mark, and of a secret. */
export const MARK_BYTES: number = DIGITS + 2;

/** What handlers write with the objects of request `id`. */
export function markOf(id: number): string {
  return `M${String(id).padStart(DIGITS, '0')}m`;
}

/** What the client sends in request `id`: in its target, fields, body and trailers. */
export function secretOf(id: number): string {
  return `S${String(id).padStart(DIGITS, '0')}s`;
}

/** About so many bytes of a token, whole ones only. */
export function repeated(token: string, bytes: number): string {
  return token.repeat(Math.max(1, Math.round(bytes / MARK_BYTES)));
}

const TOKEN = /[MS](\d{6})[ms]/g;

/** The first mark or secret of another request than `id`, null when there is none. */
export function foreignIn(text: string, id: number): string | null {
  for (const [token, digits] of text.matchAll(TOKEN)) if (Number(digits) !== id) return token;
  return null;
}

/** The numbers of all requests that are named in a text. */
export function idsIn(text: string): number[] {
  return [...text.matchAll(TOKEN)].map(([, digits]) => Number(digits));
}

/** True when bytes are a piece of a token that is repeated without end. */
export function isPieceOf(bytes: Uint8Array, token: string): boolean {
  if (bytes.length === 0) return true;
  const first = token.indexOf(String.fromCharCode(bytes[0]));
  // Digits may begin at several places.
  for (let from = Math.max(first, 0); from < MARK_BYTES; from++) {
    if (isPieceFrom(bytes, token, from)) return true;
  }
  return false;
}

function isPieceFrom(bytes: Uint8Array, token: string, from: number): boolean {
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] !== token.charCodeAt((from + at) % MARK_BYTES)) return false;
  }
  return true;
}
