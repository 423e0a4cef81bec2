// Files too large for the cache: sent in chunks in bounded memory, to fast readers, slow ones and
// those that disconnect. A truncated response never looks complete.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, truncateSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type FileStat, isFault, type OpenFile } from '../../src/async-io/async-io.ts';
import { NodeAsyncIo } from '../../src/async-io/node.ts';
import type { DriverName } from '../../src/driver/choose.ts';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { isInTurn } from '../../testing/rotation.ts';
import {
  closed,
  DRIVERS,
  everything,
  linuxOnly,
  openBelow,
  responseOf,
  Site,
  until,
} from './fixtures/site.ts';

leaveOutOfCoverage();

const MIB = 1024 * 1024;
/** More than the kernel buffers for a connection on both ends. */
const HUGE_BYTES = 96 * MIB;
const NOISE = randomBytes(9 * MIB + 4321);

for (const [row, driver] of DRIVERS.entries()) {
  describe(`large files on ${driver}`, () => {
    if (isInTurn(row)) describe('readers', () => readerCases(driver));
    if (isInTurn(row + 1)) describe('truncated responses', () => cutCases(driver));
    if (isInTurn(row + 2)) describe('descriptors', linuxOnly, () => descriptorCases(driver));
  });
}

function digest(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex');
}

/** Sends a request and stops reading after the first bytes of the response; returns them. */
async function stalled(site: Site, path: string): Promise<[Socket, Buffer]> {
  const socket = site.connect();
  socket.write(`GET ${path} HTTP/1.1\r\nHost: site\r\nConnection: close\r\n\r\n`);
  const [first] = (await once(socket, 'data')) as [Buffer];
  socket.pause();
  return [socket, first];
}

/** Reads to the end. */
async function rest(socket: Socket, first: Buffer): Promise<Buffer> {
  const all = everything(socket);
  socket.resume();
  return Buffer.concat([first, await all]);
}

async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

function makeHuge(site: Site, name: string): void {
  writeFileSync(site.at(name), '');
  truncateSync(site.at(name), HUGE_BYTES);
}

