// Reads the configuration of a command from file, environment and flags, and checks that the
// directory to serve exists. All problems are returned at once.

import { readFileSync, statSync } from 'node:fs';
import { shown } from '../base/shown.ts';
import {
  type Config,
  type FlagText,
  type LoadedConfig,
  loadConfig,
} from '../server/config/config.ts';
import { faultText } from './fault-text.ts';
import type { Flags } from './flags.ts';

/** A real file has a few hundred bytes; the limit protects from reading a wrong, huge file. */
const FILE_BYTES_MAX = 64 * 1024;

export interface ReadConfig {
  /** Undefined when there are problems. */
  readonly config: Config | undefined;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** `more` are further flag values, which override those of `flags`. */
export function readConfig(flags: Flags, more: readonly FlagText[], env: Environment): ReadConfig {
  const problems = [...flags.problems];
  let file: { name: string; text: string } | undefined;
  if (flags.config !== undefined) {
    const read = readText(flags.config);
    if (read.text === undefined) problems.push(read.problem);
    else file = { name: flags.config, text: read.text };
  }
  const loaded = loadConfig({ file, env, flags: [...flags.keys, ...more] });
  problems.push(...loaded.problems);
  for (const { where, name, path } of directoriesOf(loaded.given)) {
    const fault = directoryFault(path);
    if (fault === undefined) continue;
    const given = `given ${shown(path)} (${fault})`;
    problems.push(`${where}: ${name}: ${given}, allowed: an existing directory`);
  }
  const config = problems.length === 0 ? loaded.config : undefined;
  return { config, problems, warnings: loaded.warnings };
}

/** The directories to serve, each with its place in the sources. */
function* directoriesOf(
  given: LoadedConfig['given'],
): Generator<{ readonly where: string; readonly name: string; readonly path: string }> {
  const root = given.get('staticDir');
  if (root !== undefined) yield { where: root.where, name: 'static_dir', path: String(root.value) };
  const mounts = given.get('mounts');
  if (mounts === undefined) return;
  for (const [prefix, path] of Object.entries(mounts.value)) {
    yield { where: mounts.where, name: `mounts: ${prefix}`, path: String(path) };
  }
}

type ReadText = { readonly text: string } | { readonly text: undefined; readonly problem: string };

function readText(name: string): ReadText {
  const failed = (why: string): ReadText => ({
    text: undefined,
    problem: `--config: given ${shown(name)} (${why}), allowed: a readable JSON file`,
  });
  try {
    const stat = statSync(name);
    if (!stat.isFile()) return failed('not a file');
    if (stat.size > FILE_BYTES_MAX) return failed(`longer than ${FILE_BYTES_MAX} bytes`);
    const bytes = readFileSync(name);
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch (error) {
    return failed(error instanceof TypeError ? 'not UTF-8' : faultText(error));
  }
}

function directoryFault(path: string): string | undefined {
  try {
    return statSync(path).isDirectory() ? undefined : 'not a directory';
  } catch (error) {
    return faultText(error);
  }
}
