// Makes the frozen configuration of a server from options of createServer, or from a file, the
// environment and flags. Returns a Config, or all problems.

import type { LimitName } from '../../base/limits.ts';
import { nearMiss } from '../../base/near-miss.ts';
import { isPlainObject } from '../../base/options.ts';
import { shown } from '../../base/shown.ts';
import type { StaticOptions } from '../../static/options.ts';
import { Collected, type Config, type Given } from './collect.ts';
import { readJson } from './json.ts';
import {
  type ConfigKey,
  type DriverName,
  KEYS,
  type LogLevel,
  type ProxyProtocol,
  type TrailingSlash,
  VARIABLE_PREFIX,
} from './keys.ts';
import { shownName, suggestion } from './lines.ts';
import { jsonFrom, type Value } from './rules.ts';

export type { Config, Given } from './collect.ts';
export { metricsPath } from './metrics-keys.ts';

/** The prefix of variables that a primary sets for its workers. */
const OWN_VARIABLE_PREFIX = 'VIBING__';

/** A higher layer overrides a lower one. */
const OPTION_LAYER = 0;
const FILE_LAYER = 0;
const ENV_LAYER = 1;
const FLAG_LAYER = 2;

/**
 * The options of createServer; undefined is the same as absent. Those of static files apply to
 * staticDir and mounts.
 */
export interface ServerOptions
  extends Partial<Readonly<Record<LimitName, number | undefined>>>,
    Omit<StaticOptions, 'cacheBytesMax' | 'cacheEntryBytesMax'> {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** A unix socket, instead of host and port. */
  readonly socket?: string | undefined;
  /** Permissions of the unix socket, such as 0o660. */
  readonly socketMode?: number | undefined;
  readonly staticDir?: string | undefined;
  /** Further directories of files, by the prefix of their paths. */
  readonly mounts?: Readonly<Record<string, string>> | undefined;
  readonly workers?: number | 'auto' | undefined;
  /** Run even one worker under a supervising process. */
  readonly supervise?: boolean | undefined;
  readonly driver?: DriverName | undefined;
  /** 'required': every connection begins with a PROXY header. */
  readonly proxyProtocol?: ProxyProtocol | undefined;
  /** Addresses, ranges and 'unix': the proxies that are trusted. */
  readonly proxyProtocolFrom?: string | readonly string[] | undefined;
  /** The file that holds the id of the main process while it serves. */
  readonly pidFile?: string | undefined;
  readonly logLevel?: LogLevel | undefined;
  /** Log every response to standard output. */
  readonly accessLog?: boolean | undefined;
  /** A path that responds while the process lives; true is '/healthz'. */
  readonly healthz?: boolean | string | undefined;
  /** A path that responds 503 while the server closes; true is '/readyz'. Default: as healthz. */
  readonly readyz?: boolean | string | undefined;
  /** The path of the metrics, for clients of this machine; true is '/metrics'. */
  readonly metrics?: boolean | string | undefined;
  /** Show the metrics to every client. */
  readonly metricsPublic?: boolean | undefined;
  /** A listener for the metrics alone: a port, or a unix socket. */
  readonly metricsPort?: number | undefined;
  readonly metricsHost?: string | undefined;
  readonly metricsSocket?: string | undefined;
  /** What becomes of a path that has a route only with, or without, a slash at its end. */
  readonly trailingSlash?: TrailingSlash | undefined;
  /** Never reuse request and response objects. */
  readonly debug?: boolean | undefined;
}

/** All problems of a configuration. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** One line each. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** A value from the command line. */
export interface FlagText {
  /** Its name in a problem line, such as --port. */
  readonly where: string;
  readonly key: ConfigKey;
  readonly text: string;
}

export interface ConfigSources {
  readonly file?: { readonly name: string; readonly text: string } | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly flags: readonly FlagText[];
}

