// Formats problems: a system error as 'address already in use (EADDRINUSE)', and a problem as the
// line that is printed.

import { getSystemErrorMap } from 'node:util';
import { logText } from '../base/log-text.ts';

/** The line of a problem. Control characters are escaped: the text may hold untrusted input. */
export function problemLine(problem: string): string {
  return `vibing: ${logText(problem)}\n`;
}

/** The code of a system error; undefined for other errors. */
export function faultCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

export function faultText(error: unknown): string {
  const code = faultCode(error);
  if (code === undefined) return firstLine(String(error));
  if (code === 'EMFILE') {
    return `too many open files; raise the limit of descriptors with "ulimit -n" (${code})`;
  }
  for (const [name, text] of getSystemErrorMap().values()) {
    if (name === code) return `${text} (${code})`;
  }
  // An unknown host name has a code of Node's own.
  if (code === 'ENOTFOUND') return `host name not found (${code})`;
  return `${firstLine(error instanceof Error ? error.message : String(error))} (${code})`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0];
}
