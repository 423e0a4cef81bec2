// The byte classes of RFC 9110, 9112 and 3986 as tables of 256 entries, 1 for a member. Hot files
// copy the ones they use to local constants: an imported binding costs a load per use.

import { SP, TAB } from '../base/ascii.ts';

const ALPHA = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const DIGIT = '0123456789';
const VISIBLE = range(0x21, 0x7e);
const OBS_TEXT = range(0x80, 0xff);

/** RFC 9110 5.6.2: methods, field names, list members. */
export const TOKEN: Uint8Array = byteClass(`!#$%&'*+-.^_\`|~${DIGIT}${ALPHA}`);

/** RFC 9110 5.5: the bytes of a field value, white space included. */
export const FIELD_VALUE: Uint8Array = byteClass(`\t ${VISIBLE}${OBS_TEXT}`);

/** RFC 9110 5.6.4: the bytes of a quoted string except the quote and the backslash. */
export const QUOTED_TEXT: Uint8Array = without(FIELD_VALUE, '"\\');

/** The bytes of a request target: visible ASCII except `"<>`, which no URI has, and `#`. */
export const TARGET: Uint8Array = without(byteClass(VISIBLE), '"<>#');

/** RFC 3986 3.2.2: unreserved and sub-delims; percent-encoded triplets are checked separately. */
export const REG_NAME: Uint8Array = byteClass(`-._~!$&'()*+,;=${DIGIT}${ALPHA}`);

/** The value of a hexadecimal digit, or -1. */
export const HEX_VALUE: Int8Array = hexValues();

/** Where optional white space (RFC 9110 5.6.3) that begins at `from` ends. */
export function skipSpace(bytes: Uint8Array, from: number, to: number): number {
  let p = from;
  while (p < to && (bytes[p] === SP || bytes[p] === TAB)) p += 1;
  return p;
}

function range(first: number, last: number): string {
  let characters = '';
  for (let code = first; code <= last; code++) characters += String.fromCharCode(code);
  return characters;
}

function byteClass(members: string): Uint8Array {
  const table = new Uint8Array(256);
  for (let index = 0; index < members.length; index++) table[members.charCodeAt(index)] = 1;
  return table;
}

function without(base: Uint8Array, characters: string): Uint8Array {
  const table = base.slice();
  for (let index = 0; index < characters.length; index++) table[characters.charCodeAt(index)] = 0;
  return table;
}

function hexValues(): Int8Array {
  const table = new Int8Array(256).fill(-1);
  for (let value = 0; value < 16; value++) {
    const digit = value.toString(16);
    table[digit.charCodeAt(0)] = value;
    table[digit.toUpperCase().charCodeAt(0)] = value;
  }
  return table;
}
