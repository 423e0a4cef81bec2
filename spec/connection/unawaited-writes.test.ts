// A handler that writes without waiting for room: what waits for its client is bounded.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { WRITE_QUEUE_BYTES_MAX } from '../../src/base/fixed-limits.ts';
import type { Response } from '../../src/exchange/response.ts';
import { compress } from '../../src/middleware/index.ts';
import { ConnectionFixture, get } from '../../testing/connection-fixture.ts';
import { withSite } from '../../testing/virtual-site.ts';

const CHUNK_BYTES = 1024 * 1024;
const TOO_MANY = WRITE_QUEUE_BYTES_MAX / CHUNK_BYTES + 3;
const LIMIT_TEXT = String(WRITE_QUEUE_BYTES_MAX);

/** Writes `count` chunks at once. Resolves with the errors of the writes. */
async function writeAtOnce(response: Response, count: number): Promise<unknown[]> {
  const chunk = randomBytes(CHUNK_BYTES);
  const writes = Array.from({ length: count }, () => response.write(chunk));
  const results = await Promise.allSettled(writes);
  return results.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
}

describe('writes that are not awaited', () => {
  it('beyond the limit reset the connection: the call rejects, the log says why', async () => {
    let errors: unknown[] = [];
    let isClosed = false;
    const fixture = new ConnectionFixture(async (_request, response) => {
      errors = await writeAtOnce(response, TOO_MANY);
      isClosed = response.closed;
    });
    const client = fixture.open();
    client.send(get('/'));
    assert.equal(client.isReset, true);
    await fixture.rest();
    assert.match(String(errors[0]), /^Error: write\(\) without await/);
    assert.ok(isClosed);
    assert.equal(fixture.errorLines.length, 1);
    const [line = ''] = fixture.errorLines;
    assert.match(line, /^GET \/: the connection was reset: Error: write\(\) without await/);
    assert.ok(line.includes(LIMIT_TEXT), line);
    await fixture.end();
  });

  it('up to the limit are sent', async () => {
    const fixture = new ConnectionFixture(async (_request, response) => {
      assert.deepEqual(await writeAtOnce(response, TOO_MANY - 3), []);
      response.end();
    });
    const client = fixture.open();
    const text = await client.ask(get('/'));
    assert.ok(text.length > WRITE_QUEUE_BYTES_MAX);
    assert.ok(text.endsWith('0\r\n\r\n'));
    assert.deepEqual(fixture.errorLines, []);
    await fixture.end();
  });

  it('are no mistake where send_queue_bytes_max lets more wait', async () => {
    const limits = { sendQueueBytesMax: (TOO_MANY + 3) * CHUNK_BYTES };
    let errors: unknown[] = [];
    const fixture = new ConnectionFixture(
      async (_request, response) => {
        errors = await writeAtOnce(response, TOO_MANY);
        response.end();
      },
      { limits },
    );
    const client = fixture.open();
    client.send(get('/'));
    await fixture.rest();
    assert.deepEqual(errors, []);
    assert.equal(client.isReset, false);
    assert.ok((await client.read()).endsWith('0\r\n\r\n'));
    await fixture.end();
  });

  it('beyond the limit cut a response that is compressed', async () => {
    let errors: unknown[] = [];
    await withSite(
      (server) => {
        server.use(compress());
        server.get('/', async (_request, response) => {
          response.header('Content-Type', 'text/plain');
          errors = await writeAtOnce(response, TOO_MANY);
        });
      },
      async (site) => {
        const client = site.virtual.open();
        client.send('GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n');
        for (let round = 0; errors.length === 0; round++) {
          assert.ok(round < 10_000, 'the write is refused');
          await new Promise((resolve) => setTimeout(resolve, 1));
          await site.virtual.rest(1);
          client.take();
        }
        assert.match(String(errors[0]), /^Error: write\(\) without await/);
        const [line = ''] = site.errors();
        assert.match(line, /GET \/: the response was truncated: Error: write\(\) without await/);
      },
    );
  });
});
