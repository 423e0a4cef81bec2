// Collects the values of all sources, each with its place, and merges them into one configuration.
// All problems are collected, not only the first.

import { resolve } from 'node:path';
import {
  blockBytesFor,
  LIMITS,
  type LimitName,
  type Limits,
  limitsFrom,
} from '../../base/limits.ts';
import { shown } from '../../base/shown.ts';
import { hiddenPage, type StaticOptions, type Symlinks } from '../../static/options.ts';
import { healthPaths } from './health-keys.ts';
import {
  type ConfigKey,
  type DriverName,
  KEY_BY_OPTION,
  KEYS,
  type LogLevel,
  type ProxyProtocol,
  type TrailingSlash,
} from './keys.ts';
import { invalidLine, nameIn, unknownLine } from './lines.ts';
import { METRICS_HOST, metricsPath } from './metrics-keys.ts';
import { type Form, type Value, valueFrom } from './rules.ts';

/**
 * All blocks of a worker are in one buffer, and every supported Node can allocate one this long.
 */
const BLOCKS_BYTES_MAX = 2 * 1024 * 1024 * 1024;

/** For a value that has no place, which the default of a key is. */
const NO_PLACE = { where: '', name: '' } as const;

/** The forms of values that come with a name. */
type NamedForm = Exclude<Form, 'text'>;

/** A complete configuration. */
export interface Config {
  readonly host: string;
  readonly port: number;
  /** When it is set, host and port have their defaults and are not used. */
  readonly socket: string | undefined;
  readonly socketMode: number | undefined;
  readonly staticDir: string | undefined;
  readonly workers: number | 'auto';
  readonly supervise: boolean;
  readonly driver: DriverName;
  readonly proxyProtocol: ProxyProtocol;
  readonly proxyProtocolFrom: string | readonly string[];
  readonly pidFile: string | undefined;
  readonly logLevel: LogLevel;
  readonly accessLog: boolean;
  readonly healthz: boolean | string;
  readonly readyz: boolean | string | undefined;
  readonly metrics: boolean | string;
  readonly metricsPublic: boolean;
  readonly metricsPort: number | undefined;
  readonly metricsHost: string;
  readonly metricsSocket: string | undefined;
  readonly trailingSlash: TrailingSlash;
  readonly debug: boolean;
  readonly mounts: Readonly<Record<string, string>> | undefined;
  readonly listing: boolean;
  readonly index: string | readonly string[];
  readonly spa: boolean | string;
  readonly notFound: string | undefined;
  readonly precompressed: boolean;
  readonly cacheControl: StaticOptions['cacheControl'];
  readonly headers: StaticOptions['headers'];
  readonly mimeTypes: StaticOptions['mimeTypes'];
  readonly extensions: readonly string[] | undefined;
  readonly dotfiles: boolean;
  readonly symlinks: Symlinks;
  readonly limits: Limits;
}

/** A value with its place, as a problem line names it. */
export interface Given {
  readonly where: string;
  /** The key as it is spelled there. */
  readonly name: string;
  readonly value: Value;
}

/**
 * The values of all sources so far, and all problems. Values of higher layers replace lower ones.
 */
export class Collected {
  readonly problems: string[];
  readonly given: Map<string, Given & { readonly layer: number }>;

  constructor() {
    this.problems = [];
    this.given = new Map();
  }

