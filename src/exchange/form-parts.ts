// What forms are checked for before they are read: the boundary in the Content-Type, the number of
// urlencoded fields; and the errors of forms.

import { FORM_BOUNDARY_BYTES_MAX } from '../base/fixed-limits.ts';
import { HttpError } from './http-error.ts';

export interface FormLimits {
  readonly formPartsMax: number;
  readonly formFilesMax: number;
}

const AMPERSAND = 0x26;

/** One parameter of a media type, whose value may be a quoted string. */
const PARAMETER = /[ \t]*;[ \t]*(?:([^\s"=;]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*)))?[ \t]*/y;
/** RFC 2046 5.1.1: bchars, of which the last is not a space. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]*[0-9A-Za-z'()+_,\-./:=?]$/;

/** The boundary in a value of Content-Type; throws HttpError 400 when there is no valid one. */
export function boundaryOf(type: string): string {
  const boundaries: string[] = [];
  let at = type.indexOf(';');
  while (at >= 0 && at < type.length) {
    PARAMETER.lastIndex = at;
    const found = PARAMETER.exec(type);
    if (found === null) malformedForm('its Content-Type has parameters that are not valid');
    const [, name = '', quoted, plain = ''] = found;
    if (name.toLowerCase() === 'boundary') {
      boundaries.push(quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1'));
    }
    at = PARAMETER.lastIndex;
  }
  if (boundaries.length === 0) malformedForm('its Content-Type has no boundary');
  if (boundaries.length > 1) malformedForm('its Content-Type has more than one boundary');
  const [boundary] = boundaries;
  if (boundary.length > FORM_BOUNDARY_BYTES_MAX || !BOUNDARY.test(boundary)) {
    const allowed = `1 to ${FORM_BOUNDARY_BYTES_MAX} characters of RFC 2046`;
    malformedForm(`its boundary is not valid; a boundary has ${allowed}`);
  }
  return boundary;
}

/** Throws HttpError 413 when an urlencoded form has more fields than the limit. */
export function checkUrlencoded(bytes: Buffer, limits: FormLimits): void {
  let parts = 1;
  let at = bytes.indexOf(AMPERSAND);
  while (at >= 0) {
    parts += 1;
    if (parts > limits.formPartsMax) tooManyParts(limits.formPartsMax, 'form_parts_max');
    at = bytes.indexOf(AMPERSAND, at + 1);
  }
}

export function tooManyParts(max: number, limit: string): never {
  tooLargeForm(`more than ${max} fields and files (${limit})`);
}

/** The request has more of something than a limit allows. */
export function tooLargeForm(what: string): never {
  throw new HttpError(413, `the form has ${what}`);
}

export function malformedForm(why: string): never {
  throw new HttpError(400, `the form cannot be read: ${why}`);
}
