// Forms: the two media types that HTML sends. Node's own URLSearchParams reads the one, the reader
// of req.parts() the other, so that form() and parts() accept the same.

import { boundaryOf, checkUrlencoded, type FormLimits } from './form-parts.ts';
import { FormReader, formReaderLimits } from './form-reader.ts';
import { HttpError } from './http-error.ts';
import { textOf } from './json-text.ts';

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
  return multipart(await read(), boundary, limits);
}

/** As Response does it, which takes eight times as long for a few fields. */
function urlencoded(text: string): FormData {
  const form = new FormData();
  // URLSearchParams leaves out a leading `?`, which is part of a name here, and empty pairs.
  const pairs = new URLSearchParams(text.startsWith('?') ? `&${text}` : text);
  for (const [name, value] of pairs) form.append(name, value);
  return form;
}

/** A form that is in memory: the reader gets one chunk, and so returns each content at once. */
async function multipart(bytes: Buffer, boundary: string, limits: FormLimits): Promise<FormData> {
  const chunks = [bytes];
  const read = async (): Promise<Buffer | null> => chunks.pop() ?? null;
  const reader = new FormReader(read, boundary, formReaderLimits(limits));
  const form = new FormData();
  for (let head = await reader.nextPart(); head !== null; head = await reader.nextPart()) {
    const { name, filename, type } = head;
    const content = ((await reader.nextChunk()) ?? new Uint8Array(0)) as Uint8Array<ArrayBuffer>;
    if (filename === undefined) form.append(name, textOf(content, 0, content.length));
    else form.append(name, new File([content], filename, { type }));
  }
  return form;
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
