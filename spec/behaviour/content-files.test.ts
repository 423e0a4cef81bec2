// Prepared content that is sent often comes from a file in memory on Linux: whole and unchanged, by
// many clients at once, and no descriptor stays.

import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { createServer, prepare } from '../../src/index.ts';
import { CONTENT_FILE_BYTES_MIN } from '../../src/reactor/content-files.ts';
import { onEachDriver } from '../../testing/with-server.ts';

const CLIENTS = 8;
const REQUESTS = 12;
/** A round on a busy machine may take too long to count as often. */
const ROUNDS_MAX = 30;
const SIZES: readonly number[] = [CONTENT_FILE_BYTES_MIN, 64 * 1024 - 1, 700_001];

/** Descriptors of files in memory with content, of this process. */
function openFiles(): number {
  let count = 0;
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`).includes('vibing-content')) count += 1;
    } catch {
      // The descriptor of the listing itself.
    }
  }
  return count;
}

function bytesOf(size: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: size }, (_, index) => (index * 31) % 251));
}

function received(agent: Agent, port: number, path: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const client = get({ agent, port, host: '127.0.0.1', path }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(Buffer.concat(chunks)));
      response.on('error', reject);
    });
    client.on('error', reject);
  });
}

onEachDriver('prepared content', (add) => {
  add('is whole when it is sent from files in memory', async (driver) => {
    const server = createServer({ driver, port: 0, logLevel: 'silent' });
    for (const size of SIZES) {
      const response = prepare(200, {}, bytesOf(size));
      server.get(`/${size}`, (_req, res) => res.prepared(response));
    }
    const { port } = await server.listen();
    const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
    const wanted = new Map(SIZES.map((size) => [`/${size}`, bytesOf(size)]));
    const lane = async (first: number): Promise<void> => {
      for (let request = 0; request < REQUESTS; request++) {
        const path = `/${SIZES[(first + request) % SIZES.length]}`;
        const content = await received(agent, port, path);
        assert.ok(wanted.get(path)?.equals(content), `${path} is whole`);
      }
    };
    const round = () => Promise.all(Array.from({ length: CLIENTS }, (_, index) => lane(index)));
    const isLinux = driver !== 'net';
    const wantedFiles = isLinux ? SIZES.length : 0;
    try {
      let rounds = 0;
      do {
        await round();
        rounds += 1;
      } while (rounds < ROUNDS_MAX && isLinux && openFiles() < wantedFiles);
      // They are used now.
      await round();
      if (process.platform === 'linux') assert.equal(openFiles(), wantedFiles);
    } finally {
      agent.destroy();
      await server.close();
    }
    if (isLinux) assert.equal(openFiles(), 0);
  });
});
