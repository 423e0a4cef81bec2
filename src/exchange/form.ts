// Forms: the two media types that HTML sends. Node's own URLSearchParams and Response read them, so
// that no parser of ours has to. Response takes up to 100 microseconds for each part, so parts are
// counted before.

import { boundaryOf, checkMultipart, checkUrlencoded, type FormLimits } from './form-parts.ts';
import { HttpError } from './http-error.ts';

const URLENCODED = 'application/x-www-form-urlencoded';
export const MULTIPART = 'multipart/form-data';
const SHOWN_CHARACTERS_MAX = 80;

/** Reads the body only when its type is one of a form. */
export async function formFrom(
  type: string,
  limits: FormLimits,
  read: () => Promise<Buffer>,
): Promise<FormData> {
  const essence = typeOf(type);
  if (essence === URLENCODED) {
    const bytes = await read();
    checkUrlencoded(bytes, limits);
    return urlencoded(bytes.toString('utf8'));
  }
  if (essence !== MULTIPART)
    throw new HttpError(415, wrongType(essence, `${URLENCODED} or ${MULTIPART}`));
  const boundary = boundaryOf(type);
  const bytes = await read();
  checkMultipart(bytes, boundary, limits);
  // The type is written anew, so that Node's parser divides the content as the check above did.
  return parsed(bytes, `${essence}; boundary="${boundary}"`);
}

/** As Response does it, which takes eight times as long for a few fields. */
function urlencoded(text: string): FormData {
  const form = new FormData();
  // URLSearchParams leaves out a leading `?`, which is part of a name here, and empty pairs.
  const pairs = new URLSearchParams(text.startsWith('?') ? `&${text}` : text);
  for (const [name, value] of pairs) form.append(name, value);
  return form;
}

async function parsed(bytes: Buffer, type: string): Promise<FormData> {
  try {
    return await new Response(bytes, { headers: { 'content-type': type } }).formData();
  } catch (cause) {
    const wanted = 'each part needs a Content-Disposition such as: form-data; name="field"';
    throw new HttpError(400, `the form cannot be read: ${wanted}`, { cause });
  }
}

/** A media type without its parameters. */
export function typeOf(type: string): string {
  return type.split(';', 1)[0].trim().toLowerCase();
}

export function wrongType(essence: string, wanted: string): string {
  const shown = essence.slice(0, SHOWN_CHARACTERS_MAX);
  const came = shown === '' ? 'the content has no type' : `the content is ${shown}`;
  return `${came}; a form is ${wanted}`;
}
