// Runs a server for one test, on a chosen driver. Afterwards the server must have closed, its
// counters of accepted and closed connections must agree, and no descriptor may stay open.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { NodeAsyncIo } from '../src/async-io/node.ts';
import { epollProblem } from '../src/driver/linux/epoll.ts';
import { uringProblem } from '../src/driver/linux/uring-problem.ts';
import type { ServerOptions } from '../src/server/config/config.ts';
import { Server } from '../src/server/server.ts';
import { RawClient } from './raw-client.ts';
import { inTurn, isInTurn, THIRDS } from './rotation.ts';

export type DriverName = 'uring' | 'epoll' | 'net';

/** The longest time of a test; a test that hangs fails. */
const TEST_TIMEOUT_MS = 90_000;
const PATIENCE_MS = 30_000;
/** Between two looks at a condition that does not hold yet. */
const POLL_MS_MAX = 20;

export interface Running {
  readonly server: Server;
  readonly port: number;
  /** The lines that the server wrote to standard error and to standard output. */
  readonly log: readonly string[];
  readonly out: readonly string[];
  open(): Promise<RawClient>;
}

/** How long close() waits for handlers that have not responded. */
const SHUTDOWN_MS = 2_000;

/** How long close() waits for requests on idle connections. */
const DRAIN_LINGER_MS = 20;

/**
 * The memory of a server with the default limits is 70 MiB, which takes 100 ms to make and to free:
 * far longer than most tests.
 */
const SMALL_POOLS = { connectionsMax: 256, blockCount: 128 } as const;

/** Asynchronous I/O that prints into lists. */
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
  // On Linux epoll must run: without it the tests fail and are not skipped.
  // A container may forbid io_uring.
  const epoll = process.platform === 'linux' || epollProblem() === null;
  return all.filter((name) => name === 'net' || (name === 'epoll' ? epoll : uringRuns()));
}

function uringRuns(): boolean {
  return uringProblem() === null;
}

export type DriverTest = (driver: DriverName, context: TestContext) => Promise<void>;

/**
 * The drivers for tests of processes: the fastest one, and `net`, whose listener is not inherited.
 */
export function fewDrivers(): readonly DriverName[] {
  const all = chosenDrivers();
  return all.filter((_name, index) => index === 0 || index === all.length - 1);
}

/** The drivers for tests that do not depend on the driver. */
export function oneDriver(): readonly DriverName[] {
  return chosenDrivers().slice(0, 1);
}

/** For slow tests: one driver in turn, all with npm test -- --all. */
export function driversInTurn(among: readonly DriverName[] = chosenDrivers()): typeof among {
  return inTurn(among);
}

type Define = (add: (name: string, body: DriverTest) => void) => void;

/** Defines a group of tests for every driver. `add` adds a test to the group. */
export function onEachDriver(
  subject: string,
  define: Define,
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

/**
 * The same for slow tests: of each test on each driver one third of all, or one of another number
 * of parts. The parts are diagonals: the third of three drivers has every test, each on another
 * driver than the test before it. All of them run with npm test -- --all.
 */
export function onDriversInTurn(
  subject: string,
  define: Define,
  drivers: readonly DriverName[] = chosenDrivers(),
  parts: number = THIRDS,
): void {
  for (const [row, driver] of drivers.entries()) {
    describe(`${subject}, driver ${driver}`, () => {
      let column = 0;
      define((name, body) => {
        if (isInTurn(row + column, parts)) {
          test(name, { timeout: TEST_TIMEOUT_MS }, (context) => body(driver, context));
        }
        column += 1;
      });
    });
  }
}

/** Makes a server that does not listen yet, and its recorded output. */
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
      ...SMALL_POOLS,
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
    // Only the first error is reported: errors of the clean-up follow from it.
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

const warm = new Map<DriverName, Promise<void>>();

/** Opens what a process opens once and keeps, so that it does not count as a leak. */
function warmUp(driver: DriverName): Promise<void> {
  // Tests that run at the same time wait for the same one.
  const warmed = warm.get(driver) ?? openAll(driver);
  warm.set(driver, warmed);
  return warmed;
}

async function openAll(driver: DriverName): Promise<void> {
  const { server } = makeServer(driver, {});
  const { port } = await server.listen();
  const client = await RawClient.open(port);
  await client.ask('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  client.reset();
  await server.close();
}

/** Open descriptors of this process; 0 where they cannot be counted. */
function descriptors(): number {
  return process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0;
}

/** Waits until the condition holds; throws with `what` when it does not within the timeout. */
export async function eventually(what: string, isSo: () => boolean): Promise<void> {
  const beganMs = performance.now();
  while (!isSo()) {
    const waitedMs = performance.now() - beganMs;
    if (waitedMs > PATIENCE_MS) throw new Error(`timed out while waiting for: ${what}`);
    // Rarely where it takes long, as a process does: another test needs the processor.
    await wait(Math.min(1 + waitedMs / 20, POLL_MS_MAX));
  }
}

export function wait(waitMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, waitMs));
}

async function inTime<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not finish`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A promise and the function that resolves it. */
export class Gate {
  readonly opened: Promise<void>;
  open: () => void = () => {};

  constructor() {
    this.opened = new Promise((resolve) => {
      this.open = resolve;
    });
  }
}
