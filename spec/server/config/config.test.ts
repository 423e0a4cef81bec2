// The configuration: defaults, valid and invalid values of each source, precedence, and problem
// lines.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LIMITS, limitsFrom } from '../../../src/base/limits.ts';
import {
  type Config,
  ConfigError,
  configFrom,
  fileOf,
  type LoadedConfig,
  loadConfig,
  optionsOf,
} from '../../../src/server/config/config.ts';
import { type ConfigKey, KEY_BY_OPTION, KEYS } from '../../../src/server/config/keys.ts';

const DEFAULTS: Config = {
  host: '127.0.0.1',
  port: 8080,
  socket: undefined,
  socketMode: undefined,
  staticDir: undefined,
  workers: 1,
  supervise: false,
  driver: 'auto',
  proxyProtocol: 'off',
  proxyProtocolFrom: ['127.0.0.0/8', '::1', 'unix'],
  pidFile: undefined,
  logLevel: 'info',
  accessLog: false,
  healthz: false,
  readyz: undefined,
  metrics: false,
  metricsPublic: false,
  metricsPort: undefined,
  metricsHost: '127.0.0.1',
  metricsSocket: undefined,
  trailingSlash: 'strict',
  debug: false,
  listing: false,
  mounts: undefined,
  index: 'index.html',
  spa: false,
  notFound: undefined,
  precompressed: false,
  cacheControl: undefined,
  headers: undefined,
  mimeTypes: undefined,
  extensions: undefined,
  dotfiles: false,
  symlinks: 'inside',
  limits: limitsFrom(),
};

interface Sources {
  readonly file?: string | object;
  readonly env?: Record<string, string>;
  readonly flags?: Readonly<Record<string, string>>;
}

function load({ file, env = {}, flags = {} }: Sources): LoadedConfig {
  const text = typeof file === 'object' ? JSON.stringify(file) : file;
  return loadConfig({
    file: text === undefined ? undefined : { name: 'x.json', text },
    env,
    flags: Object.entries(flags).map(([option, value]) => {
      const key = KEY_BY_OPTION.get(option);
      assert.ok(key !== undefined);
      return { where: key.flag, key, text: value };
    }),
  });
}

function loaded(sources: Sources): Config {
  const { config, problems } = load(sources);
  assert.deepEqual(problems, []);
  assert.ok(config !== undefined);
  return config;
}

function problemsOf(options: unknown): readonly string[] {
  try {
    configFrom(options as object);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    assert.equal(error.message, error.problems.join('\n'));
    return error.problems;
  }
  return [];
}

test('no options make the defaults, frozen', () => {
  const config = configFrom({});
  assert.deepEqual(config, DEFAULTS);
  assert.deepEqual(loaded({}), DEFAULTS);
  assert.ok(Object.isFrozen(config) && Object.isFrozen(config.limits));
  assert.deepEqual(configFrom({ port: undefined, connectionTimeoutMs: undefined }), DEFAULTS);
});

test('the keys are those of the contract and every limit, each under four names', () => {
  assert.deepEqual(
    KEYS.map((key) => key.option),
    [
      ...['host', 'port', 'socket', 'socketMode', 'staticDir', 'mounts', 'listing', 'index'],
      ...['spa', 'notFound', 'precompressed', 'cacheControl', 'headers', 'mimeTypes'],
      ...[
        'extensions',
        'dotfiles',
        'symlinks',
        'workers',
        'supervise',
        'driver',
        'proxyProtocol',
        'proxyProtocolFrom',
        'pidFile',
        'logLevel',
        'accessLog',
        'healthz',
        'readyz',
        'metrics',
        'metricsPublic',
        'metricsPort',
        'metricsHost',
        'metricsSocket',
        'trailingSlash',
        'debug',
      ],
      ...Object.keys(LIMITS),
    ],
  );
  const { key, flag, variable } = KEY_BY_OPTION.get('connectionTimeoutMs') ?? {};
  assert.deepEqual(
    [key, flag, variable],
    ['connection_timeout_ms', '--connection-timeout-ms', 'VIBING_CONNECTION_TIMEOUT_MS'],
  );
});

