// etag(): entity tags of responses in memory, and the conditional requests that they allow.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { etag } from '../../src/middleware/etag.ts';
import type { Server } from '../../src/server/server.ts';
import { get, post, request } from '../../testing/raw-client.ts';
import { onEachDriver, oneDriver, withServer } from '../../testing/with-server.ts';

/** SHA-256 of 'hello', its first 128 bits. */
const HELLO = '"2cf24dba5fb0a30e26e83b2ac5b9e29e"';

function routes(weak: boolean): (server: Server) => void {
  return (server) => {
    server.use(etag({ weak }));
    server.get('/', (_request, response) => response.text('hello'));
    server.get('/changed', (_request, response) => {
      response.beforeSend((outgoing) => {
        outgoing.content = 'hello';
      });
      response.text('bye');
    });
    server.head('/declared', (_request, response) => {
      response.header('Content-Length', 5).end();
    });
    server.get('/field', (_request, response) => response.header('ETag', '"f"').text('hello'));
    server.get('/call', (_request, response) => response.etag('"c"').text('hello'));
    server.get('/strong', (_request, response) => response.etag().text('hello'));
    server.get('/stream', (_request, response) => response.stream(['hello']));
    server.get('/created', (_request, response) => response.status(201).text('hello'));
    server.post('/', (_request, response) => response.text('hello'));
  };
}

onEachDriver(
  'etag',
  (add) => {
    const CASES = [
      ['a GET gets the tag of its content', get('/'), 200, HELLO],
      ['HEAD gets the same', request('HEAD', '/'), 200, HELLO],
      ['the tag is that of the content that is sent', get('/changed'), 200, HELLO],
      ['a client that has it gets 304', get('/', `If-None-Match: ${HELLO}`), 304, HELLO],
      ['a weak comparison suffices', get('/', `If-None-Match: "a", W/${HELLO}`), 304, HELLO],
      ['another tag does not match', get('/', 'If-None-Match: "a"'), 200, HELLO],
      ['If-Match with another tag', get('/', 'If-Match: "a"'), 412, undefined],
      ['a field of the handler stays', get('/field'), 200, '"f"'],
      ['a tag of the handler stays', get('/call', 'If-None-Match: "c"'), 304, '"c"'],
      ['a stream has none', get('/stream'), 200, undefined],
      ['another status has none', get('/created'), 201, undefined],
      ['404 has none', get('/missing'), 404, undefined],
      ['POST has none', post('/', 'x'), 200, undefined],
      ['HEAD without content has none', request('HEAD', '/declared'), 200, undefined],
    ] as const;
    for (const [name, bytes, status, tag] of CASES) {
      add(name, async (driver) => {
        await withServer(driver, {}, routes(false), async ({ open }) => {
          const response = await (await open()).ask(bytes);
          assert.equal(response.status, status);
          assert.equal(response.field('etag'), tag);
          if (status === 304) assert.equal(response.body.length, 0);
        });
      });
    }

    add('a weak tag matches If-None-Match only', async (driver) => {
      await withServer(driver, {}, routes(true), async ({ open }) => {
        const client = await open();
        assert.equal((await client.ask(get('/'))).field('etag'), `W/${HELLO}`);
        const strong = await client.ask(get('/strong'));
        assert.equal(strong.field('etag'), HELLO, 'that of the handler stays');
        const known = await client.ask(get('/', `If-None-Match: W/${HELLO}`));
        assert.equal(known.status, 304);
        assert.equal(known.field('etag'), `W/${HELLO}`);
        assert.equal((await client.ask(get('/', `If-Match: W/${HELLO}`))).status, 412);
      });
    });
  },
  oneDriver(),
);

test('invalid options throw', () => {
  assert.throws(() => etag({ weak: 1 as unknown as boolean }), /weak is true or false/);
  assert.throws(() => etag({ strong: true } as object), /no option "strong"/);
});
