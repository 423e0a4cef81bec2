// Precompressed variants beside a file: which one is sent, with which fields, and when it is not.

import assert from 'node:assert/strict';
import { rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { oneDriver } from '../../testing/with-server.ts';
import { posixOnly, type RawResponse, SECRET, Site } from './fixtures/site.ts';

const OLD = new Date('2020-02-29T12:00:00.250Z');
const NEWER = new Date('2020-02-29T12:00:01.250Z');
const OLDER = new Date('2020-02-29T11:59:59.250Z');
/** Longer than the steps of the file system's clock, and than a check is fresh. */
const SETTLED_MS = 50;

const FILES: Readonly<Record<string, string>> = {
  'app.js': 'original of the script',
  'app.js.br': 'brotli',
  'app.js.zst': 'zstandard',
  'app.js.gz': 'gzip!',
  'index.html': 'page',
  'index.html.gz': 'packed page',
  'plain.txt': 'plain',
  'stale.txt': 'new text',
  'stale.txt.gz': 'old text',
  'large.bin': 'x'.repeat(3_000),
  'large.bin.gz': 'y'.repeat(2_000),
};

for (const driver of oneDriver()) {
  describe('precompressed variants', () => {
    let site: Site;
    before(async () => {
      const options = { precompressed: true, cacheEntryBytesMax: 1_000, listing: true };
      site = await Site.open({ driver, files: FILES, static: options });
      for (const name of Object.keys(FILES)) utimesSync(site.at(name), OLD, OLD);
      utimesSync(site.at('stale.txt.gz'), OLDER, OLDER);
      utimesSync(site.at('app.js.br'), NEWER, NEWER);
      await delay(SETTLED_MS);
    });
    after(() => site.close());

    const ask = (path: string, accept: string, more = {}): Promise<RawResponse> => {
      return site.ask(path, { headers: { 'Accept-Encoding': accept, ...more } });
    };
    const sent = async (path: string, accept: string): Promise<string> => {
      const { headers, body } = await ask(path, accept);
      return `${headers.get('content-encoding') ?? 'identity'} ${body}`;
    };

    it('are chosen by weight, then by the order br, zst, gz', async () => {
      for (let round = 0; round < 3; round++) {
        for (const [accept, expected] of [
          ['gzip, deflate, br, zstd', 'br brotli'],
          ['zstd, gzip', 'zstd zstandard'],
          ['gzip', 'gzip gzip!'],
          ['GZIP;q=1, br;q=0.5', 'gzip gzip!'],
          ['br;q=0, *', 'zstd zstandard'],
          ['identity, gzip;q=0.5', 'identity original of the script'],
          ['deflate', 'identity original of the script'],
          ['', 'identity original of the script'],
          ['gzip;q=x', 'identity original of the script'],
        ] as const) {
          assert.equal(await sent('/app.js', accept), expected, accept);
        }
        assert.equal(await site.text('/app.js'), 'original of the script');
      }
    });

    it('have the type of the original, and an ETag and a length of their own', async () => {
      const tags = new Set<string | undefined>();
      for (const accept of ['br', 'zstd', 'gzip', 'identity']) {
        const { headers, body, complete } = await ask('/app.js', accept);
        assert.equal(headers.get('content-type'), 'text/javascript; charset=utf-8');
        assert.equal(headers.get('vary'), 'Accept-Encoding');
        assert.equal(headers.get('content-length'), String(body.length));
        assert.ok(complete);
        tags.add(headers.get('etag'));
        const condition = { 'If-None-Match': headers.get('etag') ?? '' };
        const again = await ask('/app.js', accept, condition);
        assert.deepEqual([again.status, again.headers.get('vary')], [304, 'Accept-Encoding']);
      }
      assert.equal(tags.size, 4);
      const plain = await ask('/plain.txt', 'gzip');
      assert.equal(plain.headers.get('vary'), undefined);
      for (const accept of ['gzip', 'identity']) {
        const { headers } = await ask('/index.html', accept);
        assert.equal(headers.get('vary'), 'Accept-Encoding', 'also with one variant');
      }
      assert.equal(plain.headers.get('content-encoding'), undefined);
    });

    it('have ranges of their own bytes', async () => {
      const small = await ask('/app.js', 'br', { Range: 'bytes=1-3' });
      assert.deepEqual([small.status, small.body.toString()], [206, 'rot']);
      assert.equal(small.headers.get('content-range'), 'bytes 1-3/6');
      assert.equal(small.headers.get('content-encoding'), 'br');
      const large = await ask('/large.bin', 'gzip', { Range: 'bytes=1990-' });
      assert.deepEqual([large.status, large.body.toString()], [206, 'y'.repeat(10)]);
      assert.equal(large.headers.get('content-range'), 'bytes 1990-1999/2000');
    });

    it('may be too large for memory', async () => {
      for (let round = 0; round < 2; round++) {
        assert.equal(await sent('/large.bin', 'gzip'), `gzip ${FILES['large.bin.gz']}`);
        assert.equal(await sent('/large.bin', 'br'), `identity ${FILES['large.bin']}`);
      }
    });

    it('are sent for an index, and as files under their own names', async () => {
      assert.equal(await sent('/', 'gzip'), 'gzip packed page');
      assert.equal(await sent('/app.js.gz', 'gzip'), 'identity gzip!');
      assert.equal((await site.ask('/app.js.gz')).headers.get('content-type'), 'application/gzip');
    });

    it('older than the original are not sent', async () => {
      assert.equal(await sent('/stale.txt', 'gzip'), 'identity new text');
    });

    it('that appear, change and disappear are noticed', async () => {
      writeFileSync(site.at('moving.txt'), 'moving');
      await delay(SETTLED_MS);
      assert.equal(await sent('/moving.txt', 'gzip'), 'identity moving');
      for (const text of ['one', 'two']) {
        writeFileSync(site.at('moving.txt.gz'), text);
        await delay(SETTLED_MS);
        assert.equal(await sent('/moving.txt', 'gzip'), `gzip ${text}`);
        assert.equal(await sent('/moving.txt', 'gzip'), `gzip ${text}`);
      }
      rmSync(site.at('moving.txt.gz'));
      await delay(SETTLED_MS);
      assert.equal(await sent('/moving.txt', 'gzip'), 'identity moving');
      rmSync(site.at('moving.txt'));
      await delay(SETTLED_MS);
      assert.equal((await ask('/moving.txt', 'gzip')).status, 404);
    });

    it('that link out of the root are not sent', posixOnly, async () => {
      symlinkSync('../secret.txt', site.at('plain.txt.gz'));
      await delay(SETTLED_MS);
      const { body } = await ask('/plain.txt', 'gzip');
      assert.equal(body.toString(), 'plain');
      assert.ok(!body.includes(SECRET));
    });
  });
}
