// The head of one part of multipart/form-data (RFC 7578): its name, its file name and its type.
// Strict: what two programs could read in two ways is 400.

import { FORM_HEAD_FIELDS_MAX } from '../base/fixed-limits.ts';
import { isToken } from '../http/response-fields.ts';
import { safeFileName } from './file-name.ts';
import { malformedForm, tooLargeForm } from './form-parts.ts';

export interface PartHead {
  readonly name: string;
  /** Undefined unless the part is a file; without folders and unusual characters. */
  readonly filename: string | undefined;
  readonly type: string;
}

/** RFC 7578 4.4. */
const DEFAULT_TYPE = 'text/plain';

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a line cannot contain.
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;
/**
 * A parameter. Between quotes a backslash is itself: browsers write `"` as %22 and line ends as %0D
 * and %0A (HTML, multipart/form-data encoding algorithm).
 */
const PARAMETER = /[ \t]*;[ \t]*(?:([^\s"=;]+)=(?:"([^"]*)"|([^\s",;]+)))?[ \t]*/y;
const ESCAPE = /%(?:22|0a|0d)/gi;

/** `head` is UTF-8, without the line ends around it; '' for a part without fields. */
export function parsePartHead(head: string): PartHead {
  const lines = head === '' ? [] : head.split('\r\n');
  if (lines.length > FORM_HEAD_FIELDS_MAX) {
    tooLargeForm(`a part with more than ${FORM_HEAD_FIELDS_MAX} fields in its head`);
  }
  let disposition: string | null = null;
  let type: string | null = null;
  for (const line of lines) {
    if (CONTROL.test(line)) malformedForm('a line of a head has a control character');
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
    if (!isToken(name)) malformedForm('a line of a head is no field');
    const value = line.slice(colon + 1).trim();
    if (name === 'content-disposition') {
      if (disposition !== null) malformedForm('a part has two Content-Dispositions');
      disposition = value;
    } else if (name === 'content-type') {
      if (type !== null) malformedForm('a part has two Content-Types');
      type = value;
    } else if (name === 'content-transfer-encoding' && !/^(?:7bit|8bit|binary)$/i.test(value)) {
      malformedForm('a part has a Content-Transfer-Encoding (RFC 7578 4.7)');
    }
  }
  const { name, filename } = parseDisposition(disposition ?? '');
  return {
    name,
    filename: filename === undefined ? undefined : safeFileName(filename),
    type: type === null || type === '' ? DEFAULT_TYPE : type,
  };
}

function parseDisposition(value: string): { name: string; filename: string | undefined } {
  const wanted = 'each part needs a Content-Disposition such as: form-data; name="field"';
  const semicolon = value.indexOf(';');
  const kind = value.slice(0, Math.max(semicolon, 0)).trim();
  if (kind.toLowerCase() !== 'form-data') malformedForm(wanted);
  const found = new Map<string, string>();
  let at = semicolon;
  while (at < value.length) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(value);
    if (match === null) malformedForm('a Content-Disposition has parameters that are not valid');
    at = PARAMETER.lastIndex;
    const [, parameter, quoted, plain = ''] = match;
    // A semicolon without a parameter.
    if (parameter === undefined) continue;
    const lower = parameter.toLowerCase();
    if (found.has(lower)) malformedForm('a Content-Disposition has a parameter twice');
    // RFC 7578 4.2: no filename*, which could contradict filename.
    if (lower === 'filename*') malformedForm('a Content-Disposition has filename*');
    found.set(lower, (quoted ?? plain).replace(ESCAPE, decodeURIComponent));
  }
  const name = found.get('name');
  if (name === undefined) malformedForm(wanted);
  return { name, filename: found.get('filename') };
}
