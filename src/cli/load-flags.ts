// Parses the arguments of `vibing load`, which follow those of wrk and autocannon. Every problem is
// a line, and all are reported at once.

import { nearMiss } from '../base/near-miss.ts';
import { shown } from '../base/shown.ts';
import type { LoadOptions } from '../load/options.ts';
import type { RateStep } from '../load/schedule.ts';
import { shownName, suggestion } from '../server/config/lines.ts';
import { insteadOf, sameFlag } from './load-habits.ts';
import { type Output, STANDARD_OUTPUT } from './output-files.ts';

export interface LoadFlags {
  readonly options: LoadOptions;
  /** The files that reports are written to. */
  readonly outputs: readonly Output[];
  /** Two reports to compare instead of a run. */
  readonly compare: readonly [string, string] | null;
  readonly progress: boolean;
  readonly help: boolean;
  readonly problems: readonly string[];
}

/** The bytes of a file, or the problem of reading it. */
export type ReadBytes = (path: string) => Uint8Array | string;

export interface LoadFlag {
  readonly long: string;
  readonly short?: string;
  /** The placeholder of its value in the help; '' when it takes none. */
  readonly slot: string;
  readonly what: string;
}

/** In the order of the help. */
export const LOAD_FLAGS: readonly LoadFlag[] = [
  { long: 'connections', short: 'c', slot: 'N', what: 'connections, up to 50000 (default 10)' },
  {
    long: 'duration',
    short: 'd',
    slot: 'TIME',
    what: 'length of the run: 10, 10s, 1m, 500ms (default 10s)',
  },
  { long: 'requests', short: 'n', slot: 'N', what: 'end after so many requests' },
  {
    long: 'pipelining',
    short: 'p',
    slot: 'N',
    what: 'requests in flight on each connection (default 1)',
  },
  {
    long: 'rate',
    short: 'R',
    slot: 'RATE',
    what:
      'requests a second, whatever the server does; latencies count from the due times. ' +
      'Steps: 1000@5s,2000@5s; a ramp: 0..5000@30s. Without it a connection sends its next ' +
      'request after each response',
  },
  { long: 'method', short: 'm', slot: 'NAME', what: 'request method (default GET)' },
  { long: 'header', short: 'H', slot: 'FIELD', what: "'Name: value'; may be repeated" },
  { long: 'body', short: 'b', slot: 'TEXT', what: 'request body' },
  { long: 'input', short: 'i', slot: 'FILE', what: 'request body from a file' },
  { long: 'weights', slot: 'N,N', what: 'weights of several URLs' },
  { long: 'expect-body', slot: 'TEXT', what: 'a response with another body is an error' },
  { long: 'expect-body-file', slot: 'FILE', what: 'the same from a file' },
  { long: 'no-keep-alive', slot: '', what: 'a connection for each request' },
  { long: 'warm-up', slot: 'TIME', what: 'time before the counted time (default 0)' },
  { long: 'timeout', slot: 'TIME', what: 'for a response or a connect (default 10s)' },
  { long: 'socket', slot: 'PATH', what: 'a unix socket to connect to' },
  { long: 'driver', slot: 'NAME', what: 'auto, uring, epoll or net (default auto)' },
  { long: 'core', slot: 'N', what: 'the core that the load is pinned to' },
  { long: 'threads', short: 't', slot: 'N', what: 'only 1: start several loads for several cores' },
  {
    long: 'json',
    slot: 'FILE',
    what: 'write the report as JSON; - prints it instead of the text',
  },
  { long: 'csv', slot: 'FILE', what: 'write a line for each second' },
  { long: 'html', slot: 'FILE', what: 'write a page with charts' },
  { long: 'latency', slot: '', what: 'no effect: percentiles are always printed' },
  { long: 'compare', slot: '', what: 'compare two reports: vibing load --compare A.json B.json' },
  { long: 'no-progress', slot: '', what: 'print no progress' },
  { long: 'help', short: 'h', slot: '', what: 'print this' },
];

const NAMES = LOAD_FLAGS.map(({ long }) => `--${long}`);
const TIME_MS_MAX = 24 * 60 * 60 * 1000;
const DRIVERS = ['auto', 'uring', 'epoll', 'net'] as const;

export function parseLoadFlags(args: readonly string[], read: ReadBytes): LoadFlags {
  const parse = new LoadParse(args, read);
  parse.all();
  return parse.result();
}

type Options = { -readonly [K in keyof LoadOptions]: LoadOptions[K] };

class LoadParse {
  readonly #args: readonly string[];
  readonly #read: ReadBytes;
  readonly #problems: string[] = [];
  readonly #plain: string[] = [];
  readonly #headers: (readonly [string, string])[] = [];
  readonly #options: Options = { url: [] };
  readonly #outputs = new Map<string, string>();
  readonly #switches = new Set<string>();
  #at = 0;

