// The limits of a form, checked before Node's parser makes objects of it: the number of parts and
// files, and the length of each part's head. This takes at most two passes over the bytes.

import { CR, DASH, LF } from '../base/ascii.ts';
import {
  FORM_BOUNDARY_BYTES_MAX,
  FORM_HEAD_BYTES_MAX,
  FORM_HEAD_FIELDS_MAX,
} from '../base/fixed-limits.ts';
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
/** Node's parser takes some of these as line ends. */
const BARE_LINE_END = /\r(?!\n)|(?<!\r)\n/;
/** The parameter in the head of a part that makes it a file. */
const FILE_NAME = /;[ \t]*filename\*?[ \t]*=/i;

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
    if (parts > limits.formPartsMax) tooManyParts(limits);
    at = bytes.indexOf(AMPERSAND, at + 1);
  }
}

/**
 * Throws HttpError 413 for more parts, files or bytes of a head than the limits, 400 when the
 * delimiters are not valid (RFC 2046). It searches from one delimiter to the next and stops at the
 * first problem, so there are no more steps than parts.
 */
export function checkMultipart(bytes: Buffer, boundary: string, limits: FormLimits): void {
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  let at = 0;
  while (bytes[at] === CR && bytes[at + 1] === LF) at += 2;
  if (!bytes.subarray(at, at + delimiter.length - 2).equals(delimiter.subarray(2))) {
    malformedForm('its content does not begin with its boundary');
  }
  at += delimiter.length - 2;
  let parts = 0;
  let files = 0;
  while (!(bytes[at] === DASH && bytes[at + 1] === DASH)) {
    if (bytes[at] !== CR || bytes[at + 1] !== LF) malformedForm('a boundary does not end its line');
    parts += 1;
    if (parts > limits.formPartsMax) tooManyParts(limits);
    const contentAt = partHeadEnd(bytes, at);
    if (FILE_NAME.test(bytes.toString('latin1', at, contentAt))) files += 1;
    if (files > limits.formFilesMax) {
      tooLargeForm(`more than ${limits.formFilesMax} files (form_files_max)`);
    }
    const next = bytes.indexOf(delimiter, contentAt);
    if (next < 0) malformedForm('its last boundary is missing');
    // Node's parser ends a part at any occurrence of the boundary, also in the middle of a line.
    if (bytes.indexOf(boundary, contentAt, 'latin1') < next + 4) {
      malformedForm('its boundary occurs within the content of a part; use a longer one');
    }
    at = next + delimiter.length;
  }
  for (let p = at + 2; p < bytes.length; p++) {
    if (bytes[p] !== CR && bytes[p] !== LF) malformedForm('something follows its last boundary');
  }
}

/** Returns where the content of a part begins; the line end before its head is at `at`. */
function partHeadEnd(bytes: Buffer, at: number): number {
  // No more of a long head is searched, however many parts have one.
  const head = bytes.toString('latin1', at, at + FORM_HEAD_BYTES_MAX + 4);
  const end = head.indexOf('\r\n\r\n');
  if (end < 0) {
    if (head.length < FORM_HEAD_BYTES_MAX + 4) malformedForm('a part ends within its head');
    tooLargeForm(`a part with a head of more than ${FORM_HEAD_BYTES_MAX} bytes`);
  }
  if (BARE_LINE_END.test(head.slice(0, end)))
    malformedForm('a line of a head ends in CR or LF alone');
  let fields = 0;
  for (let p = 0; p < end; p = head.indexOf('\r\n', p + 2)) fields += 1;
  if (fields > FORM_HEAD_FIELDS_MAX) {
    tooLargeForm(`a part with more than ${FORM_HEAD_FIELDS_MAX} fields in its head`);
  }
  return at + end + 4;
}

function tooManyParts(limits: FormLimits): never {
  tooLargeForm(`more than ${limits.formPartsMax} fields and files (form_parts_max)`);
}

/** The request has more of something than a limit allows. */
export function tooLargeForm(what: string): never {
  throw new HttpError(413, `the form has ${what}`);
}

export function malformedForm(why: string): never {
  throw new HttpError(400, `the form cannot be read: ${why}`);
}
