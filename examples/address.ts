// The command line of the examples: arguments, --help, and addresses such as 127.0.0.1:8081,
// [::1]:8081 or just 8081.

export interface Address {
  readonly host: string;
  readonly port: number;
}

const PORT_MAX = 65_535;
const EXIT_FAULT = 1;
const EXIT_USAGE = 2;

/**
 * The positional arguments. --help prints `usage` and exits; an invalid argument exits with an
 * error.
 */
export function readArguments(usage: string, countMax: number): string[] {
  const words = process.argv.slice(2);
  if (words.includes('--help') || words.includes('-h')) {
    console.log(usage);
    process.exit(0);
  }
  const flag = words.find((word) => word.startsWith('-'));
  if (flag !== undefined) fail(`unknown option ${flag}; --help lists the options`);
  if (words.length > countMax) {
    fail(`${words.length} arguments given, at most ${countMax} are allowed; --help lists them`);
  }
  return words;
}

/** Parses an address; exits with one line if it is invalid. */
export function readAddress(text: string): Address {
  const address = parseAddress(text);
  if (address !== undefined) return address;
  return fail(
    `invalid address ${JSON.stringify(text)}: use host:port or a port from 0 to ${PORT_MAX}`,
  );
}

/** A bare port is on 127.0.0.1; port 0 is any free one. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:(?:\[([0-9a-f:.]+)\]|([a-z0-9][a-z0-9.-]*)):)?(\d{1,5})$/i.exec(text);
  if (match === null) return undefined;
  const port = Number(match[3]);
  if (port > PORT_MAX) return undefined;
  return { host: match[1] ?? match[2] ?? '127.0.0.1', port };
}

export function formatUrl(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}/`;
}

/** For errors of listen(), such as a port in use: prints one line without a stack, and exits. */
export function failListening(error: unknown): never {
  return fail(error instanceof Error ? error.message : String(error), EXIT_FAULT);
}

/** Prints one line and exits; by default with the exit code of a usage error. */
export function fail(message: string, code: number = EXIT_USAGE): never {
  console.error(message);
  process.exit(code);
}
