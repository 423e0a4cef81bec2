// The help texts. Flags and their defaults come from the table of configuration keys.

import { type ConfigKey, KEYS } from '../server/config/keys.ts';
import { jsonFrom, type Rule } from '../server/config/rules.ts';
import { negationOf } from './flags.ts';
import { entry } from './help-entry.ts';
import { loadHelp } from './load-help.ts';

export const COMMANDS = ['serve', 'load', 'check', 'help'] as const;
export type Command = (typeof COMMANDS)[number];

export function helpFor(command: Command): string {
  switch (command) {
    case 'serve':
      return serveHelp();
    case 'load':
      return loadHelp();
    case 'check':
      return checkHelp();
    case 'help':
      return generalHelp();
  }
}

function generalHelp(): string {
  return `vibing: a lean, fast HTTP/1.1 server

Usage:
  vibing serve [directory] [flags]   serve the files of a directory
  vibing load URL [flags]            measure a server, and tell how it went
  vibing check [flags]               check a configuration without starting anything
  vibing help [command]              explain a command and list its flags
  vibing --version                   print the version

Example:
  vibing serve ./site --port 8080 --workers auto
`;
}

function serveHelp(): string {
  return `vibing serve: serve the files of a directory

Usage:
  vibing serve [directory] [flags]

Without a directory here or in the configuration, the current directory is served. SIGINT and
SIGTERM finish what is in flight and stop; a second one stops at once. SIGHUP reads the
configuration anew and replaces the workers one by one, if there are several or with --supervise.

Exit code: 0 after a signal, 1 when it cannot listen or its workers cannot be kept up, 2 when the
configuration is wrong.

${flagsHelp()}`;
}

function checkHelp(): string {
  return `vibing check: check a configuration without starting anything

Usage:
  vibing check --config FILE [flags]

Prints "ok" and the configuration that would be in force as JSON, or every problem on a line.

Exit code: 0 when all is well, 2 when the configuration is wrong.

${flagsHelp()}`;
}

function flagsHelp(): string {
  return `Flags (also as --flag=value; over VIBING_* variables, over the file, over the defaults):
${entry('--config FILE', 'configuration in JSON, with the keys below in snake_case')}
${entry('-h, --help', 'print this')}
${KEYS.map(flagHelp).join('\n')}
`;
}

function flagHelp(key: ConfigKey): string {
  const { flag, rule, what, default: value } = key;
  const usage = rule.kind === 'boolean' ? `${flag}, ${negationOf(key)}` : `${flag} ${slot(rule)}`;
  const choices = rule.kind === 'choice' ? `: ${rule.values.join(', ')}` : '';
  const standard = value === undefined ? '' : ` (default ${jsonFrom(rule, value)})`;
  return entry(usage, `${what}${choices}${standard}`);
}

function slot(rule: Rule): string {
  switch (rule.kind) {
    case 'integer':
      return 'N';
    case 'workers':
      return 'N|auto';
    case 'choice':
      return 'NAME';
    case 'host':
      return 'HOST';
    case 'path':
      return 'PATH';
    case 'mode':
      return 'OCTAL';
    case 'boolean':
      return '';
  }
}
