// Echoes 100 MB through the server, by Content-Length and in chunks, on every driver that works,
// and compares each byte: npm run perf:echo. Exit code 1 when one differs, or when memory grows.

import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { parseArgs } from 'node:util';
import { type ServerChild, startServer } from '../measure/child-process.ts';
import { forgetPeak, residentBytes } from '../system/process-figures.ts';
import { argumentProblem, refuse } from '../../testing/usage-error.ts';

const MB = 1_000_000;
const BODY_BYTES = 100 * MB;
const WARM_UP_BYTES = 8 * MB;
const GROWTH_BYTES_BAR = 50 * MB;
const PIECE_BYTES_MAX = 128 * 1024;
/** A prime, so that no piece of the path has a length that divides it. */
const PATTERN_BYTES = 1_048_573;
/** Silence for as long is the end. */
const TIMEOUT_MS = 20_000;

type Framing = 'length' | 'chunked';

const USAGE = `usage: npm run perf:echo -- [--driver epoll|net] [--seed N]

Echoes ${BODY_BYTES / MB} MB by Content-Length and in chunks, on every driver that works.`;

process.exitCode = await main();

async function main(): Promise<number> {
  let drivers = process.platform === 'linux' ? ['epoll', 'net'] : ['net'];
  let seed: number;
  try {
    const { values } = parseArgs({
      options: {
        driver: { type: 'string' },
        seed: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help === true) {
      console.log(USAGE);
      return 0;
    }
    if (values.driver !== undefined) drivers = [values.driver];
    if (!/^(epoll|net)$/.test(drivers[0])) throw new Error('--driver takes epoll or net');
    seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
    if (!Number.isSafeInteger(seed)) throw new Error('--seed takes a whole number');
  } catch (error) {
    return refuse(argumentProblem(error));
  }
  console.log(`${BODY_BYTES / MB} MB each way; Node ${process.version}; --seed ${seed}`);
  try {
    let passed = true;
    for (const driver of drivers) passed = (await measure(driver, seed)) && passed;
    return passed ? 0 : 1;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

async function measure(driver: string, seed: number): Promise<boolean> {
  const random = randomFrom(seed);
  const pattern = Buffer.alloc(PATTERN_BYTES);
  for (let index = 0; index < PATTERN_BYTES; index++) pattern[index] = random();
  const server = await startServer('servers/vibing.ts', { args: ['--driver', driver] });
  await echo(server.port, 'chunked', WARM_UP_BYTES, pattern, random);
  let passed = true;
  for (const framing of ['length', 'chunked'] as const) {
    const before = memoryBefore(server);
    const seconds = await echo(server.port, framing, BODY_BYTES, pattern, random);
    const rate = (BODY_BYTES / MB / seconds).toFixed(0).padStart(5);
    const how = framing === 'length' ? 'Content-Length' : 'chunked';
    const start = `${driver.padEnd(6)} ${how.padEnd(15)} ${rate} MB/s, every byte the same`;
    if (before < 0) {
      console.log(`${start}; memory is not read on this system`);
      continue;
    }
    const growth = residentBytes(server.pid, 'peak') - before;
    const isSmall = growth < GROWTH_BYTES_BAR;
    passed = passed && isSmall;
    const bar = `bar: < ${GROWTH_BYTES_BAR / MB} MB, ${isSmall ? 'met' : 'MISSED'}`;
    console.log(`${start}; memory grew by ${(growth / MB).toFixed(1)} MB at most (${bar})`);
  }
  await server.stop();
  return passed;
}

/** The most from now on is measured against this; -1 where nobody tells. */
function memoryBefore(server: ServerChild): number {
  if (process.platform !== 'linux') return -1;
  forgetPeak(server.pid);
  return residentBytes(server.pid, 'now');
}

/** Sends a body and compares what comes back; gives the seconds that took. */
async function echo(
  port: number,
  framing: Framing,
  bytes: number,
  pattern: Buffer,
  random: () => number,
): Promise<number> {
  const began = performance.now();
  const headers =
    framing === 'length' ? { 'Content-Length': bytes } : { 'Transfer-Encoding': 'chunked' };
  const client = request({ host: '127.0.0.1', port, path: '/echo', method: 'POST', headers });
  await new Promise<void>((resolve, reject) => {
    client.setTimeout(TIMEOUT_MS, () => client.destroy(new Error('the echo has stopped')));
    client.on('error', reject);
    client.on('response', (response) => compare(response, bytes, pattern).then(resolve, reject));
    sendBody(client, bytes, pattern, random).catch(reject);
  });
  return (performance.now() - began) / 1000;
}

async function sendBody(
  client: ClientRequest,
  bytes: number,
  pattern: Buffer,
  random: () => number,
): Promise<void> {
  let sent = 0;
  while (sent < bytes) {
    const at = sent % PATTERN_BYTES;
    const wanted = 1 + (((random() << 16) | (random() << 8) | random()) % PIECE_BYTES_MAX);
    const end = at + Math.min(wanted, PATTERN_BYTES - at, bytes - sent);
    sent += end - at;
    if (client.write(pattern.subarray(at, end))) continue;
    await new Promise<void>((resolve) => {
      client.once('drain', resolve);
    });
  }
  client.end();
}

async function compare(response: IncomingMessage, bytes: number, pattern: Buffer): Promise<void> {
  if (response.statusCode !== 200) throw new Error(`the echo answered ${response.statusCode}`);
  let received = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    let at = 0;
    while (at < chunk.length) {
      const from = received % PATTERN_BYTES;
      const length = Math.min(chunk.length - at, PATTERN_BYTES - from);
      if (pattern.compare(chunk, at, at + length, from, from + length) !== 0) {
        throw new Error(`the echo differs within ${length} bytes after ${received}`);
      }
      at += length;
      received += length;
    }
  }
  if (received !== bytes) throw new Error(`${received} of ${bytes} bytes came back`);
}

/** Bytes from a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) & 0xff;
  };
}
