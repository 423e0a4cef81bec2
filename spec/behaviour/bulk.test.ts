// A hundred megabytes through a server in a process of its own: every byte comes back, in order,
// and the server's memory does not grow with the size of the content.

import assert from 'node:assert/strict';
import { createHash, type Hash } from 'node:crypto';
import { createConnection, type Socket } from 'node:net';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { get, post, RawClient, request } from '../../testing/raw-client.ts';
import { FIFTHS } from '../../testing/rotation.ts';
import { chosenDrivers, onDriversInTurn, wait } from '../../testing/with-server.ts';
import { startProgram } from './fixtures/programs.ts';

leaveOutOfCoverage();

const MIB = 1024 * 1024;
const BODY_BYTES = 100 * MIB;
const WARM_UP_BYTES = 30 * MIB;
const GROWTH_MAX = 50 * MIB;
const SEGMENT_BYTES = 61_440;

/** Part of the content of an echo; two segments in a row differ in all bytes. */
function segmentOf(index: number, bytes: number): Buffer {
  const segment = Buffer.alloc(bytes, index % 253);
  segment.writeUInt32BE(index);
  return segment;
}

/** Hashes the content of a response as it arrives, and detects its end. */
class ResponseHash {
  readonly hash: Hash = createHash('sha256');
  bytes = 0;
  isComplete = false;
  #left = -1;
  #chunked = false;
  #rest: Buffer = Buffer.alloc(0);

