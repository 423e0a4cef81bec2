// compress() over time: streams, content that is compressed in the thread pool, clients that leave,
// encoders that fail, and calls that come too late.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContentCoding, ContentStream } from '../../src/async-io/async-io.ts';
import { codings } from '../../src/async-io/codings.ts';
import { ENCODER_BYTES_MAX } from '../../src/base/fixed-limits.ts';
import { prepare } from '../../src/exchange/prepared.ts';
import { compress } from '../../src/middleware/compress.ts';
import { encoderBytes } from '../../src/middleware/encoder-memory.ts';
import type { Server } from '../../src/server/server.ts';
import { Random } from '../../testing/random.ts';
import { get, RawClient, request } from '../../testing/raw-client.ts';
import {
  eventually,
  Gate,
  makeServer,
  onEachDriver,
  oneDriver,
  wait,
  withServer,
} from '../../testing/with-server.ts';
import { decoded, decodedSoFar, textOf } from './fixtures/encoded.ts';

const LONG = textOf(60_000);
const GZIP = 'Accept-Encoding: gzip';

/** The decoded content of the chunks that a client has received of its only response. */
function received(client: RawClient, coding: ContentCoding): string {
  const { rest } = client;
  const parts: Buffer[] = [];
  let at = rest.indexOf('\r\n\r\n') + 4;
  while (at > 3 && at < rest.length) {
    const lineEnd = rest.indexOf('\r\n', at);
    const size = Number.parseInt(rest.toString('latin1', at, lineEnd), 16);
    if (lineEnd < 0 || !(size > 0) || lineEnd + 2 + size > rest.length) break;
    parts.push(rest.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 4 + size;
  }
  return parts.length === 0 ? '' : decodedSoFar(coding, Buffer.concat(parts));
}

onEachDriver('compress, streams', (add) => {
  for (const coding of codings()) {
    add(`${coding}: a client sees each write before the next one`, async (driver) => {
      const gates = [new Gate(), new Gate()];
      const routes = (server: Server) => {
        server.use(compress());
        server.get('/', async (_request, response) => {
          response.header('Content-Type', 'text/plain');
          await response.write('first, ');
          await gates[0].opened;
          await response.write(Buffer.from('second, '));
          await gates[1].opened;
          response.end('third');
        });
      };
      await withServer(driver, {}, routes, async ({ open }) => {
        const client = await open();
        void client.send(get('/', `Accept-Encoding: ${coding}`));
        await eventually('the first', () => received(client, coding) === 'first, ');
        gates[0].open();
        await eventually('the second', () => received(client, coding) === 'first, second, ');
        gates[1].open();
        const response = await client.nextResponse();
        assert.equal(decoded(response), 'first, second, third');
        assert.equal(response.field('content-encoding'), coding);
      });
    });
  }

  add('a client that does not read makes the handler wait', async (driver) => {
    let written = 0;
    // Random text does not shrink much, so all buffers fill.
    const random = new Random(1);
    const chunk = Array.from({ length: 20_000 }, () => random.below(1e9).toString(36)).join('');
    const routes = (server: Server) => {
      server.use(compress());
      server.get('/', async (_request, response) => {
        response.header('Content-Type', 'text/plain');
        while (!response.closed) {
          await response.write(chunk);
          written += 1;
        }
      });
    };
    await withServer(driver, {}, routes, async ({ open }) => {
      const client = await open();
      client.pause();
      void client.send(get('/', GZIP));
      let before = -1;
      while (written === 0 || written !== before) {
        assert.ok(written < 400, 'what the kernel and the send queue hold is bounded');
        before = written;
        await wait(100);
      }
      client.reset();
      const last = written;
      await wait(30);
      assert.ok(written <= last + 3, 'the loop has ended');
    });
  });

  add('encoders that need much memory are fewer', async (driver) => {
    const routes = (server: Server) => {
      server.use(compress({ level: { br: 9 } }));
      server.get('/held', async (_request, response) => {
        response.header('Content-Type', 'text/plain');
        await response.write('begun');
        await new Promise(() => {});
      });
      server.get('/', (_request, response) => {
        return response.header('Content-Type', 'text/plain').stream([LONG]);
      });
    };
    const most = Math.floor(ENCODER_BYTES_MAX / encoderBytes('br', 9));
    assert.ok(most >= 1 && most < 10, `${most} encoders`);
    await withServer(driver, {}, routes, async ({ open }) => {
      const held: RawClient[] = [];
      for (let count = 0; count < most; count++) {
        const client = await open();
        void client.send(get('/held', 'Accept-Encoding: br'));
        await eventually('a beginning', () => received(client, 'br') === 'begun');
        held.push(client);
      }
      const other = await open();
      const codingOf = async (accepted: string) =>
        (await other.ask(get('/', `Accept-Encoding: ${accepted}`))).field('content-encoding');
      assert.equal(await codingOf('br'), undefined, 'one more does not fit');
      assert.equal(await codingOf('gzip'), 'gzip', 'one of less memory does');
      held[0].reset();
      let coding: string | undefined;
      for (let tries = 0; coding === undefined && tries < 200; tries++) {
        await wait(5);
        coding = await codingOf('br');
      }
      assert.equal(coding, 'br', 'a client that left has made room');
    });
  });

  add('a client that leaves frees the encoder', async (driver) => {
    const routes = (server: Server) => {
      server.use(compress({ concurrency: 1 }));
      server.get('/endless', async (_request, response) => {
        response.header('Content-Type', 'text/plain');
        await response.write('begun');
        await new Promise(() => {});
      });
      server.get('/', (_request, response) => {
        return response.header('Content-Type', 'text/plain').stream([LONG]);
      });
    };
    await withServer(driver, {}, routes, async ({ open }) => {
      const [first, second] = [await open(), await open()];
      void first.send(get('/endless', GZIP));
      await eventually('a beginning', () => received(first, 'gzip') === 'begun');
      const busy = await second.ask(get('/', GZIP));
      assert.equal(busy.field('content-encoding'), undefined, 'one at a time');
      assert.equal(busy.field('vary'), 'Accept-Encoding');
      assert.equal(busy.text, LONG);
      first.reset();
      let coding: string | undefined;
      for (let tries = 0; coding === undefined && tries < 200; tries++) {
        await wait(5);
        coding = (await second.ask(get('/', GZIP))).field('content-encoding');
      }
      assert.equal(coding, 'gzip');
      for (let count = 0; count < 5; count++) {
        const response = await second.ask(get('/', GZIP));
        assert.equal(response.field('content-encoding'), 'gzip', 'each end frees its encoder');
      }
    });
  });
});

onEachDriver(
  'compress, streams with one driver',
  (add) => {
    add('chunks of any size arrive as they were', async (driver) => {
      const seed = Number(process.env['VIBING_SEED'] ?? 7);
      const random = new Random(seed);
      let chunks: (string | Uint8Array)[] = [];
      const routes = (server: Server) => {
        server.use(compress());
        server.get('/stream', (_request, response) => {
          return response.header('Content-Type', 'text/plain').stream(chunks);
        });
        server.get('/write', (_request, response) => {
          response.header('Content-Type', 'text/plain');
          const memory = Buffer.alloc(50_000);
          for (const chunk of chunks) {
            if (typeof chunk === 'string') void response.write(chunk);
            else {
              // Memory that the handler fills again at once.
              memory.set(chunk);
              void response.write(memory.subarray(0, chunk.length));
              memory.fill(0);
            }
          }
          response.end();
        });
      };
      await withServer(driver, {}, routes, async ({ open }) => {
        const client = await open();
        for (let turn = 0; turn < 40; turn++) {
          chunks = Array.from({ length: random.below(8) }, () => {
            const text = textOf(random.below(4) === 0 ? random.below(50_000) : random.below(100));
            return random.below(2) === 0 ? text : Buffer.from(text);
          });
          const wanted = chunks.map((chunk) => chunk.toString()).join('');
          const coding = codings()[random.below(codings().length)];
          for (const target of ['/stream', '/write']) {
            const response = await client.ask(get(target, `Accept-Encoding: ${coding}`));
            assert.equal(decoded(response), wanted, `seed ${seed}, turn ${turn}, ${target}`);
          }
        }
      });
    });

    add('a declared length is that of the content before it is compressed', async (driver) => {
      const routes = (server: Server) => {
        server.use(compress({ threshold: 2 }));
        server.get('/:written', async (request, response) => {
          response.header('Content-Type', 'text/plain').header('Content-Length', 10);
          await response.write('12345');
          response.end(request.params['written']);
        });
      };
      await withServer(driver, {}, routes, async ({ open, log }) => {
        const client = await open();
        const right = await client.ask(get('/67890', GZIP));
        assert.equal(decoded(right), '1234567890');
        assert.equal(right.field('content-length'), undefined);
        for (const [written, reason] of [
          ['6789', 'ended 1 bytes before its Content-Length'],
          ['678901', 'more was written than Content-Length announced'],
        ]) {
          const other = await open();
          void other.send(get(`/${written}`, GZIP));
          await other.ending();
          assert.ok(!other.rest.includes('\r\n0\r\n\r\n'), 'the response is truncated');
          await eventually('a line', () => log.some((line) => line.includes(reason)));
        }
      });
    });

    add('a source that fails truncates the response', async (driver) => {
      const routes = (server: Server) => {
        server.use(compress());
        server.get('/', (_request, response) => {
          return response.header('Content-Type', 'text/plain').stream(
            (function* () {
              yield 'begun';
              throw new Error('the source failed');
            })(),
          );
        });
      };
      await withServer(driver, {}, routes, async ({ open, log }) => {
        const client = await open();
        void client.send(get('/', GZIP));
        await client.ending();
        assert.ok(!client.rest.includes('\r\n0\r\n\r\n'));
        assert.ok(log.some((line) => line.includes('the source failed')));
      });
    });

    add('events are compressed one by one when the type is listed', async (driver) => {
      const gate = new Gate();
      const routes = (server: Server) => {
        server.use(compress({ types: ['text/event-stream'] }));
        server.get('/', async (_request, response) => {
          const events = response.events();
          await events.send('one');
          await gate.opened;
          await events.send('two');
          events.close();
          assert.ok(events.closed);
        });
      };
      await withServer(driver, {}, routes, async ({ open, log }) => {
        const client = await open();
        void client.send(get('/', GZIP));
        await eventually('one event', () => received(client, 'gzip') === 'data: one\n\n');
        gate.open();
        assert.equal(decoded(await client.nextResponse()), 'data: one\n\ndata: two\n\n');
        // An assertion in a handler is a line of the log.
        assert.deepEqual(
          log.filter((line) => line.startsWith('vibing error')),
          [],
        );
      });
    });

    add('a call after the end has no effect', async (driver) => {
      const routes = (server: Server) => {
        server.use(compress());
        server.get('/', (_request, response) => {
          response.header('Content-Type', 'text/plain');
          void response.write('a');
          response.end('b');
          assert.throws(() => response.end('c'), /no effect|ended|before/);
        });
        server.get('/full', (_request, response) => {
          response.text(LONG);
          assert.ok(response.sent);
          assert.throws(() => response.text('second'), /send\(\) is sending/);
          assert.throws(() => response.header('X-Late', 'a'), /send\(\) is sending/);
          assert.throws(() => response.status(404), /send\(\) is sending/);
        });
      };
      await withServer(driver, {}, routes, async ({ open, log }) => {
        const client = await open();
        assert.equal(decoded(await client.ask(get('/', GZIP))), 'ab');
        const full = await client.ask(get('/full', GZIP));
        assert.equal(full.status, 200);
        assert.equal(decoded(full), LONG);
        assert.deepEqual(
          log.filter((line) => line.includes('error')),
          [],
        );
      });
    });

    add('an error handler, notFound and HEAD with long content', async (driver) => {
      const routes = (server: Server) => {
        server.use(compress());
        server.notFound((_request, response) => response.html(LONG));
        server.onError(async (_error, _request, response) => {
          await wait(1);
          response.status(500).html(`error ${LONG}`);
        });
        server.get('/fails', () => {
          throw new Error('failed');
        });
      };
      await withServer(driver, {}, routes, async ({ open }) => {
        const client = await open();
        const missing = await client.ask(get('/missing', GZIP));
        assert.equal(missing.status, 404);
        assert.equal(decoded(missing), LONG);
        const failed = await client.ask(get('/fails', GZIP));
        assert.equal(failed.status, 500);
        assert.equal(decoded(failed), `error ${LONG}`);
        const head = await client.ask(request('HEAD', '/missing', [GZIP]));
        assert.equal(head.field('content-length'), missing.field('content-length'));
      });
    });
  },
  oneDriver(),
);

/** A server whose encoders are replaced. */
async function withEncoders(
  options: { readonly handlerTimeoutMs?: number },
  change: (asyncIo: ReturnType<typeof makeServer>['asyncIo']) => void,
  routes: (server: Server) => void,
  body: (client: RawClient, log: readonly string[]) => Promise<void>,
): Promise<void> {
  const [driver] = oneDriver();
  const { server, asyncIo } = makeServer(driver, options);
  change(asyncIo);
  routes(server);
  const { port } = await server.listen();
  const client = await RawClient.open(port);
  try {
    await body(client, asyncIo.log);
  } finally {
    client.reset();
    await server.close();
  }
}

/** An encoder whose calls wait until it is closed. */
function stuckEncoder(closed: () => void): ContentStream {
  let rejectNow = (_error: Error): void => {};
  const never = (): Promise<never> =>
    new Promise((_resolve, reject) => {
      rejectNow = reject;
    });
  return {
    write: never,
    finish: never,
    close: () => {
      closed();
      rejectNow(new Error('closed'));
    },
  };
}

function brokenEncoder(): ContentStream {
  const fail = (): Promise<never> => Promise.reject(new Error('out of memory'));
  return { write: fail, finish: fail, close: () => {} };
}

function longRoutes(server: Server): void {
  server.use(compress());
  server.get('/full', (_request, response) => response.text(LONG));
  server.get('/stream', (_request, response) => {
    return response.header('Content-Type', 'text/plain').stream([LONG]);
  });
}

/** Passes calls on, and counts those that begin while another one is in progress. */
function observedEncoder(encoder: ContentStream, overlapped: () => void): ContentStream {
  let running = 0;
  const observe = async (call: () => Promise<Uint8Array>): Promise<Uint8Array> => {
    running += 1;
    if (running > 1) overlapped();
    try {
      return await call();
    } finally {
      running -= 1;
    }
  };
  return {
    write: (bytes) => observe(() => encoder.write(bytes)),
    finish: (bytes) => observe(() => encoder.finish(bytes)),
    close: () => encoder.close(),
  };
}

test('writes that are not awaited are encoded one after the other', async () => {
  let overlaps = 0;
  const change = (asyncIo: ReturnType<typeof makeServer>['asyncIo']) => {
    const { encoder } = asyncIo;
    asyncIo.encoder = (...given) => {
      return observedEncoder(encoder.apply(asyncIo, given), () => {
        overlaps += 1;
      });
    };
  };
  const routes = (server: Server) => {
    server.use(compress());
    server.get('/', (_request, response) => {
      response.header('Content-Type', 'text/plain');
      for (let count = 0; count < 20; count++) void response.write(`${count} `);
      response.end('end');
    });
  };
  await withEncoders({}, change, routes, async (client) => {
    const response = await client.ask(get('/', GZIP));
    assert.equal(decoded(response), `${Array.from({ length: 20 }, (_, at) => at).join(' ')} end`);
    assert.equal(overlaps, 0);
  });
});

test('a handler timeout ends a slow encoder, and the client gets 503', async () => {
  let closed = 0;
  const change = (asyncIo: { encoder: unknown }) => {
    asyncIo.encoder = () => stuckEncoder(() => (closed += 1));
  };
  await withEncoders({ handlerTimeoutMs: 100 }, change, longRoutes, async (client) => {
    const response = await client.ask(get('/full', GZIP));
    assert.equal(response.status, 503);
    assert.equal(response.field('content-encoding'), undefined);
    assert.equal(closed, 1);
  });
});

test('a client that leaves closes the encoder of full content', async () => {
  let closed = 0;
  const change = (asyncIo: { encoder: unknown }) => {
    asyncIo.encoder = () => stuckEncoder(() => (closed += 1));
  };
  for (const target of ['/full', '/stream']) {
    closed = 0;
    await withEncoders({}, change, longRoutes, async (client) => {
      void client.send(get(target, GZIP));
      await wait(20);
      client.reset();
      await eventually('an encoder that is closed', () => closed === 1);
    });
  }
});

test('without an encoder content is sent as it is, a stream is truncated', async () => {
  const change = (asyncIo: { encoder: unknown }) => {
    asyncIo.encoder = brokenEncoder;
  };
  await withEncoders({}, change, longRoutes, async (client, log) => {
    const response = await client.ask(get('/full', GZIP));
    assert.equal(response.text, LONG);
    assert.equal(response.field('content-encoding'), undefined);
    assert.equal(response.field('vary'), 'Accept-Encoding');
    assert.ok(log.some((line) => line.includes('not compressed: Error: out of memory')));
    void client.send(get('/stream', GZIP));
    await client.ending();
    assert.ok(!client.rest.includes('\r\n0\r\n\r\n'));
  });
});

test('content that never changes is compressed once', async () => {
  let compressions = 0;
  const change = (asyncIo: ReturnType<typeof makeServer>['asyncIo']) => {
    const { compressNow, encoder } = asyncIo;
    asyncIo.compressNow = (...given) => {
      compressions += 1;
      return compressNow.apply(asyncIo, given);
    };
    asyncIo.encoder = (...given) => {
      compressions += 1;
      return encoder.apply(asyncIo, given);
    };
  };
  const prepared = [prepare(200, {}, textOf(2_000)), prepare(200, {}, LONG)];
  const routes = (server: Server) => {
    server.use(compress());
    server.get('/:index', (request, response) => {
      response.prepared(prepared[Number(request.params['index'])]);
    });
    server.get('/text', (_request, response) => response.text(textOf(2_000)));
  };
  await withEncoders({}, change, routes, async (client) => {
    for (const [target, coding, count] of [
      ['/0', 'gzip', 1],
      ['/0', 'gzip', 0],
      ['/0', 'br', 1],
      ['/0', 'gzip', 0],
      ['/1', 'gzip', 1],
      ['/1', 'gzip', 0],
      ['/text', 'gzip', 1],
      ['/text', 'gzip', 1],
    ] as const) {
      compressions = 0;
      const response = await client.ask(get(target, `Accept-Encoding: ${coding}`));
      assert.equal(decoded(response), target === '/1' ? LONG : textOf(2_000));
      assert.equal(compressions, count, `${target} ${coding}`);
    }
  });
});

test('high levels and long content do not run on the event loop', async () => {
  const levels: string[] = [];
  const change = (asyncIo: ReturnType<typeof makeServer>['asyncIo']) => {
    const { compressNow, encoder } = asyncIo;
    asyncIo.compressNow = (coding, bytes, level) => {
      levels.push(`now ${coding} ${level}`);
      return compressNow.call(asyncIo, coding, bytes, level);
    };
    asyncIo.encoder = (coding, level) => {
      levels.push(`later ${coding} ${level}`);
      return encoder.call(asyncIo, coding, level);
    };
  };
  const routes = (server: Server) => {
    server.use(compress());
    server.use('/high', compress({ level: { gzip: 9, br: 11 } }));
    server.get('/low/:bytes', (request, response) => {
      response.text(textOf(Number(request.params['bytes'])));
    });
    server.get('/high', (_request, response) => response.text(textOf(2_000)));
  };
  await withEncoders({}, change, routes, async (client) => {
    for (const target of ['/low/16384', '/low/16385', '/high']) {
      for (const coding of ['gzip', 'br']) {
        await client.ask(get(target, `Accept-Encoding: ${coding}`));
      }
    }
    assert.deepEqual(levels, [
      ...['now gzip 3', 'now br 4', 'later gzip 3', 'later br 4', 'later gzip 9', 'later br 11'],
    ]);
  });
});
