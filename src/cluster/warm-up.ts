// Runs the code of requests before a worker listens, so that V8 has compiled it when clients come:
// real connections on the worker's own driver over loopback, to an application of its own. No
// handler of the program runs, nothing is logged, and nothing is counted.
//
// A runtime on the driver in memory was tried instead and rejected: code that V8 has compiled for
// two kinds of drivers is slower for good.

import { NodeAsyncIo } from '../async-io/node.ts';
import { WARM_UP_BLOCKS, WARM_UP_CONNECTIONS } from '../base/fixed-limits.ts';
import { AF_INET, MSG_DONTWAIT, MSG_NOSIGNAL, STREAM_SOCKET } from '../driver/linux/layout.ts';
import { type SocketAddress, socketAddress } from '../driver/linux/sockaddr.ts';
import { linuxSyscalls, type Syscalls } from '../driver/linux/syscalls.ts';
import { isTraced } from '../exchange/tracing.ts';
import { makeCounts } from '../metrics/counters.ts';
import { Application } from '../server/application.ts';
import type { Config } from '../server/config/config.ts';
import { Group } from '../server/group.ts';
import type { Log } from '../server/log.ts';
import { Runtime } from '../server/runtime.ts';

const HOST = '127.0.0.1';
const SILENT: Log = { error() {}, warn() {}, notice() {}, debug() {}, debugEnabled: false };

/** The fields of a browser. */
const FIELDS =
  'Host: 127.0.0.1:8080\r\nConnection: keep-alive\r\nCache-Control: max-age=0\r\n' +
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) ' +
  'Chrome/140.0.0.0 Safari/537.36\r\nAccept: text/html,application/xhtml+xml,*/*;q=0.8\r\n' +
  'Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-GB,en;q=0.9\r\nCookie: a=b\r\n\r\n';

/** What a connection sends at once, in turn: one request, or some of a pipeline. */
const SENT: readonly string[] = [
  'GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n',
  `GET /items/17?page=2 HTTP/1.1\r\n${FIELDS}`,
  'GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n'.repeat(4),
  `GET /missing HTTP/1.1\r\n${FIELDS}`,
  'POST /items HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Length: 11\r\n\r\n{"a":"b c"}',
];

/** Smaller memory may lie on V8's heap, where it moves. */
const LEAST_BYTES = 256;
const RECEIVED_BYTES = 65_536;

/**
 * Resolves after some `budgetMs`, with the number of times that each connection has sent requests.
 * With the driver `net`, without loopback, and where requests are traced, at once with 0. Never
 * rejects: when it fails, `note` is told why.
 */
export async function warmUp(
  config: Config,
  budgetMs: number,
  note: (text: string) => void = () => {},
): Promise<number> {
  try {
    return await warmUpNow(config, budgetMs);
  } catch (error) {
    // Without descriptors or memory for it the worker itself may still listen.
    note(`a worker serves without a warm-up, which failed: ${(error as Error).message}`);
    return 0;
  }
}

async function warmUpNow(config: Config, budgetMs: number): Promise<number> {
  const calls = linuxSyscalls();
  if (typeof calls === 'string' || config.driver === 'net' || isTraced()) return 0;
  const runtime = makeRuntime(config);
  const port = await runtime.listen({ host: HOST, port: 0 });
  const address = port > 0 ? socketAddress(HOST, port) : null;
  if (address === null) {
    runtime.free();
    return 0;
  }
  const clients = new Clients(calls, address);
  try {
    return await sendFor(runtime, clients, budgetMs);
  } finally {
    clients.close();
    await runtime.close(true);
  }
}

async function sendFor(runtime: Runtime, clients: Clients, budgetMs: number): Promise<number> {
  const { driver } = runtime.reactor;
  const untilMs = driver.now() + budgetMs;
  let rounds = 0;
  while (driver.now() < untilMs) {
    clients.open();
    for (let at = 0; at < 2 * SENT.length && driver.now() < untilMs; at++) {
      clients.send(rounds % SENT.length);
      rounds += 1;
      await runtime.pause(0);
      await runtime.pause(0);
      clients.receive();
    }
    clients.close();
    await runtime.pause(0);
  }
  return rounds;
}

/** The clients' ends, by calls that do not wait. */
class Clients {
  readonly #calls: Syscalls;
  readonly #address: SocketAddress;
  readonly #sent: readonly Uint8Array[];
  readonly #received: Uint8Array = new Uint8Array(RECEIVED_BYTES);
  readonly #fds: number[] = [];

  constructor(calls: Syscalls, address: SocketAddress) {
    this.#calls = calls;
    this.#address = address;
    this.#sent = SENT.map((text) => {
      const bytes = new Uint8Array(Math.max(LEAST_BYTES, text.length));
      bytes.set(Buffer.from(text));
      return bytes;
    });
  }

  open(): void {
    const { bytes, length } = this.#address;
    for (let count = 0; count < WARM_UP_CONNECTIONS; count++) {
      const fd = this.#calls.socket(AF_INET, STREAM_SOCKET, 0);
      if (fd < 0) return;
      this.#fds.push(fd);
      this.#calls.connect(fd, bytes, length);
    }
  }

  send(which: number): void {
    const address = this.#calls.addressOf(this.#sent[which]);
    const { length } = SENT[which];
    const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    for (const fd of this.#fds) this.#calls.send(fd, address, length, flags);
  }

  receive(): void {
    const address = this.#calls.addressOf(this.#received);
    for (const fd of this.#fds) this.#calls.recv(fd, address, RECEIVED_BYTES, MSG_DONTWAIT);
  }

  close(): void {
    for (const fd of this.#fds) this.#calls.close(fd);
    this.#fds.length = 0;
  }
}

function makeRuntime(config: Config): Runtime {
  const counters = makeCounts();
  const logged = { logError: SILENT.error, logWarn: SILENT.warn };
  const application = new Application({ counters, ...logged });
  const root = new Group(application.routes, application.routes.root);
  root.get('/', (_request, response) => response.text('Hello, World!'));
  root.get('/items/:id', (request, response) => response.json({ id: request.params.id }));
  root.post('/items', async (request, response) => response.json(await request.json()));
  const limits = {
    ...config.limits,
    connectionsMax: WARM_UP_CONNECTIONS,
    blockCount: Math.min(config.limits.blockCount, WARM_UP_BLOCKS),
  };
  return new Runtime({
    config: { ...config, limits, proxyProtocol: 'off' },
    asyncIo: new NodeAsyncIo(),
    log: SILENT,
    counters,
    application,
  });
}
