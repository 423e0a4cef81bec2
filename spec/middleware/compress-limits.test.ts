// compress() at its limits, in virtual time: how many encoders there are, what is released on
// each way to the end of a response, and content of exactly the limiting length.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { ContentStream } from '../../src/async-io/async-io.ts';
import {
  COMPRESS_NOW_BYTES_MAX,
  ENCODER_BYTES_MAX,
  RESPONSE_FIELD_BYTES_MAX,
  RESPONSE_FIELDS_MAX,
} from '../../src/base/fixed-limits.ts';
import { compress } from '../../src/middleware/compress.ts';
import { encoderBytes } from '../../src/middleware/encoder-memory.ts';
import type { Server } from '../../src/server/server.ts';
import { get } from '../../testing/raw-client.ts';
import type { VirtualServer } from '../../testing/virtual-server.ts';
import { type VirtualSite, withSite } from '../../testing/virtual-site.ts';
import { totalOf } from '../metrics/fixtures/shown.ts';
import { decoded, textOf } from './fixtures/encoded.ts';

const GZIP = 'Accept-Encoding: gzip';
/** Longer than what is compressed at once. */
const LONG = textOf(20_000);

/** Encoders that wait until they are released, or closed. */
class HeldEncoders {
  readonly #waiting: (() => void)[] = [];
  isHolding = true;

  constructor({ asyncIo }: VirtualServer) {
    const { encoder } = asyncIo;
    asyncIo.encoder = (...given) => this.#held(encoder.apply(asyncIo, given));
  }

  get count(): number {
    return this.#waiting.length;
  }

  release(): void {
    for (const resume of this.#waiting.splice(0)) resume();
  }

  #held(encoder: ContentStream): ContentStream {
    let resolve = (): void => {};
    let reject = (_error: Error): void => {};
    const promise = new Promise<void>((resolveNow, rejectNow) => {
      resolve = resolveNow;
      reject = rejectNow;
    });
    promise.catch(() => {});
    const wait = (): Promise<void> => {
      if (!this.isHolding) return Promise.resolve();
      this.#waiting.push(resolve);
      return promise;
    };
    return {
      write: (bytes) => wait().then(() => encoder.write(bytes)),
      finish: (bytes) => wait().then(() => encoder.finish(bytes)),
      close: () => {
        reject(new Error('closed'));
        encoder.close();
      },
    };
  }
}

async function codingOf({ ask }: VirtualSite, target: string): Promise<string | undefined> {
  return (await ask(get(target, GZIP))).field('content-encoding');
}

function longRoutes(server: Server): void {
  server.use(compress({ concurrency: 1 }));
  server.get('/', (_request, response) => response.text(LONG));
}

test('full content releases its encoder: at its end, a failure, or without a client', async () => {
  await withSite(longRoutes, async (site) => {
    const { asyncIo } = site.virtual;
    for (let count = 0; count < 3; count++) assert.equal(await codingOf(site, '/'), 'gzip');
    const { encoder } = asyncIo;
    const fail = (): Promise<never> => Promise.reject(new Error('out of memory'));
    asyncIo.encoder = () => ({ write: fail, finish: fail, close: () => {} });
    assert.equal(await codingOf(site, '/'), undefined);
    asyncIo.encoder = encoder;
    assert.equal(await codingOf(site, '/'), 'gzip', 'after a failure');
    const held = new HeldEncoders(site.virtual);
    const client = site.virtual.open();
    client.send(get('/', GZIP));
    await site.virtual.rest();
    assert.equal(held.count, 1);
    held.isHolding = false;
    assert.equal(await codingOf(site, '/'), undefined, 'one at a time');
    site.virtual.driver.finish(client.slot, -104);
    await site.virtual.rest();
    assert.equal(await codingOf(site, '/'), 'gzip', 'a client that left has made room');
  });
});

test('a response that took too long is sent once, and its encoder is released', async () => {
  const options = { handlerTimeoutMs: 50 };
  const body = async (site: VirtualSite): Promise<void> => {
    const held = new HeldEncoders(site.virtual);
    const client = site.virtual.open();
    client.send(get('/', GZIP));
    await site.virtual.rest();
    site.virtual.pass(100);
    held.isHolding = false;
    held.release();
    await site.virtual.rest();
    const output = client.take();
    assert.match(output, /^HTTP\/1\.1 503 /);
    assert.equal(output.split('HTTP/1.1 ').length, 2, 'one response');
    assert.equal(site.errors().length, 1, site.errors().join('\n'));
    assert.match(site.errors()[0], /no response within handler_timeout_ms/);
    assert.equal(await codingOf(site, '/'), 'gzip');
  };
  await withSite(longRoutes, body, options);
});