test('every default is a valid value of its key', () => {
  for (const { key, default: value } of KEYS) {
    if (value !== undefined) loaded({ file: { [key]: value } });
  }
});

test('timeouts of 0 follow connection_timeout_ms', () => {
  const { limits } = loaded({ file: { connection_timeout_ms: 90_000, body_timeout_ms: 5 } });
  assert.equal(limits.keepAliveTimeoutMs, 90_000);
  assert.equal(limits.headTimeoutMs, 90_000);
  assert.equal(limits.bodyTimeoutMs, 5);
});

test('flags override the environment, that the file, that the defaults', () => {
  const file = { port: 1, fields_max: 11, workers: 'auto', log_level: 'warn' };
  const env = { VIBING_PORT: '2', VIBING_FIELDS_MAX: '12', VIBING_DRIVER: 'net' };
  const config = loaded({ file, env, flags: { port: '3', listing: 'true' } });
  assert.equal(config.port, 3);
  assert.equal(config.limits.fieldsMax, 12);
  assert.equal(config.workers, 'auto');
  assert.equal(config.logLevel, 'warn');
  assert.equal(config.driver, 'net');
  assert.equal(config.listing, true);
  assert.equal(config.host, '127.0.0.1');
});

/** A value other than the default, as text and as JSON. */
const SAMPLES: Readonly<Record<string, readonly [text: string, json: unknown]>> = {
  mounts: ['{"/docs":"./docs"}', { '/docs': './docs' }],
  index: ['main.html, index.htm', ['main.html', 'index.htm']],
  cacheControl: ['{"*.css":"no-store"}', { '*.css': 'no-store' }],
  headers: ['{"*":{"X-Name":"value"}}', { '*': { 'X-Name': 'value' } }],
  mimeTypes: ['{"gmi":"text/gemini"}', { gmi: 'text/gemini' }],
  extensions: ['html', ['html']],
  healthz: ['/health', '/health'],
  readyz: ['true', true],
  metrics: ['/figures', '/figures'],
  proxyProtocolFrom: ['10.0.0.0/8, ::1', ['10.0.0.0/8', '::1']],
};

function sampleOf({ option, rule }: ConfigKey): readonly [text: string, json: unknown] {
  if (option in SAMPLES) return SAMPLES[option];
  if (rule.kind === 'integer') return [String(rule.min + 1), rule.min + 1];
  if (rule.kind === 'boolean') return ['true', true];
  if (rule.kind === 'choice') return [rule.values[1], rule.values[1]];
  if (rule.kind === 'workers') return ['7', 7];
  return rule.kind === 'mode' ? ['600', '600'] : ['x', 'x'];
}

/** What a key is not allowed without: as keys, and as options. */
const NEEDED: Readonly<Record<string, readonly [file: object, options: object]>> = {
  socketMode: [{ socket: 's' }, { socket: 's' }],
  metricsHost: [{ metrics_port: 1 }, { metricsPort: 1 }],
  metricsPublic: [{ metrics: true }, { metrics: true }],
};

test('every key comes from every source', () => {
  for (const key of KEYS) {
    const { rule } = key;
    const [text, other] = sampleOf(key);
    const [moreKeys, moreOptions] = NEEDED[key.option] ?? [{}, {}];
    const fromFile = loaded({ file: { [key.key]: other, ...moreKeys } });
    assert.notDeepEqual(key.default, other, key.key);
    assert.deepEqual(loaded({ env: { [key.variable]: text }, file: moreKeys }), fromFile, key.key);
    assert.deepEqual(loaded({ flags: { [key.option]: text }, file: moreKeys }), fromFile, key.key);
    const option = rule.kind === 'mode' ? 0o600 : other;
    assert.deepEqual(configFrom({ [key.option]: option, ...moreOptions }), fromFile, key.key);
    assert.notDeepEqual(fromFile, DEFAULTS, key.key);
  }
});

