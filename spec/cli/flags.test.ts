// Parsing of flags, values and plain arguments.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFlags } from '../../src/cli/flags.ts';

function parsed(line: string): {
  keys: string[];
  plain: readonly string[];
  problems: readonly string[];
} {
  const { keys, plain, problems } = parseFlags(line === '' ? [] : line.split(' '));
  return { keys: keys.map(({ key, text }) => `${key.key}=${text}`), plain, problems };
}

const LINES: readonly (readonly [line: string, keys: string[], plain: string[]])[] = [
  ['', [], []],
  ['dir --port 80', ['port=80'], ['dir']],
  ['--port=80 dir', ['port=80'], ['dir']],
  ['dir -p 80', ['port=80'], ['dir']],
  ['-p=80', ['port=80'], []],
  ['--host=a=b', ['host=a=b'], []],
  ['--host=', ['host='], []],
  ['--port -1', ['port=-1'], []],
  ['--port 1 --port 2', ['port=1', 'port=2'], []],
  ['--connection-timeout-ms 90000', ['connection_timeout_ms=90000'], []],
  ['--listing dir', ['listing=true'], ['dir']],
  ['--no-listing --debug', ['listing=false', 'debug=true'], []],
  ['--listing=false', ['listing=false'], []],
  ['-- --port -h', [], ['--port', '-h']],
  ['- a', [], ['-', 'a']],
];

for (const [line, keys, plain] of LINES) {
  test(`"${line}"`, () => assert.deepEqual(parsed(line), { keys, plain, problems: [] }));
}

const WRONG: readonly (readonly [line: string, problem: string])[] = [
  ['--prot 80', '--prot: no such flag; did you mean --port?'],
  ['--prot=80', '--prot: no such flag; did you mean --port?'],
  [
    '--connectionTimeoutMs 5',
    '--connectionTimeoutMs: no such flag; did you mean --connection-timeout-ms?',
  ],
  ['--static_dir x', '--static_dir: no such flag; did you mean --static-dir?'],
  ['--no-listnig', '--no-listnig: no such flag; did you mean --no-listing?'],
  ['--cnofig x', '--cnofig: no such flag; did you mean --config?'],
  ['-x', '-x: no such flag; "vibing help serve" lists the flags'],
  ['-p', '--port: given no value, allowed: --port VALUE or --port=VALUE'],
  ['--no-port', '--no-port: no such flag; did you mean --port?'],
  ['--port', '--port: given no value, allowed: --port VALUE or --port=VALUE'],
  ['--port --debug', '--port: given no value, allowed: --port VALUE or --port=VALUE'],
  ['--config', '--config: given no value, allowed: --config VALUE or --config=VALUE'],
  ['--help=1', '--help: given "1", allowed: --help without a value'],
  ['--no-debug=true', '--no-debug: given "true", allowed: --no-debug without a value'],
];

for (const [line, problem] of WRONG) {
  test(`"${line}" is rejected`, () => {
    const { plain, problems } = parsed(line);
    assert.deepEqual(problems, [problem]);
    assert.deepEqual(plain, [], 'the value of a mistyped flag is no argument');
  });
}

test('--config and --help', () => {
  const flags = parseFlags(['--config', 'a.json', '-h', '--config=b.json']);
  assert.equal(flags.config, 'b.json');
  assert.equal(flags.help, true);
  assert.equal(parseFlags([]).config, undefined);
  assert.equal(parseFlags([]).help, false);
});

test('an unknown flag takes the next argument only as the flag that is meant would', () => {
  for (const [args, plain] of [
    [['--prot', '8080', 'folder'], ['folder']],
    [['--prot=8080', 'folder'], ['folder']],
    [['--lsting', 'folder'], ['folder']],
    [['--confg', 'file', 'folder'], ['folder']],
    [['--nothing-like-it', 'folder'], ['folder']],
  ] as const) {
    const found = parseFlags(args);
    assert.deepEqual(found.plain, plain, args.join(' '));
    assert.equal(found.problems.length, 1);
  }
});

test('a second --config without a value does not undo the first one', () => {
  const { config, problems } = parseFlags(['--config', 'file', '--config']);
  assert.equal(config, 'file');
  assert.equal(problems.length, 1);
});
