// Rules of RFC 5234, 9110, 9112 and 3986 as sources of regular expressions over text with one
// character for each byte, with their names in the RFCs. Their users anchor them, see exactly().

// RFC 5234 B.1
export const ALPHA: string = '[A-Za-z]';
export const DIGIT: string = '[0-9]';
export const HEXDIG: string = '[0-9A-Fa-f]';
export const VCHAR: string = '[\\x21-\\x7e]';
export const HTAB: string = '\\t';
export const SP: string = ' ';

// RFC 9110 5.6.2, 5.6.3, 5.5
export const tchar: string = `(?:[!#$%&'*+\\-.^_\`|~]|${DIGIT}|${ALPHA})`;
export const token: string = `${tchar}+`;
export const obsText: string = '[\\x80-\\xff]';
export const fieldVchar: string = `(?:${VCHAR}|${obsText})`;
/** A byte of a field-value; white space at both ends is OWS of the field-line. */
export const fieldByte: string = `(?:${SP}|${HTAB}|${fieldVchar})`;

// RFC 9110 5.6.4: VCHAR without the quote and the backslash, and the bytes of a quoted-pair.
export const qdtext: string = `(?:${HTAB}|${SP}|[\\x21\\x23-\\x5b\\x5d-\\x7e]|${obsText})`;
export const quotedPairByte: string = `(?:${HTAB}|${SP}|${VCHAR}|${obsText})`;

// RFC 3986 2.1 to 2.3
export const pctEncoded: string = `%${HEXDIG}{2}`;
export const unreserved: string = `(?:${ALPHA}|${DIGIT}|[\\-._~])`;
export const subDelims: string = "[!$&'()*+,;=]";

// RFC 3986 3.1 to 3.4
export const scheme: string = `${ALPHA}(?:${ALPHA}|${DIGIT}|[+\\-.])*`;
export const userinfo: string = `(?:${unreserved}|${pctEncoded}|${subDelims}|:)*`;
export const pchar: string = `(?:${unreserved}|${pctEncoded}|${subDelims}|[:@])`;
export const segment: string = `${pchar}*`;
export const pathAbempty: string = `(?:/${segment})*`;
export const query: string = `(?:${pchar}|[/?])*`;
export const port: string = `${DIGIT}*`;
export const regName: string = `(?:${unreserved}|${pctEncoded}|${subDelims})*`;

// RFC 3986 3.2.2
export const decOctet: string = `(?:25[0-5]|2[0-4]${DIGIT}|1${DIGIT}{2}|[1-9]${DIGIT}|${DIGIT})`;
export const IPv4address: string = `${decOctet}\\.${decOctet}\\.${decOctet}\\.${decOctet}`;
export const h16: string = `${HEXDIG}{1,4}`;
export const ls32: string = `(?:${h16}:${h16}|${IPv4address})`;
export const IPv6address: string = `(?:${[
  `(?:${h16}:){6}${ls32}`,
  `::(?:${h16}:){5}${ls32}`,
  `(?:${h16})?::(?:${h16}:){4}${ls32}`,
  `(?:(?:${h16}:){0,1}${h16})?::(?:${h16}:){3}${ls32}`,
  `(?:(?:${h16}:){0,2}${h16})?::(?:${h16}:){2}${ls32}`,
  `(?:(?:${h16}:){0,3}${h16})?::${h16}:${ls32}`,
  `(?:(?:${h16}:){0,4}${h16})?::${ls32}`,
  `(?:(?:${h16}:){0,5}${h16})?::${h16}`,
  `(?:(?:${h16}:){0,6}${h16})?::`,
].join('|')})`;
export const IPvFuture: string = `[vV]${HEXDIG}+\\.(?:${unreserved}|${subDelims}|:)+`;

// RFC 9112 2.3
export const httpVersion: string = `HTTP/${DIGIT}\\.${DIGIT}`;

/** An expression for text that matches a rule completely. */
export function exactly(rule: string): RegExp {
  return new RegExp(`^(?:${rule})$`, 's');
}

/** An expression for text that matches a rule completely in any case, as strings of ABNF do. */
export function exactlyInAnyCase(rule: string): RegExp {
  return new RegExp(`^(?:${rule})$`, 'is');
}