/** A file of one key, and its problem line. */
const INVALID: readonly (readonly [file: object, line: string])[] = [
  [{ prot: 8080 }, 'prot: no such key, given 8080; did you mean port?'],
  [{ staticDir: './x' }, 'staticDir: no such key, given "./x"; did you mean static_dir?'],
  [{ 'static-dir': 1 }, 'static-dir: no such key, given 1; did you mean static_dir?'],
  [{ colour: {} }, 'colour: no such key, given an object; "vibing help serve" lists the keys'],
  [
    { 'a\nb': [] },
    '"a\\nb": no such key, given an empty array; "vibing help serve" lists the keys',
  ],
  [{ port: 70000 }, 'port: given 70000, allowed: an integer from 0 to 65535'],
  [{ port: -1 }, 'port: given -1, allowed: an integer from 0 to 65535'],
  [{ port: 80.5 }, 'port: given 80.5, allowed: an integer from 0 to 65535'],
  [{ port: '80' }, 'port: given "80", allowed: an integer from 0 to 65535; did you mean 80?'],
  [{ port: null }, 'port: given null, allowed: an integer from 0 to 65535'],
  [{ workers: 0 }, 'workers: given 0, allowed: an integer from 1 to 1024, or "auto"'],
  [
    { workers: 'atuo' },
    'workers: given "atuo", allowed: an integer from 1 to 1024, or "auto"; did you mean "auto"?',
  ],
  [
    { driver: 'epol' },
    'driver: given "epol", allowed: "auto", "uring", "epoll", "net"; did you mean "epoll"?',
  ],
  [{ listing: 'true' }, 'listing: given "true", allowed: true or false; did you mean true?'],
  [{ debug: 1 }, 'debug: given 1, allowed: true or false'],
  [
    { healthz: '/:id' },
    'healthz: given "/:id", allowed: true, false, or a path without parameters, such as "/health"',
  ],
  [
    { trailing_slash: 'redirects' },
    'trailing_slash: given "redirects", allowed: "strict", "ignore", "redirect"; ' +
      'did you mean "redirect"?',
  ],
  [{ host: '' }, 'host: given "", allowed: an IPv4 or IPv6 address, or a host name'],
  [
    { host: '[::1]' },
    'host: given "[::1]", allowed: an IPv4 or IPv6 address, or a host name; did you mean "::1"?',
  ],
  [{ host: '1.2.3' }, 'host: given "1.2.3", allowed: an IPv4 or IPv6 address, or a host name'],
  [{ static_dir: '' }, 'static_dir: given "", allowed: a path of 1 to 4095 bytes'],
  [{ socket: 'a\u0000b' }, 'socket: given "a\\u0000b", allowed: a path of 1 to 107 bytes'],
  [
    { socket_mode: 660 },
    'socket_mode: given 660, allowed: octal digits such as "660"; did you mean "660"?',
  ],
  [{ socket_mode: '660' }, 'socket_mode: given without a socket, allowed: together with one'],
  [
    { mounts: { '/a': './a', docs: './docs' } },
    'mounts: given an object ("docs": a prefix begins with a slash), ' +
      'allowed: an object of directories by prefix, such as {"/docs": "./docs"}',
  ],
  [
    { mounts: { '/a': 5 } },
    'mounts: given an object ("/a": 5 is not the path of a directory), ' +
      'allowed: an object of directories by prefix, such as {"/docs": "./docs"}',
  ],
  [
    { index: ['a.html', 'b/c'] },
    'index: given an array ("b/c": it is not the name of a file), ' +
      'allowed: the name of a file, or a list of names',
  ],
  [
    { proxy_protocol_from: ['10.0.0.0/33'] },
    'proxy_protocol_from: given an array ("10.0.0.0/33" is not an address, a range as ' +
      '"10.0.0.0/8" (to /32, of IPv6 to /128), or "unix"), ' +
      'allowed: one or a list of addresses and ranges such as 10.0.0.0/8, and unix',
  ],
  [
    { port: 9000, metrics_port: 9000 },
    'metrics_port: given 9000, allowed: another port than that of the server',
  ],
  [
    { socket: 'a/../s', metrics_socket: './s' },
    'metrics_socket: given "./s", allowed: another path than that of socket',
  ],
  [
    { connection_timeout_ms: 9 },
    'connection_timeout_ms: given 9, allowed: an integer from 10 to 86400000',
  ],
];

