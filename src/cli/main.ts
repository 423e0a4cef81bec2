#!/usr/bin/env node
// The command `vibing`: hands the process's arguments, environment and streams to run().

import { readFileSync } from 'node:fs';
import { standardStreams } from '../async-io/standard-streams.ts';
import { logText } from '../base/log-text.ts';
import { acceptedOptions, isWorker } from '../cluster/assignment.ts';
import { problemLine } from './fault-text.ts';
import { run } from './run.ts';
import { serve } from './serve.ts';

// A reader that has gone, as of `vibing check | head`, is no reason for a stack.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

let hasServed = false;

const code = await run(process.argv.slice(2), {
  env: process.env,
  version: packageVersion(),
  isWorker: isWorker(),
  accepted: acceptedOptions(),
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  serve: (config) => {
    hasServed = true;
    // What a server prints goes the way of its logs: no reader holds it up.
    const { error, output } = standardStreams();
    return serve(config, {
      loadServer: async () => (await import('../index.ts')).createServer,
      onSignal: (listener) => {
        process.on('SIGINT', () => listener('SIGINT'));
        process.on('SIGTERM', () => listener('SIGTERM'));
        process.on('SIGHUP', () => listener('SIGHUP'));
      },
      exit: (exitCode) => process.exit(exitCode),
      isWorker: isWorker(),
      out: (line) => output.write(`${logText(line)}\n`),
      problem: (line) => error.write(problemLine(line)),
    });
  },
  load: async (args) => {
    const { load } = await import('./load.ts');
    return load(args, {
      out: (text) => process.stdout.write(text),
      err: (text) => process.stderr.write(text),
      exit: (exitCode) => process.exit(exitCode),
      columns: process.stderr.isTTY ? (process.stderr.columns ?? 80) : 0,
      onInterrupt: (listener) => {
        process.on('SIGINT', listener);
        process.on('SIGTERM', listener);
      },
    });
  },
});
// A pipe may take its last bytes later. The exit waits for them and for nothing else; that of a
// server does not depend on who reads its log.
if (hasServed) process.exit(code);
process.stdout.write('', () => process.exit(code));

/** The package lies above dist/ or above build/src/, wherever this file runs from. */
function packageVersion(): string {
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      return JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')).version;
    } catch {
      // Not there: the next one up.
    }
  }
  return 'unknown';
}
