// The fields that say where an answer ends belong to the server: a handler that could set them
// could split one answer in two.

/** Throws a TypeError for a lower-case field name that a handler may not set. */
export function checkFraming(lowerName: string): void {
  if (!FRAMING.includes(lowerName)) return;
  throw new TypeError(`the server sets the field ${lowerName} itself`);
}

/** As checkFraming(), for a trailer field, which may not say what a head says (RFC 9110 6.5.1). */
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