test('encoders have exactly the memory of their limit together', async () => {
  const large = encoderBytes('br', 8);
  const small = encoderBytes('gzip', 3);
  const larges = Math.floor(ENCODER_BYTES_MAX / large);
  const smalls = (ENCODER_BYTES_MAX - larges * large) / small;
  assert.ok(Number.isInteger(smalls) && larges + smalls < 60, `${larges} and ${smalls} encoders`);
  const routes = (server: Server) => {
    server.use(compress({ level: { br: 8 }, threshold: 0 }));
    server.get('/held', async (_request, response) => {
      response.header('Content-Type', 'text/plain');
      await response.write('begun');
      await new Promise(() => {});
    });
  };
  await withSite(routes, async ({ virtual }) => {
    const heads: string[] = [];
    for (let count = 0; count <= larges + smalls; count++) {
      const client = virtual.open();
      client.send(get('/held', `Accept-Encoding: ${count < larges ? 'br' : 'gzip'}`));
      await virtual.rest(2);
      heads.push(client.take());
    }
    const encoded = heads.filter((head) => /content-encoding/i.test(head)).length;
    assert.equal(encoded, larges + smalls, 'all that fit, and not one more');
  });
});

test('an encoded form as long as the content is not sent', async () => {
  const lengths = Array.from({ length: 60 }, (_, at) => at + 1);
  const same = lengths.find((length) => {
    return gzipSync('a'.repeat(length), { level: 3 }).length === length;
  });
  assert.ok(same !== undefined);
  const routes = (server: Server) => {
    server.use(compress({ threshold: 0 }));
    server.get('/:length', (request, response) => {
      response.text('a'.repeat(Number(request.params['length'])));
    });
  };
  await withSite(routes, async (site) => {
    assert.equal(await codingOf(site, `/${same}`), undefined);
    assert.equal(await codingOf(site, `/${same + 1}`), 'gzip');
  });
});

test('content is as long as its bytes, not as its characters', async () => {
  // Random characters of three bytes each compress to more bytes than there are characters.
  let state = 1;
  const text = Array.from({ length: 3_000 }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return String.fromCharCode(0x4e00 + (state % 0x5000));
  }).join('');
  const compressed = gzipSync(text, { level: 3 }).length;
  assert.ok(compressed > text.length && compressed < Buffer.byteLength(text));
  const longest = '€'.repeat(COMPRESS_NOW_BYTES_MAX);
  const routes = (server: Server) => {
    server.use(compress());
    server.get('/random', (_request, response) => response.text(text));
    server.get('/longest', (_request, response) => response.text(longest));
  };
  await withSite(routes, async ({ ask }) => {
    for (const [path, content] of [
      ['/random', text],
      ['/longest', longest],
      ['/random', text],
    ]) {
      const response = await ask(get(path, GZIP));
      assert.equal(response.field('content-encoding'), 'gzip');
      assert.equal(decoded(response), content);
    }
  });
});

test('a response at the limits of its fields stays as it is', async () => {
  /** compress() adds 3 fields at most, and far fewer characters than this. */
  const added = { fields: 3, characters: 256 };
  const routes = (server: Server) => {
    server.use(compress());
    server.get('/count/:count', (request, response) => {
      const count = Number(request.params['count']);
      response.header('Content-Type', 'text/plain');
      for (let index = 1; index < count; index++) response.header(`X-${index}`, 'x');
      response.send(textOf(2_000));
    });
    server.get('/length/:length', (request, response) => {
      // Names and values count.
      const others = 'Content-Typetext/plainX'.length;
      response.header('Content-Type', 'text/plain');
      response.header('X', 'x'.repeat(Number(request.params['length']) - others));
      response.send(textOf(2_000));
    });
  };
  await withSite(routes, async (site) => {
    const most = RESPONSE_FIELDS_MAX - added.fields;
    assert.equal(await codingOf(site, `/count/${most}`), 'gzip');
    assert.equal(await codingOf(site, `/count/${most + 1}`), undefined);
    const longest = RESPONSE_FIELD_BYTES_MAX - added.characters;
    assert.equal(await codingOf(site, `/length/${longest}`), 'gzip');
    assert.equal(await codingOf(site, `/length/${longest + 1}`), undefined);
  });
});

test('metrics count bytes, not characters', async () => {
  const text = '€'.repeat(700);
  const routes = (server: Server) => {
    server.use(compress());
    server.get('/', (_request, response) => response.text(text));
  };
  const body = async ({ ask, virtual }: VirtualSite): Promise<void> => {
    const response = await ask(get('/', GZIP));
    assert.equal(decoded(response), text);
    const shown = JSON.parse((await ask(get('/metrics', 'Accept: application/json'))).text);
    assert.equal(totalOf(shown, 'vibing_compress_input_bytes_total'), 2_100);
    const output = totalOf(shown, 'vibing_compress_output_bytes_total');
    assert.equal(output, response.body.length);
    assert.deepEqual(
      virtual.asyncIo.log.filter((line) => line.includes('error')),
      [],
    );
  };
  await withSite(routes, body, { metrics: true, metricsPublic: true });
});
