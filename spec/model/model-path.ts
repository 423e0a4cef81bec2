// The model of path normalization: each segment percent-decoded separately, consecutive slashes
// merged, then dot segments removed by the steps of RFC 3986 5.2.4.

import { exactly, pctEncoded } from './abnf.ts';

const TRIPLET = exactly(pctEncoded);
/** Replaces an encoded slash until dot segments are removed. */
const ENCODED_SLASH = '\0';

/** The path as a handler sees it, or null for one with a 400 response. */
export function modelPath(path: string): string | null {
  if (path === '') return '/';
  const segments = path.split('/').map(decodedSegment);
  if (segments.includes(null)) return null;
  // An encoded slash separates no segments, also not for a handler.
  const merged = segments.join('/').replace(/\/{2,}/g, '/');
  return removeDotSegments(merged).replaceAll(ENCODED_SLASH, '%2F');
}

/**
 * Null for a '%' that begins no triplet, for an encoded NUL, and for a result that is not UTF-8.
 */
function decodedSegment(segment: string): string | null {
  const bytes: number[] = [];
  for (let at = 0; at < segment.length; at++) {
    let byte = segment.charCodeAt(at);
    if (segment[at] === '%') {
      const triplet = segment.slice(at, at + 3);
      if (!TRIPLET.test(triplet)) return null;
      byte = Number.parseInt(triplet.slice(1), 16);
      at += 2;
      if (byte === 0) return null;
      if (byte === 0x2f) byte = 0;
    }
    bytes.push(byte);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      Uint8Array.from(bytes),
    );
  } catch {
    return null;
  }
}

/** RFC 3986 5.2.4, with the letters of its steps. */
export function removeDotSegments(path: string): string {
  let input = path;
  let output = '';
  while (input !== '') {
    if (input.startsWith('../'))
      input = input.slice(3); // A
    else if (input.startsWith('./'))
      input = input.slice(2); // A
    else if (input.startsWith('/./'))
      input = input.slice(2); // B
    else if (input === '/.')
      input = '/'; // B
    else if (input.startsWith('/../') || input === '/..') {
      input = input === '/..' ? '/' : input.slice(3); // C
      output = output.slice(0, Math.max(0, output.lastIndexOf('/')));
    } else if (input === '.' || input === '..')
      input = ''; // D
    else {
      const end = input.indexOf('/', 1); // E
      output += end < 0 ? input : input.slice(0, end);
      input = end < 0 ? '' : input.slice(end);
    }
  }
  return output;
}
