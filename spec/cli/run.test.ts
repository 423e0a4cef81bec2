// Commands: their output on both streams, and their exit codes.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { run } from '../../src/cli/run.ts';
import { type Config, optionsOf, type ServerOptions } from '../../src/server/config/config.ts';
import { KEYS } from '../../src/server/config/keys.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'vibing-cli-'));
after(() => rmSync(FOLDER, { recursive: true }));
const SITE = join(FOLDER, 'site');
let files = 0;
mkdirSync(SITE);

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly served: Config | undefined;
  readonly loaded?: readonly string[];
}

async function ran(
  args: string[],
  env: Record<string, string> = {},
  isWorker = false,
  accepted: ServerOptions | null = null,
): Promise<Ran> {
  let out = '';
  let err = '';
  let served: Config | undefined;
  let loaded: readonly string[] | undefined;
  const code = await run(args, {
    env,
    version: '1.2.3',
    isWorker,
    accepted,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    serve: async (config) => {
      served = config;
      return 42;
    },
    init: async (rest) => {
      loaded = rest;
      return 45;
    },
    load: async (rest) => {
      loaded = rest;
      return 43;
    },
    metrics: async (rest) => {
      loaded = rest;
      return 45;
    },
    compress: async (rest) => {
      loaded = rest;
      return 44;
    },
  });
  return { code, out, err, served, ...(loaded === undefined ? {} : { loaded }) };
}

function fileWith(text: string | Uint8Array): string {
  files += 1;
  const name = join(FOLDER, `${files}.json`);
  writeFileSync(name, text);
  return name;
}
test('no command prints the help to standard error, and fails', async () => {
  const { code, out, err } = await ran([]);
  assert.equal(code, 2);
  assert.equal(out, '');
  assert.match(err, /^vibing: .*\n\nUsage:/);
});

test('problems and warnings are one line each, without control characters', async () => {
  const bad = '\u001b[2J\u009b\nvibing: fake\u202e';
  const file = fileWith(JSON.stringify({ [bad]: bad, port: bad }));
  for (const args of [
    [bad],
    ['serve', '--port', bad],
    ['serve', `--${bad}`, bad],
    ['serve', SITE, bad],
    ['serve', '--config', bad],
    ['check', '--config', file],
    ['help', bad],
  ]) {
    const { err } = await ran(args, { [`VIBING_${bad}`]: bad, VIBING_PORT: bad });
    for (const line of err.trimEnd().split('\n')) {
      assert.match(line, /^vibing: [\x20-\x7e]+$/, args.join(' '));
      assert.doesNotMatch(line, /^vibing: fake/);
    }
  }
});

test('load gets its arguments unchanged, and returns the exit code', async () => {
  const { code, loaded, out, err } = await ran(['load', 'http://a/', '-c', '3', '--help']);
  assert.deepEqual([code, loaded, out, err], [43, ['http://a/', '-c', '3', '--help'], '', '']);
  assert.match((await ran(['help', 'load'])).out, /^vibing load: /);
});

test('compress gets its arguments unchanged, and returns the exit code', async () => {
  const { code, loaded, out, err } = await ran(['compress', 'site', '--help']);
  assert.deepEqual([code, loaded, out, err], [44, ['site', '--help'], '', '']);
  assert.match((await ran(['help', 'compress'])).out, /^vibing compress: /);
});

test('init gets its arguments unchanged, and returns the exit code', async () => {
  const { code, loaded, out, err } = await ran(['init', 'folder', '--help']);
  assert.deepEqual([code, loaded, out, err], [45, ['folder', '--help'], '', '']);
  assert.match((await ran(['help', 'init'])).out, /^vibing init: /);
});

test('metrics gets its arguments unchanged, and returns the exit code', async () => {
  const { code, loaded, out, err } = await ran(['metrics', '8080', '--once', '--help']);
  assert.deepEqual([code, loaded, out, err], [45, ['8080', '--once', '--help'], '', '']);
  assert.match((await ran(['help', 'metrics'])).out, /^vibing metrics: /);
});

test('help on request goes to the standard output', async () => {
  for (const args of [['--help'], ['-h'], ['help'], ['help', 'help']]) {
    const { code, out, err } = await ran(args);
    assert.deepEqual([code, err], [0, '']);
    assert.match(out, /vibing serve \[directory\]/);
  }
  for (const command of ['serve', 'check']) {
    const pages = [await ran([command, '--help']), await ran(['help', command])];
    pages.push(await ran([command, '-h', '--prot', 'x']));
    for (const { code, out, err, served } of pages) {
      assert.deepEqual([code, err, served], [0, '', undefined]);
      assert.ok(out.startsWith(`vibing ${command}: `));
      for (const { flag } of KEYS) assert.match(out, new RegExp(`^  (-[a-z], )?${flag}[ ,[]`, 'm'));
      for (const line of out.split('\n')) assert.ok(line.length <= 100, line);
    }
  }
});