for (const [file, line] of INVALID) {
  test(`one line for ${JSON.stringify(file)}`, () => {
    const { config, problems } = load({ file });
    assert.equal(config, undefined);
    assert.deepEqual(problems, [`x.json: line 1: ${line}`]);
  });
}

test('valid hosts', () => {
  for (const host of [
    'localhost',
    '::',
    'fe80::1%eth0',
    '0.0.0.0',
    'a-b.example',
    'example.com.',
  ]) {
    assert.equal(loaded({ file: { host } }).host, host);
  }
});

test('text values are plain', () => {
  for (const text of [
    '80x',
    '0x1F90',
    '1e3',
    ' 80',
    '80 ',
    '',
    '+80',
    '-80',
    '080',
    '8_0',
    '\u0668',
  ]) {
    assert.equal(load({ env: { VIBING_PORT: text } }).problems.length, 1, JSON.stringify(text));
    assert.equal(load({ flags: { port: text } }).problems.length, 1, JSON.stringify(text));
  }
  assert.equal(loaded({ flags: { port: '0' } }).port, 0);
  assert.equal(loaded({ flags: { workers: 'auto' } }).workers, 'auto');
  assert.equal(
    loaded({ env: { VIBING_STREAM_BYTES_MAX: '9007199254740991' } }).limits.streamBytesMax,
    Number.MAX_SAFE_INTEGER,
  );
  for (const [text, value] of Object.entries({ true: true, false: false, 1: true, 0: false })) {
    assert.equal(loaded({ env: { VIBING_DEBUG: text } }).debug, value);
  }
  assert.deepEqual(load({ env: { VIBING_DEBUG: 'yes' } }).problems, [
    'VIBING_DEBUG: debug: given "yes", allowed: true, false, 1 or 0',
  ]);
  assert.deepEqual(load({ flags: { port: '80x' } }).problems, [
    '--port: port: given "80x", allowed: an integer from 0 to 65535',
  ]);
});

