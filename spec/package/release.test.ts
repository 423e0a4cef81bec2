// npm run release, in a temporary clone: what it refuses, what a dry run says, and what a release
// makes. The clone has no remote that it could push to. Those that pack take turns: they compile.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ROOT } from '../../testing/child-program.ts';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { inTurn } from '../../testing/rotation.ts';
import { eventually } from '../../testing/with-server.ts';

leaveOutOfCoverage();

const timeout = 180_000;
let clone = '';

const AUTHOR = { GIT_AUTHOR_NAME: 'Test', GIT_AUTHOR_EMAIL: 'test@example.com' };
const COMMITTER = { GIT_COMMITTER_NAME: 'Test', GIT_COMMITTER_EMAIL: 'test@example.com' };

function run(command: string, ...args: readonly string[]) {
  const env = { ...process.env, ...AUTHOR, ...COMMITTER };
  return spawnSync(command, args, { cwd: clone, env, encoding: 'utf8' });
}

function git(...args: readonly string[]): string {
  const { status, stdout, stderr } = run('git', ...args);
  assert.equal(status, 0, `git ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

function release(...args: readonly string[]) {
  return run(process.execPath, '.ci/release.mjs', ...args);
}

function commitAll(message: string): void {
  git('add', '--all');
  git('commit', '--quiet', '--allow-empty', '--message', message);
}

const read = (name: string) => readFileSync(join(clone, name), 'utf8');
const write = (name: string, text: string) => writeFileSync(join(clone, name), text);

before(() => {
  clone = mkdtempSync(join(tmpdir(), 'vibing-release-'));
  const { status } = spawnSync('git', [
    'clone',
    '--quiet',
    '--depth',
    '1',
    `file://${ROOT}`,
    clone,
  ]);
  assert.equal(status, 0);
  git('remote', 'remove', 'origin');
  // What is here, committed or not, is tested.
  for (const name of ['.ci', 'package.json', 'package-lock.json', 'CHANGELOG.md']) {
    cpSync(join(ROOT, name), join(clone, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'), 'junction');
  write('.git/info/exclude', 'node_modules\n');
  write('CHANGELOG.md', '# Changelog\n\n## 0.1.0 (unreleased)\n\n- A change.\n');
  commitAll('what is tested');
});

after(() => rmSync(clone, { recursive: true, force: true }));

test('arguments that are wrong are one line', () => {
  for (const args of [
    [],
    ['x'],
    ['1.2'],
    ['01.2.3'],
    ['1.2.3-beta.01'],
    ['1.2.3-'],
    ['v1.2.3'],
    ['1.2.3', '2.0.0'],
    ['--push'],
  ]) {
    const { status, stdout, stderr } = release(...args);
    assert.deepEqual([status, stdout], [2, ''], args.join(' '));
    assert.match(stderr, /^[^\n]+; --help explains the arguments\n$/);
  }
  const { status, stdout } = release('--help');
  assert.equal(status, 0);
  assert.match(stdout, /^usage: npm run release -- VERSION/);
});

/** Runs `release` after a change that is undone, and expects its refusal. */
function refuses(change: () => void, reason: RegExp, version = '0.1.0'): void {
  const head = git('rev-parse', 'HEAD');
  change();
  const changes = git('status', '--porcelain');
  for (const args of [[version], [version, '--dry-run']]) {
    const { status, stdout, stderr } = release(...args);
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, reason);
    assert.match(stderr, /^no release: /);
  }
  assert.equal(git('status', '--porcelain'), changes, 'nothing was changed');
  git('reset', '--quiet', '--hard', head);
  git('clean', '--quiet', '-d', '--force');
}

test('what cannot be released is refused with the reason', { timeout }, () => {
  refuses(() => write('new.txt', ''), /not clean; commit or remove these first:\n\?\? new\.txt/);
  refuses(() => write('README.md', ''), /not clean.*\n M README\.md/);
  refuses(() => {}, /0\.0\.9 is below 0\.1\.0/, '0.0.9');
  refuses(() => {}, /0\.1\.0-beta\.2 is below/, '0.1.0-beta.2');
  refuses(() => git('tag', 'v0.1.0'), /the tag v0\.1\.0 exists already/);
  git('tag', '--delete', 'v0.1.0');
  for (const [change, reason] of [
    [() => write('package.json', '{'), /package\.json is not JSON/],
    [() => rmSync(join(clone, 'CHANGELOG.md')), /ENOENT.*CHANGELOG\.md/],
  ] as const) {
    refuses(() => {
      change();
      commitAll('a file that is wrong');
    }, reason);
  }
  for (const [text, reason] of [
    ['# Changelog\n\n## 0.0.1 (2026-01-01)\n\n- a\n', /no heading such as/],
    ['# Changelog\n\n## 0.1.0 (unreleased)\n\n## 0.0.1 (2026-01-01)\n\n- a\n', /is empty/],
  ] as const) {
    refuses(() => {
      write('CHANGELOG.md', text);
      commitAll('another changelog');
    }, reason);
  }
});

