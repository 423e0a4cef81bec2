// File names from clients: what is left of one is for people to read, and could not leave a folder.

import { FILE_NAME_BYTES_MAX } from '../base/fixed-limits.ts';
import { WINDOWS_DEVICE } from '../base/windows-devices.ts';

/** What no file system, or not that of Windows, has in a name; and marks that reorder text. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}<>:"|?*]/gu;

/**
 * The last segment of a path, with `_` for unsafe characters, for a dot at its beginning and for
 * dots and spaces at its end. '' stays: a browser sends it for a file field that was left empty.
 */
export function safeFileName(sent: string): string {
  const last = sent.slice(Math.max(sent.lastIndexOf('/'), sent.lastIndexOf('\\')) + 1);
  let name = last.replace(UNSAFE, '_').trim();
  name = name.replace(/^\./, '_').replace(/(?<![. ])[. ]+$/, '_');
  if (WINDOWS_DEVICE.test(name)) name = `_${name}`;
  if (name === '' && sent !== '') name = '_';
  return shortened(name);
}

/** Keeps the extension of a long name. */
function shortened(name: string): string {
  if (Buffer.byteLength(name) <= FILE_NAME_BYTES_MAX) return name;
  const extension = /\.[a-z0-9]{1,15}$/i.exec(name)?.[0] ?? '';
  let characters = [...name.slice(0, name.length - extension.length)];
  characters = characters.slice(0, FILE_NAME_BYTES_MAX - extension.length);
  while (Buffer.byteLength(characters.join('')) > FILE_NAME_BYTES_MAX - extension.length) {
    characters.pop();
  }
  return characters.join('') + extension;
}
