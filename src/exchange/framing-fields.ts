// The server alone sets the fields that delimit a response: a handler that set them could split one
// response into two.

/** Throws a TypeError for a lower-case field name that a handler may not set. */
export function checkFraming(lowerName: string): void {
  if (!FRAMING.includes(lowerName)) return;
  throw new TypeError(`the server sets the field ${lowerName} itself`);
}

/** As checkFraming(), for a trailer field, which has more limits (RFC 9110 6.5.1). */
export function checkTrailer(lowerName: string): void {
  checkFraming(lowerName);
  if (!HEAD_ONLY.includes(lowerName)) return;
  throw new TypeError(`the field ${lowerName} cannot be a trailer`);
}

const FRAMING = [
  'transfer-encoding',
  'content-length',
  'connection',
  'keep-alive',
  'upgrade',
  'trailer',
];

const HEAD_ONLY = [
  'cache-control',
  'content-encoding',
  'content-range',
  'content-type',
  'date',
  'host',
  'location',
  'set-cookie',
  'vary',
  'www-authenticate',
];