  add(part: Buffer): void {
    this.#rest = this.#rest.length === 0 ? part : Buffer.concat([this.#rest, part]);
    while (!this.isComplete && this.#step());
  }

  /** True when there may be more to do. */
  #step(): boolean {
    if (this.#left > 0) return this.#content();
    if (this.#left < 0 && !this.#chunked) return this.#head();
    if (!this.#chunked) {
      this.isComplete = true;
      return false;
    }
    return this.#chunkLine();
  }

  #head(): boolean {
    const end = this.#rest.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const head = this.#rest.toString('latin1', 0, end);
    assert.match(head, /^HTTP\/1\.1 200 /);
    this.#rest = this.#rest.subarray(end + 4);
    const length = /\r\nContent-Length: (\d+)/.exec(head);
    this.#chunked = length === null;
    this.#left = length === null ? 0 : Number(length[1]);
    return true;
  }

  #content(): boolean {
    if (this.#rest.length === 0) return false;
    const part = this.#rest.subarray(0, this.#left);
    this.hash.update(part);
    this.bytes += part.length;
    this.#left -= part.length;
    this.#rest = this.#rest.subarray(part.length);
    return true;
  }

  #chunkLine(): boolean {
    // The line end after the previous chunk, then a chunk size.
    const match = /^(?:\r\n)?([0-9a-f]+)\r\n/i.exec(this.#rest.toString('latin1', 0, 20));
    if (match === null) return false;
    this.#left = Number.parseInt(match[1], 16);
    if (this.#left === 0) this.isComplete = true;
    this.#rest = this.#rest.subarray(match[0].length);
    return true;
  }
}

async function send(socket: Socket, bytes: Buffer): Promise<void> {
  if (socket.write(bytes)) return;
  await new Promise((resolve) => socket.once('drain', resolve));
}

/** Sends a body while its echo is read; returns the digests of both. */
async function echo(
  port: number,
  total: number,
  chunked: boolean,
): Promise<{ sent: string; received: string; bytes: number }> {
  const socket = createConnection({ host: '127.0.0.1', port });
  const response = new ResponseHash();
  const complete = new Promise<void>((resolve, reject) => {
    socket.on('data', (part: Buffer) => {
      try {
        response.add(part);
      } catch (error) {
        reject(error);
      }
      if (response.isComplete) resolve();
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`closed after ${response.bytes} bytes`)));
  });
  const hash = createHash('sha256');
  const framing = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${total}`;
  const sending = (async () => {
    await send(socket, Buffer.from(request('POST', '/echo', [framing])));
    for (let sent = 0, index = 0; sent < total; index++) {
      const segment = segmentOf(index, Math.min(SEGMENT_BYTES, total - sent));
      hash.update(segment);
      sent += segment.length;
      if (chunked) await send(socket, Buffer.from(`${segment.length.toString(16)}\r\n`));
      await send(socket, segment);
      if (chunked) await send(socket, Buffer.from('\r\n'));
    }
    if (chunked) await send(socket, Buffer.from('0\r\n\r\n'));
    // No bytes are left to come only when the content was complete.
    if (!chunked) response.add(Buffer.alloc(0));
  })();
  await Promise.all([sending, complete]);
  socket.destroy();
  return { sent: hash.digest('hex'), received: response.hash.digest('hex'), bytes: response.bytes };
}

async function memory(port: number): Promise<number> {
  const client = await RawClient.open(port);
  const response = await client.ask(get('/memory', 'Connection: close'));
  client.half();
  return Number(response.text);
}

async function withBulk(driver: string, body: (port: number) => Promise<void>): Promise<void> {
  const child = startProgram('bulk-server', [driver]);
  try {
    await body(Number((await child.firstLine())['port']));
  } catch (error) {
    throw new Error(`the server said: ${child.problems}`, { cause: error });
  } finally {
    assert.equal(await child.end(), 0, child.problems);
  }
}

onDriversInTurn(
  'bulk',
  (add) => {
    for (const chunked of [false, true]) {
      const framing = chunked ? 'chunks' : 'length';
      add(
        `an echo of 100 MiB by ${framing} is complete and costs little memory`,
        async (driver) => {
          await withBulk(driver, async (port) => {
            await echo(port, WARM_UP_BYTES, chunked);
            const before = await memory(port).then(() => memory(port));
            const { sent, received, bytes } = await echo(port, BODY_BYTES, chunked);
            const grown = (await memory(port)) - before;
            assert.equal(bytes, BODY_BYTES);
            assert.equal(received, sent);
            assert.ok(grown < GROWTH_MAX, `memory grew by ${Math.round(grown / MIB)} MiB`);
          });
        },
      );
    }

    add('four echoes at once do not mix', async (driver) => {
      await withBulk(driver, async (port) => {
        const totals = [7 * MIB + 1, 11 * MIB + 3, 5 * MIB, 9 * MIB + 7];
        const echoes = await Promise.all(totals.map((total, n) => echo(port, total, n % 2 === 0)));
        echoes.forEach(({ sent, received, bytes }, index) => {
          assert.equal(bytes, totals[index]);
          assert.equal(received, sent);
        });
      });
    });

    add('the server stops receiving for a client that does not read', async (driver) => {
      await withBulk(driver, async (port) => {
        await echo(port, WARM_UP_BYTES, false);
        const before = await memory(port).then(() => memory(port));
        const client = await RawClient.open(port);
        client.pause();
        void client.send(request('POST', '/echo', [`Content-Length: ${BODY_BYTES}`]));
        const segment = Buffer.alloc(SEGMENT_BYTES);
        let accepted = 0;
        for (let index = 0; index < BODY_BYTES / SEGMENT_BYTES; index++) {
          void client.send(segment).then(() => {
            accepted += SEGMENT_BYTES;
          });
        }
        let seen = -1;
        while (seen !== accepted) {
          seen = accepted;
          await wait(100);
        }
        assert.ok(accepted < BODY_BYTES, 'the server stops receiving what it cannot send');
        const grown = (await memory(port)) - before;
        assert.ok(grown < GROWTH_MAX, `memory grew by ${Math.round(grown / MIB)} MiB`);
        client.reset();
        const other = await RawClient.open(port);
        assert.equal((await other.ask(post('/count', 'still here'))).text, '10');
        other.half();
      });
    });
  },
  chosenDrivers(),
  FIFTHS,
);
