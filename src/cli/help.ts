// The help texts. Flags and their defaults come from the table of configuration keys.

import { type ConfigKey, KEYS } from '../server/config/keys.ts';
import { jsonFrom, type Rule } from '../server/config/rules.ts';
import { COMPRESS_FLAGS } from './compress/flags.ts';
import { canBeOff, negationOf, SHORT_FLAGS } from './flags.ts';
import { LOAD_FLAGS, type LoadFlag } from './load-flags.ts';
import { METRICS_FLAGS } from './metrics/flags.ts';

/** Wide enough for most flags; the description of a longer one begins on the next line. */
const FLAG_COLUMNS = 30;
const LINE_COLUMNS = 96;

export const COMMANDS = ['serve', 'init', 'load', 'metrics', 'compress', 'check', 'help'] as const;
export type Command = (typeof COMMANDS)[number];

export function helpFor(command: Command): string {
  switch (command) {
    case 'serve':
      return serveHelp();
    case 'init':
      return initHelp();
    case 'load':
      return loadHelp();
    case 'metrics':
      return metricsHelp();
    case 'compress':
      return compressHelp();
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
  vibing init [directory]            make a project with a server and its tests
  vibing load URL [flags]            measure the speed of a server
  vibing metrics URL [flags]         show the metrics of a running server
  vibing compress DIR [flags]        make compressed variants of files
  vibing check [flags]               check a configuration without starting anything
  vibing help [command]              explain a command and list its flags
  vibing --version                   print the version

Examples:
  vibing serve ./site --port 8080 --workers auto
  vibing init my-server
`;
}

function serveHelp(): string {
  return `vibing serve: serve the files of a directory

Usage:
  vibing serve [directory] [flags]

Without a directory here or in the configuration, the current directory is served. SIGINT and
SIGTERM finish the requests in flight and exit; a second one exits at once. SIGHUP reads the
configuration again and replaces the workers one by one (with several workers or --supervise).

Exit code: 0 after a signal, 1 when it cannot listen or its workers keep failing, 2 when the
configuration is invalid.

${flagsHelp()}`;
}

export function initHelp(): string {
  return `vibing init: make a project with a server and its tests

Usage:
  vibing init [directory] [flags]

Writes package.json, tsconfig.json, src/server.ts, src/main.ts, src/server.test.ts, README.md and
.gitignore into the directory (default: the current one), which is new or empty; a .git in it is
left alone. Nothing is installed and nothing is overwritten: "npm install", "npm test" and
"npm start" come next.

Exit code: 0, 1 when the files could not be written, 2 when the arguments are wrong or the
directory is not empty.

Example:
  vibing init my-server

Flags:
${entry('-h, --help', 'print this')}
`;
}

export function loadHelp(): string {
  return `vibing load: measure a server at full load, or at a constant rate

Usage:
  vibing load URL [URL...] [flags]
  vibing load --compare A.json B.json

The framing of every response is checked. Ctrl-C ends a run and prints the results so far.

Exit code: 0 when every request got a response, 1 when one failed, when all responses were 4xx or
5xx, or when nothing could be measured, 2 when the arguments are wrong or a file cannot be written,
130 after Ctrl-C.

Examples:
  vibing load http://127.0.0.1:8080/ -c 64 -d 10s
  vibing load http://127.0.0.1:8080/ -c 64 -R 30000 --html report.html

Flags:
${LOAD_FLAGS.map(commandFlagHelp).join('\n')}
`;
}

export function metricsHelp(): string {
  return `vibing metrics: show the metrics of a running server, in the terminal or in the browser

Usage:
  vibing metrics URL [flags]

URL is http://host:port/path, https://host/path, host:port, or a port of this machine; the default
path is /metrics. Where a proxy wants a login, the environment variable
VIBING_METRICS_AUTHORIZATION is the value of the field Authorization, such as 'Bearer TOKEN'.

The server must have been started with --metrics. It sends its metrics to its own machine only;
from another one use "ssh -L 8080:127.0.0.1:8080 host", or its metrics_port. In a terminal the
screen is redrawn each second: q quits, p pauses, s and the left and right arrows choose the column
that sorts the routes, the up and down arrows the order. Into a pipe a line is printed each second.
--web prints the address of a page with charts and serves it until Ctrl-C.

Exit code: 0, also when q or the end of --web ended it, 1 when there are no metrics, 2 when the
arguments are wrong, 130 after Ctrl-C.

Examples:
  vibing metrics 8080
  vibing metrics http://127.0.0.1:8080/metrics --web

Flags:
${METRICS_FLAGS.map(commandFlagHelp).join('\n')}
`;
}

export function compressHelp(): string {
  return `vibing compress: make compressed variants of files, which a server sends instead of them

Usage:
  vibing compress DIRECTORY [flags]

Writes FILE.br, FILE.gz and FILE.zst beside text, scripts, styles, JSON, SVG, WebAssembly and
other files that compress well, with their modification time. A variant that is as new as its file
is left alone; one that would not be smaller is not kept. Links are not followed, and hidden names
are skipped. Ctrl-C leaves complete files only.

Exit code: 0, 1 when a file could not be compressed, 2 when the arguments are wrong, 130 after
Ctrl-C.

Example:
  vibing compress ./site --prune

Flags:
${COMPRESS_FLAGS.map(commandFlagHelp).join('\n')}
`;
}

/** A flag of `load`, `metrics` or `compress`. */
function commandFlagHelp({ long, short, slot, what }: LoadFlag): string {
  const name = short === undefined ? `--${long}` : `-${short}, --${long}`;
  return entry(slot === '' ? name : `${name} ${slot}`, what);
}

function checkHelp(): string {
  return `vibing check: check a configuration without starting anything

Usage:
  vibing check --config FILE [flags]

Prints "ok" and the resulting configuration as JSON, or every problem on a line.

Exit code: 0 when the configuration is valid, 2 when it is not.

${flagsHelp()}`;
}

function flagsHelp(): string {
  return `Flags (also as --flag=value) override VIBING_* variables, which override the file:
${entry('--config FILE', 'configuration in JSON, with the keys below in snake_case')}
${entry('-h, --help', 'print this')}
${KEYS.map(flagHelp).join('\n')}
`;
}

function flagHelp(key: ConfigKey): string {
  const { flag, rule, what, default: usual } = key;
  const short = [...SHORT_FLAGS].find(([, long]) => long === flag);
  const names = short === undefined ? flag : `${short[0]}, ${flag}`;
  const value = slot(rule);
  const usage = `${names}${/^(?:\[|$)/.test(value) ? value : ` ${value}`}`;
  const negated = canBeOff(key) ? `, ${negationOf(key)}` : '';
  const choices = rule.kind === 'choice' ? `: ${rule.values.join(', ')}` : '';
  const standard = usual === undefined ? '' : ` (default ${jsonFrom(rule, usual)})`;
  return entry(`${usage}${negated}`, `${what}${choices}${standard}`);
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
    case 'shaped':
      return SHAPE_SLOTS[rule.shape];
  }
}

const SHAPE_SLOTS = {
  list: 'NAMES',
  toggle: '[=PATH]',
  text: 'PATH',
  table: 'JSON',
  value: 'VALUE|JSON',
} as const;

function entry(usage: string, text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines[lines.length - 1];
    if (FLAG_COLUMNS + line.length + 1 + word.length > LINE_COLUMNS) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  const name = `  ${usage}`;
  const indent = ' '.repeat(FLAG_COLUMNS);
  const first = name.length < FLAG_COLUMNS ? name.padEnd(FLAG_COLUMNS) : `${name}\n${indent}`;
  return `${first}${lines.join(`\n${indent}`)}`;
}