  constructor(args: readonly string[], read: ReadBytes) {
    this.#args = args;
    this.#read = read;
  }

  all(): void {
    while (this.#at < this.#args.length) this.#next();
  }

  result(): LoadFlags {
    const isCompare = this.#switches.has('compare');
    const isHelp = this.#switches.has('help');
    if (isCompare && this.#plain.length !== 2) {
      this.#problems.push('--compare: two files are needed, as written by --json');
    }
    if (!isCompare && !isHelp && this.#plain.length === 0) {
      this.#problems.push(
        'a URL is needed, such as http://127.0.0.1:8080/; "vibing load --help" lists the flags',
      );
    }
    const { keepAlive, pipelining = 1 } = this.#options;
    if (keepAlive === false && pipelining > 1) {
      this.#problems.push(
        `--pipelining ${pipelining} and --no-keep-alive exclude each other: ` +
          'each request has its own connection',
      );
    }
    const options = { ...this.#options, url: this.#plain.map(withScheme) };
    if (this.#headers.length > 0) options.headers = this.#headers;
    const [first = '', second = ''] = this.#plain;
    return {
      options,
      outputs: [...this.#outputs].map(([name, path]) => ({ flag: `--${name}`, path })),
      compare: isCompare ? [first, second] : null,
      progress: !this.#switches.has('no-progress'),
      help: isHelp,
      problems: this.#problems,
    };
  }

  #next(): void {
    const arg = this.#args[this.#at];
    this.#at += 1;
    if (!arg.startsWith('-') || arg === '-') {
      this.#plain.push(arg);
      return;
    }
    if (arg === '--') {
      this.#plain.push(...this.#args.slice(this.#at));
      this.#at = this.#args.length;
      return;
    }
    const { flag, inline, shownAs } = split(arg);
    if (flag === undefined) {
      this.#problems.push(unknownFlag(shownAs));
      return;
    }
    if (flag.slot === '') {
      if (inline === undefined) this.#switch(flag.long);
      else this.#problems.push(`${shownAs}: takes no value`);
      return;
    }
    const value = inline ?? this.#args[this.#at];
    if (inline === undefined) this.#at += 1;
    if (value === undefined)
      this.#problems.push(`${shownAs}: given no value, allowed: ${shownAs} ${flag.slot}`);
    else this.#take(flag.long, shownAs, value);
  }

  #switch(name: string): void {
    if (name === 'no-keep-alive') this.#options.keepAlive = false;
    else this.#switches.add(name);
  }

  #take(name: string, flag: string, value: string): void {
    const options = this.#options;
    switch (name) {
      case 'connections':
        options.connections = this.#integer(flag, value, 1, 50_000);
        break;
      case 'pipelining':
        options.pipelining = this.#integer(flag, value, 1, 1_024);
        break;
      case 'requests':
        options.count = this.#integer(flag, value, 1, 1e12);
        break;
      case 'core':
        options.core = this.#integer(flag, value, 0, 1_023);
        break;
      case 'threads':
        this.#threads(flag, value);
        break;
      case 'duration':
        options.durationMs = this.#time(flag, value, 1);
        break;
      case 'warm-up':
        options.warmUpMs = this.#time(flag, value, 0);
        break;
      case 'timeout':
        options.timeoutMs = this.#time(flag, value, 1);
        break;
      case 'rate':
        options.rate = this.#rate(flag, value);
        break;
      case 'driver':
        this.#driver(flag, value);
        break;
      default:
        this.#text(name, flag, value);
    }
  }

  #text(name: string, flag: string, value: string): void {
    const options = this.#options;
    switch (name) {
      case 'method':
        options.method = value;
        break;
      case 'header':
        this.#header(flag, value);
        break;
      case 'body':
        options.body = value;
        break;
      case 'input':
        options.body = this.#file(flag, value);
        break;
      case 'expect-body':
        options.expectBody = value;
        break;
      case 'expect-body-file':
        options.expectBody = this.#file(flag, value);
        break;
      case 'weights':
        options.weights = value
          .split(',')
          .map((text) => (/^\d{1,7}$/.test(text) ? Number(text) : 0));
        break;
      case 'socket':
        options.socket = value;
        break;
      default:
        this.#output(name, flag, value);
    }
  }

  #output(name: string, flag: string, path: string): void {
    if (path.startsWith('-') && path !== STANDARD_OUTPUT) {
      this.#problems.push(
        `${flag}: given ${shown(path)}, allowed: a file, or - (write ./${path} for this file)`,
      );
    } else this.#outputs.set(name, path);
  }

  #integer(flag: string, text: string, min: number, max: number): number {
    const value = /^\d{1,13}$/.test(text) ? Number(text) : -1;
    if (value >= min && value <= max) return value;
    this.#problems.push(`${flag}: given ${shown(text)}, allowed: an integer from ${min} to ${max}`);
    return min;
  }

  #threads(flag: string, text: string): void {
    if (this.#integer(flag, text, 1, 1_024) === 1) return;
    this.#problems.push(`${flag}: a load runs on one thread; start one for each core, with --core`);
  }

  #time(flag: string, text: string, minMs: number): number {
    const ms = timeFrom(text);
    if (ms !== null && ms >= minMs && ms <= TIME_MS_MAX) return ms;
    this.#problems.push(
      `${flag}: given ${shown(text)}, allowed: a time such as 10, 10s, 1m, 500ms, up to 24h`,
    );
    return 1;
  }

  #rate(flag: string, text: string): readonly RateStep[] {
    const steps = rateFrom(text);
    if (steps !== null) return steps;
    const allowed = 'requests a second, or steps such as 1000@5s,2000@5s or 0..5000@30s';
    this.#problems.push(`${flag}: given ${shown(text)}, allowed: ${allowed}`);
    return [];
  }

  #driver(flag: string, text: string): void {
    const driver = DRIVERS.find((name) => name === text);
    if (driver !== undefined) this.#options.driver = driver;
    else this.#problems.push(`${flag}: given ${shown(text)}, allowed: ${DRIVERS.join(', ')}`);
  }

  #header(flag: string, text: string): void {
    const colon = text.indexOf(':');
    if (colon <= 0) this.#problems.push(`${flag}: given ${shown(text)}, allowed: 'Name: value'`);
    else this.#headers.push([text.slice(0, colon), text.slice(colon + 1).trim()]);
  }

  #file(flag: string, path: string): Uint8Array {
    const bytes = this.#read(path);
    if (typeof bytes !== 'string') return bytes;
    this.#problems.push(`${flag}: cannot read ${shown(path)}: ${bytes}`);
    return new Uint8Array(0);
  }
}

