// Files that are replaced all the time under many readers: a response is one whole version, and a
// strong entity tag names one version only. In place, the writes here are over before a read; one
// that is half done can be seen as a version of its own (docs/static-files.md).

import assert from 'node:assert/strict';
import { closeSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { Agent, get, type IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import { inTurn } from '../../testing/rotation.ts';
import { DRIVERS, Site } from './fixtures/site.ts';

const READERS = 64;
const REPLACEMENTS = Number(process.env['VIBING_RUNS'] ?? 1) * 250;
const SMALL_BYTES = 8 * 1024;
/** More than a file in memory may have. */
const LARGE_BYTES = 200 * 1024;

interface Seen {
  readonly status: number;
  readonly etag: string;
  readonly body: Buffer;
}

for (const driver of inTurn(DRIVERS)) {
  describe(`files that are replaced, on ${driver}`, () => {
    it('by a rename, small', () => watch(driver, SMALL_BYTES, renamed));
    it('by a rename, large', () => watch(driver, LARGE_BYTES, renamed));
    it('in place, small', () => watch(driver, SMALL_BYTES, rewritten));
  });
}

/** Content that says its version in every word. */
function version(number: number, bytes: number): Buffer {
  const content = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 4) content.writeUInt32LE(number, at);
  return content;
}

function renamed(site: Site, content: Buffer): void {
  writeFileSync(site.at('next'), content);
  renameSync(site.at('next'), site.at('file.bin'));
}

function rewritten(site: Site, content: Buffer): void {
  const file = openSync(site.at('file.bin'), 'r+');
  writeSync(file, content, 0, content.length, 0);
  closeSync(file);
}

async function watch(
  driver: (typeof DRIVERS)[number],
  bytes: number,
  replace: (site: Site, content: Buffer) => void,
): Promise<void> {
  const site = await Site.open({ driver, files: { 'file.bin': version(1, bytes) } });
  const agent = new Agent({ keepAlive: true, maxSockets: READERS });
  const tags = new Map<string, number>();
  const versions = new Set<number>();
  let isOver = false;
  const readAll = async (): Promise<void> => {
    while (!isOver) {
      const { status, etag, body } = await request(site.port, agent);
      assert.equal(status, 200);
      assert.equal(body.length, bytes);
      const number = body.readUInt32LE(0);
      assert.ok(body.equals(version(number, bytes)), `a mixture with version ${number}`);
      versions.add(number);
      if (!etag.startsWith('"')) continue;
      assert.equal(tags.get(etag) ?? number, number, `${etag} names two versions`);
      tags.set(etag, number);
    }
  };
  try {
    const readers = Array.from({ length: READERS }, readAll);
    const replacing = (async () => {
      for (let number = 2; number <= REPLACEMENTS; number++) {
        replace(site, version(number, bytes));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    await Promise.race([replacing, Promise.all(readers)]);
    await replacing;
    isOver = true;
    await Promise.all(readers);
    assert.ok(versions.size > 10, `${versions.size} versions were seen`);
    const last = await request(site.port, agent);
    assert.equal(last.body.readUInt32LE(0), REPLACEMENTS, 'the last version is served');
  } finally {
    isOver = true;
    agent.destroy();
    await site.close();
  }
}

async function request(port: number, agent: Agent): Promise<Seen> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/file.bin', agent }, resolve).on('error', reject);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const { statusCode: status = 0, headers } = response;
  return { status, etag: String(headers.etag), body: Buffer.concat(chunks) };
}
