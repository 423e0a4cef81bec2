// Echoes 100 MB through the server, by Content-Length and in chunks, and compares each byte. Memory
// of the server must not grow with the size of the body.

import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { type Draw, Random } from '../../testing/random.ts';
import { ECHO_GROWTH_BYTES_MAX } from '../catalog/thresholds.ts';
import type { ServerChild } from '../measure/child-process.ts';
import { cell, tableText } from '../runner/table.ts';
import type { Threshold } from '../runner/threshold.ts';
import { startVibing } from '../servers/start-vibing.ts';
import { resetPeak, residentBytes } from '../system/process-figures.ts';

const MB = 1_000_000;
export const BODY_BYTES: number = 100 * MB;
const WARM_UP_BYTES = 8 * MB;
const WRITE_BYTES_MAX = 128 * 1024;
/** A prime, so that no buffer on the way has a length that divides it. */
const PATTERN_BYTES = 1_048_573;
const TIMEOUT_MS = 20_000;
const ANY_CORE = -1;
const STATUS_OK = 200;

const FRAMINGS = { length: 'Content-Length', chunked: 'chunked' } as const;
type Framing = keyof typeof FRAMINGS;

/** Prints a table; memory is judged on Linux only. */
export async function echoOn(
  drivers: readonly string[],
  seed: number,
): Promise<readonly Threshold[]> {
  const rows = [['', 'MB/s', 'memory grew by, MB']];
  const thresholds: Threshold[] = [];
  for (const driver of drivers) {
    for (const { framing, growthBytes, seconds } of await measure(driver, seed)) {
      const name = `${driver}, ${FRAMINGS[framing]}`;
      rows.push([name, cell(BODY_BYTES / MB / seconds, 0), cell(growthBytes / MB, 1)]);
      if (process.platform !== 'linux') continue;
      thresholds.push({
        name: `${name}: MB that memory grew by`,
        value: growthBytes / MB,
        is: 'less than',
        bound: ECHO_GROWTH_BYTES_MAX / MB,
        digits: 1,
      });
    }
  }
  console.log(`${BODY_BYTES / MB} MB each way, every byte was equal; --seed ${seed}`);
  console.log(tableText(rows));
  return thresholds;
}

interface Echoed {
  readonly framing: Framing;
  readonly seconds: number;
  /** NaN where /proc is missing. */
  readonly growthBytes: number;
}

async function measure(driver: string, seed: number): Promise<readonly Echoed[]> {
  const random = new Random(seed).draw;
  const pattern = Buffer.alloc(PATTERN_BYTES);
  for (let index = 0; index < PATTERN_BYTES; index++) pattern[index] = random(256);
  const server = await startVibing(driver, { core: ANY_CORE });
  await echo(server.port, 'chunked', WARM_UP_BYTES, pattern, random);
  const echoed: Echoed[] = [];
  for (const framing of ['length', 'chunked'] as const) {
    const before = memoryBefore(server);
    const seconds = await echo(server.port, framing, BODY_BYTES, pattern, random);
    const growthBytes = Number.isNaN(before)
      ? Number.NaN
      : residentBytes(server.pid, 'peak') - before;
    echoed.push({ framing, seconds, growthBytes });
  }
  await server.stop();
  return echoed;
}

function memoryBefore(server: ServerChild): number {
  if (process.platform !== 'linux') return Number.NaN;
  resetPeak(server.pid);
  return residentBytes(server.pid, 'now');
}

/** Sends a body and compares the response with it; resolves with the seconds that took. */
async function echo(
  port: number,
  framing: Framing,
  bytes: number,
  pattern: Buffer,
  random: Draw,
): Promise<number> {
  const beganMs = performance.now();
  const headers =
    framing === 'length' ? { 'Content-Length': bytes } : { 'Transfer-Encoding': 'chunked' };
  const client = request({ host: '127.0.0.1', port, path: '/echo', method: 'POST', headers });
  await new Promise<void>((resolve, reject) => {
    const silence = `the echo sent nothing for ${TIMEOUT_MS} ms`;
    client.setTimeout(TIMEOUT_MS, () => client.destroy(new Error(silence)));
    client.on('error', reject);
    client.on('response', (response) => compare(response, bytes, pattern).then(resolve, reject));
    sendBody(client, bytes, pattern, random).catch(reject);
  });
  return (performance.now() - beganMs) / 1000;
}

async function sendBody(
  client: ClientRequest,
  bytes: number,
  pattern: Buffer,
  random: Draw,
): Promise<void> {
  let sent = 0;
  while (sent < bytes) {
    const at = sent % PATTERN_BYTES;
    const wanted = 1 + random(WRITE_BYTES_MAX);
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
  if (response.statusCode !== STATUS_OK) throw new Error(`status ${response.statusCode}`);
  let received = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    let at = 0;
    while (at < chunk.length) {
      const from = received % PATTERN_BYTES;
      const length = Math.min(chunk.length - at, PATTERN_BYTES - from);
      if (pattern.compare(chunk, at, at + length, from, from + length) !== 0) {
        throw new Error(`the echo differs within the ${length} bytes after byte ${received}`);
      }
      at += length;
      received += length;
    }
  }
  if (received !== bytes) throw new Error(`${received} of ${bytes} bytes came back`);
}