function readerCases(driver: DriverName): void {
  let site: Site;
  before(async () => {
    site = await Site.open({ driver, files: { 'noise.bin': NOISE, 'small.txt': 'small' } });
    makeHuge(site, 'huge.bin');
  });
  after(() => site.close());

  it('all receive every byte, many at a time', async () => {
    const asked = Array.from({ length: 6 }, async () => {
      const { body, complete } = await site.ask('/noise.bin');
      assert.ok(complete);
      assert.equal(digest(body), digest(NOISE));
    });
    await Promise.all(asked);
  });

  it('a slow one receives every byte and does not delay others', async () => {
    const [socket, first] = await stalled(site, '/noise.bin');
    const chunks = [first];
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      socket.pause();
      setTimeout(() => socket.resume(), 1);
    });
    const end = closed(socket);
    socket.resume();
    for (let round = 0; round < 5; round++) assert.equal(await site.text('/small.txt'), 'small');
    await end;
    const { body, complete } = responseOf('GET', Buffer.concat(chunks));
    assert.ok(complete);
    assert.equal(digest(body), digest(NOISE));
  });

  it('those that do not read use no memory', async () => {
    const before = process.memoryUsage();
    const clients = await Promise.all(Array.from({ length: 10 }, () => stalled(site, '/huge.bin')));
    // Long enough to read everything ahead if nothing limited it.
    for (let round = 0; round < 20; round++) {
      await sleep(10);
      const { arrayBuffers } = process.memoryUsage();
      const grownBytes = arrayBuffers - before.arrayBuffers;
      assert.ok(grownBytes < 32 * MIB, `${clients.length} clients took ${grownBytes} bytes`);
    }
    const [socket, first] = clients[0];
    const { body, complete } = responseOf('GET', await rest(socket, first));
    assert.ok(complete);
    assert.equal(body.length, HUGE_BYTES);
    assert.ok(body.equals(Buffer.alloc(HUGE_BYTES)));
    for (const [other] of clients) other.destroy();
  });

  it('one that has closed its sending side receives its response', async () => {
    const socket = site.connect();
    socket.end('GET /noise.bin HTTP/1.1\r\nHost: site\r\n\r\n');
    const { body, complete } = responseOf('GET', await everything(socket));
    assert.ok(complete);
    assert.equal(digest(body), digest(NOISE));
  });

  it('several on one connection arrive in the order of the requests', async () => {
    const socket = site.connect();
    const paths = ['/noise.bin', '/small.txt', '/noise.bin', '/small.txt'];
    const last = 'GET /missing HTTP/1.1\r\nHost: site\r\nConnection: close\r\n\r\n';
    const lines = paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: site\r\n\r\n`);
    socket.write(lines.join('') + last);
    let bytes = await everything(socket);
    for (const path of paths) {
      const headEnd = bytes.indexOf('\r\n\r\n') + 4;
      const expected = path === '/noise.bin' ? NOISE : Buffer.from('small');
      const end = headEnd + expected.length;
      assert.match(bytes.toString('latin1', 0, 15), /^HTTP\/1\.1 200 OK/);
      assert.equal(digest(bytes.subarray(headEnd, end)), digest(expected));
      bytes = bytes.subarray(end);
    }
    assert.equal(responseOf('GET', bytes).status, 404);
  });

  it('a file that grows meanwhile is sent up to its Content-Length', async () => {
    makeHuge(site, 'growing.bin');
    const [socket, first] = await stalled(site, '/growing.bin');
    appendFileSync(site.at('growing.bin'), 'more');
    const { body, complete } = responseOf('GET', await rest(socket, first));
    assert.ok(complete);
    assert.equal(body.length, HUGE_BYTES);
  });
}

function cutCases(driver: DriverName): void {
  it('a file that shrinks meanwhile', async () => {
    const site = await Site.open({ driver, files: { 'small.txt': 'small' } });
    try {
      makeHuge(site, 'shrinking.bin');
      const [socket, first] = await stalled(site, '/shrinking.bin');
      truncateSync(site.at('shrinking.bin'), MIB);
      const { status, headers, body, complete } = responseOf('GET', await rest(socket, first));
      assert.equal(status, 200);
      assert.equal(headers.get('content-length'), String(HUGE_BYTES));
      assert.equal(complete, false);
      assert.ok(body.length < HUGE_BYTES);
      assert.equal(await site.text('/small.txt'), 'small');
    } finally {
      await site.close();
    }
  });

  it('a file whose next read fails', async () => {
    /** No system has a file of such a number, so none is sent without a read. */
    const FIRST = 1_000_000;
    class Failing extends NodeAsyncIo {
      override async open(path: string): Promise<OpenFile | number> {
        const opened = await super.open(path);
        return isFault(opened) ? opened : { ...opened, file: opened.file + FIRST };
      }

      override async read(file: number, into: Uint8Array, position: number): Promise<number> {
        return position > MIB ? -5 : super.read(file - FIRST, into, position);
      }

      override readNow(file: number, into: Uint8Array, position: number): number {
        return super.readNow(file - FIRST, into, position);
      }

      override openStat(file: number): FileStat | number {
        return super.openStat(file - FIRST);
      }

      override close(file: number): Promise<number> {
        return super.close(file - FIRST);
      }
    }
    const files = { 'noise.bin': NOISE, 'small.txt': 'small' };
    const site = await Site.open({ driver, files, asyncIo: new Failing() });
    try {
      const { body, complete } = await site.ask('/noise.bin');
      assert.equal(complete, false);
      assert.ok(body.equals(NOISE.subarray(0, body.length)), 'the received bytes are correct');
      assert.equal(await site.text('/small.txt'), 'small');
    } finally {
      await site.close();
    }
  });
}

function descriptorCases(driver: DriverName): void {
  let site: Site;
  before(async () => {
    const server = { shutdownTimeoutMs: 20 };
    site = await Site.open({ driver, files: { 'noise.bin': NOISE, 'small.txt': 'small' }, server });
    makeHuge(site, 'huge.bin');
  });
  after(() => site.close());

  async function nothingOpen(): Promise<void> {
    await until('every file is closed', () => openBelow(site.outside).length === 0);
  }

  it('are closed after responses of every kind', async () => {
    for (const [path, options] of [
      ['/noise.bin', {}],
      ['/noise.bin', { method: 'HEAD' }],
      ['/noise.bin', { method: 'POST' }],
      ['/noise.bin', { headers: { 'If-None-Match': '*' } }],
      ['/noise.bin/', {}],
      ['/small.txt', {}],
      ['/', {}],
    ] as const) {
      await site.ask(path, options);
    }
    await nothingOpen();
  });

  it('are closed when clients reset during the response', async () => {
    const resetsBefore = site.server.counters.resets;
    const clients = await Promise.all(Array.from({ length: 20 }, () => stalled(site, '/huge.bin')));
    assert.ok(openBelow(site.outside).length > 0, 'the files are being sent');
    for (const [socket] of clients) socket.resetAndDestroy();
    await nothingOpen();
    await until('the resets are counted', () => {
      return site.server.counters.resets === resetsBefore + clients.length;
    });
    assert.equal(await site.text('/small.txt'), 'small');
  });

  it('are closed when clients reset before the response', async () => {
    for (let round = 0; round < 20; round++) {
      const socket = site.connect();
      socket.on('error', () => {});
      await once(socket, 'connect');
      socket.write('GET /huge.bin HTTP/1.1\r\nHost: site\r\n\r\n');
      await sleep(round % 3);
      socket.resetAndDestroy();
    }
    await nothingOpen();
    assert.equal(await site.text('/small.txt'), 'small');
    assert.equal(site.server.counters.handlerErrors, 0);
  });

  it('are closed when the server closes during the response', async () => {
    const other = await Site.open({ driver, files: {}, server: { shutdownTimeoutMs: 20 } });
    makeHuge(other, 'huge.bin');
    const [socket, first] = await stalled(other, '/huge.bin');
    await other.server.close();
    const { complete } = responseOf('GET', await rest(socket, first));
    assert.equal(complete, false);
    await until('every file is closed', () => openBelow(other.outside).length === 0);
    await other.close();
  });
}
