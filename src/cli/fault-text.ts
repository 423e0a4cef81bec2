// Problems in words: a fault of the system as 'address already in use (EADDRINUSE)', and the line
// that tells of one.

import { getSystemErrorMap } from 'node:util';
import { logText } from '../base/log-text.ts';

/** The line of a problem, whatever its words are taken from. */
export function problemLine(problem: string): string {
  return `vibing: ${logText(problem)}\n`;
}

/** What the system calls the fault, or undefined when `error` is none of the system's. */
export function faultCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

export function faultText(error: unknown): string {
  const code = faultCode(error);
  if (code === undefined) return firstLine(String(error));
  for (const [name, text] of getSystemErrorMap().values()) {
    if (name === code) return `${text} (${code})`;
  }
  // Names that no server knows have a code of Node's own.
  if (code === 'ENOTFOUND') return `host name not found (${code})`;
  return `${firstLine(error instanceof Error ? error.message : String(error))} (${code})`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0];
}
