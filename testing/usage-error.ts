// How every script of this tree tells that its arguments are wrong: one line that says what, and
// where the options are listed. What parseArgs of Node says is put into such words here.

import { nearMiss } from '../src/base/near-miss.ts';

const MISUSE = 2;
const ADVICE = '--help lists the options';

/** Tells it, and gives the exit code. */
export function refuse(problem: string): number {
  console.error(refusalText(problem));
  return MISUSE;
}

export function refusalText(problem: string): string {
  return `${problem}; ${ADVICE}`;
}

/** An error of parseArgs, or one of a script's own, in one line. `names` are those of options. */
export function argumentProblem(error: unknown, names: readonly string[] = []): string {
  const { code, message } = error as Error & { readonly code?: string };
  const [first] = message.split('\n', 1);
  const quoted = /'([^']*)'/.exec(first)?.[1] ?? '';
  switch (code) {
    case 'ERR_PARSE_ARGS_UNKNOWN_OPTION':
      return unknownOption(quoted, names);
    case 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL':
      return `unexpected argument '${quoted}'`;
    case 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE': {
      const option = quoted.replace(/^-\w, /, '').replace(/ <value>$/, '');
      return /does not take/.test(first) ? `${option} takes no value` : `${option} needs a value`;
    }
    default:
      return first;
  }
}

export function unknownOption(option: string, names: readonly string[] = []): string {
  const near = nearMiss(option.replace(/^-+/, ''), names);
  return `unknown option ${option}${near === undefined ? '' : ` (did you mean --${near}?)`}`;
}