test('a dry run says what would be done, and does nothing', { timeout }, () => {
  const head = git('rev-parse', 'HEAD');
  const { status, stdout, stderr } = release('0.2.0-rc.1', '--dry-run');
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /^dry run: nothing is changed\./);
  assert.match(stdout, /"## 0\.2\.0-rc\.1 \(\d{4}-\d\d-\d\d\)" to CHANGELOG\.md/);
  assert.deepEqual([git('rev-parse', 'HEAD'), git('status', '--porcelain')], [head, '']);
  assert.ok(!existsSync(join(clone, 'build', 'release')));
});

function failing(): void {
  const head = git('rev-parse', 'HEAD');
  // Without its compiler the package cannot be packed.
  rmSync(join(clone, 'node_modules'));
  const { status, stderr } = release('0.2.0');
  symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'), 'junction');
  assert.equal(status, 1);
  assert.match(stderr, /^no release: npm\S* pack .* ended with 1\n/);
  assert.deepEqual([git('rev-parse', 'HEAD'), git('status', '--porcelain')], [head, '']);
  assert.equal(git('tag', '--list'), '');
}

/** npm stands for one that packs for long: it says so in a file, and is ended. */
async function interrupted(): Promise<void> {
  if (process.platform === 'win32') return;
  const head = git('rev-parse', 'HEAD');
  const folder = mkdtempSync(join(tmpdir(), 'vibing-npm-'));
  const begun = join(folder, 'begun');
  const npm = `#!/bin/sh
if [ "$1" = pack ]; then echo >'${begun}'; sleep 300; fi
echo '{}' >package.json
`;
  writeFileSync(join(folder, 'npm'), npm, { mode: 0o755 });
  try {
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      const env = { ...process.env, ...AUTHOR, ...COMMITTER };
      const path = `${folder}:${process.env['PATH']}`;
      const child = spawn(process.execPath, ['.ci/release.mjs', '0.2.0'], {
        cwd: clone,
        env: { ...env, PATH: path },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let err = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        err += text;
      });
      const closed = once(child, 'close');
      await eventually('it packs', () => existsSync(begun));
      assert.notEqual(git('status', '--porcelain'), '');
      child.kill(signal);
      assert.deepEqual(await closed, [code, null]);
      assert.equal(err, `no release: interrupted by ${signal}\n`);
      assert.deepEqual([git('rev-parse', 'HEAD'), git('status', '--porcelain')], [head, '']);
      assert.equal(git('tag', '--list'), '');
      rmSync(begun);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a release that a signal ends changes nothing', { timeout }, interrupted);

function releasing(): void {
  const before = git('rev-parse', 'HEAD');
  const { status, stdout, stderr } = release('0.2.0');
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^released 0\.2\.0 in this repository, and nowhere else:/);
  assert.match(stdout, /git push --follow-tags\n {2}npm publish build/);
  assert.equal(JSON.parse(read('package.json')).version, '0.2.0');
  const lock = JSON.parse(read('package-lock.json'));
  assert.deepEqual([lock.version, lock.packages[''].version], ['0.2.0', '0.2.0']);
  // The version that metrics show.
  assert.match(read('src/base/version.ts'), /^export const VERSION = '0\.2\.0';$/m);
  assert.match(read('CHANGELOG.md'), /^## 0\.2\.0 \(\d{4}-\d\d-\d\d\)$/m);

  assert.equal(git('rev-parse', 'HEAD~1'), before, 'one commit');
  assert.equal(git('log', '-1', '--format=%s'), 'release: 0.2.0');
  assert.equal(git('rev-parse', 'v0.2.0^{commit}'), git('rev-parse', 'HEAD'));
  assert.equal(git('cat-file', '-t', 'v0.2.0'), 'tag');
  const changed = git('diff', '--name-only', 'HEAD~1').split('\n').sort();
  const written = ['CHANGELOG.md', 'package-lock.json', 'package.json', 'src/base/version.ts'];
  assert.deepEqual(changed, written);
  assert.equal(git('status', '--porcelain'), '');

  const names = ['vibing-0.2.0.cdx.json', 'vibing-0.2.0.tgz', 'vibing-0.2.0.tgz.sha256'];
  assert.deepEqual(readdirSync(join(clone, 'build', 'release')).sort(), names);
  const [packages, tarball, digest] = names.map((name) => join(clone, 'build', 'release', name));
  const found = createHash('sha256').update(readFileSync(tarball)).digest('hex');
  assert.equal(readFileSync(digest, 'utf8'), `${found}  vibing-0.2.0.tgz\n`);
  const { bomFormat, components, metadata } = JSON.parse(readFileSync(packages, 'utf8'));
  assert.equal(bomFormat, 'CycloneDX');
  assert.equal(metadata.component.version, '0.2.0');
  const parts: readonly string[] = components.map(({ name }: { readonly name: string }) => name);
  assert.ok(parts.includes('mrmime') && parts.includes('koffi') && !parts.includes('typescript'));

  assert.equal(release('0.2.0').status, 1, 'the same version has a tag, and no new changes');
}

for (const [name, check] of inTurn([
  ['a release that fails changes nothing', failing],
  ['a release has a version, a date, a tarball, its packages, a commit and a tag', releasing],
] as const)) {
  test(name, { timeout }, check);
}
