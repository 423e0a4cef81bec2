// Traffic of many kinds at a moderate rate, valid and malformed, on short and long connections:
// what perf:soak sends. A seed decides which kind comes next.

import { Agent, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Draw } from '../../testing/random.ts';

export interface Tally {
  done: number;
  failed: number;
  /** Failures of exchanges during which a process of the server was being killed. */
  interrupted: number;
  /** Requests that a worker did not read because it was being replaced: a client repeats them. */
  unread: number;
}

/**
 * The request may be repeated: its response was 408 (RFC 9110 15.5.9), or it was a GET on a kept
 * connection that ended before any byte of the response (RFC 9110 9.2.2). The latter is the client
 * that took longer than drain_linger_ms to send it.
 */
class UnreadRequest extends Error {}

/** Of silence on a connection. */
export const TIMEOUT_MS = 15_000;
const PAUSE_MS_MAX = 40;
const KEEP_ALIVE_REQUESTS_MAX = 60;
const PIPELINED = 16;
/** A reload is over by then, with the drain of the last worker that it replaces. */
const RELOAD_MS_MAX = 20_000;
const ECHO_BYTES_MAX = 200_000;
const SMALL_BYTES = 1024;
const LONG_BYTES = 300 * 1024;
const READ_PAUSE_MS = 15;
/** A slow client sends this many bytes at a time. */
const TRICKLE_BYTES = 8;
const TRICKLE_PAUSE_MS = 20;
/** Of an upload that its client leaves. */
const UPLOAD_BYTES = 100_000;
/** Failures that are reported one by one. */
const PROBLEMS_MAX = 40;
const HELLO = 'Hello, World!';

/** The server closes the connection after each of these. */
const MALFORMED: readonly string[] = [
  'GET / HTTP/1.1\r\n\r\n',
  'GET  / HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nBad Name: 1\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\n folded: 1\r\n\r\n',
  'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
  'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5x\r\n\r\n',
  'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
  'GET / HTTP/9.9\r\nHost: a\r\n\r\n',
  '\u0000\u0001\u0002\r\n\r\n',
];

type Exchange = (port: number, random: Draw) => Promise<void>;

const EXCHANGES: Readonly<Record<string, Exchange>> = {
  'keep-alive': keepAlive,
  'one request': async (port, random) => {
    const isLong = random(2) === 0;
    const path = isLong ? '/file-300k.txt' : '/file-1k.txt';
    await expectLength(await send(port, path), isLong ? LONG_BYTES : SMALL_BYTES);
  },
  pipelined: async (port) => {
    const one = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    const last = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    const text = await rawExchange(port, one.repeat(PIPELINED - 1) + last);
    const responses = text.split(HELLO).length - 1;
    if (responses !== PIPELINED) throw new Error(`${responses} of ${PIPELINED} responses`);
  },
  echo: async (port, random) => {
    const body = Buffer.alloc(random(ECHO_BYTES_MAX), 'e');
    await expectLength(await send(port, '/echo', undefined, body), body.length);
  },
  'slow reader': slowReader,
  'slow sender': slowSender,
  'left in a head': (port) => leave(port, 'GET / HTTP/1.1\r\nHost: a\r\nX-Half: ', 'end'),
  'left in a body': (port, random) => {
    const head = `POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: ${UPLOAD_BYTES}\r\n\r\n`;
    const body = 'b'.repeat(random(UPLOAD_BYTES));
    return leave(port, head + body, random(2) === 0 ? 'end' : 'reset');
  },
  'error response': async (port) => {
    const request = 'GET /refused HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    const text = await rawExchange(port, request);
    if (!text.startsWith('HTTP/1.1 409 ')) throw new Error(`the response was ${text.slice(0, 40)}`);
  },
  'reset in a response': resetInResponse,
  malformed: async (port, random) => {
    const text = await rawExchange(port, MALFORMED[random(MALFORMED.length)]);
    if (!/^HTTP\/1\.1 (400|505) /.test(text))
      throw new Error(`the response was ${text.slice(0, 40)}`);
  },
};

export const KINDS: readonly string[] = Object.keys(EXCHANGES);

type Disruption = 'reload' | 'kill';

export class MixedTraffic {
  readonly tallies: ReadonlyMap<string, Tally> = new Map(
    KINDS.map((kind) => [kind, { done: 0, failed: 0, interrupted: 0, unread: 0 }]),
  );
  /** The first few failures. */
  readonly problems: string[] = [];
  readonly #port: number;
  readonly #random: Draw;
  #isStopped = false;
  /** Kills that have begun, and those that are in progress. */
  #kills = 0;
  #dying = 0;
  /** When what was done to the server last. */
  readonly #disruptedAtMs = new Map<Disruption, number>();
  #lanes: Promise<void>[] = [];

  constructor(port: number, random: Draw) {
    this.#port = port;
    this.#random = random;
  }

