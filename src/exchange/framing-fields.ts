// The fields that say where an answer ends belong to the server: a handler that could set them
// could split one answer in two.

/** Throws a TypeError for a lower-case field name that a handler may not set. */
export function checkFraming(lowerName: string): void {
  switch (lowerName) {
    case 'transfer-encoding':
    case 'content-length':
    case 'connection':
    case 'keep-alive':
    case 'upgrade':
    case 'trailer':
      throw new TypeError(`the server sets the field ${lowerName} itself`);
    default:
  }
}
