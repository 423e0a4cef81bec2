// Runs `vibing init`: writes a project with a server and its tests into an empty directory.

import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
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
  const folder = resolve(directory);
  const files = projectFiles(packageName(basename(folder)), dependency(own, folder));
  try {
    await writeAll(folder, files);
  } catch (error) {
    environment.err(problemLine(`${directory}: nothing was written: ${faultText(error)}`));
    return FAILED;
  }
  environment.out(report(directory, files));
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
      const first = await mkdir(dirname(file), { recursive: true });
      if (first !== undefined) made.push(first);
      await writeFile(file, text, { flag: 'wx' });
      made.push(file);
    }
  } catch (error) {
    for (const path of made.reverse()) await rm(path, { recursive: true, force: true });
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

/** What the project depends on: the installed version, or the folder of a checkout. */
function dependency({ folder, version }: InitPackage, project: string): string {
  if (folder.split(sep).includes('node_modules')) return `^${version}`;
  return `file:${relative(project, folder).replaceAll(sep, '/')}`;
}

function report(directory: string, files: readonly ProjectFile[]): string {
  const where = logText(directory);
  const names = files.map(({ path }) => `  ${path}\n`).join('');
  const enter = resolve(directory) === resolve('.') ? '' : `  cd ${shellWord(where)}\n`;
  return `made a server in ${where}:
${names}
next:
${enter}  npm install
  npm test
  npm start
`;
}

/** Quoted where a shell would split or expand it. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./~-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
