// Which names a path asks for below a root. A path that is not written as a file system writes it
// has none: then there is no file, so that a file is reached by the spelling that guards see alone.

import { sep } from 'node:path';
import { SLASH } from '../base/ascii.ts';
import { utf8 } from '../http/text.ts';

/** Windows reads a separator, a drive, a stream or a short name into these. */
const WINDOWS_MEANS_MORE = /[\\/:*?"<>|\p{Cc}]|[. ]$|~\d/u;
/** Names of devices in every directory of Windows, whatever stands behind a dot. */
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(?:\.|$)/i;

/**
 * The names between the slashes of a decoded path in bytes [from, to), which may end in a slash;
 * none for the root. Null when no file can have such a path: for an encoded slash (a NUL byte
 * here), a name that the system would take for another one, and an empty segment, which no
 * routePath() has.
 */
export function namesIn(path: Uint8Array, from: number, to: number): readonly string[] | null {
  // The root of a mount may be asked for without its slash.
  if (to === from) return [];
  const end = path[to - 1] === SLASH ? to - 1 : to;
  if (end <= from) return [];
  const names = utf8(path, from + 1, end).split('/');
  return names.every((name) => isFileName(name)) ? names : null;
}

/** Whether a directory may hold something of this name, and it means nothing else to the system. */
export function isFileName(name: string, windows: boolean = sep === '\\'): boolean {
  if (name === '' || name === '.' || name === '..') return false;
  if (name.includes('\0') || name.includes('/')) return false;
  return !windows || !(WINDOWS_MEANS_MORE.test(name) || WINDOWS_DEVICE.test(name));
}
