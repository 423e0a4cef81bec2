// Makes a site of the pages in docs/, with VitePress, in build/docs/site/. VitePress is a package
// of its own, which is installed at the first use.
//
//   npm run docs:site

import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const USAGE = `usage: npm run docs:site

Writes the pages of docs/ as a site to build/docs/site/. Look at it with:
  npm run serve -- build/docs/site

  --help  this text

Exit codes: 0, 1 when the site cannot be made, 2 when an argument is wrong.`;

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DOCS = join(ROOT, 'docs');
const FOLDER = join(DOCS, 'packages', 'site');
const VITEPRESS = join(FOLDER, 'node_modules', 'vitepress', 'bin', 'vitepress.js');
/** Copies of the pages, below the package, so that its modules are found. */
const PAGES = join(FOLDER, 'build');
const OUT = join(ROOT, 'build', 'docs', 'site');
const NPM = process.platform === 'win32' ? 'npm.cmd' : 'npm';

process.exitCode = main(process.argv.slice(2));

function main(given) {
  if (given.includes('--help') || given.includes('-h')) {
    console.log(USAGE);
    return 0;
  }
  if (given.length > 0) {
    console.error(`unknown argument ${given[0]}; --help explains the command`);
    return 2;
  }
  if (!existsSync(VITEPRESS)) {
    console.log('installing VitePress below docs/packages/site');
    if (!run(NPM, ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], {})) return 1;
  }
  const titles = copyPages();
  const command = [VITEPRESS, 'build', PAGES, '--outDir', OUT];
  if (!run(process.execPath, command, { VIBING_SITE_TITLES: JSON.stringify(titles) })) return 1;
  console.log('made build/docs/site; npm run serve -- build/docs/site shows it');
  return 0;
}

/** Copies pages and pictures, and returns the titles of the pages by their names. */
function copyPages() {
  rmSync(PAGES, { recursive: true, force: true });
  for (const name of ['.vitepress', 'public']) mkdirSync(join(PAGES, name), { recursive: true });
  copyFileSync(join(FOLDER, 'config.mjs'), join(PAGES, '.vitepress', 'config.mjs'));
  copyFileSync(join(FOLDER, 'index.md'), join(PAGES, 'index.md'));
  const icon = join(ROOT, 'examples', 'site', 'favicon.svg');
  copyFileSync(icon, join(PAGES, 'public', 'favicon.svg'));
  const titles = {};
  const texts = {};
  for (const name of readdirSync(DOCS).sort()) {
    if (/\.(png|svg|json)$/.test(name)) copyFileSync(join(DOCS, name), join(PAGES, name));
    if (!name.endsWith('.md')) continue;
    const text = readFileSync(join(DOCS, name), 'utf8');
    titles[name.slice(0, -'.md'.length)] = /^# (.+)$/m.exec(text)?.[1] ?? name;
    texts[name] = text;
  }
  for (const [name, text] of Object.entries(texts)) {
    writeFileSync(join(PAGES, name), pageOf(text, titles));
  }
  return titles;
}

/**
 * Links to files that are no pages become text, those named after a file get its title, and
 * comments are left out.
 */
function pageOf(text, titles) {
  return text
    .split(/(^```[\s\S]*?^```$)/m)
    .map((part) => (part.startsWith('```') ? part : proseOf(part, titles)))
    .join('');
}

function proseOf(text, titles) {
  return text
    .replace(/<!--[\s\S]*?-->/g, '')
    .replace(/\[(?:docs\/)?([\w-]+)\.md\](?=\()/g, (whole, name) =>
      titles[name] === undefined ? whole : `[${titles[name]}]`,
    )
    .replace(/(?<!!)\[([^\]]+)\]\((?:\.\.\/[^)]*|[^):#]*\.(?:json|png))\)/g, '$1');
}

/** Whether a command, in the folder of VitePress, has succeeded. */
function run(command, parameters, env) {
  const shell = process.platform === 'win32' && command === NPM;
  const options = { cwd: FOLDER, stdio: 'inherit', shell, env: { ...process.env, ...env } };
  return spawnSync(command, parameters, options).status === 0;
}
