// Every block of code in README.md and docs/ is checked: programs run (snippets.test.ts, and the
// tests named here), other TypeScript compiles, commands and configurations are valid.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'acorn';
import { nearMiss } from '../../src/base/near-miss.ts';
import { parseCompressFlags } from '../../src/cli/compress/flags.ts';
import { parseFlags } from '../../src/cli/flags.ts';
import { COMMANDS } from '../../src/cli/help.ts';
import { parseInitFlags } from '../../src/cli/init/flags.ts';
import { parseLoadFlags } from '../../src/cli/load-flags.ts';
import { readConfig } from '../../src/cli/read-config.ts';
import { loadConfig } from '../../src/server/config/config.ts';
import { KEYS } from '../../src/server/config/keys.ts';
import { ROOT } from '../../testing/child-program.ts';
import { type Block, blocksOf, documentPaths } from './fixtures/documents.ts';
import { fragmentOf } from './fixtures/fragments.ts';
import { compileSnippets } from './fixtures/snippets.ts';

/** ```js blocks that run: the tests take them by the name in their first line. */
const RUN_IN: Readonly<Record<string, string>> = {
  'docs/testing.md': 'spec/fetch/documented.test.ts',
  'docs/fetch.md': 'spec/fetch/documented.test.ts',
  'docs/getting-started.md': 'spec/fetch/documented.test.ts',
};
/** First lines of ```js blocks for other servers, which are not installed: their syntax counts. */
const OTHER_SERVERS = ['// express', '// fastify', '// node:http'];
/** Languages that no tool checks, with the reason. */
const UNCHECKED: Readonly<Record<string, string>> = {
  '': 'a drawing, or what a program prints',
  text: 'what a program prints',
  request: 'the notation of spec/cases, which its own tests read',
  expect: 'the notation of spec/cases, which its own tests read',
  yaml: 'settings of other programs',
};
/** A block of JSON with one of these at its top is a configuration. */
const CONFIG_KEYS = new Set(KEYS.map(({ key }) => key));

const blocks = documentPaths().flatMap(blocksOf);
const of = (...languages: string[]) =>
  blocks.filter(({ language }) => languages.includes(language));

test('every block has a language that is checked, or a reason why not', () => {
  const checked = ['ts', 'js', 'json', 'sh', 'nginx'];
  for (const { place, language } of blocks) {
    const isKnown = checked.includes(language) || language in UNCHECKED;
    assert.ok(isKnown, `${place}: nothing checks a block of ${JSON.stringify(language)}`);
  }
  for (const language of checked) {
    assert.ok(of(language).length > 0, `no document has a block of ${JSON.stringify(language)}`);
  }
});

test('TypeScript that is no program of its own compiles', () => {
  const parts = of('ts').filter(({ code }) => !code.startsWith('// runs\n'));
  assert.ok(parts.length >= 15, String(parts.length));
  compileSnippets(parts.map(fragmentOf), 'fragments', false);
});

test('TypeScript that uses what does not exist is reported', () => {
  const code = 'server.get("/", (req, res) => res.jsn(1));\n';
  const block: Block = { place: 'wrong.md:1', path: 'wrong.md', language: 'ts', code };
  assert.throws(() => compileSnippets([fragmentOf(block)], 'fragments-wrong', false), /jsn/);
});

describe('JavaScript', () => {
  for (const { place, path, code } of of('js')) {
    test(place, () => {
      parse(code, { ecmaVersion: 'latest', sourceType: 'module', allowAwaitOutsideFunction: true });
      const [first] = code.split('\n', 1);
      if (OTHER_SERVERS.includes(first)) return;
      const where = RUN_IN[path];
      assert.match(
        first,
        /^\/\/ [\w.-]+\.js$/,
        'its first line is the name of a file that a test runs',
      );
      assert.ok(where !== undefined, `no test runs the programs of ${path}`);
      const name = path.slice('docs/'.length);
      assert.ok(readFileSync(join(ROOT, where), 'utf8').includes(`'${name}'`), `${where}: ${name}`);
    });
  }
});

describe('JSON', () => {
  for (const { place, code } of of('json')) {
    test(place, () => {
      const keys = Object.keys(JSON.parse(code));
      if (!keys.some((key) => CONFIG_KEYS.has(key))) return;
      const { problems } = loadConfig({ file: { name: place, text: code }, env: {}, flags: [] });
      assert.deepEqual(problems, []);
    });
  }
});

