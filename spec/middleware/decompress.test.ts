// decompress(): bodies in each coding, in any chunks; what is malformed, too long or unsupported.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { codings } from '../../src/async-io/codings.ts';
import { bodyLimit } from '../../src/middleware/body-limit.ts';
import { type DecompressOptions, decompress } from '../../src/middleware/decompress.ts';
import type { Server } from '../../src/server/server.ts';
import { Random } from '../../testing/random.ts';
import { get, postChunks, type RawClient, request } from '../../testing/raw-client.ts';
import { eventually, onEachDriver, oneDriver, withServer } from '../../testing/with-server.ts';
import { encodedBytes, textOf } from './fixtures/encoded.ts';

function routes(options?: DecompressOptions): (server: Server) => void {
  return (server) => {
    server.use(decompress(options));
    server.post('/text', async (request, response) => response.text(await request.text()));
    server.post('/json', async (request, response) => response.json(await request.json()));
    server.post('/form', async (request, response) => {
      response.text(String((await request.form()).get('a')));
    });
    server.post('/chunks', async (request, response) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of request.body) chunks.push(chunk);
      assert.ok(chunks.every((chunk) => chunk.length > 0));
      response.send(Buffer.concat(chunks));
    });
    server.post('/first', async (request, response) => {
      for await (const chunk of request.body) {
        response.send(chunk);
        return;
      }
    });
    server.post('/unread', (_request, response) => response.text('unread'));
    server.get('/text', (_request, response) => response.text('get'));
  };
}

const SECRET = Buffer.from('a secret');

function send(
  client: RawClient,
  target: string,
  coding: string,
  body: Uint8Array | string,
): ReturnType<RawClient['ask']> {
  const bytes = Buffer.from(body);
  const lines = [`Content-Encoding: ${coding}`, `Content-Length: ${bytes.length}`];
  return client.ask(Buffer.concat([Buffer.from(request('POST', target, lines)), bytes]));
}

