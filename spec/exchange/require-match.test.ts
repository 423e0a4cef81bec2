// req.requireMatch(): 428 without If-Match, 412 for another version.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Server } from '../../src/server/server.ts';
import { request } from '../../testing/raw-client.ts';
import { withSite } from '../../testing/virtual-site.ts';

const site = (server: Server): void => {
  server.put('/any', (req, res) => {
    req.requireMatch();
    res.empty();
  });
  server.put('/page', async (req, res) => {
    await req.text();
    req.requireMatch('"v7"');
    res.empty();
  });
  for (const [path, tag] of [
    ['/weak', 'W/"v7"'],
    ['/bare', 'v7'],
  ] as const) {
    server.put(path, (req) => req.requireMatch(tag));
  }
  for (const [path, tag] of [
    ['/null', null],
    ['/undefined', undefined],
  ] as const) {
    server.put(path, (req, res) => {
      req.requireMatch(tag);
      res.empty();
    });
  }
};

const put = (path: string, ...lines: string[]): string =>
  request('PUT', path, [...lines, 'Content-Length: 0']);

it('checks that a client has seen the version that it changes', async () => {
  await withSite(site, async ({ ask }) => {
    for (const [lines, status] of [
      [[], 428],
      [['If-None-Match: "v7"'], 428],
      [['If-Match: "v7"'], 204],
      [['If-Match: "v6" , "v7"'], 204],
      [['If-Match: "v6"', 'If-Match: "v7"'], 204],
      [['If-Match: *'], 204],
      [['If-Match: "v6"'], 412],
      [['If-Match: W/"v7"'], 412],
      [['If-Match: v7'], 412],
      [['If-Match: "v7", x'], 412],
      [['If-Match: "v7'], 412],
      [['If-Match:'], 412],
      [['If-Match: *, "v7"'], 412],
    ] as const) {
      const response = await ask(put('/page', ...lines));
      assert.equal(response.status, status, lines.join());
      if (status === 428) assert.match(response.text, /^send If-Match with the ETag/);
    }
    assert.equal((await ask(put('/any'))).status, 428);
    assert.equal((await ask(put('/any', 'If-Match: "anything"'))).status, 204);
  });
});

it('matches nothing where there is no version', async () => {
  await withSite(site, async ({ ask }) => {
    for (const path of ['/null', '/undefined']) {
      for (const line of ['If-Match: "v7"', 'If-Match: *', 'If-Match: *, "v7"', 'If-Match:']) {
        const response = await ask(put(path, line));
        assert.equal(response.status, 412, `${path} ${line}`);
        assert.match(response.text, /^there is no version now/);
      }
      assert.equal((await ask(put(path))).status, 428, path);
    }
  });
});

it('takes a strong tag only', async () => {
  await withSite(site, async ({ ask, errors }) => {
    for (const path of ['/weak', '/bare']) {
      assert.equal((await ask(put(path, 'If-Match: *'))).status, 500, path);
    }
    assert.match(errors()[0], /requireMatch\(\): a tag is strong and in quotes, as '"v7"'/);
  });
});
