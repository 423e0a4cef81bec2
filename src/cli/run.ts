// Runs a command line: chooses the command, prints its output, returns the exit code.

import { safeJson } from '../base/log-text.ts';
import { nearMiss } from '../base/near-miss.ts';
import { shown } from '../base/shown.ts';
import {
  type Config,
  ConfigError,
  configFrom,
  type FlagText,
  fileOf,
  type ServerOptions,
} from '../server/config/config.ts';
import { KEY_BY_OPTION } from '../server/config/keys.ts';
import { shownName, suggestion } from '../server/config/lines.ts';
import { problemLine } from './fault-text.ts';
import { type Flags, parseFlags, withEquals } from './flags.ts';
import { COMMANDS, type Command, helpFor } from './help.ts';
import { type Environment, readConfig } from './read-config.ts';

const OK = 0;
/** The arguments or the configuration are invalid, and nothing was started. */
const USAGE_ERROR = 2;

export interface RunEnvironment {
  readonly env: Environment;
  readonly version: string;
  /** Whether this process is a worker: its primary has printed the warnings. */
  readonly isWorker: boolean;
  /** The configuration that a worker must use instead of arguments, environment and file. */
  readonly accepted: ServerOptions | null;
  out(text: string): void;
  err(text: string): void;
  /** Serves until it is stopped, and resolves with the exit code. */
  serve(config: Config): Promise<number>;
  /** Makes a project with these arguments, and resolves with the exit code. */
  init(args: readonly string[]): Promise<number>;
  /** Runs a load with these arguments, and resolves with the exit code. */
  load(args: readonly string[]): Promise<number>;
  /** Shows metrics with these arguments, and resolves with the exit code. */
  metrics(args: readonly string[]): Promise<number>;
  /** Compresses files with these arguments, and resolves with the exit code. */
  compress(args: readonly string[]): Promise<number>;
}

/** `args` are those after the script's name. Resolves with the exit code. */
export async function run(args: readonly string[], environment: RunEnvironment): Promise<number> {
  const [first, ...rest] = args;
  switch (first) {
    case undefined:
      // No command: an error, so that a script notices it.
      environment.err(helpFor('help'));
      return USAGE_ERROR;
    case 'serve':
      return runServe(rest, environment);
    case 'init':
      return environment.init(rest);
    case 'load':
      return environment.load(rest);
    case 'metrics':
      return environment.metrics(rest);
    case 'compress':
      return environment.compress(rest);
    case 'check':
      return runCheck(rest, environment);
    case 'help':
    case '--help':
    case '-h':
      return runHelp(rest, environment);
    case '--version':
    case '-V':
    case '-v':
      environment.out(`${environment.version}\n`);
      return OK;
    default:
      return usageError(environment, [unknownCommand(first)]);
  }
}

async function runServe(args: readonly string[], environment: RunEnvironment): Promise<number> {
  const flags = parseFlags(args);
  if (flags.help) return printHelp('serve', environment);
  if (environment.accepted !== null) return serveAccepted(environment.accepted, environment);
  const [directory, ...others] = flags.plain;
  const key = KEY_BY_OPTION.get('staticDir');
  const more: FlagText[] = [];
  if (key !== undefined && directory !== undefined) {
    more.push({ where: 'directory', key, text: directory });
  }
  const surplus = others.map((other) =>
    unexpected(other, withEquals(args[args.indexOf(other) - 1], other)),
  );
  const config = configOrProblems(flags, more, surplus, environment);
  if (config === undefined) return USAGE_ERROR;
  const standard = config.mounts === undefined ? '.' : undefined;
  return environment.serve({ ...config, staticDir: config.staticDir ?? standard });
}

async function serveAccepted(options: ServerOptions, environment: RunEnvironment): Promise<number> {
  let config: Config;
  try {
    config = configFrom(options);
  } catch (error) {
    // The installed code has changed since the primary started.
    if (error instanceof ConfigError) return usageError(environment, error.problems);
    throw error;
  }
  return environment.serve(config);
}

async function runCheck(args: readonly string[], environment: RunEnvironment): Promise<number> {
  const flags = parseFlags(args);
  if (flags.help) return printHelp('check', environment);
  const surplus = flags.plain.map((arg) =>
    unexpected(arg, flags.config === undefined ? `--config ${arg}` : undefined),
  );
  const config = configOrProblems(flags, [], surplus, environment);
  if (config === undefined) return USAGE_ERROR;
  environment.out(`ok\n${safeJson(fileOf(config), 2)}\n`);
  return OK;
}

function runHelp(args: readonly string[], environment: RunEnvironment): number {
  const [topic = 'help'] = args;
  const command = COMMANDS.find((each) => each === topic);
  if (command !== undefined) return printHelp(command, environment);
  return usageError(environment, [unknownCommand(topic)]);
}

/** The line about an argument that the command does not take, with what was meant. */
function unexpected(arg: string, meant: string | undefined): string {
  const isPlain = /^[\w./-]{1,100}$/.test(arg);
  return `${shown(arg)}: unexpected argument${suggestion(isPlain ? meant : undefined)}`;
}

/** `surplus` are lines about arguments. */
function configOrProblems(
  flags: Flags,
  more: readonly FlagText[],
  surplus: readonly string[],
  environment: RunEnvironment,
): Config | undefined {
  const { config, problems, warnings } = readConfig(flags, more, environment.env);
  if (!environment.isWorker) {
    for (const warning of warnings) environment.err(problemLine(`warning: ${warning}`));
  }
  const all = [...surplus, ...problems];
  if (all.length === 0) return config;
  usageError(environment, all);
  return undefined;
}

function printHelp(command: Command, environment: RunEnvironment): number {
  environment.out(helpFor(command));
  return OK;
}

function usageError(environment: RunEnvironment, problems: readonly string[]): number {
  for (const problem of problems) environment.err(problemLine(problem));
  return USAGE_ERROR;
}

function unknownCommand(given: string): string {
  const meant = nearMiss(given, [...COMMANDS, '--version', '--help']);
  const advice = meant === undefined ? '; "vibing help" lists the commands' : suggestion(meant);
  const kind = given.startsWith('-') ? 'flag' : 'command';
  return `${shownName(given)}: no such ${kind}${advice}`;
}