onEachDriver('decompress', (add) => {
  add('bodies have memory of their own, with nothing of other requests', async (driver) => {
    const memories: string[] = [];
    const read = (server: Server): void => {
      server.use(decompress());
      const note = ({ buffer }: Uint8Array): void => {
        memories.push(Buffer.from(buffer).toString('latin1'));
      };
      server.post('/all', async (request, response) => {
        note(await request.bytes());
        response.empty();
      });
      server.post('/chunks', async (request, response) => {
        for await (const chunk of request.body) note(chunk);
        response.empty();
      });
    };
    await withServer(driver, {}, read, async ({ open }) => {
      const client = await open();
      for (const coding of codings()) {
        for (const target of ['/all', '/chunks']) {
          const response = await send(client, target, coding, encodedBytes(coding, SECRET));
          assert.equal(response.status, 204);
          assert.equal(memories.splice(0).join(''), String(SECRET), `${coding} ${target}`);
        }
      }
    });
  });

  add('bodies of each coding arrive as they were', async (driver) => {
    await withServer(driver, { bodyBytesMax: 200_000 }, routes(), async ({ open }) => {
      const client = await open();
      for (const coding of codings()) {
        for (const length of [1, 500, 150_000]) {
          const text = textOf(length);
          for (const target of ['/text', '/chunks']) {
            const response = await send(
              client,
              target,
              coding,
              encodedBytes(coding, Buffer.from(text)),
            );
            assert.equal(response.status, 200);
            assert.equal(response.body.toString(), text, `${coding} ${length} ${target}`);
          }
        }
      }
      assert.equal((await client.ask(get('/text'))).text, 'get');
    });
  });

  add('a read after one that failed fails, too', async (driver) => {
    const outcomes: string[] = [];
    const reading = (server: Server) => {
      server.use(decompress());
      server.post('/', async (request, response) => {
        const chunks = request.body[Symbol.asyncIterator]();
        for (let turn = 0; turn < 2; turn++) {
          await chunks.next().then(
            ({ done }) => outcomes.push(done === true ? 'end' : 'chunk'),
            ({ status }) => outcomes.push(`failed ${status}`),
          );
        }
        response.text('done');
      });
    };
    await withServer(driver, { bodyBytesMax: 100 }, reading, async ({ open }) => {
      await send(await open(), '/', 'gzip', 'no gzip at all');
      assert.deepEqual(outcomes.splice(0), ['failed 400', 'failed 400']);
      await send(await open(), '/', 'gzip', gzipSync('x'.repeat(101)));
      assert.deepEqual(outcomes, ['failed 413', 'failed 413']);
    });
  });

  add('other limits of a body count decoded bytes, too', async (driver) => {
    const limited = (server: Server) => {
      server.use(decompress());
      server.post('/call', async (request, response) => {
        response.text(String((await request.bytes({ limit: 100 })).length));
      });
      server.use('/less', bodyLimit(300));
      server.use('/more', bodyLimit(100));
      server.use('/own', decompress({ limit: 50 }));
      for (const path of ['/less', '/more', '/own']) {
        server.post(path, async (request, response) => {
          response.text(String((await request.bytes({ limit: 200 })).length));
        });
      }
      server.use('/narrow', bodyLimit(100));
      server.use('/wide', bodyLimit(5_000));
      server.use('/least', decompress({ limit: 300 }));
      server.use('/least', bodyLimit(100));
      for (const path of ['/narrow', '/wide', '/usual', '/least']) {
        server.post(path, async (request, response) => {
          response.text(String((await request.bytes()).length));
        });
        server.post(`${path}/chunks`, async (request, response) => {
          let length = 0;
          for await (const chunk of request.body) length += chunk.length;
          response.text(String(length));
        });
      }
    };
    await withServer(driver, { bodyBytesMax: 1_000 }, limited, async ({ open }) => {
      const cases: readonly (readonly [string, number])[] = [
        ['/call', 100],
        ['/less', 200],
        ['/more', 100],
        ['/own', 50],
        ['/narrow', 100],
        ['/narrow/chunks', 100],
        ['/least', 100],
        ['/least/chunks', 100],
        ['/usual', 1_000],
        ['/usual/chunks', 1_000],
        ['/wide', 5_000],
        ['/wide/chunks', 5_000],
      ];
      for (const [target, most] of cases) {
        const within = await send(await open(), target, 'gzip', gzipSync('x'.repeat(most)));
        assert.equal(within.text, String(most), target);
        const beyond = await send(await open(), target, 'gzip', gzipSync('x'.repeat(most + 1)));
        assert.equal(beyond.status, 413, target);
      }
    });
  });

  add(
    'of two the one that runs last decides its limit, and the body is decoded once',
    async (driver) => {
      const twice = (server: Server) => {
        server.use(decompress({ limit: 100 }));
        server.use('/more', decompress({ limit: 300 }));
        server.post('/*', async (request, response) => {
          response.text(String((await request.bytes()).length));
        });
      };
      await withServer(driver, {}, twice, async ({ open }) => {
        const bytes = gzipSync('x'.repeat(300));
        assert.equal((await send(await open(), '/more', 'gzip', bytes)).text, '300');
        assert.equal((await send(await open(), '/less', 'gzip', bytes)).status, 413);
      });
    },
  );

  add('chunks of any size', async (driver) => {
    const seed = Number(process.env['VIBING_SEED'] ?? 3);
    const random = new Random(seed);
    await withServer(driver, {}, routes(), async ({ open }) => {
      const client = await open();
      for (let turn = 0; turn < 20; turn++) {
        const coding = codings()[random.below(codings().length)];
        const text = textOf(random.below(30_000));
        const bytes = encodedBytes(coding, Buffer.from(text)).toString('latin1');
        const chunks: string[] = [];
        for (let at = 0; at < bytes.length; ) {
          const size = 1 + random.below(random.below(2) === 0 ? 10 : 2_000);
          chunks.push(bytes.slice(at, at + size));
          at += size;
        }
        const target = ['/text', '/chunks'][random.below(2)];
        const response = await client.ask(
          postChunks(target, chunks, `Content-Encoding: ${coding}`),
        );
        assert.equal(response.body.toString(), text, `seed ${seed}, turn ${turn}`);
      }
    });
  });
});

