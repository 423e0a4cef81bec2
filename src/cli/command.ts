// The command line: passes arguments, environment and streams of the process to run().

import { existsSync, readFileSync } from 'node:fs';
import { isatty } from 'node:tty';
import { fileURLToPath } from 'node:url';
import { standardStreams } from '../async-io/standard-streams.ts';
import { logText } from '../base/log-text.ts';
import { acceptedOptions, isWorker } from '../cluster/assignment.ts';
import { problemLine } from './fault-text.ts';
import { run } from './run.ts';
import { serve } from './serve.ts';

// A closed pipe, as in `vibing check | head`, must not throw.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

// Without a listener Node opens its inspector, to which every local user can connect.
process.on('SIGUSR1', () => {});

/** Those of the standard streams that are terminals. */
const terminals = [0, 1, 2].filter((fd) => isatty(fd));

const PACKAGE = findPackage();

let hasServed = false;

/** What npm is running when a person has started a server with it. */
const BY_HAND = ['serve', 'start', 'npx'];

/** For commands that show progress and end by themselves. */
const terminal = {
  out: (text: string) => process.stdout.write(text),
  err: (text: string) => process.stderr.write(text),
  exit: (exitCode: number) => process.exit(exitCode),
  columns: process.stderr.isTTY ? (process.stderr.columns ?? 80) : 0,
  onInterrupt: (listener: () => void) => {
    process.on('SIGINT', listener);
    process.on('SIGTERM', listener);
  },
};

const code = await run(process.argv.slice(2), {
  env: process.env,
  version: PACKAGE.version,
  isWorker: isWorker(),
  accepted: acceptedOptions(),
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  serve: (config) => {
    hasServed = true;
    // A server prints through the streams of its log: a slow reader does not block it.
    const { error, output } = standardStreams();
    return serve(config, {
      loadServer: async () => (await import('../index.ts')).createServer,
      onSignal: (listener) => {
        process.on('SIGINT', () => listener('SIGINT'));
        process.on('SIGTERM', () => listener('SIGTERM'));
        process.on('SIGHUP', () => listener('SIGHUP'));
        process.on('SIGUSR1', () => listener('SIGUSR1'));
      },
      hasLostTerminal: () => terminals.length > 0 && !terminals.some((fd) => isatty(fd)),
      exit: (exitCode) => process.exit(exitCode),
      isWorker: isWorker(),
      isByHand: isatty(1) || BY_HAND.includes(process.env['npm_lifecycle_event'] ?? ''),
      hasFile: (path) => existsSync(path),
      out: (line) => output.write(`${logText(line)}\n`),
      problem: (line) => error.write(problemLine(line)),
    });
  },
  init: async (args) => {
    const { init } = await import('./init/init.ts');
    return init(args, terminal, PACKAGE);
  },
  load: async (args) => {
    const { load } = await import('./load.ts');
    return load(args, terminal);
  },
  metrics: async (args) => {
    const { metrics } = await import('./metrics/metrics.ts');
    const { processScreen } = await import('./metrics/process-screen.ts');
    return metrics(args, terminal, processScreen());
  },
  compress: async (args) => {
    const { compress } = await import('./compress/compress.ts');
    return compress(args, terminal);
  },
});
// The exit waits until a pipe has taken the last bytes, and for nothing else. A server does not
// wait for the reader of its log.
if (hasServed) process.exit(code);
process.stdout.write('', () => process.exit(code));

/** package.json is above dist/, or above build/src/ in tests. */
function findPackage(): { readonly version: string; readonly folder: string } {
  for (const up of ['../../', '../../../']) {
    const folder = new URL(up, import.meta.url);
    try {
      const { version } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'));
      return { version, folder: fileURLToPath(folder) };
    } catch {
      // It is not there: try the next one.
    }
  }
  return { version: 'unknown', folder: fileURLToPath(new URL('.', import.meta.url)) };
}
