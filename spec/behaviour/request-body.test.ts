// Request bodies as handlers read them: at once or chunk by chunk, framed by a length or by chunks,
// as text, JSON or a form, within limits, once.

import assert from 'node:assert/strict';
import type { Request } from '../../src/exchange/request.ts';
import type { Server } from '../../src/server/server.ts';
import { get, post, postChunks, request } from '../../testing/raw-client.ts';
import { onEachDriver, wait, withServer } from '../../testing/with-server.ts';

async function chunksOf(request: Request): Promise<string[]> {
  const chunks: string[] = [];
  for await (const chunk of request.body) chunks.push(Buffer.from(chunk).toString('latin1'));
  return chunks;
}

function routes(server: Server): void {
  server.post('/bytes', async (request, response) => response.send(await request.bytes()));
  server.post('/text', async (request, response) => response.text(await request.text()));
  server.post('/json', async (request, response) => response.json(await request.json()));
  server.post('/chunks', async (request, response) => response.json(await chunksOf(request)));
  server.post('/trailers', async (request, response) => {
    const before = request.trailers();
    await request.bytes();
    response.json([before, request.trailers()]);
  });
  server.post('/form', async (request, response) => {
    const entries: unknown[] = [];
    for (const [name, value] of (await request.form()).entries()) {
      if (typeof value === 'string') entries.push([name, value]);
      else entries.push([name, value.name, value.type, await value.text()]);
    }
    response.json(entries);
  });
  server.post('/later', async (request, response) => {
    await wait(20);
    response.send(await request.bytes());
  });
  server.post('/ignore', (_request, response) => response.text('ignored'));
  server.get('/', (_request, response) => response.text('hello'));
}

const READERS = ['/bytes', '/text'];

