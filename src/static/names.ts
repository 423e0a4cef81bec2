// The file names of a path below a root. A path with a name that the system would read as another
// one has no file: so a file is only reached by the path that guards (middleware) check.

import { sep } from 'node:path';
import { SLASH } from '../base/ascii.ts';
import { WINDOWS_DEVICE } from '../base/windows-devices.ts';
import { utf8 } from '../http/text.ts';

/** Windows interprets these as a separator, a drive, a stream or a short name. */
const WINDOWS_SPECIAL = /[\\/:*?"<>|\p{Cc}]|[. ]$|~\d/u;

/**
 * The names between the slashes of a decoded path in bytes [from, to), which may end in a slash;
 * empty for the root. Null when no file can have such a path: for an encoded slash (a NUL byte
 * here), a name that the system would read as another one, and an empty segment, which no
 * routePath() has.
 */
export function namesIn(path: Uint8Array, from: number, to: number): readonly string[] | null {
  const end = path[to - 1] === SLASH ? to - 1 : to;
  // The root; that of a mount may be requested without its slash.
  if (end <= from) return [];
  const names = utf8(path, from + 1, end).split('/');
  return names.every((name) => isFileName(name)) ? names : null;
}

/** Whether a directory can contain this name and the system reads it as no other name. */
export function isFileName(name: string, windows: boolean = sep === '\\'): boolean {
  if (name === '' || name === '.' || name === '..') return false;
  if (name.includes('\0') || name.includes('/')) return false;
  return !windows || !(WINDOWS_SPECIAL.test(name) || WINDOWS_DEVICE.test(name));
}

/** Whether a name is not served without the option dotfiles. */
export function isHidden(name: string): boolean {
  return name.startsWith('.') && name !== '.well-known';
}