test('as text, the entry that is wrong is named, too', () => {
  const flags = {
    headers: '{"*.css":{"Content-Length":"5"}}',
    mounts: '{"/":"x"}',
    cacheControl: '{"*":7}',
    extensions: 'html,.htm',
  };
  const { problems } = load({ flags });
  assert.deepEqual(
    problems.map((line) => line.replace(/ given .* \((".*)\), allowed.*/, ' $1')).sort(),
    [
      '--cache-control: cache_control: "*": 7 is not the value of a field',
      '--extensions: extensions: ".htm": it is not an extension without its dot',
      '--headers: headers: "*.css": "Content-Length": ' +
        'the server sets the field content-length itself',
      '--mounts: mounts: "/": the directory of all paths is static_dir',
    ],
  );
});

test('two listeners may have port 0, or one port of two hosts', () => {
  loaded({ file: { port: 0, metrics_port: 0 } });
  loaded({ file: { port: 90, host: '127.0.0.2', metrics_port: 90 } });
  loaded({ file: { socket: 's', metrics_port: 8080 } });
});

test('a limit that another one hides is a warning, when it was given', () => {
  const file = { stream_bytes_max: 1000 };
  assert.deepEqual(load({ file }).warnings, []);
  assert.deepEqual(load({ file: { ...file, body_bytes_max: 1000 } }).warnings, []);
  assert.deepEqual(load({ file, flags: { bodyBytesMax: '1001' } }).warnings, [
    '--body-bytes-max: body_bytes_max: given 1001, never reached: ' +
      'stream_bytes_max 1000 applies to every body',
  ]);
});

test('all problems of all sources at once, also of values that a higher source overrides', () => {
  const file = '{\n "port": "x",\n "port": 1,\n "wrokers": 2,\n "host": 3 }';
  const env = { VIBING_PORT: 'y', VIBING_WORKERS: '0' };
  const { config, problems } = load({ file, env, flags: { port: '80', driver: 'z' } });
  assert.equal(config, undefined);
  assert.deepEqual(
    problems.map((line) => line.split(/: (?:given|no such)/)[0]),
    [
      'x.json: line 3: port',
      'x.json: line 4: wrokers',
      'x.json: line 5: host',
      'VIBING_PORT: port',
      'VIBING_WORKERS: workers',
      '--driver: driver',
    ],
  );
  assert.equal(problems[0], 'x.json: line 3: port: given twice (first in line 2), allowed: once');
});

test('a file that is not JSON is one line with line and column', () => {
  assert.deepEqual(load({ file: '{\n  "port": 80,\n}' }).problems, [
    'x.json: line 3, column 1: not JSON: expected a key in double quotes, found "}"',
  ]);
  assert.deepEqual(load({ file: '[]' }).problems, [
    'x.json: given an empty array, allowed: an object of keys',
  ]);
  assert.deepEqual(load({ file: 'null' }).problems, [
    'x.json: given null, allowed: an object of keys',
  ]);
});

test('property names of all objects are not keys', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'limits']) {
    assert.equal(load({ file: `{ "${name}": 1 }` }).problems.length, 1, name);
  }
  assert.equal(problemsOf({ limits: {} }).length, 1);
});

test('the file may have a $schema for editors', () => {
  assert.deepEqual(loaded({ file: { $schema: './config.schema.json', port: 1 } }).port, 1);
  assert.equal(problemsOf({ $schema: 'x' }).length, 1);
});

test('an unknown variable is a warning', () => {
  const env = { VIBING_PROT: '1', VIBING_WEATHER: 'fine', VIBING__SLOT: '2', OTHER: 'x' };
  const { config, problems, warnings } = load({ env });
  assert.deepEqual(config, DEFAULTS);
  assert.deepEqual(problems, []);
  assert.deepEqual(warnings, [
    'VIBING_PROT: no such key, ignored; did you mean VIBING_PORT?',
    'VIBING_WEATHER: no such key, ignored',
  ]);
});

test('a socket replaces host and port', () => {
  const config = loaded({ file: { socket: 's', socket_mode: '0660' } });
  assert.equal(config.socket, 's');
  assert.equal(config.socketMode, 0o660);
  assert.deepEqual(load({ file: { socket: 's', port: 1, host: 'h' } }).problems, [
    'x.json: line 1: socket: given "s" together with host "h", allowed: one of them',
    'x.json: line 1: socket: given "s" together with port 1, allowed: one of them',
  ]);
});

test('of a socket and a port the one from the higher source is used', () => {
  const port = loaded({ file: { socket: 's', socket_mode: '600' }, flags: { port: '81' } });
  assert.deepEqual([port.socket, port.socketMode, port.port], [undefined, undefined, 81]);
  const socket = loaded({ file: { host: 'h', port: 1 }, env: { VIBING_SOCKET: 's' } });
  assert.deepEqual([socket.socket, socket.host, socket.port], ['s', '127.0.0.1', 8080]);
});

test('blocks that do not fit in one buffer', () => {
  assert.deepEqual(
    load({ file: { head_bytes_max: 262144 }, flags: { blockCount: '10000' } }).problems,
    [
      '--block-count: block_count: given 10000 blocks of 263168 bytes, ' +
        'allowed: 2147483648 bytes together',
    ],
  );
});

test('a worker timeout that is too short, and values that are not', () => {
  for (const ms of [1, 999]) {
    assert.deepEqual(load({ env: { VIBING_WORKER_TIMEOUT_MS: String(ms) } }).problems, [
      `VIBING_WORKER_TIMEOUT_MS: worker_timeout_ms: given "${ms}", allowed: ` +
        '0, or an integer from 1000 to 86400000',
    ]);
  }
  for (const ms of [0, 1_000]) {
    assert.equal(configFrom({ workerTimeoutMs: ms }).limits.workerTimeoutMs, ms);
  }
});

test('options of createServer are checked by type, and all problems are reported at once', () => {
  const wrong = {
    port: '8080',
    connectiontimeoutms: 5,
    workers: 'all',
    socketMode: '660',
    debug: 0,
  };
  assert.deepEqual(problemsOf(wrong), [
    'createServer: port: given "8080", allowed: an integer from 0 to 65535; did you mean 8080?',
    'createServer: connectiontimeoutms: no such key, given 5; did you mean connectionTimeoutMs?',
    'createServer: workers: given "all", allowed: an integer from 1 to 1024, or "auto"',
    'createServer: socketMode: given "660", allowed: an integer from 0o000 to 0o777; ' +
      'did you mean 0o660?',
    'createServer: debug: given 0, allowed: true or false',
  ]);
  assert.match(problemsOf({ socketMode: 660, socket: 's' })[0], /did you mean 0o660\?$/);
  assert.match(problemsOf({ static_dir: 'x' })[0], /did you mean staticDir\?$/);
  for (const nothing of [null, undefined, 8080, 'x', []]) {
    assert.match(problemsOf(nothing)[0], /^createServer: .*: a plain object of options$/);
  }
});

test('a problem of any value is one short line', () => {
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  const values: unknown[] = [circle, 1n, Symbol('s'), Number.NaN, () => 1, 'x\n'.repeat(1_000)];
  for (const value of values) {
    const problems = problemsOf({ port: value });
    assert.equal(problems.length, 1);
    assert.ok(problems[0].length < 250 && !/[\n\r]/.test(problems[0]), problems[0]);
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.jsonValue(), (name, value) => {
      const { problems } = load({ file: { [`x${name}`]: value, host: `${name} ` } });
      assert.ok(problems.length >= 1);
      for (const line of problems) {
        // Control characters and separators would break a line.
        assert.doesNotMatch(line, /[\p{Cc}\u2028\u2029]/u);
        assert.ok(line.length < 1_000);
      }
    }),
  );
});

