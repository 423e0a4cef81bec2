// Files that a command writes in the end. Whether they can be written is found out in the
// beginning, so that an hour's run is not lost to a mistyped folder.

import { accessSync, closeSync, constants, openSync, statSync, unlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { faultCode, faultText } from './fault-text.ts';

export interface Output {
  readonly flag: string;
  /** - is standard output. */
  readonly path: string;
}

export const STANDARD_OUTPUT = '-';

/** What is wrong with them, a line each. Nothing is changed by looking. */
export function outputProblems(outputs: readonly Output[]): readonly string[] {
  const problems: string[] = [];
  const flags = new Map<string, string>();
  for (const { flag, path } of outputs) {
    const isStandard = path === STANDARD_OUTPUT;
    const place = isStandard ? path : resolve(path);
    const other = flags.get(place);
    const what = isStandard ? 'standard output' : JSON.stringify(path);
    if (other !== undefined) problems.push(`${flag}: ${what} is taken by ${other}`);
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

/** Throws the system's error. A file that was not there is made and taken away again. */
function tryToWrite(path: string): void {
  const { O_APPEND, O_CREAT, O_EXCL, O_WRONLY, W_OK } = constants;
  try {
    closeSync(openSync(path, O_WRONLY | O_CREAT | O_EXCL, 0o666));
    unlinkSync(path);
    return;
  } catch (error) {
    if (faultCode(error) !== 'EEXIST') throw error;
  }
  // A pipe is not opened: its reader would take the close for the end.
  const stat = statSync(path, { throwIfNoEntry: false });
  // A link to a file that is not there yet.
  if (stat === undefined) return;
  if (stat.isFile() || stat.isDirectory()) closeSync(openSync(path, O_WRONLY | O_APPEND));
  else accessSync(path, W_OK);
}
