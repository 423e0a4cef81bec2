// Many background connections in a process of their own, in addition to the load of perf:idle,
// perf:quiet and perf:slow.
//
//   node build/perf/load/background-connections.js --port PORT --kind idle|trickle|unread --count N
//
// idle: sends one request, then keeps the connection. trickle: sends one byte of a head every
// second. unread: requests a megabyte and reads nothing. The messages 'pause' and 'resume' stop and
// continue the bytes of trickle.

import { connect, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { probe } from './probe.ts';

type Kind = 'idle' | 'trickle' | 'unread';

const KINDS: readonly string[] = ['idle', 'trickle', 'unread'];
/**
 * Every source address has fewer than 30,000 ports, and the kernel searches long for a free one
 * where many are in use or in TIME_WAIT.
 */
const SOURCES = Array.from({ length: 32 }, (_, index) => `127.0.0.${2 + index}`);
const CONNECTING_MAX = 128;
const OPEN_MS_MAX = 120_000;
/** Each tick sends a byte on 1/TICKS of the connections, so that each sends one a second. */
const TICK_MS = 50;
const TICKS = 1000 / TICK_MS;
const INCOMPLETE_HEAD = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ';
const USAGE = 'usage: background-connections --port PORT --kind idle|trickle|unread --count N';

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: '' },
        kind: { type: 'string', default: '' },
        count: { type: 'string', default: '' },
      },
    });
    const [port, count] = [Number(values.port), Number(values.count)];
    if (!KINDS.includes(values.kind)) throw new Error(`--kind takes one of ${KINDS.join(', ')}`);
    if (!(Number.isInteger(port) && port > 0)) throw new Error('--port takes a port');
    if (!(Number.isInteger(count) && count > 0)) throw new Error('--count takes a whole number');
    const kind = values.kind as Kind;
    const sockets = await openAll(port, kind, count);
    if (kind === 'trickle') trickle(sockets);
    process.on('disconnect', () => process.exit());
    process.on('SIGTERM', () => process.exit());
    console.log(`${sockets.length} connections (${kind}) to 127.0.0.1:${port}`);
    return 0;
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    process.exit(1);
  }
}

async function openAll(port: number, kind: Kind, count: number): Promise<readonly Socket[]> {
  const { bytes } = await probe(port, '/');
  const untilMs = performance.now() + OPEN_MS_MAX;
  const sockets: Socket[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      if (performance.now() > untilMs)
        throw new Error(`only ${sockets.length} connections were opened`);
      sockets.push(await open(port, kind, SOURCES[next++ % SOURCES.length], bytes));
    }
  };
  await Promise.all(Array.from({ length: CONNECTING_MAX }, lane));
  return sockets;
}

/** Resolves when it is connected and, when idle, has its response. */
function open(port: number, kind: Kind, source: string, bytes: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: source });
    let received = 0;
    socket.once('error', reject);
    socket.once('connect', () => {
      if (kind === 'idle') {
        socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
      } else {
        socket.write(
          kind === 'trickle' ? INCOMPLETE_HEAD : 'GET /large HTTP/1.1\r\nHost: a\r\n\r\n',
        );
        settle();
      }
    });
    const settle = (): void => {
      socket.off('error', reject);
      // The server closes or resets them when their timeout has passed.
      socket.on('error', () => socket.destroy());
      resolve(socket);
    };
    if (kind === 'unread') {
      socket.pause();
      return;
    }
    socket.on('end', () => {
      if (received < bytes) reject(new Error('a connection ended before its response'));
    });
    socket.on('data', (chunk: Buffer) => {
      const wasComplete = received >= bytes;
      received += chunk.length;
      if (kind === 'idle' && !wasComplete && received >= bytes) settle();
    });
  });
}

function trickle(sockets: readonly Socket[]): void {
  let isPaused = false;
  process.on('message', (message) => {
    isPaused = message === 'pause';
    process.send?.(message);
  });
  let tick = 0;
  setInterval(() => {
    tick = (tick + 1) % TICKS;
    if (isPaused) return;
    for (let index = tick; index < sockets.length; index += TICKS) {
      if (sockets[index].writable) sockets[index].write('x');
    }
  }, TICK_MS);
}