  /**
   * Each kind by itself on all lanes at once, a few times: no random mixture needs more memory
   * afterwards.
   */
  async peaks(lanes: number, times: number): Promise<void> {
    for (const kind of KINDS) {
      for (let time = 0; time < times; time++) {
        await Promise.all(Array.from({ length: lanes }, () => this.#exchange(kind)));
      }
    }
  }

  start(lanes: number): void {
    this.#isStopped = false;
    this.#lanes = Array.from({ length: lanes }, () => this.#lane());
  }

  /** Resolves when the last exchange has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#lanes);
  }

  /** The server is being reloaded: no exchange may fail. */
  reloading(): void {
    this.#disruptedAtMs.set('reload', performance.now());
  }

  /**
   * A process of the server is being killed, until `gone` resolves: until then it accepts clients.
   * Exchanges that are in progress at any time of this may fail.
   */
  async killing(gone: Promise<void>): Promise<void> {
    this.#disruptedAtMs.set('kill', performance.now());
    this.#kills += 1;
    this.#dying += 1;
    await gone;
    this.#dying -= 1;
  }

  #isReloading(): boolean {
    const atMs = this.#disruptedAtMs.get('reload');
    return atMs !== undefined && performance.now() - atMs < RELOAD_MS_MAX;
  }

  /** When a failure was, from the beginning of its exchange and from the last disruptions. */
  #when(beganMs: number): string {
    const nowMs = performance.now();
    const after = [...this.#disruptedAtMs].map(([by, atMs]) => {
      return `${(nowMs - atMs).toFixed(0)} ms after a ${by}`;
    });
    return [`${(nowMs - beganMs).toFixed(0)} ms after its begin`, ...after].join(', ');
  }

  async #lane(): Promise<void> {
    while (!this.#isStopped) {
      await this.#exchange(KINDS[this.#random(KINDS.length)]);
      await sleep(this.#random(PAUSE_MS_MAX));
    }
  }

  async #exchange(kind: string): Promise<void> {
    const tally = this.tallies.get(kind) as Tally;
    const kills = this.#kills;
    const wasDying = this.#dying > 0;
    const beganMs = performance.now();
    try {
      await EXCHANGES[kind](this.#port, this.#random);
      tally.done += 1;
    } catch (error) {
      if (wasDying || kills !== this.#kills) {
        tally.interrupted += 1;
        return;
      }
      if (error instanceof UnreadRequest && this.#isReloading()) {
        tally.unread += 1;
        return;
      }
      tally.failed += 1;
      if (this.problems.length === PROBLEMS_MAX) return;
      this.problems.push(`${kind}: ${(error as Error).message}, ${this.#when(beganMs)}`);
    }
  }
}

async function keepAlive(port: number, random: Draw): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    const count = 1 + random(KEEP_ALIVE_REQUESTS_MAX);
    for (let index = 0; index < count; index++) {
      try {
        await expectLength(await send(port, '/', agent), HELLO.length);
      } catch (error) {
        if (error instanceof Error) error.message = `request ${index + 1}: ${error.message}`;
        throw error;
      }
    }
  } finally {
    agent.destroy();
  }
}

/** Resolves with a response of status 200, on a new connection unless an agent keeps one. */
function send(port: number, path: string, agent?: Agent, body?: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const client = request({
      host: '127.0.0.1',
      port,
      path,
      agent: agent ?? false,
      method: body === undefined ? 'GET' : 'POST',
    });
    client.setTimeout(TIMEOUT_MS, () =>
      client.destroy(new Error(`${path}: no response in ${TIMEOUT_MS} ms`)),
    );
    client.once('error', (error) => {
      const mayRepeat = client.reusedSocket && body === undefined;
      reject(mayRepeat ? new UnreadRequest(error.message) : error);
    });
    client.once('response', (response) => {
      if (response.statusCode === 200) resolve(response);
      else reject(new Error(`${path}: status ${response.statusCode}`));
    });
    client.end(body);
  });
}

async function expectLength(response: IncomingMessage, bytes: number): Promise<void> {
  let received = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) received += chunk.length;
  if (received !== bytes) throw new Error(`${received} bytes instead of ${bytes}`);
}

/** Reads a response of 300 KB slowly, to its end. */
async function slowReader(port: number): Promise<void> {
  const response = await send(port, '/file-300k.txt');
  let received = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    received += chunk.length;
    await sleep(READ_PAUSE_MS);
  }
  if (received !== LONG_BYTES) throw new Error(`${received} bytes instead of ${LONG_BYTES}`);
}

/** A request whose head and body come a few bytes at a time. */
async function slowSender(port: number): Promise<void> {
  const text =
    'POST /mirror HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 24\r\n\r\n' +
    's'.repeat(24);
  const received = await rawExchange(port, text, TRICKLE_BYTES);
  if (received.startsWith('HTTP/1.1 408 ')) throw new UnreadRequest('the response was 408');
  if (!received.startsWith('HTTP/1.1 200 ') || !received.endsWith('s'.repeat(24))) {
    throw new Error(`the response was ${received.slice(0, 40)}`);
  }
}

/** Sends the beginning of a request, then closes or resets the connection. */
function leave(port: number, text: string, how: 'end' | 'reset'): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = opened(port, reject);
    socket.resume();
    socket.once('close', () => resolve());
    socket.write(text, 'latin1', () => {
      if (how === 'reset') socket.resetAndDestroy();
      else socket.end();
    });
  });
}

/** Resets the connection when the first bytes of the response have come. */
function resetInResponse(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = opened(port, reject);
    socket.once('data', () => socket.resetAndDestroy());
    socket.once('close', () => resolve());
    socket.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
  });
}

/**
 * Sends a text, whole or `bytes` at a time; resolves with everything that comes until the server
 * closes.
 */
function rawExchange(port: number, text: string, bytes = text.length): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = opened(port, reject);
    let received = '';
    socket.setEncoding('latin1');
    socket.on('data', (more: string) => {
      received += more;
    });
    socket.once('end', () => socket.end());
    socket.once('close', () => resolve(received));
    void sendInParts(socket, text, bytes);
  });
}

async function sendInParts(socket: Socket, text: string, bytes: number): Promise<void> {
  for (let from = 0; from < text.length && !socket.destroyed; from += bytes) {
    if (from > 0) await sleep(TRICKLE_PAUSE_MS);
    socket.write(text.slice(from, from + bytes), 'latin1');
  }
}

function opened(port: number, fail: (error: Error) => void): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.setTimeout(TIMEOUT_MS, () =>
    socket.destroy(new Error(`nothing came for ${TIMEOUT_MS} ms`)),
  );
  socket.once('error', fail);
  return socket;
}
