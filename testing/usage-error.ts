// How every command of this tree reports wrong arguments: one line that names the mistake and says
// where the options are listed. The errors of Node's parseArgs are translated here.

import { nearMiss } from '../src/base/near-miss.ts';

const USAGE_EXIT_CODE = 2;
const ADVICE = '--help lists the options';

/** Prints the usage error and returns the exit code. */
export function reportUsageError(problem: string): number {
  console.error(usageErrorText(problem));
  return USAGE_EXIT_CODE;
}

export function usageErrorText(problem: string): string {
  return `${problem}; ${ADVICE}`;
}

/** An error of parseArgs, or of a command's own check, in one line. `names` are the options. */
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
