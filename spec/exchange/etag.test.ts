// Entity tags: of files by size and time, weak while a change could go unnoticed; and res.etag(),
// of content or as the handler says.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { FileKind, type FileStat } from '../../src/async-io/async-io.ts';
import { prepare } from '../../src/exchange/prepared.ts';
import { etagOf, isSettled } from '../../src/exchange/representation.ts';
import type { Response } from '../../src/exchange/response.ts';
import { isEntityTag, isWeakTag } from '../../src/http/entity-tag.ts';
import type { Server } from '../../src/server/server.ts';
import { get, request } from '../../testing/raw-client.ts';
import { onEachDriver, oneDriver, withServer } from '../../testing/with-server.ts';

const NOW_MS = Date.UTC(2026, 5, 15);

function stat(modifiedMs: number, bytes = 1000, more: Partial<FileStat> = {}): FileStat {
  return {
    kind: FileKind.File,
    bytes,
    modifiedMs,
    changedMs: NOW_MS,
    inode: 1,
    device: 1,
    ...more,
  };
}

describe('etagOf', () => {
  it('depends on size and time alone', () => {
    const tag = etagOf(stat(1.5), NOW_MS);
    assert.equal(tag, '"3e8-1800"');
    assert.equal(etagOf(stat(1.5, 1000, { inode: 2, device: 3, changedMs: 4 }), NOW_MS), tag);
    assert.notEqual(etagOf(stat(1.5, 1001), NOW_MS), tag);
    assert.equal(etagOf(stat(1.5), NOW_MS, 'br'), '"3e8-1800-br"');
  });

  it('has the full resolution of the time', () => {
    // Neighbours among the times of this year that a number can hold.
    const modifiedMs = NOW_MS - 1_000_000;
    const tags = [0, 1, 2, 3].map((step) => etagOf(stat(modifiedMs + step / 4096), NOW_MS));
    assert.equal(new Set(tags).size, 4);
  });

  it('is an entity tag for any time and size', () => {
    for (const modifiedMs of [0, -1, -1e12, 1e15, 2 ** 41 + 0.25, NOW_MS + 1e10]) {
      for (const bytes of [0, 1, Number.MAX_SAFE_INTEGER]) {
        assert.ok(isEntityTag(etagOf(stat(modifiedMs, bytes), NOW_MS)));
      }
    }
  });

  it('is weak, and another one, while the next change may leave the time the same', () => {
    for (const [modifiedMs, agesMs, settledMs] of [
      [NOW_MS + 0.5, [0, 10, 20, -20, -21, -60_000], [21, 1000, -60_001]],
      [NOW_MS + 10, [0, 10, 20, -20, -60_000], [21, 1000, -60_001]],
      [NOW_MS, [0, 1000, 2000, -2000, -2001, -60_000], [2001, -60_001]],
    ] as const) {
      const settled = etagOf(stat(modifiedMs), modifiedMs + 1e6);
      for (const ageMs of agesMs) {
        const recent = etagOf(stat(modifiedMs), modifiedMs + ageMs);
        assert.ok(isWeakTag(recent), `${ageMs}`);
        assert.ok(isEntityTag(recent));
        assert.notEqual(recent, `W/${settled}`, 'no recent version is taken for the settled one');
        assert.equal(isSettled(modifiedMs, modifiedMs + ageMs), false);
      }
      for (const ageMs of settledMs)
        assert.equal(etagOf(stat(modifiedMs), modifiedMs + ageMs), settled);
    }
  });
});

const HELLO_TAG = `"${createHash('sha256').update('hello').digest('hex').slice(0, 32)}"`;

