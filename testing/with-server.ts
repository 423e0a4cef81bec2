// Runs a server for one test, on a driver of one's choice, and takes stock afterwards: it closed,
// it counted as many ends as beginnings, and it left no descriptor open.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { NodeAsyncIo } from '../src/async-io/node.ts';
import { epollProblem } from '../src/driver/linux/epoll.ts';
import { uringProblem } from '../src/driver/linux/uring-problem.ts';
import type { ServerOptions } from '../src/server/config/config.ts';
import { Server } from '../src/server/server.ts';
import { RawClient } from './raw-client.ts';

export type DriverName = 'uring' | 'epoll' | 'net';

/** Most a test may take; those that hang say so instead of holding up the suite. */
const TEST_TIMEOUT_MS = 90_000;
const PATIENCE_MS = 30_000;

export interface Running {
  readonly server: Server;
  readonly port: number;
  /** What the server wrote to standard error and to standard output, one entry a line. */
  readonly log: readonly string[];
  readonly out: readonly string[];
  open(): Promise<RawClient>;
}

/** How long close() waits for handlers that a test left without an answer. */
const SHUTDOWN_MS = 2_000;

/** How long close() waits for requests on connections that a test left idle. */
const DRAIN_LINGER_MS = 20;

/** The world of a server that writes into lists. */
class RecordingAsyncIo extends NodeAsyncIo {
  readonly log: string[] = [];
  readonly out: string[] = [];

  override print(text: string): void {
    this.out.push(...text.replace(/\n$/, '').split('\n'));
  }

  override printError(text: string): void {
    this.log.push(...text.replace(/\n$/, '').split('\n'));
  }
}

/** The drivers of VIBING_DRIVERS (a list with commas), or those that work here. */
export function chosenDrivers(): DriverName[] {
  const asked = process.env['VIBING_DRIVERS'] ?? '';
  const all: DriverName[] = ['uring', 'epoll', 'net'];
  if (asked !== '') return all.filter((name) => asked.split(',').includes(name));
  // On Linux epoll has to run: that it cannot is a failure to be seen, not a case to be left out.
  // io_uring may be forbidden to a container.
  const epoll = process.platform === 'linux' || epollProblem() === null;
  return all.filter((name) => name === 'net' || (name === 'epoll' ? epoll : uringRuns()));
}

function uringRuns(): boolean {
  return uringProblem() === null;
}

export type DriverTest = (driver: DriverName, context: TestContext) => Promise<void>;

/**
 * For what processes do rather than drivers: the fastest driver, and `net`, whose listener is not
 * inherited.
 */
export function fewDrivers(): readonly DriverName[] {
  const all = chosenDrivers();
  return all.filter((_name, index) => index === 0 || index === all.length - 1);
}

/** For what is the same whatever the driver. */
export function oneDriver(): readonly DriverName[] {
  return chosenDrivers().slice(0, 1);
}

/** A group of tests for every driver. `add` makes one test of the group. */
export function onEachDriver(
  subject: string,
  define: (add: (name: string, body: DriverTest) => void) => void,
  drivers: readonly DriverName[] = chosenDrivers(),
): void {
  for (const driver of drivers) {
    describe(`${subject}, driver ${driver}`, () => {
      define((name, body) => {
        test(name, { timeout: TEST_TIMEOUT_MS }, (context) => body(driver, context));
      });
    });
  }
}

/** A server that listens nowhere yet, and what it writes. */
export function makeServer(
  driver: DriverName,
  options: ServerOptions,
): { server: Server; asyncIo: RecordingAsyncIo } {
  const asyncIo = new RecordingAsyncIo();
  const address = options.socket === undefined ? { host: '127.0.0.1', port: 0 } : {};
  const server = new Server(
    {
      ...address,
      logLevel: 'debug',
      driver,
      shutdownTimeoutMs: SHUTDOWN_MS,
      drainLingerMs: DRAIN_LINGER_MS,
      ...options,
    },
    {
      launch: () => null,
      inherited: () => null,
      listening: (_server, listen) => listen(),
      closed: () => {},
      asyncIo,
    },
  );
  return { server, asyncIo };
}

export async function withServer(
  driver: DriverName,
  options: ServerOptions,
  routes: (server: Server) => void,
  body: (running: Running) => Promise<void>,
): Promise<void> {
  await warmUp(driver);
  const descriptorsBefore = descriptors();
  const { server, asyncIo } = makeServer(driver, options);
  routes(server);
  const { port } = await server.listen();
  const clients: RawClient[] = [];
  const open = async () => {
    const client = await RawClient.open(options.socket ?? port);
    clients.push(client);
    return client;
  };
  try {
    await body({ server, port, log: asyncIo.log, out: asyncIo.out, open });
  } catch (error) {
    // What failed first is the news; what is left over then is only its consequence.
    for (const client of clients) client.reset();
    await inTime('close()', server.close()).catch(() => {});
    throw error;
  }
  for (const client of clients) client.reset();
  await inTime('close()', server.close());
  const { accepted, closed } = server.counters;
  assert.equal(closed, accepted, 'every connection that was accepted was closed');
  await eventually('no descriptor stays open', () => descriptors() <= descriptorsBefore);
}

const warm = new Set<DriverName>();

/** What a process opens once and keeps is no leak. */
async function warmUp(driver: DriverName): Promise<void> {
  if (warm.has(driver)) return;
  warm.add(driver);
  const { server } = makeServer(driver, {});
  const { port } = await server.listen();
  const client = await RawClient.open(port);
  await client.ask('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  client.reset();
  await server.close();
}

/** Open descriptors of this process; 0 where nobody can say. */
function descriptors(): number {
  return process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0;
}

/** Waits for something that events bring about, and says what when it does not come. */
export async function eventually(what: string, isSo: () => boolean): Promise<void> {
  const givenUpMs = performance.now() + PATIENCE_MS;
  while (!isSo()) {
    if (performance.now() > givenUpMs) throw new Error(`waited in vain: ${what}`);
    await wait(1);
  }
}

export function wait(waitMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, waitMs));
}

async function inTime<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come to an end`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A promise and what settles it. */
export class Gate {
  readonly opened: Promise<void>;
  open: () => void = () => {};

  constructor() {
    this.opened = new Promise((resolve) => {
      this.open = resolve;
    });
  }
}
