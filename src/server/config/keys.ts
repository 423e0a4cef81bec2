// The table of all configuration keys: names, default, rule and meaning. Flags, environment, file,
// options, help, schema and documentation are made from it.

import { LIMITS, type LimitName } from '../../base/limits.ts';
import { HEALTH } from './health-keys.ts';
import { METRICS_HOST } from './metrics-keys.ts';
import type { Rule, Value } from './rules.ts';
import {
  CACHE_CONTROL,
  EXTENSIONS,
  HEADERS,
  INDEX,
  MIME_TYPES,
  MOUNTS,
  NOT_FOUND,
  SPA,
  SYMLINK_CHOICES,
} from './static-keys.ts';
import { TRUSTED_PEERS } from './trusted-peers.ts';

/** 'auto' is the fastest one that works on this machine. */
export const DRIVERS = ['auto', 'uring', 'epoll', 'net'] as const;
export type DriverName = (typeof DRIVERS)[number];

export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** 'ignore' serves it, 'redirect' redirects to the path of the route. */
export const TRAILING_SLASH = ['strict', 'ignore', 'redirect'] as const;
export type TrailingSlash = (typeof TRAILING_SLASH)[number];
export const PROXY_PROTOCOLS = ['off', 'required'] as const;
export type ProxyProtocol = (typeof PROXY_PROTOCOLS)[number];

/** Proxies on this machine. */
const PROXY_PROTOCOL_FROM: readonly string[] = ['127.0.0.0/8', '::1', 'unix'];

export interface ConfigKey {
  /** In camelCase, as an option of createServer. */
  readonly option: string;
  /** In snake_case, as in the file. */
  readonly key: string;
  /** With its dashes, as on the command line. */
  readonly flag: string;
  /** As an environment variable. */
  readonly variable: string;
  readonly default: Value | undefined;
  readonly rule: Rule;
  readonly what: string;
}

export const VARIABLE_PREFIX = 'VIBING_';

const WORKERS_MAX = 1_024;
/** Linux: PATH_MAX and sun_path, each less the byte that ends the text. */
const PATH_BYTES_MAX = 4_095;
const SOCKET_PATH_BYTES_MAX = 107;

