// compress(): which responses are compressed, in which coding, and with which fields.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { codings } from '../../src/async-io/codings.ts';
import { prepare } from '../../src/exchange/prepared.ts';
import { type CompressOptions, compress } from '../../src/middleware/compress.ts';
import type { Server } from '../../src/server/server.ts';
import { serveStatic } from '../../src/static/serve-static.ts';
import { get, post, type RawClient, request } from '../../testing/raw-client.ts';
import {
  type DriverTest,
  onEachDriver,
  oneDriver,
  wait,
  withServer,
} from '../../testing/with-server.ts';
import { decoded, textOf } from './fixtures/encoded.ts';

const SHORT = textOf(4_000);
const LONG = textOf(60_000);
/** Larger than what serveStatic keeps in memory. */
const LARGE = textOf(200_000);
const GZIP = 'Accept-Encoding: gzip';
/** What `br;q=0, *` gets. */
const BEST_BUT_BR = codings().includes('zstd') ? 'zstd' : 'gzip';
const PREPARED = prepare(200, { ETag: '"p"' }, SHORT);
const LONG_PREPARED = prepare(200, {}, LONG);

function routes(options?: CompressOptions): (server: Server) => void {
  return (server) => {
    server.use(compress(options));
    server.get('/short', (_request, response) => response.text(SHORT));
    server.get('/long', (_request, response) => response.text(LONG));
    server.get('/bytes', (_request, response) => {
      response.send(Buffer.from(LONG), 'application/json');
    });
    server.get('/below', (_request, response) => response.text(textOf(1_023)));
    server.get('/at', (_request, response) => response.text(textOf(1_024)));
    server.get('/stream', (_request, response) =>
      response.header('Content-Type', 'text/a').stream([LONG]),
    );
    server.get('/prepared', (_request, response) => response.prepared(PREPARED));
    server.get('/long-prepared', (_request, response) => response.prepared(LONG_PREPARED));
    server.get('/tag', (_request, response) => response.etag('"v"').text(SHORT));
    server.get('/computed', (_request, response) => response.etag().text(LONG));
    server.get('/weak', (_request, response) => response.etag('W/"v"').text(SHORT));
    server.get('/small-tag', (_request, response) => response.etag('"v"').text('x'));
    server.get('/field', (request, response) => {
      const [name, value] = (request.header('x-set') ?? '').split('=');
      response.header(name, value).send(SHORT);
    });
    server.get('/status/:status', (request, response) => {
      response.status(Number(request.params['status'])).text(SHORT);
    });
    server.get('/empty', (_request, response) => response.empty());
    server.get('/error', () => {
      throw new Error('failed');
    });
    server.post('/short', (_request, response) => response.text(SHORT));
    server.head('/declared', (_request, response) => {
      response.header('Content-Type', 'text/plain').header('Content-Length', 5_000).end();
    });
  };
}

/** A test of the requests of a table, against one server. */
function eachOf<T extends readonly unknown[]>(
  cases: readonly T[],
  check: (client: RawClient, one: T) => Promise<void>,
  options?: CompressOptions,
): DriverTest {
  return async (driver) => {
    await withServer(driver, {}, routes(options), async ({ open }) => {
      const client = await open();
      for (const one of cases) await check(client, one);
    });
  };
}

