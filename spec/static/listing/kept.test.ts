// The entries that all listings of a site keep at one time: a listing returns what it kept.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { exchangeOf } from '../../../src/exchange/request.ts';
import { Listings } from '../../../src/static/listing/listing.ts';
import { unlistenedServer } from '../../../testing/unlistened-server.ts';

const directory = mkdtempSync(join(tmpdir(), 'vibing-kept-'));
for (const name of ['a', 'b', 'c']) writeFileSync(join(directory, name), name);
after(() => rmSync(directory, { recursive: true }));

const LISTED = { directory, dotfiles: false, resolve: async () => null };

test('as many listings in turn are sorted as there are requests, and none is kept', async () => {
  const listings = new Listings({ sortedMax: 3, keptMax: 3 });
  const { server } = unlistenedServer();
  server.get('/*', (request) => listings.send(exchangeOf(request), LISTED).then(() => {}));
  for (let time = 0; time < 3; time++) {
    for (const [method, target] of [
      ['GET', '/'],
      ['HEAD', '/?sort=size'],
      ['GET', '/?filter=none'],
    ]) {
      const response = await server.inject({ method, target, headers: { accept: 'text/html' } });
      assert.equal(response.status, 200);
      if (target === '/') assert.match(await response.text(), /aria-sort="ascending"/);
      assert.equal(listings.kept, 0, `${method} ${target}`);
    }
  }
  await server.close();
});