  /** Adds a value under a name that may be unknown. */
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
    if (value === undefined) this.problems.push(invalidLine(where, key, given, form));
    else this.given.set(key.option, { where, name: nameIn(form, key), value, layer });
  }

  /** The configuration, or undefined when there are problems. */
  merge(): Config | undefined {
    this.#mergeAddress();
    const limits = this.#mergeLimits();
    this.#checkPages();
    this.#checkHealth();
    this.#checkMetrics();
    this.#checkListeners();
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
      proxyProtocol: this.#value('proxyProtocol'),
      proxyProtocolFrom: this.#value('proxyProtocolFrom'),
      pidFile: this.#value('pidFile'),
      logLevel: this.#value('logLevel'),
      accessLog: this.#value('accessLog'),
      healthz: this.#value('healthz'),
      readyz: this.#value('readyz'),
      metrics: this.#metrics(),
      metricsPublic: this.#value('metricsPublic'),
      metricsPort: this.#value('metricsPort'),
      metricsHost: this.#value('metricsHost'),
      metricsSocket: this.#value('metricsSocket'),
      trailingSlash: this.#value('trailingSlash'),
      debug: this.#value('debug'),
      mounts: this.#value('mounts'),
      listing: this.#value('listing'),
      index: this.#value('index'),
      spa: this.#value('spa'),
      notFound: this.#value('notFound'),
      precompressed: this.#value('precompressed'),
      cacheControl: this.#value('cacheControl'),
      headers: this.#value('headers'),
      mimeTypes: this.#value('mimeTypes'),
      extensions: this.#value('extensions'),
      dotfiles: this.#value('dotfiles'),
      symlinks: this.#value('symlinks'),
      limits,
    };
    return Object.freeze(config);
  }

  /**
   * A server listens on a socket or on a port. The one from the higher layer is used, so that
   * --port overrides a socket in the file; both in the same layer are a problem.
   */
  #mergeAddress(): void {
    const socket = this.given.get('socket');
    if (socket === undefined) {
      const mode = this.given.get('socketMode');
      if (mode === undefined) return;
      this.problems.push(
        `${mode.where}: ${mode.name}: given without a socket, allowed: together with one`,
      );
      return;
    }
    let portWins = false;
    for (const option of ['host', 'port']) {
      const other = this.given.get(option);
      if (other === undefined || other.layer < socket.layer) continue;
      portWins = true;
      if (other.layer > socket.layer) continue;
      const both = `given ${shown(socket.value)} together with ${option} ${shown(other.value)}`;
      this.problems.push(`${socket.where}: socket: ${both}, allowed: one of them`);
    }
    const unused = portWins ? ['socket', 'socketMode'] : ['host', 'port'];
    for (const option of unused) this.given.delete(option);
  }

  #checkPages(): void {
    const hidden = hiddenPage({
      index: this.#value('index'),
      spa: this.#value('spa'),
      notFound: this.#value('notFound'),
      dotfiles: this.#value('dotfiles'),
    });
    if (hidden === null) return;
    const { where, name } = this.given.get(hidden.option) ?? NO_PLACE;
    const allowed = 'a name that begins with a dot only together with dotfiles';
    this.problems.push(`${where}: ${name}: given ${shown(hidden.path)}, allowed: ${allowed}`);
  }

  #checkHealth(): void {
    const paths = healthPaths({ healthz: this.#value('healthz'), readyz: this.#value('readyz') });
    if (paths.healthz === null || paths.healthz !== paths.readyz) return;
    const { where, name } = this.given.get('readyz') ?? this.given.get('healthz') ?? NO_PLACE;
    const allowed = 'a path for healthz and another one for readyz';
    this.problems.push(`${where}: ${name}: given ${shown(paths.healthz)}, allowed: ${allowed}`);
  }

  #checkMetrics(): void {
    const keys = {
      metrics: this.#value<boolean | string>('metrics'),
      metricsPort: this.#value<number | undefined>('metricsPort'),
      metricsSocket: this.#value<string | undefined>('metricsSocket'),
    };
    const { metricsPort: port, metricsSocket: socket } = keys;
    if (port !== undefined && socket !== undefined) {
      this.#problem('metricsPort', port, 'one of metrics_port and metrics_socket');
    }
    const isOff = this.given.get('metrics')?.value === false;
    if (isOff && (port !== undefined || socket !== undefined)) {
      this.#problem('metrics', false, 'true or a path together with metrics_port, metrics_socket');
    }
    const host = this.#value<string>('metricsHost');
    if (host !== METRICS_HOST && port === undefined) {
      this.#problem('metricsHost', host, 'an address only together with metrics_port');
    }
    if (this.#value<boolean>('metricsPublic') && metricsPath(keys) === null) {
      this.#problem('metricsPublic', true, 'true only together with metrics or metrics_port');
    }
    const path = port === undefined && socket === undefined ? metricsPath(keys) : null;
    const health = healthPaths({ healthz: this.#value('healthz'), readyz: this.#value('readyz') });
    if (path !== null && (path === health.healthz || path === health.readyz)) {
      this.#problem('metrics', path, 'a path that neither healthz nor readyz has');
    }
  }

  /** The address of the server is not that of the metrics; port 0 is another one for each. */
  #checkListeners(): void {
    const socket = this.#value<string | undefined>('socket');
    const metricsSocket = this.#value<string | undefined>('metricsSocket');
    if (socket !== undefined) {
      if (metricsSocket === undefined || resolve(socket) !== resolve(metricsSocket)) return;
      this.#problem('metricsSocket', metricsSocket, 'another path than that of socket');
      return;
    }
    const port = this.#value<number | undefined>('metricsPort');
    const hosts = [this.#value<string>('host'), this.#value<string>('metricsHost')];
    if (!port || port !== this.#value<number>('port') || hosts[0] !== hosts[1]) return;
    this.#problem('metricsPort', port, 'another port than that of the server');
  }

  /** Values that are allowed, and mean something else than they say. */
  warnings(): string[] {
    const body = this.given.get('bodyBytesMax');
    const streamMax = this.#value<number>('streamBytesMax');
    if (body === undefined || Number(body.value) <= streamMax) return [];
    const why = `stream_bytes_max ${streamMax} applies to every body`;
    return [`${body.where}: ${body.name}: given ${shown(body.value)}, never reached: ${why}`];
  }

  /** A listener for them turns metrics on. */
  #metrics(): boolean | string {
    const given = this.#value<boolean | string>('metrics');
    const port = this.#value<number | undefined>('metricsPort');
    const socket = this.#value<string | undefined>('metricsSocket');
    return port !== undefined || socket !== undefined ? given || true : given;
  }

  #problem(option: string, value: Value, allowed: string): void {
    const { where, name } = this.given.get(option) ?? NO_PLACE;
    this.problems.push(`${where}: ${name}: given ${shown(value)}, allowed: ${allowed}`);
  }

  #mergeLimits(): Limits {
    const given: Partial<Record<LimitName, number>> = {};
    for (const name of Object.keys(LIMITS) as LimitName[]) given[name] = this.#value(name);
    const limits = limitsFrom(given);
    const blockBytes = blockBytesFor(limits);
    if (blockBytes * limits.blockCount > BLOCKS_BYTES_MAX) {
      const cause = this.given.get('blockCount') ?? this.given.get('headBytesMax');
      this.problems.push(
        `${cause?.where}: ${cause?.name}: given ${limits.blockCount} blocks of ${blockBytes} ` +
          `bytes, allowed: ${BLOCKS_BYTES_MAX} bytes together`,
      );
    }
    return limits;
  }

  /** The cast is safe: the rule of the key has checked the value. */
  #value<T extends Value | undefined>(option: string): T {
    return (this.given.get(option)?.value ?? KEY_BY_OPTION.get(option)?.default) as T;
  }
}
