// What a command line does: picks the command, and turns its outcome into text and an exit code.

import { nearMiss } from '../base/near-miss.ts';
import { shown } from '../base/shown.ts';
import {
  type Config,
  ConfigError,
  configFrom,
  type FlagText,
  type ServerOptions,
} from '../server/config/config.ts';
import { KEY_BY_OPTION } from '../server/config/keys.ts';
import { guess, shownName } from '../server/config/lines.ts';
import { checkText } from './check.ts';
import { problemLine } from './fault-text.ts';
import { type Flags, parseFlags } from './flags.ts';
import { COMMANDS, type Command, helpFor } from './help.ts';
import { type Environment, readConfig } from './read-config.ts';

const OK = 0;
/** The command line or the configuration is wrong, and nothing was started. */
const MISUSE = 2;

export interface RunEnvironment {
  readonly env: Environment;
  readonly version: string;
  /** Whether this process is a worker of another one, which has said everything already. */
  readonly isWorker: boolean;
  /** What a worker serves with, whatever arguments, environment and file say by now. */
  readonly accepted: ServerOptions | null;
  out(text: string): void;
  err(text: string): void;
  /** Serves until the end and gives the exit code. */
  serve(config: Config): Promise<number>;
  /** Runs a load with these arguments and gives the exit code. */
  load(args: readonly string[]): Promise<number>;
}

/** `args` are those after the script's name. Resolves with the exit code. */
export async function run(args: readonly string[], environment: RunEnvironment): Promise<number> {
  const [first, ...rest] = args;
  switch (first) {
    case undefined:
      // Nothing was asked for and nothing was done, which a script must be able to notice.
      environment.err(helpFor('help'));
      return MISUSE;
    case 'serve':
      return runServe(rest, environment);
    case 'load':
      return environment.load(rest);
    case 'check':
      return runCheck(rest, environment);
    case 'help':
    case '--help':
    case '-h':
      return runHelp(rest, environment);
    case '--version':
    case '-V':
      environment.out(`${environment.version}\n`);
      return OK;
    default:
      return refuse(environment, [unknownCommand(first)]);
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
  const config = configOrProblems(flags, more, others, environment);
  if (config === undefined) return MISUSE;
  return environment.serve({ ...config, staticDir: config.staticDir ?? '.' });
}

async function serveAccepted(options: ServerOptions, environment: RunEnvironment): Promise<number> {
  let config: Config;
  try {
    config = configFrom(options);
  } catch (error) {
    // The code has changed beneath a server that runs.
    if (error instanceof ConfigError) return refuse(environment, error.problems);
    throw error;
  }
  return environment.serve(config);
}

async function runCheck(args: readonly string[], environment: RunEnvironment): Promise<number> {
  const flags = parseFlags(args);
  if (flags.help) return printHelp('check', environment);
  const config = configOrProblems(flags, [], flags.plain, environment);
  if (config === undefined) return MISUSE;
  environment.out(checkText(config));
  return OK;
}

function runHelp(args: readonly string[], environment: RunEnvironment): number {
  const [topic = 'help'] = args;
  const command = COMMANDS.find((each) => each === topic);
  if (command !== undefined) return printHelp(command, environment);
  return refuse(environment, [unknownCommand(topic)]);
}

/** `surplus` are arguments that the command has no use for. */
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
  const all = [...surplus.map((arg) => `${shown(arg)}: one argument too many`), ...problems];
  if (all.length === 0) return config;
  refuse(environment, all);
  return undefined;
}

function printHelp(command: Command, environment: RunEnvironment): number {
  environment.out(helpFor(command));
  return OK;
}

function refuse(environment: RunEnvironment, problems: readonly string[]): number {
  for (const problem of problems) environment.err(problemLine(problem));
  return MISUSE;
}

function unknownCommand(given: string): string {
  const meant = nearMiss(given, [...COMMANDS, '--version', '--help']);
  const advice = meant === undefined ? '; "vibing help" lists the commands' : guess(meant);
  const kind = given.startsWith('-') ? 'flag' : 'command';
  return `${shownName(given)}: no such ${kind}${advice}`;
}
