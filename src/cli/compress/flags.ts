// Parses the arguments of `vibing compress`. Every problem is a line, and all are reported at once.

import { availableParallelism } from 'node:os';
import { nearMiss } from '../../base/near-miss.ts';
import { shown } from '../../base/shown.ts';
import { shownName, suggestion } from '../../server/config/lines.ts';
import { CODINGS, type Coding, LEVELS, type Level } from './codings.ts';

export interface CompressOptions {
  readonly directory: string;
  readonly level: Level;
  readonly codings: readonly Coding[];
  /** Smaller files are left alone. */
  readonly minBytes: number;
  /** Variants that are made at a time. */
  readonly jobs: number;
  readonly dryRun: boolean;
  readonly force: boolean;
  readonly prune: boolean;
  readonly quiet: boolean;
}

export interface CompressFlags {
  readonly options: CompressOptions;
  readonly help: boolean;
  readonly problems: readonly string[];
}

export interface CompressFlag {
  readonly long: string;
  readonly short?: string;
  /** The placeholder of its value in the help; '' when it takes none. */
  readonly slot: string;
  readonly what: string;
}

/** A file of one packet takes no longer uncompressed. */
const MIN_BYTES = 1_024;
const JOBS_MAX = 64;

/** In the order of the help. */
export const COMPRESS_FLAGS: readonly CompressFlag[] = [
  {
    long: 'encodings',
    short: 'e',
    slot: 'LIST',
    what: 'of br, gzip, zstd (default: those that this Node has)',
  },
  { long: 'level', short: 'l', slot: 'NAME', what: 'fast, good or best (default best)' },
  {
    long: 'min-bytes',
    slot: 'N',
    what: `leave smaller files alone (default ${MIN_BYTES})`,
  },
  {
    long: 'jobs',
    short: 'j',
    slot: 'N',
    what:
      'variants made at a time (default: one for each core, up to 4, which is the number of ' +
      'threads in Node; UV_THREADPOOL_SIZE sets more)',
  },
  { long: 'force', short: 'f', slot: '', what: 'also make variants that are current' },
  { long: 'prune', slot: '', what: 'remove variants whose original is gone' },
  { long: 'dry-run', short: 'n', slot: '', what: 'print what would be done, change nothing' },
  { long: 'quiet', short: 'q', slot: '', what: 'print only errors' },
  { long: 'help', short: 'h', slot: '', what: 'print this' },
];

/** Threads of Node's pool, which compress. */
const THREADS = 4;

export function parseCompressFlags(args: readonly string[]): CompressFlags {
  const parse = new CompressParse();
  parse.all(args);
  return parse.result();
}

class CompressParse {
  readonly #problems: string[] = [];
  readonly #plain: string[] = [];
  readonly #switches = new Set<string>();
  #level: Level = 'best';
  #codings: readonly Coding[] = CODINGS.filter(({ isAvailable }) => isAvailable);
  #minBytes = MIN_BYTES;
  #jobs = Math.min(availableParallelism(), THREADS);

  all(args: readonly string[]): void {
    for (let at = 0; at < args.length; at++) {
      const arg = args[at];
      if (arg === '--') {
        this.#plain.push(...args.slice(at + 1));
        return;
      }
      if (!arg.startsWith('-') || arg === '-') {
        this.#plain.push(arg);
        continue;
      }
      const equals = arg.startsWith('--') ? arg.indexOf('=') : -1;
      const name = equals < 0 ? arg : arg.slice(0, equals);
      const flag = COMPRESS_FLAGS.find(
        ({ long, short }) => name === `--${long}` || (short !== undefined && name === `-${short}`),
      );
      if (flag === undefined) {
        this.#unknown(name);
      } else if (flag.slot === '') {
        if (equals >= 0) this.#problems.push(`--${flag.long} takes no value`);
        this.#switches.add(flag.long);
      } else {
        if (equals < 0) at += 1;
        const value = equals < 0 ? args[at] : arg.slice(equals + 1);
        if (value === undefined) this.#problems.push(`--${flag.long} needs a value: ${flag.slot}`);
        else this.#set(flag.long, value);
      }
    }
  }

  #unknown(name: string): void {
    const meant = nearMiss(
      name,
      COMPRESS_FLAGS.map(({ long }) => `--${long}`),
    );
    const advice =
      meant === undefined ? '; "vibing compress --help" lists the flags' : suggestion(meant);
    this.#problems.push(`${shownName(name)}: no such flag${advice}`);
  }

  #set(name: string, value: string): void {
    if (name === 'encodings') this.#setCodings(value);
    else if (name === 'min-bytes') this.#minBytes = this.#number(name, value, 0, 2 ** 40);
    else if (name === 'jobs') this.#jobs = this.#number(name, value, 1, JOBS_MAX);
    else {
      const level = LEVELS.find((one) => one === value);
      if (level === undefined) {
        this.#problems.push(`--level: given ${shown(value)}, allowed: ${LEVELS.join(', ')}`);
      } else this.#level = level;
    }
  }

  #setCodings(list: string): void {
    const names = list.split(',').map((name) => name.trim());
    const known = CODINGS.map(({ name }) => name).join(', ');
    for (const name of names) {
      const coding = CODINGS.find((one) => one.name === name);
      if (coding === undefined) {
        this.#problems.push(`--encodings: given ${shown(name)}, allowed: ${known}`);
      } else if (!coding.isAvailable) {
        this.#problems.push(
          `--encodings: this version of Node (${process.version}) has no ${name}`,
        );
      }
    }
    this.#codings = CODINGS.filter(({ name }) => names.includes(name));
  }

  #number(name: string, text: string, least: number, most: number): number {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    this.#problems.push(
      `--${name}: given ${shown(text)}, allowed: an integer from ${least} to ${most}`,
    );
    return least;
  }

  result(): CompressFlags {
    const help = this.#switches.has('help');
    const [directory, ...others] = this.#plain;
    if (directory === undefined && !help) {
      this.#problems.push('a directory is needed; "vibing compress --help" lists the flags');
    }
    for (const other of others) this.#problems.push(`${shown(other)}: unexpected argument`);
    const options: CompressOptions = {
      directory: directory ?? '.',
      level: this.#level,
      codings: this.#codings,
      minBytes: this.#minBytes,
      jobs: this.#jobs,
      dryRun: this.#switches.has('dry-run'),
      force: this.#switches.has('force'),
      prune: this.#switches.has('prune'),
      quiet: this.#switches.has('quiet'),
    };
    return { options, help, problems: this.#problems };
  }
}
