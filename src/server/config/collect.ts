// Collects the values of all sources with the place each comes from, and settles them into one
// configuration. Problems add up: nothing stops at the first.

import {
  blockBytesFor,
  LIMITS,
  type LimitName,
  type Limits,
  limitsFrom,
} from '../../base/limits.ts';
import { shown } from '../../base/shown.ts';
import { type ConfigKey, type DriverName, KEY_BY_OPTION, KEYS, type LogLevel } from './keys.ts';
import { nameIn, refusedLine, unknownLine } from './lines.ts';
import { type Form, type Value, valueFrom } from './rules.ts';

/** All blocks of a worker lie in one buffer, and every Node that we support makes one this long. */
const BLOCKS_BYTES_MAX = 2 * 1024 * 1024 * 1024;

/** Forms in which a value comes with its name. */
type NamedForm = Exclude<Form, 'text'>;

/** A complete configuration. */
export interface Config {
  readonly host: string;
  readonly port: number;
  /** When it is set, host and port stand at their defaults and mean nothing. */
  readonly socket: string | undefined;
  readonly socketMode: number | undefined;
  readonly staticDir: string | undefined;
  readonly workers: number | 'auto';
  readonly supervise: boolean;
  readonly driver: DriverName;
  readonly pidFile: string | undefined;
  readonly logLevel: LogLevel;
  readonly debug: boolean;
  readonly listing: boolean;
  readonly limits: Limits;
}

/** A value with the place it comes from, as a problem line names it. */
export interface Given {
  readonly where: string;
  /** The key as it is spelled there. */
  readonly name: string;
  readonly value: Value;
}

/** Values of all sources so far, each with its layer (a higher one counts), and all problems. */
export class Collected {
  readonly problems: string[];
  readonly given: Map<string, Given & { readonly layer: number }>;

  constructor() {
    this.problems = [];
    this.given = new Map();
  }

  /** A value under a name that may be none of ours. */
  addNamed(where: string, name: string, value: unknown, form: NamedForm, layer: number): void {
    const spelling = form === 'option' ? 'option' : 'key';
    const key = KEYS.find((candidate) => candidate[spelling] === name);
    if (key !== undefined) {
      this.add(where, key, value, form, layer);
      return;
    }
    const names = KEYS.map((candidate) => candidate[spelling]);
    this.problems.push(unknownLine(where, name, value, names));
  }

  add(where: string, key: ConfigKey, given: unknown, form: Form, layer: number): void {
    const value = valueFrom(key.rule, given, form);
    if (value === undefined) this.problems.push(refusedLine(where, key, given, form));
    else this.given.set(key.option, { where, name: nameIn(form, key), value, layer });
  }

  /** The configuration, or undefined when anything at all was wrong. */
  settle(): Config | undefined {
    this.#settleAddress();
    const limits = this.#settleLimits();
    if (this.problems.length > 0) return undefined;
    const config: Config = {
      host: this.#value('host'),
      port: this.#value('port'),
      socket: this.#value('socket'),
      socketMode: this.#value('socketMode'),
      staticDir: this.#value('staticDir'),
      workers: this.#value('workers'),
      supervise: this.#value('supervise'),
      driver: this.#value('driver'),
      pidFile: this.#value('pidFile'),
      logLevel: this.#value('logLevel'),
      debug: this.#value('debug'),
      listing: this.#value('listing'),
      limits,
    };
    return Object.freeze(config);
  }

  /**
   * A server listens in one place. Of a socket and a port the one from the higher layer counts, so
   * that --port can stand over a file with a socket; both from one layer is a mistake.
   */
  #settleAddress(): void {
    const socket = this.given.get('socket');
    if (socket === undefined) {
      const mode = this.given.get('socketMode');
      if (mode === undefined) return;
      this.problems.push(
        `${mode.where}: ${mode.name}: given without a socket, allowed: beside one`,
      );
      return;
    }
    let portWins = false;
    for (const option of ['host', 'port']) {
      const other = this.given.get(option);
      if (other === undefined || other.layer < socket.layer) continue;
      portWins = true;
      if (other.layer > socket.layer) continue;
      const both = `given ${shown(socket.value)} beside ${option} ${shown(other.value)}`;
      this.problems.push(`${socket.where}: socket: ${both}, allowed: one of them`);
    }
    const losers = portWins ? ['socket', 'socketMode'] : ['host', 'port'];
    for (const loser of losers) this.given.delete(loser);
  }

  #settleLimits(): Limits {
    const given: Partial<Record<LimitName, number>> = {};
    for (const name of Object.keys(LIMITS) as LimitName[]) given[name] = this.#value(name);
    const limits = limitsFrom(given);
    const blockBytes = blockBytesFor(limits);
    if (blockBytes * limits.blockCount > BLOCKS_BYTES_MAX) {
      const blame = this.given.get('blockCount') ?? this.given.get('headBytesMax');
      this.problems.push(
        `${blame?.where}: ${blame?.name}: given ${limits.blockCount} blocks of ${blockBytes} ` +
          `bytes, allowed: ${BLOCKS_BYTES_MAX} bytes together`,
      );
    }
    return limits;
  }

  /** The rules have seen to it that a value has the type of its key. */
  #value<T extends Value | undefined>(option: string): T {
    return (this.given.get(option)?.value ?? KEY_BY_OPTION.get(option)?.default) as T;
  }
}
