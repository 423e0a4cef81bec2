// Programs that download in ranges and continue downloads, and a browser that seeks in a recording.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createServer, type Server } from '../../src/index.ts';
import { serveStatic } from '../../src/static/index.ts';
import { Random } from '../../testing/random.ts';
import { launchBrowser, skip as noBrowser } from '../browser/fixtures/browser.ts';

const runFile = promisify(execFile);
const timeout = 60_000;
const LARGE_BYTES = 9_000_000;
const PART_BYTES = 1_234_567;
const SAMPLES_A_SECOND = 48_000;
/** Too long for a browser to fetch all of it before it seeks. */
const RECORDING_SECONDS = 1200;

describe('downloads', { timeout }, () => {
  let folder = '';
  let content: Buffer;
  let server: Server;
  let port = 0;
  /** The value of Range and the status of each response, once it has ended. */
  let seen: string[] = [];
  /** The values of Range when they came. */
  let asked: string[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'vibing-downloads-'));
    content = Buffer.alloc(LARGE_BYTES);
    const random = new Random(1);
    for (let at = 0; at < LARGE_BYTES; at += 4) content.writeUInt32LE(random.draw(2 ** 32), at);
    writeFileSync(join(folder, 'large.bin'), content);
    writeRecording(join(folder, 'recording.wav'));
    writeFileSync(join(folder, 'page.html'), '<!doctype html><title>seek</title>');
    server = createServer({ host: '127.0.0.1', port: 0, logLevel: 'error' });
    server.use(async (request, response, next) => {
      const range = request.header('range') ?? 'no range';
      asked.push(range);
      await next();
      seen.push(`${range} ${response.statusCode}`);
    });
    server.use('/', serveStatic(folder));
    port = (await server.listen()).port;
  });
  beforeEach(() => {
    seen = [];
    asked = [];
  });
  after(async () => {
    await server?.close();
    if (folder !== '') rmSync(folder, { recursive: true, force: true });
  });

  /** A client may have all bytes before the server has seen the end of the response. */
  async function responses(): Promise<readonly string[]> {
    while (seen.length < asked.length) await setImmediate();
    return seen;
  }

  const url = (name: string): string => `http://127.0.0.1:${port}/${name}`;
  const target = (name: string): string => join(folder, name);

  test('aria2 with eight connections', { skip: missing('aria2c') }, async () => {
    const options = ['-x', '8', '-s', '8', '-k', '1M', '--no-conf', '--file-allocation=none'];
    await runFile('aria2c', [...options, '-q', '-d', folder, '-o', 'aria2', url('large.bin')]);
    assert.ok(readFileSync(target('aria2')).equals(content));
    const parts = (await responses()).filter((line) => / 206$/.test(line));
    assert.ok(parts.length >= 4, seen.join(', '));
  });

  test('wget -c continues a download', { skip: missing('wget') }, async () => {
    writeFileSync(target('wget'), content.subarray(0, PART_BYTES));
    await runFile('wget', ['-q', '--no-config', '-c', '-O', target('wget'), url('large.bin')]);
    assert.ok(readFileSync(target('wget')).equals(content));
    assert.deepEqual(await responses(), [`bytes=${PART_BYTES}- 206`]);
    // A complete file: nothing is left to send.
    await runFile('wget', ['-q', '--no-config', '-c', '-O', target('wget'), url('large.bin')]);
    assert.equal(statSync(target('wget')).size, LARGE_BYTES);
    assert.equal((await responses())[1], `bytes=${LARGE_BYTES}- 416`);
  });

  describe('curl', { skip: missing('curl') }, () => {
    const curl = async (...args: string[]): Promise<Buffer> => {
      const options = { encoding: 'buffer', maxBuffer: 2 * LARGE_BYTES } as const;
      return (await runFile('curl', ['-q', '-s', '-S', '--fail', ...args], options)).stdout;
    };

    test('a range, the end, several ranges', async () => {
      const middle = await curl('-r', '1000-1999', url('large.bin'));
      assert.ok(middle.equals(content.subarray(1000, 2000)));
      const end = await curl('-r', '-500', url('large.bin'));
      assert.ok(end.equals(content.subarray(LARGE_BYTES - 500)));
      const several = await curl('-r', '0-99,1000-1099', url('large.bin'));
      assert.ok(several.includes(content.subarray(0, 100)));
      assert.ok(several.includes(content.subarray(1000, 1100)));
      assert.deepEqual(
        (await responses()).map((line) => line.slice(-3)),
        ['206', '206', '206'],
      );
    });

    test('-C - continues a download', async () => {
      writeFileSync(target('curl'), content.subarray(0, PART_BYTES));
      await curl('-C', '-', '-o', target('curl'), url('large.bin'));
      assert.ok(readFileSync(target('curl')).equals(content));
      assert.deepEqual(await responses(), [`bytes=${PART_BYTES}- 206`]);
    });

    test('a copy by its entity tag and by its time', async () => {
      const tag = target('tag');
      await curl('--etag-save', tag, '-o', target('tagged'), url('page.html'));
      await curl('--etag-compare', tag, '-o', target('again'), url('page.html'));
      await curl('-R', '-o', target('timed'), url('page.html'));
      await curl('-z', target('timed'), '-o', target('again'), url('page.html'));
      const statuses = (await responses()).map((line) => line.slice(-3));
      assert.deepEqual(statuses, ['200', '304', '200', '304']);
    });
  });

  test('Chromium seeks in a recording', { skip: noBrowser }, async () => {
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage();
      await page.goto(url('page.html'));
      asked = [];
      const position = await page.evaluate(`new Promise((resolve, reject) => {
        const video = document.createElement('video');
        video.muted = true;
        video.preload = 'metadata';
        video.onerror = () => reject(new Error(video.error.message));
        video.onloadedmetadata = () => { video.currentTime = ${RECORDING_SECONDS - 5}; };
        video.onseeked = () => resolve(video.seekable.end(0) + ' ' + video.currentTime);
        video.src = 'recording.wav';
        document.body.append(video);
      })`);
      assert.equal(position, `${RECORDING_SECONDS} ${RECORDING_SECONDS - 5}`);
      // The browser did not fetch all that lies before that position.
      const later = asked.filter((range) => /^bytes=[1-9]\d{7,}-/.test(range));
      assert.ok(later.length > 0, asked.join(', '));
    } finally {
      await browser.close();
    }
  });
});

/** For `skip`. */
function missing(program: string): string | false {
  try {
    execFileSync('which', [program], { stdio: 'ignore' });
    return false;
  } catch {
    return `${program} is not installed: .ci/install-apt`;
  }
}

/** A WAV file: silence, 16 bits, two channels. It takes no room on the disk. */
function writeRecording(path: string): void {
  const bytesASecond = SAMPLES_A_SECOND * 4;
  const bytes = bytesASecond * RECORDING_SECONDS;
  const head = Buffer.alloc(44);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(36 + bytes, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(2, 22);
  head.writeUInt32LE(SAMPLES_A_SECOND, 24);
  head.writeUInt32LE(bytesASecond, 28);
  head.writeUInt16LE(4, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(bytes, 40);
  writeFileSync(path, head);
  truncateSync(path, head.length + bytes);
}
