// The command line of the examples: arguments, --help, and addresses such as 127.0.0.1:8081,
// [::1]:8081 or just 8081.

import { networkInterfaces } from 'node:os';
import { type ParseArgsConfig, parseArgs } from 'node:util';

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

/** What was given on the command line. */
export interface Given {
  /** The arguments that are no options. */
  readonly words: readonly string[];
  /** The value of an option; undefined when it was not given. */
  text(name: string): string | undefined;
  /** Whether a switch is on; undefined when it was not given. `--no-NAME` turns it off. */
  isOn(name: string): boolean | undefined;
}

/** As readArguments(), with options: the name of each, and whether it is followed by a text. */
export function readOptions(
  usage: string,
  countMax: number,
  options: Readonly<Record<string, 'text' | 'switch'>>,
): Given {
  const kinds = Object.entries({ ...options, help: 'switch' }).map(([name, kind]) => [
    name,
    { type: kind === 'text' ? 'string' : 'boolean', ...(name === 'help' ? { short: 'h' } : {}) },
  ]);
  const given = parsed(Object.fromEntries(kinds));
  if (given.values['help'] === true) {
    console.log(usage);
    process.exit(0);
  }
  const words = given.positionals;
  if (words.length > countMax) {
    fail(`${words.length} arguments given, at most ${countMax} are allowed; --help lists them`);
  }
  return {
    words,
    text: (name) => given.values[name] as string | undefined,
    isOn: (name) => given.values[name] as boolean | undefined,
  };
}

function parsed(options: NonNullable<ParseArgsConfig['options']>) {
  try {
    return parseArgs({ options, allowPositionals: true, allowNegative: true });
  } catch (error) {
    // Of node:util, as: Unknown option '--x'. To specify a positional argument ...
    const [text] = (error instanceof Error ? error.message : String(error)).split(/\.?\s(?=To )/);
    return fail(`${text}; --help lists the options`);
  }
}

/** A whole number of an option; exits with one line if it is no such number. */
export function readNumber(name: string, text: string, least: number, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  return fail(`--${name}: a whole number from ${least} to ${most}, given ${JSON.stringify(text)}`);
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

/** All interfaces, where one address stands for them: for those who open it from elsewhere. */
export function urlsOf(host: string, port: number): readonly string[] {
  if (host !== '0.0.0.0' && host !== '::') return [formatUrl(host, port)];
  const hosts: string[] = [host === '::' ? '::1' : '127.0.0.1'];
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { address, family, internal } of addresses ?? []) {
      // A link-local address needs the name of an interface, which browsers do not accept.
      if (internal || address.startsWith('fe80:')) continue;
      if (family === 'IPv4' || host === '::') hosts.push(address);
    }
  }
  return hosts.map((each) => formatUrl(each, port));
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
