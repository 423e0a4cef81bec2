// Compiles src/ to dist/ (the package, in one file), then the whole tree to build/ (tests and
// tools), each only when something is newer than its last good compile. Plain JavaScript, since it
// runs before anything is compiled.
//
//   node .ci/build.mjs             the package, as it is published
//   node .ci/build.mjs all         the package and the tree
//   node .ci/build.mjs all --force the same, whatever the times say

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const COMPILER = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
/** When it was compiled. npm packs no file of such a name. */
const STAMP = '._compiled';
/** Other files than sources on which the output depends. */
const SETTINGS = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'src/tsconfig.json',
  'src/viewer/page/tsconfig.json',
];
const OUTPUT = /(\.d\.ts|\.js|\.js\.map)$/;

/** The package is first: the tree imports it by name and reads its types from dist/. */
const PROJECTS = {
  package: {
    config: 'src/tsconfig.json',
    out: 'dist',
    folders: { src: '.' },
    // Comments are for readers of the sources, and a third of the package; docstrings stay in the
    // declarations.
    passes: [
      ['--emitDeclarationOnly'],
      [
        '--declaration',
        'false',
        '--isolatedDeclarations',
        'false',
        '--removeComments',
        '--noCheck',
      ],
    ],
    bundled: true,
  },
  tree: {
    config: 'tsconfig.json',
    out: 'build',
    passes: [[]],
    folders: {
      src: 'src',
      testing: 'testing',
      spec: 'spec',
      harness: 'harness',
      fuzz: 'fuzz',
      perf: 'perf',
      examples: 'examples',
    },
  },
};

/** Compiles 'package' or 'all'; true when that went well. The compiler prints what is wrong. */
export async function build(what, force = false) {
  if (!existsSync(COMPILER)) {
    console.error('node_modules is not there: run npm ci first');
    return false;
  }
  if (!(await compile(PROJECTS.package, force))) return false;
  return what === 'package' || compile(PROJECTS.tree, force);
}

/** At a terminal it says why the command waits; the output of a script stays as it is. */
export function note(stream) {
  if (stream.isTTY) stream.write('compiling what has changed, which takes some seconds\n');
}

let isNoted = false;

/** Makes dist/ ready to be packed; the next build makes it again, as it is compiled. */
export async function minifyPackage() {
  const out = join(ROOT, PROJECTS.package.out);
  rmSync(join(out, STAMP), { force: true });
  await (await import('./minify.mjs')).minifyScripts(out);
  (await import('./page.mjs')).compressPage(out);
}

async function compile(project, force) {
  const out = join(ROOT, project.out);
  const stamp = join(out, STAMP);
  if (!force && isFresh(project, stamp)) return true;
  if (!isNoted) note(process.stderr);
  isNoted = true;
  const startedAt = new Date();
  for (const flags of project.passes) {
    const command = [COMPILER, '-p', join(ROOT, project.config), ...flags];
    const { status } = spawnSync(process.execPath, command, { stdio: 'inherit', cwd: ROOT });
    if (status === 0) continue;
    rmSync(stamp, { force: true });
    return false;
  }
  for (const [from, to] of Object.entries(project.folders)) {
    removeOrphans(join(ROOT, from), join(out, to));
  }
  if (project.bundled) {
    await (await import('./bundle.mjs')).bundle(out);
    if (!(await (await import('./page.mjs')).makePage(ROOT, COMPILER, out))) {
      rmSync(stamp, { force: true });
      return false;
    }
  }
  writeFileSync(stamp, '');
  // What was edited while the compiler ran is newer than the beginning of the compile.
  utimesSync(stamp, startedAt, startedAt);
  return true;
}

function isFresh(project, stamp) {
  const compiledMs = modifiedMs(stamp);
  if (compiledMs === 0) return false;
  for (const name of SETTINGS) {
    if (modifiedMs(join(ROOT, name)) >= compiledMs) return false;
  }
  for (const folder of Object.keys(project.folders)) {
    if (newestMs(join(ROOT, folder)) >= compiledMs) return false;
  }
  return true;
}

/** The newest of the sources and their folders: a folder changes when a file is removed. */
function newestMs(folder) {
  let newest = modifiedMs(folder);
  if (newest === 0) return 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (isSourceFolder(path)) newest = Math.max(newest, newestMs(path));
    } else if (entry.name.endsWith('.ts')) {
      newest = Math.max(newest, modifiedMs(path));
    }
  }
  return newest;
}

function isSourceFolder(path) {
  return !path.endsWith('node_modules') && relative(ROOT, path) !== join('examples', 'site');
}

function modifiedMs(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Removes what a deleted source left behind, so that it is neither shipped nor run. */
function removeOrphans(sources, outputs) {
  if (!existsSync(outputs)) return;
  for (const entry of readdirSync(outputs, { withFileTypes: true })) {
    const path = join(outputs, entry.name);
    if (entry.isDirectory()) removeOrphans(join(sources, entry.name), path);
    else if (OUTPUT.test(entry.name)) {
      if (!existsSync(join(sources, entry.name.replace(OUTPUT, '.ts')))) rmSync(path);
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [what = 'package', ...flags] = process.argv.slice(2);
  process.exitCode = (await build(what, flags.includes('--force'))) ? 0 : 1;
}
