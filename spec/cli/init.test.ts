// `vibing init`: the project that it makes compiles, passes its tests and serves, and it writes
// into no directory that contains something.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { init, packageName, shellWord } from '../../src/cli/init/init.ts';
import { PROJECT_ENGINES, PROJECT_PACKAGES, projectFiles } from '../../src/cli/init/project.ts';
import { ROOT } from '../../testing/child-program.ts';

const timeout = 120_000;
const FOLDER = mkdtempSync(join(tmpdir(), 'vibing-init-'));
after(() => rmSync(FOLDER, { recursive: true }));
const OWN = { version: '1.2.3', folder: ROOT };
const PATHS = projectFiles('x', '').map(({ path }) => path);

async function ran(args: readonly string[], own = OWN) {
  let out = '';
  let err = '';
  const code = await init(
    args,
    {
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
    },
    own,
  );
  return { code, out, err };
}

/** All files below a folder, with slashes. */
function below(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .map((path) => path.replaceAll('\\', '/'))
    .sort();
}

test('the project compiles, passes its tests, serves, and stops', { timeout }, async () => {
  const project = join(FOLDER, 'My Server');
  const { code, out, err } = await ran([project]);
  assert.deepEqual([code, err], [0, '']);
  assert.deepEqual(below(project), [...PATHS].sort());
  for (const path of PATHS) assert.ok(out.includes(`  ${path}\n`), path);
  assert.match(out, /next:\n {2}cd '.*My Server'\n {2}npm install\n {2}npm test\n {2}npm start\n$/);

  const manifest = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
  assert.equal(manifest.name, 'my-server');
  assert.match(manifest.dependencies.vibing, /^file:\.\.\//, 'a checkout is a dependency by path');

  // What `npm install` would install, without a registry.
  mkdirSync(join(project, 'node_modules', '@types'), { recursive: true });
  const installed = (name: string) => join(project, 'node_modules', name);
  symlinkSync(ROOT, installed('vibing'), 'junction');
  for (const name of Object.keys(PROJECT_PACKAGES)) {
    symlinkSync(join(ROOT, 'node_modules', name), installed(name), 'junction');
  }
  assert.equal(manifest.scripts.build, 'tsc');
  succeeds([join(installed('typescript'), 'bin', 'tsc')], project);

  assert.equal(manifest.scripts.test, 'npm run build && cd dist && node --test');
  const tested = succeeds(['--test', '--test-reporter=tap'], join(project, 'dist'));
  assert.match(tested, /^# pass 4$/m);
  assert.match(tested, /^# fail 0$/m);

  assert.equal(manifest.scripts.start, 'npm run build && node dist/main.js');
  await serves(project);
});

function succeeds(args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd,
    // Without the variable by which the child would report to the runner of this test.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout + stderr);
  return stdout;
}

async function serves(project: string): Promise<void> {
  const child = spawn(process.execPath, ['dist/main.js'], {
    cwd: project,
    env: { ...process.env, HOST: '127.0.0.1', PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const line = String((await lines.next()).value);
    const url = /^listening on (http:\/\/127\.0\.0\.1:\d+\/) /.exec(line)?.[1];
    assert.ok(url !== undefined, line);
    assert.match(await (await fetch(url)).text(), /It works/);
    assert.match(String((await lines.next()).value), /"GET \/ HTTP\/1\.1" 200 /, 'the access log');
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    if (process.platform !== 'win32') assert.deepEqual(await ended, [0, null]);
  } finally {
    child.kill('SIGKILL');
  }
}

test('an invalid port, and one in use, are one line', { timeout }, async () => {
  const main = projectFiles('x', '').find(({ path }) => path === 'src/main.ts');
  const folder = mkdtempSync(join(ROOT, 'build', 'init-main-'));
  try {
    const program = main?.text.replace('.ts', '.js').replace(' as const', '') ?? '';
    writeFileSync(join(folder, 'main.js'), program);
    const server = "export { createServer as makeServer } from 'vibing';";
    writeFileSync(join(folder, 'server.js'), server);
    const { status, stderr } = spawnSync(process.execPath, [join(folder, 'main.js')], {
      env: { ...process.env, PORT: '80x' },
      encoding: 'utf8',
    });
    assert.deepEqual([status, stderr.split('\n').length], [1, 2], stderr);
    assert.equal(stderr, 'PORT: given "80x", allowed: 0 to 65535\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a directory that is not empty is refused, with what is in it', async () => {
  const full = join(FOLDER, 'full');
  mkdirSync(full);
  writeFileSync(join(full, '.hidden'), '');
  writeFileSync(join(full, 'a\u001b[2J.txt'), 'mine');
  const { code, out, err } = await ran([full]);
  assert.deepEqual([code, out], [2, '']);
  assert.match(err, /^vibing: [\x20-\x7e]+\n$/, 'one line without control characters');
  assert.match(err, /full: not empty, it contains "\.hidden", "a.*\.txt"; give the name/);
  assert.deepEqual(readdirSync(full).length, 2);

  for (let index = 0; index < 12; index++) writeFileSync(join(full, `b${index}`), '');
  assert.match((await ran([full])).err, / and 4 more; /);
});

test('a file, and a directory that cannot be made, are refused', async () => {
  const file = join(FOLDER, 'file');
  writeFileSync(file, 'mine');
  const refused = await ran([file]);
  assert.equal(refused.code, 2);
  assert.match(refused.err, /^vibing: .*file: not a directory \(ENOTDIR\)\n$/);
  const within = await ran([join(file, 'deeper')]);
  assert.notEqual(within.code, 0);
  assert.match(within.err, /ENOTDIR/);
  assert.equal(readFileSync(file, 'utf8'), 'mine');
});

test('a directory that cannot be made is one line, and the search for it ends', async () => {
  const skip = process.platform !== 'linux';
  // The file system of /proc says ENOENT to a new directory.
  if (!skip) {
    const { code, out, err } = await ran(['/proc/vibing-init/deeper']);
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, /^vibing: [^\n]*: nothing was written: no such file or directory[^\n]*\n$/);
  }
  const deep = join(FOLDER, 'one', 'two', 'three');
  assert.equal((await ran([deep])).code, 0);
  assert.ok(existsSync(join(deep, 'src', 'main.ts')));
});

test('a current directory that was removed is one line', {
  timeout,
  skip: process.platform === 'win32' ? 'it cannot be removed there' : false,
}, () => {
  const gone = join(FOLDER, 'gone');
  mkdirSync(gone);
  const main = join(ROOT, 'build', 'src', 'cli', 'main.js');
  const script = 'cd "$1" && rmdir "$1" && exec "$2" "$3" init "$4"';
  for (const [directory, code] of [
    ['here', 1],
    [join(FOLDER, 'elsewhere'), 0],
  ] as const) {
    mkdirSync(gone, { recursive: true });
    const words = ['-c', script, 'sh', gone, process.execPath, main, directory];
    const { status, stderr } = spawnSync('sh', words, { encoding: 'utf8' });
    assert.equal(status, code, stderr);
    assert.match(stderr, code === 0 ? /^$/ : /^vibing: here: nothing was written: [^\n]+\n$/);
  }
});

test('the command that enters the project is safe to copy', () => {
  for (const [directory, word] of [
    ['a/b~1', 'a/b~1'],
    ['-x', './-x'],
    ['~foo', "'~foo'"],
    ["it's", "'it'\\''s'"],
    ['a\u001b\u009b\\x', "$'a\\u001b\\u009b\\\\x'"],
  ]) {
    assert.equal(shellWord(directory), word);
  }
});

test('the files of the package that its README names are there', () => {
  const { files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const text = projectFiles('x', '')
    .map((file) => file.text)
    .join('');
  const named = [...text.matchAll(/node_modules\/vibing\/([\w./-]+)/g)].map(([, path]) => path);
  assert.deepEqual(named, ['README.md'], 'npm packs it always');
  const pages = (text.match(/docs\/[\w.-]+/g) ?? []).filter((page) => !files.includes(page));
  assert.deepEqual(pages, [], 'these are not packed');
});

test('when one file cannot be written, none is left', async () => {
  // Directories of these names: the write of the last files fails.
  const half = join(FOLDER, 'half');
  mkdirSync(join(half, '.git'), { recursive: true });
  const first = ran([half]);
  // It has read the directory by then or not: either it is refused, or its files are removed.
  mkdirSync(join(half, 'tsconfig.json'));
  const { code, err } = await first;
  assert.ok(code === 1 || code === 2, err);
  assert.deepEqual(readdirSync(half).sort(), ['.git', 'tsconfig.json']);
});

test('a fresh repository is as good as an empty directory', async () => {
  const fresh = join(FOLDER, 'fresh');
  mkdirSync(join(fresh, '.git'), { recursive: true });
  assert.equal((await ran([fresh])).code, 0);
  assert.ok(existsSync(join(fresh, 'src', 'server.ts')));
  assert.equal((await ran([fresh])).code, 2, 'the second time it is not empty');
});

test('an installed package is a dependency as it was installed', async () => {
  const app = join(FOLDER, 'app');
  const folder = join(app, 'node_modules', 'vibing');
  mkdirSync(folder, { recursive: true });
  const archive = 'https://a.example/vibing-1.2.3.tgz';
  for (const [index, [manifest, expected]] of [
    ['', '^1.2.3'],
    ['{', '^1.2.3'],
    ['{}', '^1.2.3'],
    ['{"dependencies":{"vibing":"^1.0.0"}}', '^1.2.3'],
    ['{"dependencies":{"vibing":"file:../vibing-1.2.3.tgz"}}', 'file:../vibing-1.2.3.tgz'],
    ['{"dependencies":{"vibing":"file:vendor/vibing.tgz"}}', 'file:../app/vendor/vibing.tgz'],
    ['{"devDependencies":{"vibing":"link:../vibing"}}', 'file:../vibing'],
    [`{"dependencies":{"vibing":"${archive}"}}`, archive],
    ['{"dependencies":{"vibing":"github:owner/vibing"}}', 'github:owner/vibing'],
  ].entries()) {
    writeFileSync(join(app, 'package.json'), manifest);
    const project = join(FOLDER, `installed-${index}`);
    assert.equal((await ran([project], { version: '1.2.3', folder })).code, 0);
    const made = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
    assert.equal(made.dependencies.vibing, expected, manifest);
  }
});

test('arguments that it does not take are one line each', async () => {
  const lines: readonly (readonly [string[], string])[] = [
    [['a', 'b', 'c'], 'vibing: "b": unexpected argument\nvibing: "c": unexpected argument\n'],
    [['--hepl'], 'vibing: --hepl: no such flag; did you mean --help?\n'],
    [['--force'], 'vibing: --force: no such flag; "vibing init --help" lists the flags\n'],
    [[''], 'vibing: "": the name of a directory is empty\n'],
  ];
  for (const [args, err] of lines) assert.deepEqual(await ran(args), { code: 2, out: '', err });
  const dashed = join(FOLDER, 'dashed');
  assert.equal((await ran(['--', dashed])).code, 0);
});

test('has --help', async () => {
  for (const flag of ['--help', '-h']) {
    const { code, out, err } = await ran([flag, 'anything']);
    assert.deepEqual([code, err], [0, '']);
    assert.match(out, /^vibing init: /);
    for (const path of PATHS) assert.ok(out.replace(/\s+/g, ' ').includes(path), path);
  }
});

test('names of packages are those that npm accepts', () => {
  const names: readonly (readonly [string, string])[] = [
    ['My Server', 'my-server'],
    ['café', 'cafe-'],
    ['_x.y', 'x.y'],
    ['...', 'server'],
    ['日本', 'server'],
    ['vibing', 'server'],
    ['node_modules', 'server'],
    ['"; rm -rf', 'rm--rf'],
  ];
  for (const [folder, name] of names) {
    assert.equal(packageName(folder), name.replace(/-$/, ''), folder);
  }
});

test('the packages of a project are those that this one is compiled with', () => {
  const { devDependencies, engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  for (const [name, version] of Object.entries(PROJECT_PACKAGES)) {
    assert.equal(devDependencies[name], version, name);
  }
  assert.equal(engines.node, PROJECT_ENGINES);
});

test('up to ten names of a directory that is not empty are shown', async () => {
  for (const [letters, wanted] of [
    ['abcdefghij', /"i", "j"; give the name/],
    ['abcdefghijk', /"i", "j" and 1 more; give the name/],
  ] as const) {
    const folder = mkdtempSync(join(FOLDER, 'full-'));
    for (const letter of letters) writeFileSync(join(folder, letter), '');
    const { code, err } = await ran([folder]);
    assert.equal(code, 2);
    assert.match(err, wanted);
  }
  assert.equal(shellWord("it's 'x'"), "'it'\\''s '\\''x'\\'''");
});
