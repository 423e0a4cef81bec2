// The arguments of spec/run.ts: words that choose test files, and a few options.

export interface RunArguments {
  /** A test file is run when its path holds one of these; all are when there is none. */
  readonly words: readonly string[];
  /** The value of VIBING_DRIVERS, '' to leave it as it is. */
  readonly drivers: string;
  readonly coverage: boolean;
  /** Options of node --test, passed on. */
  readonly forNode: readonly string[];
}

/** The arguments, or what is wrong with them. */
export function parseRunArguments(given: readonly string[]): RunArguments | string {
  const words: string[] = [];
  const forNode: string[] = [];
  let drivers = '';
  let coverage = true;
  for (let index = 0; index < given.length; index++) {
    const argument = given[index] ?? '';
    if (argument === '--drivers') {
      index += 1;
      drivers = given[index] ?? '';
      if (drivers === '') return '--drivers names drivers, as in --drivers epoll,net';
    } else if (argument === '--no-coverage') coverage = false;
    else if (argument.startsWith('--test-')) forNode.push(argument);
    else if (argument.startsWith('-')) return `unknown option ${argument}`;
    else words.push(argument);
  }
  return { words, drivers, coverage, forNode };
}
