// Forms: the two media types that HTML sends. Node's own Response reads them, so that no parser of
// ours has to.

import { HttpError } from './http-error.ts';

const TYPES = ['application/x-www-form-urlencoded', 'multipart/form-data'];

/** Reads the body only when its type is one of a form. */
export async function formFrom(type: string, read: () => Promise<Buffer>): Promise<FormData> {
  const essence = type.split(';', 1)[0].trim().toLowerCase();
  if (!TYPES.includes(essence)) {
    throw new HttpError(415, 'the body is no form');
  }
  const bytes = await read();
  try {
    const reader = new Response(bytes, { headers: { 'content-type': type } });
    return await reader.formData();
  } catch (cause) {
    throw new HttpError(400, 'the form is malformed', { cause });
  }
}
