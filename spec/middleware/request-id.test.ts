// requestId(): an identifier for each request, and which identifiers of clients are used.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RequestIdOptions, requestId } from '../../src/middleware/request-id.ts';
import type { Server } from '../../src/server/server.ts';
import { get } from '../../testing/raw-client.ts';
import { onEachDriver, oneDriver, withServer } from '../../testing/with-server.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function routes(options?: RequestIdOptions): (server: Server) => void {
  return (server) => {
    server.use(requestId(options));
    server.get('/', (request, response) => response.json(request.state['requestId']));
    server.get('/error', () => {
      throw new Error('failed');
    });
  };
}

onEachDriver(
  'requestId',
  (add) => {
    add('each request gets another UUID, in the response and in its state', async (driver) => {
      await withServer(driver, {}, routes(), async ({ open }) => {
        const client = await open();
        const seen = new Set<string>();
        for (let count = 0; count < 50; count++) {
          const response = await client.ask(get('/'));
          const id = response.field('x-request-id') ?? '';
          assert.match(id, UUID);
          assert.equal(JSON.parse(response.text), id);
          seen.add(id);
        }
        assert.equal(seen.size, 50);
      });
    });

    add('errors have it', async (driver) => {
      await withServer(driver, {}, routes(), async ({ open }) => {
        const client = await open();
        for (const target of ['/error', '/missing']) {
          assert.match((await client.ask(get(target))).field('x-request-id') ?? '', UUID);
        }
      });
    });

    add('by default the identifier of a request is not used', async (driver) => {
      await withServer(driver, {}, routes(), async ({ open }) => {
        const response = await (await open()).ask(get('/', 'X-Request-Id: mine'));
        assert.match(response.field('x-request-id') ?? '', UUID);
      });
    });

    const longest = 'x'.repeat(128);
    const INCOMING: readonly (readonly [value: string, isUsed: boolean])[] = [
      ['a', true],
      ['A-z_0.9~:/+=@', true],
      [longest, true],
      [`${longest}x`, false],
      ['', false],
      ['a b', false],
      ['a,b', false],
      ['a"b', false],
      ['a\\b', false],
      ['a\tb', false],
      ['<script>', false],
      ['a\xe9', false],
      ['%0d%0a', false],
    ];
    add('an identifier of a trusted request is used if it is one', async (driver) => {
      const made = { trustIncoming: true, generate: () => 'made' };
      await withServer(driver, {}, routes(made), async ({ open }) => {
        const client = await open();
        for (const [value, isUsed] of INCOMING) {
          const response = await client.ask(get('/', `X-Request-Id: ${value}`));
          const id = response.field('x-request-id');
          assert.equal(id, isUsed ? value : 'made', JSON.stringify(value));
        }
        const twice = await client.ask(get('/', 'X-Request-Id: a', 'X-Request-Id: b'));
        assert.equal(twice.field('x-request-id'), 'made');
      });
    });

    add('another field, and an identifier made from the request', async (driver) => {
      const options: RequestIdOptions = {
        header: 'Trace-Id',
        generate: (request) => `${request.method}:${request.path}`,
      };
      await withServer(driver, {}, routes(options), async ({ open }) => {
        const response = await (await open()).ask(get('/'));
        assert.equal(response.field('trace-id'), 'GET:/');
        assert.equal(response.field('x-request-id'), undefined);
      });
    });

    add('what generate() returns must be an identifier', async (driver) => {
      for (const made of ['a b', '', undefined, 7]) {
        const options = { generate: () => made as string };
        await withServer(driver, {}, routes(options), async ({ open, log }) => {
          const response = await (await open()).ask(get('/'));
          assert.equal(response.status, 500);
          assert.ok(log.some((line) => line.includes('generate() must return')));
        });
      }
    });
  },
  oneDriver(),
);

test('invalid options throw', () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ header: '' }, /header is a field name/],
    [{ header: 'a b' }, /header is a field name/],
    [{ header: 5 }, /header is a field name/],
    [{ header: 'Connection' }, /sets the field connection itself/],
    [{ generate: 'x' }, /generate is a function/],
    [{ trustIncoming: 1 }, /true or false/],
    [{ trust: true }, /no option "trust"/],
  ];
  for (const [options, reason] of cases) assert.throws(() => requestId(options), reason);
});