export const KEYS: readonly ConfigKey[] = [
  key('host', '127.0.0.1', { kind: 'host' }, 'address or host name to listen on'),
  key(
    'port',
    8_080,
    { kind: 'integer', min: 0, max: 65_535 },
    'port to listen on; 0 is any free one',
  ),
  key(
    'socket',
    undefined,
    { kind: 'path', bytesMax: SOCKET_PATH_BYTES_MAX },
    'path of a unix socket to listen on, instead of host and port',
  ),
  key(
    'socketMode',
    undefined,
    { kind: 'mode' },
    'permissions of the unix socket; without it those by the umask',
  ),
  key(
    'staticDir',
    undefined,
    { kind: 'path', bytesMax: PATH_BYTES_MAX },
    'directory of files to serve, relative to the current directory',
  ),
  key('mounts', undefined, MOUNTS, 'further directories of files, by the prefix of their paths'),
  key('listing', false, { kind: 'boolean' }, 'list directories that have no index file'),
  key('index', 'index.html', INDEX, 'file that is sent for a directory; the first that exists'),
  key(
    'spa',
    false,
    SPA,
    'send a page (true: the index) for paths without a file to clients that accept HTML',
  ),
  key('notFound', undefined, NOT_FOUND, 'page for paths without a file, sent with status 404'),
  key(
    'precompressed',
    false,
    { kind: 'boolean' },
    'send the .br, .zst or .gz beside a file to clients that accept it',
  ),
  key(
    'cacheControl',
    undefined,
    CACHE_CONTROL,
    'Cache-Control of files; without it by their names, see static-files.md',
  ),
  key('headers', undefined, HEADERS, 'further fields of files'),
  key('mimeTypes', undefined, MIME_TYPES, 'media types of files, before those that are known'),
  key('extensions', undefined, EXTENSIONS, 'extensions that the path of a file may omit'),
  key('dotfiles', false, { kind: 'boolean' }, 'serve files whose names begin with a dot'),
  key(
    'symlinks',
    'inside',
    { kind: 'choice', values: SYMLINK_CHOICES },
    'which symbolic links are followed: with targets inside the directory, none, or all',
  ),
  key(
    'workers',
    1,
    { kind: 'workers', max: WORKERS_MAX },
    'processes that serve; auto is one per core',
  ),
  key(
    'supervise',
    false,
    { kind: 'boolean' },
    'run even one worker under a supervising process, which restarts and reloads it',
  ),
  key(
    'driver',
    'auto',
    { kind: 'choice', values: DRIVERS },
    'how the server does socket I/O; auto is the fastest that works here',
  ),
  key(
    'proxyProtocol',
    'off',
    { kind: 'choice', values: PROXY_PROTOCOLS },
    'whether every connection begins with a PROXY header (version 1 or 2) of a proxy',
  ),
  key(
    'proxyProtocolFrom',
    PROXY_PROTOCOL_FROM,
    TRUSTED_PEERS,
    'proxies whose PROXY headers are trusted; connections of others are closed',
  ),
  key(
    'pidFile',
    undefined,
    { kind: 'path', bytesMax: PATH_BYTES_MAX },
    'file for the process id of the main process while it serves',
  ),
  key(
    'logLevel',
    'info',
    { kind: 'choice', values: LOG_LEVELS },
    'least severity of the messages that are logged',
  ),
  key(
    'accessLog',
    false,
    { kind: 'boolean' },
    'write a line for every response to standard output',
  ),
  key(
    'healthz',
    false,
    HEALTH,
    'path that responds with 200 while the process lives; true is /healthz',
  ),
  key(
    'readyz',
    undefined,
    HEALTH,
    'path that responds with 200, and with 503 while the server closes; true is /readyz, ' +
      'and so it is without this key when healthz is on',
  ),
  key(
    'metrics',
    false,
    HEALTH,
    'path of the metrics of the server, for this machine only; true is /metrics',
  ),
  key(
    'metricsPublic',
    false,
    { kind: 'boolean' },
    'show the metrics to every client, not only to those on this machine',
  ),
  key(
    'metricsPort',
    undefined,
    { kind: 'integer', min: 0, max: 65_535 },
    'port of a listener for the metrics alone, which the other one does not show then',
  ),
  key('metricsHost', METRICS_HOST, { kind: 'host' }, 'address or host name of that listener'),
  key(
    'metricsSocket',
    undefined,
    { kind: 'path', bytesMax: SOCKET_PATH_BYTES_MAX },
    'path of a unix socket for the metrics alone, instead of that port',
  ),
  key(
    'trailingSlash',
    'strict',
    { kind: 'choice', values: TRAILING_SLASH },
    'what becomes of a path that has a route only with, or only without, a slash at its end',
  ),
  key(
    'debug',
    false,
    { kind: 'boolean' },
    'never reuse request and response objects, to find errors caused by their reuse',
  ),
  ...(Object.keys(LIMITS) as LimitName[]).map(limitKey),
];

/** Each key by its name in camelCase. */
export const KEY_BY_OPTION: ReadonlyMap<string, ConfigKey> = new Map(
  KEYS.map((entry) => [entry.option, entry]),
);

function key(option: string, value: Value | undefined, rule: Rule, what: string): ConfigKey {
  const snake = option.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return {
    option,
    key: snake,
    flag: `--${snake.replaceAll('_', '-')}`,
    variable: `${VARIABLE_PREFIX}${snake.toUpperCase()}`,
    default: value,
    rule,
    what,
  };
}

function limitKey(name: LimitName): ConfigKey {
  const { default: value, min, max, orZero, what } = LIMITS[name];
  return key(name, value, { kind: 'integer', min, max, orZero: orZero === true }, what);
}