test('the version', async () => {
  for (const flag of ['--version', '-V', '-v']) {
    assert.deepEqual(await ran([flag]), { code: 0, out: '1.2.3\n', err: '', served: undefined });
  }
});

test('an unknown command or flag is one line with a suggestion', async () => {
  const lines: readonly (readonly [string[], string])[] = [
    [['serv'], 'serv: no such command; did you mean serve?'],
    [['./site'], '"./site": no such command; "vibing help" lists the commands'],
    [['--verison'], '--verison: no such flag; did you mean --version?'],
    [['help', 'chekc'], 'chekc: no such command; did you mean check?'],
    [['serve', '--prot', '80'], '--prot: no such flag; did you mean --port?'],
    [['serve', SITE, 'other'], '"other": unexpected argument'],
    [
      ['serve', SITE, '--spa', 'a.html'],
      '"a.html": unexpected argument; did you mean --spa=a.html?',
    ],
    [
      ['serve', SITE, '--healthz', '/up', 'x'],
      `"/up": unexpected argument; did you mean --healthz=/up?
vibing: "x": unexpected argument`,
    ],
    [['serve', SITE, '--no-listing', 'other'], '"other": unexpected argument'],
    [['serve', SITE, '--listing', 'other'], '"other": unexpected argument'],
    [
      ['serve', SITE, '--listing', 'false'],
      '"false": unexpected argument; did you mean --listing=false?',
    ],
    [['check', 'other'], '"other": unexpected argument; did you mean --config other?'],
    [
      ['check', '--config', 'nope', 'other'],
      `"other": unexpected argument
vibing: --config: given "nope" (no such file or directory (ENOENT)), allowed: a readable JSON file`,
    ],
  ];
  for (const [args, line] of lines) {
    const expected = { code: 2, out: '', err: `vibing: ${line}\n`, served: undefined };
    assert.deepEqual(await ran(args), expected);
  }
});

test('serve passes the configuration and returns the exit code of the server', async () => {
  const { code, out, err, served } = await ran(['serve', SITE, '--port', '0', '--listing']);
  assert.deepEqual([code, out, err], [42, '', '']);
  assert.deepEqual([served?.staticDir, served?.port, served?.listing], [SITE, 0, true]);
});

test('without a directory the current one is served', async () => {
  assert.equal((await ran(['serve'])).served?.staticDir, '.');
  const config = fileWith(JSON.stringify({ static_dir: SITE }));
  assert.equal((await ran(['serve', '--config', config])).served?.staticDir, SITE);
  const { served } = await ran(['serve', '.', '--config', config], { VIBING_STATIC_DIR: SITE });
  assert.equal(served?.staticDir, '.');
});

test('a missing directory, or a file instead, is a problem, wherever it is named', async () => {
  const missing = join(FOLDER, 'missing');
  const file = fileWith('{}');
  const config = fileWith(JSON.stringify({ static_dir: missing }));
  const given = `static_dir: given ${JSON.stringify(missing)}`;
  const why = '(no such file or directory (ENOENT)), allowed: an existing directory\n';
  for (const [args, where] of [
    [['serve', missing], 'directory'],
    [['check', '--static-dir', missing], '--static-dir'],
    [['check', '--config', config], `${config}: line 1`],
  ] as const) {
    const { code, err, served } = await ran([...args]);
    assert.deepEqual([code, served], [2, undefined]);
    assert.equal(err, `vibing: ${where}: ${given} ${why}`);
  }
  assert.match((await ran(['serve', file])).err, /^vibing: directory: .*\(not a directory\)/);
});

test('check prints ok and a configuration that is a valid file', async () => {
  const config = fileWith('{ "port": 1234, "workers": "auto" }');
  const first = await ran(['check', '--config', config, '--fields-max=7'], { VIBING_PORT: '99' });
  assert.deepEqual([first.code, first.err], [0, '']);
  assert.ok(first.out.startsWith('ok\n{\n'));
  const effective = JSON.parse(first.out.slice('ok\n'.length));
  assert.deepEqual([effective.port, effective.workers, effective.fields_max], [99, 'auto', 7]);
  const again = await ran(['check', '--config', fileWith(JSON.stringify(effective))]);
  assert.deepEqual(again, first);
});