function unknownFlag(flag: string): string {
  const other = insteadOf(flag);
  if (other !== undefined) return `${shownName(flag)}: no such flag; ${other}`;
  const meant = nearMiss(flag, NAMES);
  const advice = meant === undefined ? '; "vibing load --help" lists the flags' : suggestion(meant);
  return `${shownName(flag)}: no such flag${advice}`;
}

interface Split {
  readonly flag: LoadFlag | undefined;
  readonly inline: string | undefined;
  /** The flag as given, without the value. */
  readonly shownAs: string;
}

/** `--name=value`, `--name`, `-n`, `-nvalue`. */
function split(arg: string): Split {
  const equals = arg.startsWith('--') ? arg.indexOf('=') : -1;
  const isShort = !arg.startsWith('--');
  const written = equals < 0 ? arg : arg.slice(0, equals);
  const shownAs = isShort ? arg.slice(0, 2) : written;
  const same = sameFlag(shownAs);
  const flag = LOAD_FLAGS.find(
    ({ long, short }) => shownAs === `--${long}` || shownAs === `-${short}` || long === same,
  );
  const rest = isShort && arg.length > 2 ? arg.slice(2) : undefined;
  return { flag, inline: equals < 0 ? rest : arg.slice(equals + 1), shownAs };
}

function withScheme(text: string): string {
  return /^[\w.-]+(:\d+)?([/?#]|$)/.test(text) || text.startsWith('[') ? `http://${text}` : text;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds; without a unit the text is in seconds. */
export function timeFrom(text: string): number | null {
  const match = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h)?$/.exec(text);
  return match === null ? null : Number(match[1]) * UNITS[match[2] ?? 's'];
}

/** Renames the option that a problem begins with to its flag. */
export function flagProblem(problem: string): string {
  const option = /^(\w+):/.exec(problem)?.[1] ?? '';
  const flag = FLAG_BY_OPTION[option];
  return flag === undefined ? problem : `--${flag}${problem.slice(option.length)}`;
}

/** Options whose problems only prepareLoad() finds. */
const FLAG_BY_OPTION: Readonly<Record<string, string>> = {
  durationMs: 'duration',
  warmUpMs: 'warm-up',
  header: 'header',
  method: 'method',
  pipelining: 'pipelining',
  rate: 'rate',
  weights: 'weights',
};

/** `1000`, or steps with commas between them: `1000@5s`, `0..5000@30s`. */
export function rateFrom(text: string): readonly RateStep[] | null {
  const steps: RateStep[] = [];
  for (const part of text.split(',')) {
    const match = /^(\d{1,8}(?:\.\d+)?)(?:\.\.(\d{1,8}(?:\.\d+)?))?(?:@(.+))?$/.exec(part);
    const duration = match?.[3] === undefined ? Number.POSITIVE_INFINITY : timeFrom(match[3]);
    if (match === null || duration === null) return null;
    const from = Number(match[1]);
    steps.push({ from, to: Number(match[2] ?? from), durationMs: duration });
  }
  return steps;
}
