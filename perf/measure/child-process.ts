// Starts servers and loads as child processes, pins them to cores, and ends exactly those, by pid.

import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const START_MS_MAX = 15_000;
const STOP_MS_MAX = 5_000;
const READY_POLL_MS = 50;
const REPLY_MS_MAX = 30_000;

/** A server that runs in a process of its own. */
export interface ServerChild {
  readonly pid: number;
  readonly port: number;
  /** The line that names the address it listens at. */
  readonly line: string;
  /** All that it printed so far; complete once it has ended. */
  printed(): string;
  /** Sends a message to a child with a channel; resolves with its reply, within half a minute. */
  ask(message: string, timeoutMs?: number): Promise<unknown>;
  signal(name: NodeJS.Signals): void;
  /** The exit code, or the name of the signal, once it has ended. */
  readonly ended: Promise<number | string>;
  /** Ends it; rejects when it has ended before. */
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
  /** The port it was started with, when it prints no line with 127.0.0.1:PORT. */
  readonly port?: number;
  /** Whether it is a script of Node that gets a channel, and ends when this process does. */
  readonly hasChannel?: boolean;
}

/** Children that have not ended. */
const living = new Set<ChildProcess>();
let watching = false;

/** Ends all children with this process, whatever ends it. */
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
  return fileURLToPath(new URL(`../${name.replace(/\.ts$/, '.js')}`, import.meta.url));
}

/**
 * Starts a script that prints one line with 127.0.0.1:PORT when it listens, or a line that begins
 * with 'ready'.
 */
export function startServer(script: string, options: ServerOptions = {}): Promise<ServerChild> {
  const { args = [], nodeFlags = [], core = -1, descriptors = 0 } = options;
  const node = [process.execPath, ...nodeFlags, perfScript(script), ...args];
  return startCommand(script, node, { core, descriptors, hasChannel: true });
}

/** Starts any server; errors name it `name`. */
export async function startCommand(
  name: string,
  command: readonly string[],
  options: CommandOptions,
): Promise<ServerChild> {
  const { core, descriptors = 0, port: knownPort = 0, hasChannel = false } = options;
  // A script ends when its channel closes: no server outlives this process.
  const stdio: StdioOptions = ['ignore', 'pipe', 'inherit'];
  const child = start(
    pinned(limited(command, descriptors), core),
    hasChannel ? [...stdio, 'ipc'] : stdio,
  );
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  const ended = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'nothing'));
  });
  const line = await ready(child, name, knownPort, () => text);
  return {
    pid: child.pid ?? -1,
    port: knownPort || Number(/127\.0\.0\.1:(\d+)/.exec(line)?.[1]),
    line,
    printed: () => text,
    ask: (message, timeoutMs = REPLY_MS_MAX) => ask(child, name, message, timeoutMs),
    signal: (signal) => void child.kill(signal),
    ended,
    stop: () => stop(child, name),
  };
}

/** Resolves with its first line; with '' when its port is known and accepts connections. */
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
      child.stdout?.off('data', findLine);
      resolve(line);
    };
    const found = (isAccepting: boolean): void => {
      if (isAccepting) finish('');
    };
    const findLine = (): void => {
      const line = /^(?:.*127\.0\.0\.1:\d+.*|ready.*)(?=\n)/m.exec(text())?.[0];
      if (line !== undefined) finish(line);
    };
    if (port === 0) child.stdout?.on('data', findLine);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      clearInterval(watch);
      reject(new Error(`${name} did not start (exit code ${code})\n${text()}`));
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
  message: string,
  timeoutMs: number,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (): void => finish(() => reject(new Error(`${name} did not reply to ${message}`)));
    const timer = setTimeout(fail, timeoutMs);
    const replied = (reply: unknown): void => finish(() => resolve(reply));
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      child.off('message', replied);
      child.off('close', fail);
      settle();
    };
    child.once('message', replied);
    child.once('close', fail);
    child.send(message);
  });
}

async function stop(child: ChildProcess, name: string): Promise<void> {
  if (!living.has(child))
    throw new Error(`${name} ended unexpectedly, exit code ${child.exitCode}`);
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

/** Runs a program on one core until it ends, or kills it after `timeoutMs`. */
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

/** prlimit executes the program in its place, so the pid is the program's. */
function limited(command: readonly string[], descriptors: number): readonly string[] {
  return descriptors === 0
    ? command
    : ['prlimit', `--nofile=${descriptors}:${descriptors}`, ...command];
}

/** taskset executes the program in its place, too. */
function pinned(command: readonly string[], core: number): readonly string[] {
  return core < 0 ? command : ['taskset', '-c', String(core), ...command];
}

/** A port that was free a moment ago, for servers that cannot choose one by themselves. */
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
