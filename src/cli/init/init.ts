// Runs `vibing init`: writes a project with a server and its tests into an empty directory.

import { readFileSync } from 'node:fs';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, normalize, relative, resolve, sep } from 'node:path';
import { logText } from '../../base/log-text.ts';
import { faultCode, faultText, problemLine } from '../fault-text.ts';
import { initHelp } from '../help.ts';
import { FAILED, OK, type Terminal, USAGE_ERROR } from '../terminal.ts';
import { parseInitFlags } from './flags.ts';
import { type ProjectFile, projectFiles } from './project.ts';

/** The package whose command runs. */
export interface InitPackage {
  readonly version: string;
  /** Its folder, as an absolute path. */
  readonly folder: string;
}

/** A repository without a commit is as good as an empty directory. */
const IGNORED = '.git';
/** Names of a directory that is not empty, in the message. */
const NAMES_MAX = 10;

/** Resolves with the exit code. */
export async function init(
  args: readonly string[],
  environment: Pick<Terminal, 'out' | 'err'>,
  own: InitPackage,
): Promise<number> {
  const { directory, help, problems } = parseInitFlags(args);
  if (help) {
    environment.out(initHelp());
    return OK;
  }
  const all = problems.length > 0 ? problems : await directoryProblem(directory);
  for (const problem of all) environment.err(problemLine(problem));
  if (all.length > 0) return USAGE_ERROR;
  let made: readonly ProjectFile[];
  try {
    // The current directory may have been removed: then this throws.
    const folder = resolve(directory);
    made = projectFiles(packageName(basename(folder)), dependency(own, folder));
    await writeAll(folder, made);
  } catch (error) {
    environment.err(problemLine(`${directory}: nothing was written: ${faultText(error)}`));
    return FAILED;
  }
  environment.out(report(directory, made));
  return OK;
}

/** A directory that does not exist yet is fine. */
async function directoryProblem(directory: string): Promise<readonly string[]> {
  let names: string[];
  try {
    names = (await readdir(directory)).filter((name) => name !== IGNORED).sort();
  } catch (error) {
    if (faultCode(error) === 'ENOENT') return [];
    return [`${directory}: ${faultText(error)}`];
  }
  if (names.length === 0) return [];
  const more = names.length - NAMES_MAX;
  const shown = names.slice(0, NAMES_MAX).map((name) => JSON.stringify(name));
  const list = `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return [
    `${directory}: not empty, it contains ${list}; give the name of a new or empty directory`,
  ];
}

/** Writes all files or none: it overwrites nothing, and removes what it wrote when one fails. */
async function writeAll(folder: string, files: readonly ProjectFile[]): Promise<void> {
  const made: string[] = [];
  try {
    for (const { path, text } of files) {
      const file = join(folder, path);
      for (const missing of await missingFolders(dirname(file))) {
        await mkdir(missing);
        made.push(missing);
      }
      await writeFile(file, text, { flag: 'wx' });
      made.push(file);
    }
  } catch (error) {
    for (const path of made.reverse()) await rm(path, { recursive: true, force: true });
    throw error;
  }
}

/**
 * The folders of a path that are not there, the outermost first. Each is made by a plain mkdir():
 * the recursive one tries without end where a file system says ENOENT to all that is new, as /proc.
 */
async function missingFolders(folder: string): Promise<readonly string[]> {
  const missing: string[] = [];
  for (let path = folder; !(await exists(path)); path = dirname(path)) {
    missing.unshift(path);
    if (dirname(path) === path) break;
  }
  return missing;
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (faultCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** The name of a package from that of its folder, by the rules of npm. */
export function packageName(folder: string): string {
  const name = folder
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[-._]+|-+$/g, '')
    .slice(0, NAME_CHARACTERS_MAX);
  return name === '' || TAKEN_NAMES.includes(name) ? 'server' : name;
}

const NAME_CHARACTERS_MAX = 100;
/** npm refuses the first two; the last would depend on itself. */
const TAKEN_NAMES = ['node_modules', 'favicon.ico', 'vibing'];

/** What the project depends on: what npm has installed here, or the folder of a checkout. */
function dependency({ folder, version }: InitPackage, project: string): string {
  const at = folder.lastIndexOf(`${sep}node_modules${sep}`);
  if (at < 0) return pathOf(project, folder);
  const owner = folder.slice(0, at);
  const installed = sourceIn(join(owner, 'package.json'));
  const path = /^(?:file|link):(.+)/.exec(installed)?.[1];
  if (path !== undefined) return pathOf(project, resolve(owner, path));
  // An address of an archive or a repository; others are versions of the registry.
  return installed.includes('/') ? installed : `^${version}`;
}

function pathOf(project: string, target: string): string {
  return `file:${relative(project, target).replaceAll(sep, '/')}`;
}

/** Where the package of a project comes from; '' where that is not known. */
function sourceIn(manifest: string): string {
  try {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(manifest, 'utf8'));
    return String({ ...devDependencies, ...dependencies }['vibing'] ?? '');
  } catch {
    return '';
  }
}

function report(directory: string, files: readonly ProjectFile[]): string {
  const names = files.map(({ path }) => `  ${path}\n`).join('');
  const enter = isCurrent(directory) ? '' : `  cd ${shellWord(normalize(directory))}\n`;
  return `made a server in ${logText(directory)}:
${names}
next:
${enter}  npm install
  npm test
  npm start
`;
}

function isCurrent(directory: string): boolean {
  try {
    return resolve(directory) === process.cwd();
  } catch {
    // The current directory was removed.
    return false;
  }
}

/**
 * A path as one word of a shell, which is safe to show: in quotes where a shell would split or
 * expand it, and not like an option.
 */
export function shellWord(text: string): string {
  const path = text.startsWith('-') ? `./${text}` : text;
  if (/^[\w@%+=:,./-][\w@%+=:,./~-]*$/.test(path)) return path;
  if (logText(path) === path) return `'${path.replaceAll("'", "'\\''")}'`;
  const escaped = [...path].map((character) =>
    /['\\]/.test(character) ? `\\${character}` : logText(character).replace('\\x', '\\u00'),
  );
  return `$'${escaped.join('')}'`;
}
