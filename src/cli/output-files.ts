// The files that a command writes at its end. It checks at its start that they can be written, so
// that a mistyped path does not cost a long run.

import { accessSync, closeSync, constants, openSync, statSync, unlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { faultCode, faultText } from './fault-text.ts';

export interface Output {
  readonly flag: string;
  /** - is standard output. */
  readonly path: string;
}

export const STANDARD_OUTPUT = '-';

/** The problems of the files, a line each. Changes no file. */
export function outputProblems(outputs: readonly Output[]): readonly string[] {
  const problems: string[] = [];
  const flags = new Map<string, string>();
  for (const { flag, path } of outputs) {
    const isStandard = path === STANDARD_OUTPUT;
    const place = isStandard ? path : resolve(path);
    const other = flags.get(place);
    const what = isStandard ? 'standard output' : JSON.stringify(path);
    if (other !== undefined) problems.push(`${flag}: ${what} is already used by ${other}`);
    else if (!isStandard) problems.push(...fileProblem({ flag, path }));
    flags.set(place, flag);
  }
  return problems;
}

function fileProblem({ flag, path }: Output): readonly string[] {
  try {
    tryToWrite(path);
    return [];
  } catch (error) {
    return [writeProblem({ flag, path }, error)];
  }
}

export function writeProblem({ flag, path }: Output, error: unknown): string {
  return `${flag}: cannot write ${JSON.stringify(path)}: ${faultText(error)}`;
}

/** Throws the system error. A file that does not exist is created and removed again. */
function tryToWrite(path: string): void {
  const { O_APPEND, O_CREAT, O_EXCL, O_WRONLY, W_OK } = constants;
  try {
    closeSync(openSync(path, O_WRONLY | O_CREAT | O_EXCL, 0o666));
    unlinkSync(path);
    return;
  } catch (error) {
    if (faultCode(error) !== 'EEXIST') throw error;
  }
  // A named pipe is not opened: its reader would see the end of the file at the close.
  const stat = statSync(path, { throwIfNoEntry: false });
  // A link to a file that does not exist yet.
  if (stat === undefined) return;
  if (stat.isFile() || stat.isDirectory()) closeSync(openSync(path, O_WRONLY | O_APPEND));
  else accessSync(path, W_OK);
}
