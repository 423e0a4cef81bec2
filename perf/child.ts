// Starts what is measured, and what measures, as child processes, and ends exactly those, by pid.

import { type ChildProcess, type StdioOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const START_MS_MAX = 15_000;
const STOP_MS_MAX = 5_000;

/** A server that runs in a process of its own. */
export interface ServerChild {
  readonly pid: number;
  readonly port: number;
  /** The line that said where it listens. */
  readonly line: string;
  /** All that it printed; whole once it has stopped. */
  printed(): string;
  /** Ends it; throws when it ended by itself before. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly args?: readonly string[];
  /** Flags of Node itself. */
  readonly nodeFlags?: readonly string[];
  /** The core it runs on, -1 for any. */
  readonly core?: number;
}

/** Children that have not ended. */
const living = new Set<ChildProcess>();
let watching = false;

/** However this process ends, no child of it stays. */
function watchOwnEnd(): void {
  if (watching) return;
  watching = true;
  process.on('exit', () => {
    for (const child of living) child.kill('SIGTERM');
  });
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
}

/** The compiled form of a script below perf/. */
export function perfScript(name: string): string {
  return fileURLToPath(new URL(name.replace(/\.ts$/, '.js'), import.meta.url));
}

/** Starts a server script, which prints one line with 127.0.0.1:PORT when it listens. */
export async function startServer(
  script: string,
  options: ServerOptions = {},
): Promise<ServerChild> {
  const { args = [], nodeFlags = [], core = -1 } = options;
  const node = [process.execPath, ...nodeFlags, perfScript(script), ...args];
  // Of the channel only its end is used: a server whose parent is gone ends too.
  const child = start(pinned(node, core), ['ignore', 'pipe', 'inherit', 'ipc']);
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  const line = await readyLine(child, script, () => text);
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(line)?.[1]);
  return {
    pid: child.pid ?? -1,
    port,
    line,
    printed: () => text,
    stop: () => stop(child, script),
  };
}

function readyLine(child: ChildProcess, script: string, text: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), START_MS_MAX);
    const look = (): void => {
      const line = /^.*127\.0\.0\.1:\d+.*(?=\n)/m.exec(text())?.[0];
      if (line === undefined) return;
      clearTimeout(timer);
      child.stdout?.off('data', look);
      resolve(line);
    };
    child.stdout?.on('data', look);
    child.once('close', (code) => {
      clearTimeout(timer);
      reject(new Error(`${script} did not come up (exit code ${code})\n${text()}`));
    });
  });
}

async function stop(child: ChildProcess, script: string): Promise<void> {
  if (!living.has(child)) throw new Error(`${script} ended by itself, code ${child.exitCode}`);
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
  await closed;
  clearTimeout(timer);
}

export interface ProgramEnd {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a program to its end, or to `timeoutMs`, on one core: its exit code and all it printed. */
export async function runProgram(
  command: readonly string[],
  core: number,
  timeoutMs: number,
): Promise<ProgramEnd> {
  const child = start(pinned(command, core), ['ignore', 'pipe', 'inherit']);
  let output = '';
  const collect = (more: string): void => {
    output += more;
  };
  child.stdout?.setEncoding('utf8').on('data', collect);
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return { code, output };
}

function start(command: readonly string[], stdio: StdioOptions): ChildProcess {
  watchOwnEnd();
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio });
  living.add(child);
  child.once('close', () => living.delete(child));
  return child;
}

/** taskset becomes the program, so the pid is the program's. */
function pinned(command: readonly string[], core: number): readonly string[] {
  return core < 0 ? command : ['taskset', '-c', String(core), ...command];
}

/**
 * What keeps a run with a core for the server and one for the load from starting; null if nothing.
 */
export function pairingProblem(): string | null {
  if (process.platform !== 'linux')
    return 'this runs on Linux only: it pins processes and reads /proc';
  if (!isOnPath('taskset')) {
    return 'taskset is not installed; it is part of util-linux: apt-get install util-linux';
  }
  if (!isOnPath('wrk')) {
    return 'wrk is not installed: apt-get install wrk, or .ci/install-apt wrk';
  }
  if (availableParallelism() < 2)
    return 'two cores are needed, one for the server, one for the load';
  for (const core of ['0', '1']) {
    const { status } = spawnSync('taskset', ['-c', core, 'true'], { stdio: 'ignore' });
    if (status !== 0) return `this process may not run on core ${core}`;
  }
  return null;
}

function isOnPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** A port that was free a moment ago, for servers that cannot choose one. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}