onEachDriver('request bodies', (add) => {
  for (const target of READERS) {
    add(`${target} by length and by chunks, of many sizes`, async (driver) => {
      await withServer(driver, {}, routes, async ({ open }) => {
        const client = await open();
        for (const size of [0, 1, 2, 4095, 4096, 4097, 17_000, 100_000, 1_048_576]) {
          const body = 'abcdefghij'.repeat(size / 10 + 1).slice(0, size);
          const byLength = await client.ask(post(target, body));
          assert.ok(byLength.text === body, `${size} bytes by length`);
          const chunks: string[] = [];
          for (let at = 0; at < size; at += 7_001) chunks.push(body.slice(at, at + 7_001));
          const byChunks = await client.ask(postChunks(target, chunks));
          assert.ok(byChunks.text === body, `${size} bytes by chunks`);
        }
      });
    });
  }

  add('that arrive before the handler reads, of many sizes', async (driver) => {
    await withServer(driver, { bodyTimeoutMs: 2_000 }, routes, async ({ open }) => {
      const client = await open();
      for (const size of [17_000, 20_000, 34_000, 36_000, 100_000]) {
        const body = 'abcdefghij'.repeat(size / 10);
        assert.ok(
          (await client.ask(post('/later', body))).text === body,
          `${size} bytes by length`,
        );
        const byChunks = await client.ask(postChunks('/later', [body.slice(0, 999), body]));
        assert.ok(byChunks.text === body.slice(0, 999) + body, `${size} bytes by chunks`);
      }
    });
  });

  add('chunk sizes in both cases, with zeros and extensions', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const head = request('POST', '/bytes', ['Transfer-Encoding: Chunked']);
      const body = '00A;name=value;q="a;b"\r\n0123456789\r\n1a;x\r\nabcdefghijklmnopqrstuvwxyz\r\n';
      const response = await client.ask(`${head}${body}000\r\n\r\n`);
      assert.equal(response.text, '0123456789abcdefghijklmnopqrstuvwxyz');
      assert.equal((await client.ask(get('/'))).status, 200);
    });
  });

  add('a request without a body has an empty one', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      assert.equal((await client.ask(request('POST', '/bytes'))).text, '');
      assert.equal((await client.ask(request('POST', '/chunks'))).text, '[]');
      assert.equal((await client.ask(request('POST', '/json'))).status, 400);
    });
  });

  add('chunks are passed on as they arrive', async (driver) => {
    const gathered: string[] = [];
    const live = (server: Server) => {
      server.post('/', async (request, response) => {
        for await (const chunk of request.body) {
          gathered.push(Buffer.from(chunk).toString());
          await response.write(`got ${chunk.length};`);
        }
        response.end();
      });
    };
    await withServer(driver, {}, live, async ({ open }) => {
      const client = await open();
      void client.send(request('POST', '/', ['Content-Length: 6']));
      for (const chunk of ['a', 'bc', 'def']) {
        void client.send(chunk);
        // The response to a chunk arrives before the next chunk is sent.
        await client.sees(`got ${chunk.length};`);
      }
      assert.equal((await client.nextResponse('POST')).text, 'got 1;got 2;got 3;');
      assert.deepEqual(gathered, ['a', 'bc', 'def']);
    });
  });

  add('chunks do not change when more arrive', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const body = Array.from({ length: 40_000 }, (_, index) => `${index},`).join('');
      const chunks: string[] = JSON.parse((await client.ask(post('/chunks', body))).text);
      assert.ok(chunks.length > 1, 'the body is longer than a chunk');
      assert.ok(chunks.join('') === body);
    });
  });

  add('a slow reader gets all of it', async (driver) => {
    const slow = (server: Server) => {
      server.post('/', async (request, response) => {
        let bytes = 0;
        for await (const chunk of request.body) {
          bytes += chunk.length;
          if (bytes < 200_000) await wait(2);
        }
        response.text(String(bytes));
      });
    };
    await withServer(driver, {}, slow, async ({ open }) => {
      const client = await open();
      assert.equal((await client.ask(post('/', 'x'.repeat(3_000_000)))).text, '3000000');
      const chunks = new Array<string>(300).fill('x'.repeat(10_000));
      assert.equal((await client.ask(postChunks('/', chunks))).text, '3000000');
    });
  });

  add('a reader that leaves the loop does not disturb the connection', async (driver) => {
    const leaving = (server: Server) => {
      server.post('/', async (request, response) => {
        for await (const chunk of request.body) {
          response.text(`first ${String(chunk[0])}`);
          break;
        }
      });
    };
    await withServer(driver, {}, leaving, async ({ open }) => {
      const client = await open();
      for (let index = 0; index < 3; index++) {
        assert.equal((await client.ask(post('/', 'x'.repeat(100_000)))).text, 'first 120');
      }
    });
  });

  add('trailers are available once the body was read', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const head = request('POST', '/trailers', ['Transfer-Encoding: chunked']);
      const response = await client.ask(`${head}1\r\nx\r\n0\r\nX-Sum: 1 \r\nx-B: b\r\n\r\n`);
      assert.deepEqual(JSON.parse(response.text), [
        [],
        [
          ['x-sum', '1'],
          ['x-b', 'b'],
        ],
      ]);
      const without = await client.ask(`${head}1\r\nx\r\n0\r\n\r\n`);
      assert.deepEqual(JSON.parse(without.text), [[], []]);
    });
  });

  add('an unread body is skipped, if that is cheap', async (driver) => {
    await withServer(driver, { discardBytesMax: 1000 }, routes, async ({ open, server }) => {
      const client = await open();
      const small = await client.ask(post('/ignore', 'x'.repeat(1000)));
      assert.equal(small.field('connection'), undefined);
      const chunks = await client.ask(postChunks('/ignore', ['x'.repeat(500), 'x'.repeat(400)]));
      assert.equal(chunks.text, 'ignored');
      assert.equal((await client.ask(post('/missing', 'x'))).status, 404);
      const large = await client.ask(post('/ignore', 'x'.repeat(1001)));
      assert.equal(large.text, 'ignored');
      assert.equal(large.field('connection'), 'close');
      await client.endsCleanly();
      assert.equal(server.counters.accepted, 1);
    });
  });

  add('unread chunks are skipped up to the limit, then the connection closes', async (driver) => {
    await withServer(driver, { discardBytesMax: 1000 }, routes, async ({ open }) => {
      const client = await open();
      void client.send(request('POST', '/ignore', ['Transfer-Encoding: chunked']));
      assert.equal((await client.nextResponse('POST')).text, 'ignored');
      for (let index = 0; index < 4; index++) void client.send(`12c\r\n${'x'.repeat(300)}\r\n`);
      await client.endsCleanly();
    });
  });

  add(
    'over body_bytes_max is 413, by length at once and by chunks when they exceed it',
    async (driver) => {
      await withServer(driver, { bodyBytesMax: 100 }, routes, async ({ open }) => {
        for (const target of ['/bytes', '/text', '/json']) {
          const client = await open();
          void client.send(request('POST', target, ['Content-Length: 101']));
          assert.equal((await client.nextResponse('POST')).status, 413, target);
          const other = await open();
          const chunked = await other.ask(postChunks(target, ['x'.repeat(60), 'x'.repeat(41)]));
          assert.equal(chunked.status, 413, target);
          // The excess was small: it was skipped, and the connection persists.
          assert.equal((await other.ask(get('/'))).text, 'hello');
        }
        const client = await open();
        const streamed = await client.ask(post('/chunks', 'x'.repeat(5_000)));
        assert.equal(JSON.parse(streamed.text).join('').length, 5_000, 'chunks have no such limit');
      });
    },
  );

  add('a body that failed does not affect the next request', async (driver) => {
    await withServer(driver, { bodyBytesMax: 100 }, routes, async ({ open }) => {
      const client = await open();
      const large = postChunks('/bytes', ['x'.repeat(101)]);
      for (const next of [request('POST', '/bytes'), post('/bytes', ''), post('/bytes', 'abc')]) {
        assert.equal((await client.ask(large)).status, 413);
        const response = await client.ask(next);
        assert.equal(response.status, 200);
        assert.equal(response.text, next.endsWith('abc') ? 'abc' : '');
      }
    });
  });

  add('a long body that is read chunk by chunk keeps its connection', async (driver) => {
    const echo = (server: Server) => {
      server.post('/', async (request, response) => {
        for await (const chunk of request.body) await response.write(chunk);
        response.end();
      });
    };
    await withServer(driver, { discardBytesMax: 1000 }, echo, async ({ open, server }) => {
      const client = await open();
      for (const bytes of [post('/', 'x'.repeat(500_000)), postChunks('/', ['x'.repeat(50_000)])]) {
        const response = await client.ask(bytes);
        assert.ok(response.body.length >= 50_000);
        assert.equal(response.field('connection'), undefined);
      }
      assert.equal(server.counters.accepted, 1);
    });
  });

  add('over stream_bytes_max the reader of chunks fails with 413', async (driver) => {
    const options = { streamBytesMax: 1000, bodyBytesMax: 500 };
    await withServer(driver, options, routes, async ({ open }) => {
      const client = await open();
      const chunks = new Array<string>(11).fill('x'.repeat(100));
      const response = await client.ask(postChunks('/chunks', chunks));
      assert.equal(response.status, 413);
      assert.equal(response.field('connection'), 'close');
      await client.endsCleanly();
    });
  });

  add('a body is read once', async (driver) => {
    const twice = (server: Server) => {
      server.post('/:first/:second', async (request, response) => {
        const read = (how: string | undefined) =>
          how === 'chunks' ? chunksOf(request) : request[how as 'bytes' | 'text' | 'json']();
        await read(request.params['first']);
        const second = await read(request.params['second']).catch((error: unknown) => error);
        response.text(second instanceof TypeError ? 'TypeError' : String(second));
      });
    };
    await withServer(driver, {}, twice, async ({ open }) => {
      const client = await open();
      const readers = ['bytes', 'text', 'json', 'chunks'];
      for (const first of readers) {
        for (const second of readers) {
          const response = await client.ask(post(`/${first}/${second}`, '1'));
          assert.equal(response.text, 'TypeError', `${first}, then ${second}`);
        }
      }
    });
  });

  add('text must be valid UTF-8', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const text = 'h\u00e9llo \u20ac \u{1f600}';
      const utf8 = Buffer.from(text).toString('latin1');
      assert.equal((await client.ask(post('/text', utf8))).text, text);
      assert.equal((await client.ask(postChunks('/text', [...utf8]))).text, text);
      for (const bad of ['\xff', '\xc3', '\xed\xa0\x80', 'a\x80']) {
        const response = await client.ask(post('/text', bad));
        assert.equal(response.status, 400);
        assert.equal(response.text, 'the body is not valid UTF-8\n');
      }
      assert.equal((await client.ask(get('/'))).status, 200);
    });
  });

  add('invalid JSON is 400', async (driver) => {
    await withServer(driver, {}, routes, async ({ open, server }) => {
      const client = await open();
      const value = { a: [1, 'x\u20ac', null, true] };
      const json = Buffer.from(JSON.stringify(value)).toString('latin1');
      assert.deepEqual(JSON.parse((await client.ask(post('/json', json))).text), value);
      for (const bad of ['', '{', '{"a":1}x', "{'a':1}", 'undefined', '\xff']) {
        assert.equal((await client.ask(post('/json', bad))).status, 400, bad);
      }
      assert.equal(server.counters.handlerErrors, 0, 'these are errors of the client');
    });
  });

  add('forms: urlencoded', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const type = 'Content-Type: application/x-www-form-urlencoded';
      const response = await client.ask(post('/form', 'a=1&b=x+y%20z&a=%C3%A9&empty=', type));
      assert.deepEqual(JSON.parse(response.text), [
        ['a', '1'],
        ['b', 'x y z'],
        ['a', '\u00e9'],
        ['empty', ''],
      ]);
      const upper = 'Content-Type: Application/X-WWW-Form-Urlencoded; charset=UTF-8';
      assert.equal((await client.ask(post('/form', 'a=1', upper))).text, '[["a","1"]]');
    });
  });

  add('forms: multipart with a file', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const body = [
        '--line\r\nContent-Disposition: form-data; name="a"\r\n\r\none\r\n',
        '--line\r\nContent-Disposition: form-data; name="f"; filename="x.txt"\r\n',
        'Content-Type: text/plain\r\n\r\nin the file\r\n--line--\r\n',
      ].join('');
      const type = 'Content-Type: multipart/form-data; boundary=line';
      const response = await client.ask(post('/form', body, type));
      assert.deepEqual(JSON.parse(response.text), [
        ['a', 'one'],
        ['f', 'x.txt', 'text/plain', 'in the file'],
      ]);
      const wrong = await client.ask(post('/form', body.slice(0, 60), type));
      assert.equal(wrong.status, 400);
      const noBoundary = await client.ask(post('/form', body, 'Content-Type: multipart/form-data'));
      assert.equal(noBoundary.status, 400);
    });
  });

  add('forms: another type is 415', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      for (const type of ['text/plain', 'application/json', 'multipart/mixed', '']) {
        const response = await client.ask(post('/form', 'a=1', `Content-Type: ${type}`));
        assert.equal(response.status, 415, type);
        assert.match(response.text, /; a form is application\/x-www-form-urlencoded or multipart/);
      }
      assert.equal((await client.ask(post('/form', 'a=1'))).status, 415, 'no type at all');
      assert.equal((await client.ask(get('/'))).status, 200);
    });
  });

  add('forms: too many parts or files are 413, before Node sees them', async (driver) => {
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      const head = 'Content-Disposition: form-data; name="a"; filename="f"';
      const part = `--line\r\n${head}\r\n\r\n\r\n`;
      const type = 'Content-Type: multipart/form-data; boundary=line';
      const files = await client.ask(post('/form', `${part.repeat(10_000)}--line--`, type));
      assert.equal(files.status, 413);
      assert.equal(files.text, 'the form has more than 100 files (form_files_max)\n');
      const urlencoded = 'Content-Type: application/x-www-form-urlencoded';
      const fields = await client.ask(post('/form', 'a&'.repeat(500_000), urlencoded));
      assert.equal(fields.status, 413);
      assert.equal(fields.text, 'the form has more than 1000 fields and files (form_parts_max)\n');
      assert.equal((await client.ask(post('/form', 'a=1', urlencoded))).status, 200);
    });
  });

  add('forms: the number of parts is configurable', async (driver) => {
    await withServer(driver, { formPartsMax: 2, formFilesMax: 0 }, routes, async ({ open }) => {
      const client = await open();
      const urlencoded = 'Content-Type: application/x-www-form-urlencoded';
      assert.equal((await client.ask(post('/form', 'a&b', urlencoded))).status, 200);
      assert.equal((await client.ask(post('/form', 'a&b&c', urlencoded))).status, 413);
    });
  });

  add('the fields and the query stay readable while the body arrives', async (driver) => {
    const later = (server: Server) => {
      server.post('/users/:id', async (request, response) => {
        await request.bytes();
        const { params, path, target, method, query } = request;
        const fields = [...request.headers()];
        response.json([params['id'], path, target, method, query.get('q'), fields]);
      });
    };
    await withServer(driver, {}, later, async ({ open }) => {
      const client = await open();
      void client.send(request('POST', '/users/7%20x?q=1', ['X-A: b', 'Content-Length: 100000']));
      await client.staysQuiet(10);
      void client.send('z'.repeat(100_000) + get('/'));
      const response = await client.nextResponse('POST');
      assert.deepEqual(JSON.parse(response.text), [
        '7 x',
        '/users/7 x',
        '/users/7%20x?q=1',
        'POST',
        '1',
        [
          ['host', 'a.test'],
          ['x-a', 'b'],
          ['content-length', '100000'],
        ],
      ]);
    });
  });
});