onEachDriver(
  'res.etag()',
  (test) => {
    const routes = (server: Server) => {
      const add = (path: string, respond: (res: Response) => void) => {
        server.get(path, (_req, res) => respond(res));
        server.post(path, (_req, res) => respond(res));
      };
      add('/text', (res) => res.etag().text('hello'));
      add('/bytes', (res) => res.etag().send(new Uint8Array(100_000)));
      add('/json', (res) => res.etag().json({ a: 'é' }));
      add('/end', (res) => res.etag().end('hello'));
      add('/empty', (res) => res.etag().status(200).end());
      add('/given', (res) => res.etag('"v7"').text('hello'));
      add('/weak', (res) => res.etag('W/"v7"').text('hello'));
      add('/prepared', (res) => res.etag().prepared(prepare(200, { 'X-A': 'b' }, 'hello')));
      add('/changed', (res) => {
        res.beforeSend((outgoing) => {
          outgoing.content = 'hello';
        });
        res.etag().text('other');
      });
      add('/teapot', (res) => res.etag().status(418).text('hello'));
      add('/stream', (res) => {
        res.etag();
        void res.write('hello').then(() => res.end());
      });
    };

    test('a computed tag follows from the content that is sent', async (driver) => {
      await withServer(driver, {}, routes, async ({ open }) => {
        const client = await open();
        for (const path of ['/text', '/end', '/prepared', '/changed']) {
          const response = await client.ask(get(path));
          assert.equal(response.field('etag'), HELLO_TAG, path);
          assert.equal(response.text, 'hello');
          const fresh = await client.ask(get(path, `If-None-Match: "x", ${HELLO_TAG}`));
          assert.equal(fresh.status, 304, path);
          assert.equal(fresh.field('etag'), HELLO_TAG);
          assert.equal(fresh.field('content-type'), undefined);
          const head = await client.ask(request('HEAD', path, []));
          assert.equal(head.field('etag'), HELLO_TAG);
          assert.equal(head.field('content-length'), '5');
        }
        const tags = new Set<string | undefined>();
        for (const path of ['/bytes', '/json', '/empty']) {
          const response = await client.ask(get(path));
          const etag = response.field('etag') ?? '';
          tags.add(etag);
          assert.equal((await client.ask(get(path, `If-None-Match: ${etag}`))).status, 304);
          assert.equal((await client.ask(get(path, `If-Match: ${etag}`))).status, 200);
          assert.equal((await client.ask(get(path, 'If-Match: "x"'))).status, 412);
        }
        assert.equal(tags.size, 3);
      });
    });

    test('a tag that the handler has set is compared as it is', async (driver) => {
      await withServer(driver, {}, routes, async ({ open }) => {
        const client = await open();
        assert.equal((await client.ask(get('/given'))).field('etag'), '"v7"');
        assert.equal((await client.ask(get('/given', 'If-Match: "v7"'))).status, 200);
        assert.equal((await client.ask(get('/weak', 'If-Match: "v7"'))).status, 412);
        assert.equal((await client.ask(get('/weak', 'If-None-Match: "v7"'))).status, 304);
        const failed = await client.ask(get('/given', 'If-Match: "v6"'));
        assert.equal(failed.status, 412);
        assert.equal(failed.text, 'Precondition Failed\n');
      });
    });

    test('other methods and statuses, and streams, are not conditional', async (driver) => {
      await withServer(driver, {}, routes, async ({ open }) => {
        const client = await open();
        const lines = ['If-None-Match: *', 'If-Match: "x"'];
        const posted = await client.ask(request('POST', '/text', [...lines, 'Content-Length: 0']));
        assert.equal(posted.status, 200);
        assert.equal(posted.field('etag'), undefined);
        assert.equal((await client.ask(get('/teapot', ...lines))).status, 418);
        const stream = await client.ask(get('/stream', ...lines));
        assert.equal(stream.status, 200);
        assert.equal(stream.text, 'hello');
      });
    });

    test('a malformed tag throws', async (driver) => {
      const thrown: unknown[] = [];
      const malformed = (server: Server) => {
        server.get('/', (_req, res) => {
          for (const tag of ['v7', '"a b"', '"a"b"', '', 'w/"a"', '"a', '"\n"', '*', null, 7]) {
            try {
              res.etag(tag as string);
            } catch (error) {
              thrown.push(error);
            }
          }
          res.text('done');
        });
      };
      await withServer(driver, {}, malformed, async ({ open }) => {
        const response = await (await open()).ask(get('/', 'If-None-Match: *'));
        assert.equal(response.status, 200);
        assert.equal(response.field('etag'), undefined);
      });
      assert.equal(thrown.length, 10);
      for (const error of thrown)
        assert.match(String(error), /^TypeError: etag\(\): a tag is text/);
    });
  },
  oneDriver(),
);