test('every problem is a line, all at once, and nothing starts', async () => {
  const config = fileWith('{ "prot": 1,\n  "workers": -3 }');
  for (const command of ['serve', 'check']) {
    const args = [command, '--config', config, '--colour', '--port', '80x'];
    const { code, out, err, served } = await ran(args, { VIBING_HOST: '' });
    assert.deepEqual([code, out, served], [2, '', undefined]);
    const places = err
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/: (?:given|no such)/)[0]);
    assert.deepEqual(places, [
      'vibing: --colour',
      `vibing: ${config}: line 1: prot`,
      `vibing: ${config}: line 2: workers`,
      'vibing: VIBING_HOST: host',
      'vibing: --port: port',
    ]);
  }
});

test('a file that cannot be read is one line', async () => {
  const cases: readonly (readonly [name: string, why: RegExp])[] = [
    [join(FOLDER, 'none.json'), /\(no such file or directory \(ENOENT\)\)/],
    [FOLDER, /\(not a file\)/],
    [fileWith(new Uint8Array([0x7b, 0xff, 0x7d])), /\(not UTF-8\)/],
    [fileWith(' '.repeat(70_000)), /\(longer than 65536 bytes\)/],
  ];
  for (const [name, why] of cases) {
    const { code, err } = await ran(['check', '--config', name]);
    assert.equal(code, 2);
    assert.match(err, why);
    assert.match(err, /^vibing: --config: given .*, allowed: a readable JSON file\n$/);
  }
  const { err } = await ran(['check', '--config', fileWith('{\n"port": }')]);
  assert.match(err, /^vibing: .*: line 2, column 9: not JSON: expected a value, found "}"\n$/);
});

test('warnings are printed once, by the first process, and the server starts', async () => {
  const env = { VIBING_PROT: '1' };
  const { code, err } = await ran(['serve'], env);
  assert.equal(code, 42);
  assert.equal(
    err,
    'vibing: warning: VIBING_PROT: no such key, ignored; did you mean VIBING_PORT?\n',
  );
  assert.equal((await ran(['serve'], env, true)).err, '');
});

test('a worker uses the configuration that its primary accepted, not the file', async () => {
  const accepted = { port: 1234, staticDir: SITE, listing: true };
  const args = ['serve', '--config', fileWith('{ "prot": 1 }')];
  const { code, err, served } = await ran(args, {}, true, accepted);
  assert.deepEqual([code, err], [42, '']);
  assert.ok(served !== undefined);
  const { port, staticDir, listing } = optionsOf(served);
  assert.deepEqual({ port, staticDir, listing }, accepted);
});

test('a configuration that other code accepted may be invalid', async () => {
  const accepted = { prot: 1234 } as ServerOptions;
  const { code, err, served } = await ran(['serve'], {}, true, accepted);
  assert.deepEqual([code, served], [2, undefined]);
  assert.match(err, /^vibing: .*prot: no such /);
});

test('a file has as many bytes as it may have, and not one more', async () => {
  const most = 64 * 1_024;
  const text = '{ "port": 8081 }';
  const padded = (length: number): string => fileWith(text + ' '.repeat(length - text.length));
  assert.equal((await ran(['serve', '--config', padded(most)])).served?.port, 8_081);
  const { code, err } = await ran(['serve', '--config', padded(most + 1)]);
  assert.equal(code, 2);
  assert.match(err, /longer than 65536 bytes\), allowed: a readable JSON file$/m);
});

test('of two directories the argument is served, with mounts only what is named', async () => {
  const other = join(FOLDER, 'other');
  mkdirSync(other);
  const both = await ran(['serve', SITE, '--static-dir', other]);
  assert.equal(both.served?.staticDir, SITE);
  const mounts = `--mounts={"/docs": ${JSON.stringify(SITE)}}`;
  assert.equal((await ran(['serve', mounts])).served?.staticDir, undefined);
  assert.equal((await ran(['serve', mounts, other])).served?.staticDir, other);
  const missing = `--mounts={"/docs": ${JSON.stringify(join(FOLDER, 'none'))}}`;
  for (const more of [[], [SITE]]) {
    const { code, err } = await ran(['serve', missing, ...more]);
    assert.equal(code, 2);
    assert.match(err, /^vibing: --mounts: mounts: \/docs: given "[^"]+none" \(no such file/);
  }
});