onEachDriver('compress', (add) => {
  add('content of every length and coding arrives as it was', async (driver) => {
    await withServer(driver, {}, routes(), async ({ open }) => {
      const client = await open();
      for (const coding of codings()) {
        for (const [target, text] of [
          ['/short', SHORT],
          ['/long', LONG],
          ['/bytes', LONG],
          ['/stream', LONG],
          ['/prepared', SHORT],
          ['/prepared', SHORT],
          ['/long-prepared', LONG],
          ['/long-prepared', LONG],
        ] as const) {
          const response = await client.ask(get(target, `Accept-Encoding: ${coding}`));
          assert.equal(response.field('content-encoding'), coding, target);
          assert.equal(response.field('vary'), 'Accept-Encoding', target);
          assert.equal(decoded(response), text, target);
          assert.ok(response.body.length < text.length / 2, target);
          const isStream = target === '/stream';
          assert.equal(response.framing, isStream ? 'chunked' : 'length', target);
        }
      }
    });
  });

  add('responses keep their order', async (driver) => {
    await withServer(driver, {}, routes(), async ({ open }) => {
      const client = await open();
      const targets = ['/long', '/short', '/stream', '/below', '/long', '/empty', '/long'];
      void client.send(targets.map((target) => get(target, GZIP)).join(''));
      const lengths = [];
      for (const _target of targets) lengths.push(decoded(await client.nextResponse()).length);
      assert.deepEqual(lengths, [60_000, 4_000, 60_000, 1_023, 60_000, 0, 60_000]);
    });
  });

  add('a 304 has the fields of its 200, which count bytes', async (driver) => {
    // 400 characters below the threshold, 1,200 bytes above it.
    const text = '€'.repeat(400);
    const tagged = (server: Server) => {
      server.use(compress());
      server.get('/', (_request, response) => response.etag('"v"').text(text));
    };
    await withServer(driver, {}, tagged, async ({ open }) => {
      const client = await open();
      const full = await client.ask(get('/', GZIP));
      const known = await client.ask(get('/', GZIP, 'If-None-Match: "v"'));
      assert.equal(known.status, 304);
      for (const name of ['etag', 'vary']) assert.equal(known.field(name), full.field(name), name);
      assert.equal(full.field('etag'), 'W/"v"');
    });
  });

  add('a file of serveStatic that is open for other requests', async (driver) => {
    const folder = mkdtempSync(join(tmpdir(), 'vibing-compress-'));
    writeFileSync(join(folder, 'large.txt'), LARGE);
    const withFolder = (server: Server) => {
      server.use(compress());
      server.use('/files', serveStatic(folder));
    };
    try {
      await withServer(driver, {}, withFolder, async ({ open }) => {
        const client = await open();
        for (let round = 0; round < 4; round++) {
          const plain = await client.ask(get('/files/large.txt'));
          assert.equal(plain.field('content-encoding'), undefined);
          assert.equal(plain.text, LARGE);
          const response = await client.ask(get('/files/large.txt', GZIP));
          assert.equal(response.field('content-encoding'), 'gzip', `round ${round}`);
          assert.equal(decoded(response), LARGE);
        }
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  add('a file of a handler', async (driver) => {
    const path = join(import.meta.dirname, 'compress.test.js');
    const withFile = (server: Server) => {
      server.use(compress());
      server.get('/', (_request, response) => response.file(path));
    };
    await withServer(driver, {}, withFile, async ({ open }) => {
      const client = await open();
      const plain = await client.ask(get('/'));
      const response = await client.ask(get('/', GZIP));
      assert.equal(decoded(response), plain.text);
      assert.equal(response.field('content-encoding'), 'gzip');
      assert.equal(response.field('accept-ranges'), undefined);
      assert.equal(plain.field('accept-ranges'), 'bytes');
      assert.equal(plain.field('vary'), 'Accept-Encoding');
      const tag = plain.field('etag') ?? '';
      assert.equal(response.field('etag'), `W/${tag}`);
      const part = await client.ask(get('/', GZIP, 'Range: bytes=0-1999'));
      assert.equal(part.status, 206);
      assert.equal(part.field('content-encoding'), undefined);
      assert.equal(part.field('vary'), 'Accept-Encoding', 'as the whole has (RFC 9110 15.3.7)');
      assert.equal(part.text, plain.text.slice(0, 2_000));
      const short = await client.ask(get('/', GZIP, 'Range: bytes=0-9'));
      assert.equal(short.field('vary'), 'Accept-Encoding', 'of a part below the threshold, too');
      const known = await client.ask(get('/', GZIP, `If-None-Match: W/${tag}`));
      assert.equal(known.status, 304);
      assert.equal(known.field('etag'), `W/${tag}`);
      assert.equal(known.field('vary'), 'Accept-Encoding');
    });
  });
});

onEachDriver(
  'compress, the choice',
  (add) => {
    const CHOICES: readonly (readonly [string | null, string | undefined])[] = [
      [null, undefined],
      ['', undefined],
      ['gzip', 'gzip'],
      ['GZIP', 'gzip'],
      ['x-gzip', 'gzip'],
      ['deflate', 'deflate'],
      ['br', 'br'],
      ['gzip, deflate, br', 'br'],
      ['gzip, deflate', 'gzip'],
      ['*', 'br'],
      ['*;q=0.5, identity', undefined],
      ['gzip;q=0.5, identity;q=0.4', 'gzip'],
      ['gzip;q=0.4, identity;q=0.5', undefined],
      ['br;q=0.1, gzip;q=0.9, deflate;q=0.5', 'gzip'],
      ['br;q=0, *', BEST_BUT_BR],
      ['gzip;q=0', undefined],
      ['gzip;q=0.001', 'gzip'],
      ['identity;q=0, gzip', 'gzip'],
      ['identity', undefined],
      // No coding is acceptable: a response that can be read is better than 406 (12.1).
      ['identity;q=0', undefined],
      ['*;q=0', undefined],
      ['compress', undefined],
      // Malformed lists have no effect.
      ['gzip;q=2', undefined],
      ['gzip;level=9', undefined],
      ['gzip br', undefined],
      [',, gzip ,', 'gzip'],
    ];
    add(
      'follows Accept-Encoding',
      eachOf(CHOICES, async (client, [value, coding]) => {
        const lines = value === null ? [] : [`Accept-Encoding: ${value}`];
        const response = await client.ask(get('/short', ...lines));
        assert.equal(response.status, 200);
        assert.equal(response.field('content-encoding'), coding, String(value));
        assert.equal(response.field('vary'), 'Accept-Encoding', String(value));
        assert.equal(decoded(response), SHORT);
      }),
    );

    const ONE: readonly (readonly [string, string | undefined])[] = [
      ['gzip, br', 'gzip'],
      ['br', undefined],
      ['deflate;q=1, gzip;q=0.1', 'gzip'],
    ];
    const only = { encodings: ['gzip'] } as const;
    add(
      'is among the encodings',
      eachOf(
        ONE,
        async (client, [value, coding]) => {
          const response = await client.ask(get('/short', `Accept-Encoding: ${value}`));
          assert.equal(response.field('content-encoding'), coding, value);
        },
        only,
      ),
    );

    add('encodings: [] and a narrower compress() turn it off', async (driver) => {
      const narrow = (server: Server) => {
        server.use(compress());
        server.use('/off', compress({ encodings: [] }));
        server.get('/on', (_request, response) => response.text(SHORT));
        server.get('/off', (_request, response) => response.text(SHORT));
      };
      await withServer(driver, {}, narrow, async ({ open }) => {
        const client = await open();
        assert.equal((await client.ask(get('/on', GZIP))).field('content-encoding'), 'gzip');
        const off = await client.ask(get('/off', GZIP));
        assert.equal(off.field('content-encoding'), undefined);
        assert.equal(off.field('vary'), undefined);
      });
    });
  },
  oneDriver(),
);

onEachDriver(
  'compress, what is left alone',
  (add) => {
    const LEFT: readonly (readonly [string, string])[] = [
      ['below the threshold', get('/below', GZIP)],
      ['no content', get('/empty', GZIP)],
      ['a response that has a coding', get('/field', GZIP, 'X-Set: Content-Encoding=x')],
      ['identity as a coding', get('/field', GZIP, 'X-Set: Content-Encoding=identity')],
      ['no-transform', get('/field', GZIP, 'X-Set: Cache-Control=no-transform')],
      [
        'no-transform among others',
        get('/field', GZIP, 'X-Set: Cache-Control=public,No-Transform'),
      ],
      ['a digest of the content', get('/field', GZIP, 'X-Set: Content-Digest=sha-256:x:')],
      ['a digest of the representation', get('/field', GZIP, 'X-Set: Repr-Digest=sha-256:x:')],
      ['a part of something', get('/field', GZIP, 'X-Set: Content-Range=bytes */5')],
      ['a picture', get('/field', GZIP, 'X-Set: Content-Type=image/png')],
      ['an unknown type', get('/field', GZIP, 'X-Set: Content-Type=application/octet-stream')],
      ['a stream of events', get('/field', GZIP, 'X-Set: Content-Type=text/event-stream')],
      ['an error text', get('/error', GZIP)],
    ];
    add(
      'is without Content-Encoding and Vary',
      eachOf(LEFT, async (client, [name, bytes]) => {
        const response = await client.ask(bytes);
        const coding = bytes.includes('Content-Encoding')
          ? /Encoding=(\w+)/.exec(bytes)?.[1]
          : undefined;
        assert.equal(response.field('content-encoding'), coding, name);
        assert.equal(response.field('vary'), undefined, name);
      }),
    );

    const TYPES: readonly (readonly [string, boolean])[] = [
      ['text/html; charset=utf-8', true],
      ['TEXT/HTML', true],
      ['application/json ; charset=utf-8', true],
      ['text/event-stream', false],
      ['text/event-stream; charset=utf-8', false],
      ['text/css', true],
      ['text/javascript', true],
      ['application/javascript', true],
      ['application/json', true],
      ['application/problem+json', true],
      ['application/wasm', true],
      ['application/xml', true],
      ['application/rss+xml', true],
      ['image/svg+xml', true],
      ['application/jsonx', false],
      ['application/zip', false],
      ['image/webp', false],
      ['video/mp4', false],
      ['font/woff2', false],
      ['xtext/html', false],
    ];
    add(
      'depends on the type',
      eachOf(TYPES, async (client, [type, isCompressed]) => {
        const response = await client.ask(get('/field', GZIP, `X-Set: Content-Type=${type}`));
        assert.equal(response.field('content-encoding'), isCompressed ? 'gzip' : undefined, type);
      }),
    );

    const LISTED: readonly (readonly [string, boolean])[] = [
      ['application/x-one', true],
      ['Application/X-One;a=b', true],
      ['image/png', true],
      ['imagery/png', false],
      ['a/b+zip', true],
      ['text/plain', false],
      ['application/x-one2', false],
    ];
    const types = { types: ['application/x-One', 'image/*', '+zip'] };
    add(
      'depends on the listed types',
      eachOf(
        LISTED,
        async (client, [type, isCompressed]) => {
          const response = await client.ask(get('/field', GZIP, `X-Set: Content-Type=${type}`));
          assert.equal(response.field('content-encoding'), isCompressed ? 'gzip' : undefined, type);
        },
        types,
      ),
    );

    add(
      'other statuses and methods have content, too',
      eachOf([[0]], async (client) => {
        for (const bytes of [
          get('/status/404', GZIP),
          post('/short', 'x', GZIP),
          get('/at', GZIP),
        ]) {
          assert.equal((await client.ask(bytes)).field('content-encoding'), 'gzip', bytes);
        }
      }),
    );

    add('content that does not shrink is sent as it is', async (driver) => {
      const random = (server: Server) => {
        server.use(compress({ threshold: 0, types: ['a/b'] }));
        server.get('/', (_request, response) => response.send('x', 'a/b'));
      };
      await withServer(driver, {}, random, async ({ open }) => {
        const response = await (await open()).ask(get('/', GZIP));
        assert.equal(response.field('content-encoding'), undefined);
        assert.equal(response.field('content-length'), '1');
        assert.equal(response.field('vary'), 'Accept-Encoding');
      });
    });
  },
  oneDriver(),
);

onEachDriver(
  'compress, fields',
  (add) => {
    add(
      'HEAD has those of GET',
      eachOf(
        [['/short'], ['/long'], ['/prepared'], ['/stream'], ['/below'], ['/tag']],
        async (client, [target]) => {
          const wanted = await client.ask(get(target, GZIP));
          const response = await client.ask(request('HEAD', target, [GZIP]));
          const shown = (fields: typeof wanted.fields) =>
            fields.filter(([name]) => name !== 'Date');
          assert.deepEqual(shown(response.fields), shown(wanted.fields), target);
        },
      ),
    );

    add(
      'HEAD of an unknown compressed length declares none',
      eachOf([[0]], async (client) => {
        const response = await client.ask(request('HEAD', '/declared', [GZIP]));
        assert.equal(response.field('content-length'), undefined);
        assert.equal(response.field('content-encoding'), 'gzip');
        const plain = await client.ask(request('HEAD', '/declared'));
        assert.equal(plain.field('content-length'), '5000');
        assert.equal(plain.field('vary'), 'Accept-Encoding');
      }),
    );

    const TAGS: readonly (readonly [string, readonly string[], number, string | undefined])[] = [
      ['/tag', [], 200, '"v"'],
      ['/tag', [GZIP], 200, 'W/"v"'],
      ['/weak', [GZIP], 200, 'W/"v"'],
      ['/tag', [GZIP, 'If-None-Match: W/"v"'], 304, 'W/"v"'],
      ['/tag', [GZIP, 'If-None-Match: "v"'], 304, 'W/"v"'],
      ['/tag', ['If-None-Match: "v"'], 304, '"v"'],
      ['/tag', [GZIP, 'If-None-Match: "w"'], 200, 'W/"v"'],
      ['/tag', [GZIP, 'If-Match: W/"v"'], 412, undefined],
      ['/small-tag', [GZIP], 200, '"v"'],
      ['/small-tag', [GZIP, 'If-None-Match: "v"'], 304, '"v"'],
      ['/prepared', [GZIP], 200, 'W/"p"'],
      ['/prepared', [], 200, '"p"'],
    ];
    add(
      'the entity tag is weak',
      eachOf(TAGS, async (client, [target, lines, status, tag]) => {
        const response = await client.ask(get(target, ...lines));
        const what = `${target} ${lines}`;
        assert.equal(response.status, status, what);
        assert.equal(response.field('etag'), tag, what);
        const varies = target !== '/small-tag' && status !== 412;
        if (varies) assert.equal(response.field('vary'), 'Accept-Encoding', what);
        if (target === '/small-tag') assert.equal(response.field('vary'), undefined, what);
      }),
    );

    add(
      'a computed tag is that of the content',
      eachOf([[0]], async (client) => {
        const plain = (await client.ask(get('/computed'))).field('etag');
        assert.equal((await client.ask(get('/computed', GZIP))).field('etag'), `W/${plain}`);
      }),
    );

    add('Vary of others stays', async (driver) => {
      const varying = (server: Server) => {
        server.use(compress());
        server.get('/', (_request, response) => response.header('Vary', 'Cookie').text(SHORT));
      };
      await withServer(driver, {}, varying, async ({ open }) => {
        const response = await (await open()).ask(get('/', GZIP));
        assert.deepEqual(response.all('vary'), ['Cookie', 'Accept-Encoding']);
      });
    });

    add('content that beforeSend() sets is what is compressed', async (driver) => {
      const changing = (server: Server) => {
        server.use(compress());
        server.get('/', (_request, response) => {
          response.beforeSend((outgoing) => {
            outgoing.content = LONG;
            outgoing.setHeader('Content-Type', 'text/html');
          });
          response.send(Buffer.from('x'));
        });
      };
      await withServer(driver, {}, changing, async ({ open }) => {
        const response = await (await open()).ask(get('/', GZIP));
        assert.equal(decoded(response), LONG);
        assert.equal(response.field('content-type'), 'text/html');
      });
    });

    add('a buffer that is filled again does not change the response', async (driver) => {
      const reusing = (server: Server) => {
        server.use(compress());
        const buffers = [Buffer.alloc(2_000), Buffer.alloc(60_000)];
        server.get('/:bytes/:text', (request, response) => {
          const { bytes, text } = request.params;
          const buffer = buffers.find(({ length }) => length === Number(bytes));
          response.send(buffer?.fill(text) ?? '', 'text/plain');
          buffer?.fill('!');
        });
      };
      await withServer(driver, {}, reusing, async ({ open }) => {
        const client = await open();
        for (const bytes of [2_000, 60_000]) {
          for (const text of ['a', 'b']) {
            const response = await client.ask(get(`/${bytes}/${text}`, GZIP));
            assert.equal(decoded(response), text.repeat(bytes));
          }
        }
      });
    });

    add('HTTP/1.0 clients', async (driver) => {
      await withServer(driver, {}, routes(), async ({ open }) => {
        for (const target of ['/long', '/stream']) {
          const client = await open();
          const response = await client.ask(`GET ${target} HTTP/1.0\r\n${GZIP}\r\n\r\n`);
          assert.equal(decoded(response), LONG);
          assert.equal(response.framing, target === '/long' ? 'length' : 'close');
        }
      });
    });

    add('a handler that responds later', async (driver) => {
      const later = (server: Server) => {
        server.use(compress());
        server.get('/', async (_request, response) => {
          await wait(1);
          response.text(LONG);
        });
      };
      await withServer(driver, {}, later, async ({ open }) => {
        assert.equal(decoded(await (await open()).ask(get('/', GZIP))), LONG);
      });
    });
  },
  oneDriver(),
);

test('invalid options throw', () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ treshold: 5 }, /did you mean threshold/],
    [{ threshold: -1 }, /whole number of bytes/],
    [{ threshold: Number.POSITIVE_INFINITY }, /whole number of bytes/],
    [{ encodings: 'gzip' }, /encodings is a list/],
    [{ encodings: ['identity'] }, /encodings is a list/],
    [{ level: 6 }, /object with a level/],
    [{ level: { gzip: 10 } }, /gzip is a whole number from 1 to 9/],
    [{ level: { br: 12 } }, /br is a whole number from 0 to 11/],
    [{ level: { deflate: 0 } }, /deflate is a whole number from 1 to 9/],
    [{ level: { zstd: 1.5 } }, /zstd is a whole number/],
    [{ level: { brotli: 5 } }, /no option "brotli"/],
    [{ types: 'text/*' }, /list of media types/],
    [{ types: ['text'] }, /list of media types/],
    [{ types: ['*/*'] }, /list of media types/],
    [{ types: ['text/html; charset=utf-8'] }, /list of media types/],
    [{ types: ['+'] }, /list of media types/],
    [{ concurrency: -1 }, /whole number of responses/],
  ];
  for (const [options, reason] of cases) {
    assert.throws(() => compress(options), reason, JSON.stringify(options));
  }
});
