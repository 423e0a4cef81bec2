// Starts what is measured, and what measures, as child processes, and ends exactly those, by pid.

import { type ChildProcess, type StdioOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const START_MS_MAX = 15_000;
const STOP_MS_MAX = 5_000;
const READY_POLL_MS = 50;
const RESPONSE_MS_MAX = 30_000;

/** A server that runs in a process of its own. */
export interface ServerChild {
  readonly pid: number;
  readonly port: number;
  /** The line that said where it listens. */
  readonly line: string;
  /** All that it printed; whole once it has stopped. */
  printed(): string;
  /** Gives the answer of a child that hears; it has half a minute unless told otherwise. */
  ask(question: string, timeoutMs?: number): Promise<unknown>;
  signal(name: NodeJS.Signals): void;
  /** The exit code, or the name of the signal, once it has ended. */
  readonly ended: Promise<number | string>;
  /** Ends it; throws when it ended by itself before. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly args?: readonly string[];
  /** Flags of Node itself. */
  readonly nodeFlags?: readonly string[];
  /** The core it runs on, -1 for any. */
  readonly core?: number;
  /** How many descriptors it may have, 0 for as many as this process. */
  readonly descriptors?: number;
}

export interface CommandOptions {
  readonly core: number;
  readonly descriptors?: number;
  /** The port it was told, when it does not print a line with 127.0.0.1:PORT. */
  readonly port?: number;
  /** Whether it is a program of Node, which hears from us and ends when we do. */
  readonly hears?: boolean;
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

/**
 * Starts a server script, which prints one line with 127.0.0.1:PORT when it listens, or any script
 * that hears, whose line begins with 'ready'.
 */
export function startServer(script: string, options: ServerOptions = {}): Promise<ServerChild> {
  const { args = [], nodeFlags = [], core = -1, descriptors = 0 } = options;
  const node = [process.execPath, ...nodeFlags, perfScript(script), ...args];
  return startCommand(script, node, { core, descriptors, hears: true });
}

/** Starts any server; `name` is what it is called when it fails. */
export async function startCommand(
  name: string,
  command: readonly string[],
  options: CommandOptions,
): Promise<ServerChild> {
  const { core, descriptors = 0, port: told = 0, hears = false } = options;
  // Of the channel mostly its end is used: a server whose parent is gone ends too.
  const stdio: StdioOptions = ['ignore', 'pipe', 'inherit'];
  const child = start(
    pinned(limited(command, descriptors), core),
    hears ? [...stdio, 'ipc'] : stdio,
  );
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  const ended = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'nothing'));
  });
  const line = await ready(child, name, told, () => text);
  return {
    pid: child.pid ?? -1,
    port: told || Number(/127\.0\.0\.1:(\d+)/.exec(line)?.[1]),
    line,
    printed: () => text,
    ask: (question, timeoutMs = RESPONSE_MS_MAX) => ask(child, name, question, timeoutMs),
    signal: (signal) => void child.kill(signal),
    ended,
    stop: () => stop(child, name),
  };
}

/** Gives its first line, '' when it was told its port and prints none. */
function ready(
  child: ChildProcess,
  name: string,
  port: number,
  text: () => string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), START_MS_MAX);
    const watch = setInterval(() => port > 0 && void accepts(port).then(found), READY_POLL_MS);
    const finish = (line: string): void => {
      clearTimeout(timer);
      clearInterval(watch);
      child.stdout?.off('data', look);
      resolve(line);
    };
    const found = (yes: boolean): void => {
      if (yes) finish('');
    };
    const look = (): void => {
      const line = /^(?:.*127\.0\.0\.1:\d+.*|ready.*)(?=\n)/m.exec(text())?.[0];
      if (line !== undefined) finish(line);
    };
    if (port === 0) child.stdout?.on('data', look);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      clearInterval(watch);
      reject(new Error(`${name} did not come up (exit code ${code})\n${text()}`));
    });
  });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

function ask(
  child: ChildProcess,
  name: string,
  question: string,
  timeoutMs: number,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (): void => finish(() => reject(new Error(`${name} did not answer ${question}`)));
    const timer = setTimeout(fail, timeoutMs);
    const responded = (response: unknown): void => finish(() => resolve(response));
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      child.off('message', responded);
      child.off('close', fail);
      settle();
    };
    child.once('message', responded);
    child.once('close', fail);
    child.send(question);
  });
}

async function stop(child: ChildProcess, name: string): Promise<void> {
  if (!living.has(child)) throw new Error(`${name} ended by itself, code ${child.exitCode}`);
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

/** prlimit becomes the program too. */
function limited(command: readonly string[], descriptors: number): readonly string[] {
  return descriptors === 0
    ? command
    : ['prlimit', `--nofile=${descriptors}:${descriptors}`, ...command];
}

/** As many of `wanted` descriptors as a child can have: raising the hard limit takes a right. */
export function descriptorsOf(wanted: number): number {
  const command = [`--nofile=${wanted}:${wanted}`, 'true'];
  const { status } = spawnSync('prlimit', command, { stdio: 'ignore' });
  return status === 0 ? wanted : hardLimit(readFileSync('/proc/self/limits', 'latin1'));
}

/** From the text of /proc/PID/limits. */
export function hardLimit(limits: string): number {
  const match = /^Max open files\s+\d+\s+(\d+)\s/m.exec(limits);
  if (match === null) throw new Error('/proc/PID/limits does not speak of open files');
  return Number(match[1]);
}

/** taskset becomes the program, so the pid is the program's. */
function pinned(command: readonly string[], core: number): readonly string[] {
  return core < 0 ? command : ['taskset', '-c', String(core), ...command];
}

/**
 * What keeps a run with a core for the server and one for the load from starting; null if nothing.
 */
export function pairingProblem(programs: readonly string[] = ['wrk']): string | null {
  if (process.platform !== 'linux')
    return 'this runs on Linux only: it pins processes and reads /proc';
  for (const program of ['taskset', ...programs]) {
    if (isOnPath(program)) continue;
    const how = HOW_TO_INSTALL[program] ?? `apt-get install ${program}`;
    return `${program} is not installed: ${how}`;
  }
  if (availableParallelism() < 2)
    return 'two cores are needed, one for the server, one for the load';
  for (const core of ['0', '1']) {
    const { status } = spawnSync('taskset', ['-c', core, 'true'], { stdio: 'ignore' });
    if (status !== 0) return `this process may not run on core ${core}`;
  }
  return null;
}

const HOW_TO_INSTALL: Readonly<Record<string, string>> = {
  taskset: 'apt-get install util-linux',
  prlimit: 'apt-get install util-linux',
  perf: 'apt-get install linux-perf',
  wrk: 'apt-get install wrk, or .ci/install-apt wrk',
};

/** Among the folders of a PATH. */
export function isOnPath(program: string, path: string = process.env['PATH'] ?? ''): boolean {
  return path.split(delimiter).some((folder) => {
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