onEachDriver(
  'decompress, requests',
  (add) => {
    add('json and forms', async (driver) => {
      await withServer(driver, {}, routes(), async ({ open }) => {
        const client = await open();
        assert.equal(
          (await send(client, '/json', 'gzip', gzipSync('{"a":[1]}'))).text,
          '{"a":[1]}',
        );
        const body = gzipSync('a=b+c');
        const lines = [
          ...['Content-Encoding: gzip', `Content-Length: ${body.length}`],
          'Content-Type: application/x-www-form-urlencoded',
        ];
        const head = Buffer.from(request('POST', '/form', lines));
        assert.equal((await client.ask(Buffer.concat([head, body]))).text, 'b c');
      });
    });

    add('names of codings', async (driver) => {
      const body = gzipSync('text');
      const cases: readonly (readonly [string, Uint8Array | string, number])[] = [
        ['gzip', body, 200],
        ['GZip', body, 200],
        ['x-gzip', body, 200],
        ['identity', 'text', 200],
        ['', 'text', 200],
        ['identity, gzip', body, 200],
        ['gzip, gzip', gzipSync(body), 415],
        ['compress', 'text', 415],
        ['gzip;q=1', body, 415],
        ['*', body, 415],
      ];
      await withServer(driver, {}, routes(), async ({ open }) => {
        for (const [coding, bytes, status] of cases) {
          const response = await send(await open(), '/text', coding, bytes);
          assert.equal(response.status, status, coding);
          if (status === 200) assert.equal(response.text, 'text', coding);
          else
            assert.match(response.field('accept-encoding') ?? '', /^gzip, deflate, br(, zstd)?$/);
        }
        const client = await open();
        const lines = ['Content-Encoding: gzip', 'Content-Encoding: br', 'Content-Length: 0'];
        assert.equal((await client.ask(request('POST', '/text', lines))).status, 415);
      });
    });

    add('only the listed codings', async (driver) => {
      await withServer(driver, {}, routes({ encodings: ['br'] }), async ({ open }) => {
        const refused = await send(await open(), '/text', 'gzip', gzipSync('text'));
        assert.equal(refused.status, 415);
        assert.equal(refused.field('accept-encoding'), 'br');
        const taken = await send(await open(), '/text', 'br', brotliCompressSync('text'));
        assert.equal(taken.text, 'text');
      });
    });

    add('a malformed body is a 400', async (driver) => {
      const whole = gzipSync(textOf(50_000));
      const damaged = Buffer.from(whole);
      damaged[damaged.length - 6] ^= 0xff;
      const cases: readonly (readonly [string, Uint8Array | string])[] = [
        ['gzip', 'not compressed'],
        ['gzip', whole.subarray(0, -1)],
        ['gzip', whole.subarray(0, 5)],
        ['gzip', damaged],
        ['deflate', whole],
        ['br', 'xyz'],
        ['br', brotliCompressSync(textOf(50_000)).subarray(0, -1)],
        // Bytes after the end.
        ['gzip', Buffer.concat([gzipSync('a'), Buffer.from('x')])],
        ['deflate', Buffer.concat([deflateSync('a'), Buffer.from('x')])],
        ['br', Buffer.concat([brotliCompressSync('a'), Buffer.from('x')])],
        ['deflate', Buffer.concat([deflateSync('a'), Buffer.alloc(20_000)])],
      ];
      await withServer(driver, {}, routes(), async ({ open, log }) => {
        for (const [coding, bytes] of cases) {
          for (const target of ['/text', '/chunks']) {
            const response = await send(await open(), target, coding, bytes);
            assert.equal(response.status, 400, `${coding} ${target}`);
            assert.equal(response.text, `the body is not valid ${coding}\n`);
          }
        }
        assert.deepEqual(
          log.filter((line) => line.includes('vibing error')),
          [],
        );
      });
    });

    add('an empty body is empty', async (driver) => {
      await withServer(driver, {}, routes(), async ({ open }) => {
        const client = await open();
        for (const target of ['/text', '/chunks']) {
          const response = await send(client, target, 'gzip', '');
          assert.equal(response.status, 200);
          assert.equal(response.text, '');
        }
      });
    });

    add('a body that grows beyond the limit is a 413', async (driver) => {
      const zeros = Buffer.alloc(20_000_000);
      const bombs = [
        ['gzip', gzipSync(zeros, { level: 9 })],
        ['br', brotliCompressSync(zeros.subarray(0, 5_000_000))],
      ] as const;
      const cases: readonly (readonly [DecompressOptions, number])[] = [
        [{ limit: 100_000 }, 100_000],
        [{}, 50_000],
      ];
      for (const [options, limit] of cases) {
        await withServer(driver, { bodyBytesMax: 50_000 }, routes(options), async ({ open }) => {
          for (const [coding, bytes] of bombs) {
            for (const target of ['/text', '/chunks']) {
              const before = process.memoryUsage().arrayBuffers;
              const response = await send(await open(), target, coding, bytes);
              assert.equal(response.status, 413, `${coding} ${target}`);
              assert.equal(response.text, `the decoded body has more than ${limit} bytes\n`);
              assert.ok(process.memoryUsage().arrayBuffers - before < 8_000_000);
            }
          }
          const exact = gzipSync(Buffer.alloc(limit));
          assert.equal((await send(await open(), '/text', 'gzip', exact)).body.length, limit);
          const beyond = gzipSync(Buffer.alloc(limit + 1));
          assert.equal((await send(await open(), '/text', 'gzip', beyond)).status, 413);
        });
      }
    });

    add('a handler that leaves the body, or does not read it', async (driver) => {
      await withServer(driver, {}, routes(), async ({ open }) => {
        const client = await open();
        const body = gzipSync(textOf(60_000));
        assert.equal((await send(client, '/unread', 'gzip', body)).text, 'unread');
        const first = await send(client, '/first', 'gzip', body);
        assert.ok(textOf(60_000).startsWith(first.text) && first.text.length > 0);
        assert.equal((await client.ask(get('/text'))).text, 'get');
      });
    });

    add('a client that leaves in the middle of its body', async (driver) => {
      let begun = 0;
      let failed = 0;
      const waiting = (server: Server) => {
        server.use(decompress());
        server.post('/', async (request, response) => {
          begun += 1;
          try {
            for await (const _chunk of request.body);
          } catch {
            failed += 1;
          }
          response.empty();
        });
      };
      await withServer(driver, {}, waiting, async ({ open }) => {
        const client = await open();
        const body = gzipSync(textOf(60_000));
        const lines = ['Content-Encoding: gzip', `Content-Length: ${body.length}`];
        const bytes = Buffer.concat([
          Buffer.from(request('POST', '/', lines)),
          body.subarray(0, 50),
        ]);
        await client.send(bytes);
        await eventually('the handler reads', () => begun === 1);
        client.reset();
        await eventually('the read fails', () => failed === 1);
      });
    });

    add('a body that is read while the response has ended', async (driver) => {
      const reasons: string[] = [];
      const random = new Random(5);
      const text = Array.from({ length: 30_000 }, () => random.below(1e9).toString(36)).join('');
      const early = (server: Server) => {
        server.use(decompress());
        server.post('/', async (request, response) => {
          const iterator = request.body[Symbol.asyncIterator]();
          await iterator.next();
          response.text('early');
          try {
            while ((await iterator.next()).done !== true);
            reasons.push('read');
          } catch (error) {
            reasons.push(String(error));
          }
        });
      };
      await withServer(driver, {}, early, async ({ open }) => {
        const client = await open();
        for (let count = 0; count < 3; count++) {
          assert.equal((await send(client, '/', 'gzip', gzipSync(text))).text, 'early');
        }
        while (reasons.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
        for (const reason of reasons) assert.match(reason, /^read$|request is over/);
      });
    });

    add('without the middleware a body arrives as it was sent', async (driver) => {
      const plain = (server: Server) => {
        server.post('/text', async (request, response) => response.send(await request.bytes()));
      };
      await withServer(driver, {}, plain, async ({ open }) => {
        const body = gzipSync('text');
        const response = await send(await open(), '/text', 'gzip', body);
        assert.ok(response.body.equals(body));
      });
    });
  },
  oneDriver(),
);

test('invalid options throw', () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ encodings: [] }, /encodings is a list/],
    [{ encodings: ['identity'] }, /encodings is a list/],
    [{ encodings: 'gzip' }, /encodings is a list/],
    [{ limit: 0 }, /1 or more/],
    [{ limit: 1.5 }, /1 or more/],
    [{ limit: '1mb' }, /1 or more/],
    [{ limits: 5 }, /did you mean limit/],
  ];
  for (const [options, reason] of cases) assert.throws(() => decompress(options), reason);
});