/** The commands of a block, without comments and continued lines. */
function commandsIn(code: string): readonly string[] {
  return code
    .replace(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .flatMap((line) => line.split(' && '))
    .filter((line) => line !== '');
}

/** What is wrong with a command of a document. */
function commandProblems(command: string): readonly string[] {
  const words = [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, plain]) => single ?? double ?? plain ?? '',
  );
  const [first, ...rest] = words[0] === 'npx' ? words.slice(1) : words;
  if (first === 'npm') return npmProblems(rest);
  if (first !== 'vibing') {
    const meant = nearMiss(first, ['vibing', 'npm', 'npx']);
    return meant === undefined ? [] : [`${first}: is ${meant} meant?`];
  }
  const [name, ...args] = rest;
  switch (name) {
    case 'serve':
    case 'check':
      return serveProblems(args);
    case 'load':
      return parseLoadFlags(args, () => Buffer.alloc(0)).problems;
    case 'compress':
      return parseCompressFlags(args).problems;
    case 'init':
      return parseInitFlags(args).problems;
    default:
      return COMMANDS.some((known) => known === name) ? [] : [`vibing ${name}: no such command`];
  }
}

/** Paths of examples do not exist here. */
function serveProblems(args: readonly string[]): readonly string[] {
  const flags = parseFlags(
    args.filter((arg, at) => arg !== '--config' && args[at - 1] !== '--config'),
  );
  return readConfig(flags, [], {}).problems.filter((problem) => !problem.includes('ENOENT'));
}

const SCRIPTS: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(join(ROOT, 'package.json'), 'utf8'),
).scripts;
/** Scripts of a project that `vibing init` has made. */
const NPM_COMMANDS = ['ci', 'install', 'test', 'start'];

function npmProblems([name, ...rest]: readonly string[]): readonly string[] {
  if (name !== 'run') return NPM_COMMANDS.includes(name) ? [] : [`npm ${name}: not known here`];
  const [script] = rest.filter((word) => !word.startsWith('-'));
  return script in SCRIPTS ? [] : [`npm run ${script}: no such script`];
}

const noShell = process.platform === 'win32' && 'Windows has no sh';

describe('commands', { skip: noShell }, () => {
  for (const { place, code } of of('sh')) {
    test(place, () => {
      const { status, stderr } = spawnSync('sh', ['-n'], { input: code, encoding: 'utf8' });
      assert.equal(status, 0, stderr);
      const commands = commandsIn(code);
      assert.ok(commands.length > 0);
      for (const command of commands) assert.deepEqual(commandProblems(command), [], command);
    });
  }

  test('wrong ones are reported', () => {
    for (const [command, problem] of [
      ['vibing serve ./x --prot 80', /prot/],
      ['npx vibing load http://a/ --rat 5', /rat/],
      ['vibing compress', /directory/],
      ['vibing sreve', /no such command/],
      ['npm run ' + 'nothing', /no such script/],
      ['vibign serve ./x', /vibing/],
    ] as const) {
      assert.match(commandProblems(command).join('\n'), problem, command);
    }
  });
});

const NGINX = ['/usr/sbin/nginx', '/usr/bin/nginx'].find((path) => existsSync(path));

test('nginx accepts its configurations', { skip: NGINX ? false : 'nginx is not installed' }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'vibing-nginx-'));
  try {
    for (const { place, code } of of('nginx')) {
      // A part of a location, or of the http block.
      const isPart = /^\s+proxy_/.test(code);
      const http = isPart ? `server { listen 8081; location / {\n${code}\n} }` : code;
      const file = join(folder, 'nginx.conf');
      const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (name) => `${name}_temp_path ${join(folder, name)};`,
      );
      const inside = `access_log off; ${paths.join(' ')}\n${http}`;
      writeFileSync(file, `pid ${folder}/pid; events {}\nhttp {\n${inside}\n}\n`);
      const args = ['-t', '-c', file, '-e', 'stderr', '-g', 'daemon off;'];
      const { status, stderr } = spawnSync(NGINX ?? '', args, { encoding: 'utf8' });
      assert.equal(status, 0, `${place}: ${stderr}`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