export interface LoadedConfig {
  /** Undefined when there are problems. */
  readonly config: Config | undefined;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  /** The resulting values that are not defaults, by option name. */
  readonly given: ReadonlyMap<string, Given>;
}

/** Throws ConfigError. */
export function configFrom(options: ServerOptions): Config {
  const collected = new Collected();
  if (!isPlainObject(options)) {
    const allowed = 'a plain object of options';
    throw new ConfigError([`createServer: given ${shown(options)}, allowed: ${allowed}`]);
  }
  for (const [option, value] of Object.entries(options)) {
    if (value === undefined) continue;
    collected.addNamed('createServer', option, value, 'option', OPTION_LAYER);
  }
  const config = collected.merge();
  if (config === undefined) throw new ConfigError(collected.problems);
  return config;
}

/** Flags override the environment, which overrides the file, which overrides the defaults. */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const collected = new Collected();
  if (sources.file !== undefined) addFile(collected, sources.file.name, sources.file.text);
  for (const key of KEYS) {
    const text = sources.env[key.variable];
    if (text !== undefined) collected.add(key.variable, key, text, 'text', ENV_LAYER);
  }
  for (const { where, key, text } of sources.flags)
    collected.add(where, key, text, 'text', FLAG_LAYER);
  const config = collected.merge();
  const { problems, given } = collected;
  return {
    config,
    problems,
    warnings: [...warningsFor(sources.env), ...collected.warnings()],
    given,
  };
}

/** The options that make the same configuration; configFrom is the inverse. */
export function optionsOf(config: Config): ServerOptions {
  const { limits, host, port, ...rest } = config;
  const address = config.socket === undefined ? { host, port } : {};
  return { ...address, ...rest, ...limits };
}

/** The content of a file that makes the same configuration. */
export function fileOf(config: Config): Readonly<Record<string, Value>> {
  const options = new Map(Object.entries(optionsOf(config)));
  const file: Record<string, Value> = {};
  for (const { option, key, rule } of KEYS) {
    const value = options.get(option);
    if (value !== undefined) file[key] = jsonFrom(rule, value);
  }
  return file;
}

function addFile(collected: Collected, name: string, text: string): void {
  const json = readJson(text);
  if (!json.ok) {
    const { line, column, fault } = json;
    collected.problems.push(`${name}: line ${line}, column ${column}: not JSON: ${fault}`);
    return;
  }
  const { value } = json;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    collected.problems.push(`${name}: given ${shown(value)}, allowed: an object of keys`);
    return;
  }
  const values = new Map<string, unknown>(Object.entries(value));
  const lines = new Map<string, number>();
  for (const key of json.keys) {
    const where = `${name}: line ${key.line}`;
    const before = lines.get(key.name);
    lines.set(key.name, key.line);
    if (before !== undefined) {
      const label = `${where}: ${shownName(key.name)}`;
      collected.problems.push(`${label}: given twice (first in line ${before}), allowed: once`);
      continue;
    }
    // For editors, which find the schema by this key.
    if (key.name === '$schema') continue;
    collected.addNamed(where, key.name, values.get(key.name), 'json', FILE_LAYER);
  }
}

/** Unknown variables are only warnings: other programs may use the same prefix. */
function warningsFor(env: ConfigSources['env']): string[] {
  const known = KEYS.map((key) => key.variable.slice(VARIABLE_PREFIX.length));
  const warnings: string[] = [];
  for (const name of Object.keys(env)) {
    if (!name.startsWith(VARIABLE_PREFIX) || name.startsWith(OWN_VARIABLE_PREFIX)) continue;
    const bare = name.slice(VARIABLE_PREFIX.length);
    if (known.includes(bare)) continue;
    const meant = nearMiss(bare, known);
    const suggested = suggestion(meant === undefined ? undefined : `${VARIABLE_PREFIX}${meant}`);
    warnings.push(`${shownName(name)}: no such key, ignored${suggested}`);
  }
  return warnings;
}