test('a configuration is the same after a round trip through options or a file', () => {
  const limit = fc.constantFrom(...Object.entries(LIMITS));
  const limits = fc
    .array(fc.tuple(limit, fc.double({ min: 0, max: 1, noNaN: true })))
    .map((pairs) =>
      pairs.map(([[name, { min, max }], share]) => [name, min + Math.floor(share * (max - min))]),
    )
    .map((pairs) => ({ ...Object.fromEntries(pairs), blockCount: 16 }));
  const place = fc.oneof(
    fc.record({ host: fc.ipV6(), port: fc.nat(65_535) }),
    fc.record({ socket: fc.constantFrom('s', './t'), socketMode: fc.nat(0o777) }),
  );
  const others = fc.record({
    workers: fc.oneof(fc.constant('auto' as const), fc.integer({ min: 1, max: 1_024 })),
    debug: fc.boolean(),
    driver: fc.constantFrom('auto' as const, 'epoll' as const, 'net' as const),
  });
  fc.assert(
    fc.property(limits, place, others, (first, second, third) => {
      const config = configFrom({ ...first, ...second, ...third });
      assert.deepEqual(configFrom(optionsOf(config)), config);
      assert.deepEqual(loaded({ file: fileOf(config) }), config);
    }),
  );
});

test('the proxies of proxy_protocol_from are one or a list of addresses, ranges and unix', () => {
  for (const proxyProtocolFrom of ['unix', '10.0.0.0/8', ['::1', '2001:db8::/32', 'unix']]) {
    assert.deepEqual(configFrom({ proxyProtocolFrom }).proxyProtocolFrom, proxyProtocolFrom);
  }
  const bad: readonly unknown[] = [
    'a.test',
    '10.0.0.1/8',
    [],
    ['10.0.0.0/8', 'all'],
    [5],
    true,
    '',
  ];
  for (const proxyProtocolFrom of bad) {
    const [problem] = problemsOf({ proxyProtocolFrom });
    assert.match(problem, /^createServer: proxyProtocolFrom: given .*, allowed: one or a list/);
  }
});
