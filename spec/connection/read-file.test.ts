// Files that are sent as they are: from what the system has in memory, and by reading what it has
// not, in order, to the end, and released once, whatever happens meanwhile.

import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { NOT_CACHED } from '../../src/driver/driver.ts';
import { prepareHead } from '../../src/exchange/prepared.ts';
import { exchangeOf } from '../../src/exchange/request.ts';
import { ConnectionFixture, get, respond } from '../../testing/connection-fixture.ts';
import { Random } from '../../testing/random.ts';

const random = new Random(3);
/** Two reads and a part of a third one. */
const CONTENT = Buffer.from(Uint8Array.from({ length: 300_000 }, () => random.below(256)));
const TEXT = CONTENT.toString('latin1');

class Owner {
  readonly file: number;
  readonly identity = 1;
  releases = 0;

  constructor(file: number) {
    this.file = file;
  }

  released(): void {
    this.releases += 1;
  }
}

interface Setup {
  readonly fixture: ConnectionFixture;
  readonly owner: Owner;
  readonly path: string;
}

/** `/file` responds with the file, other paths with text. */
async function withFile(
  run: (setup: Setup) => Promise<void>,
  length = CONTENT.length,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'vibing-read-file-'));
  const path = join(folder, 'file');
  writeFileSync(path, CONTENT);
  const owner = new Owner(openSync(path, 'r'));
  const head = prepareHead([['ETag', '"1"']], length);
  const fixture = new ConnectionFixture((request, response) => {
    const exchange = exchangeOf(request);
    if (request.path !== '/file') response.text('text');
    else assert.ok(exchange.transport.sendFile(exchange, head, owner));
  });
  fixture.driver.files.set(owner.file, CONTENT);
  try {
    await run({ fixture, owner, path });
    await fixture.end();
    assert.equal(owner.releases, 1, 'the file is released once');
  } finally {
    closeSync(owner.file);
    rmSync(folder, { recursive: true });
  }
}

/** The longest wait for a read in the thread pool; no test measures by it. */
const PATIENCE_MS = 30_000;

/** Lets turns and reads run until the condition holds; the assertion behind it says whether. */
async function until(fixture: ConnectionFixture, isSo: () => boolean): Promise<void> {
  const givenUpMs = performance.now() + PATIENCE_MS;
  while (!isSo() && performance.now() < givenUpMs) await fixture.rest();
}

const HEAD_END = '\r\n\r\n';

function contentOf(output: string): string {
  return output.slice(output.indexOf(HEAD_END) + HEAD_END.length);
}

describe('files that are sent as they are', () => {
  it('what is in memory is sent without a read, then the file is released', async () => {
    await withFile(async ({ fixture, owner }) => {
      const client = fixture.open();
      const output = await client.ask(get('/file'));
      assert.match(
        output,
        /^HTTP\/1\.1 200 OK\r\nDate: [^\r]+\r\nETag: "1"\r\nContent-Length: 300000/,
      );
      assert.ok(contentOf(output) === TEXT);
      assert.equal(owner.releases, 1);
      assert.equal(await client.ask(get('/')), respond('text'));
    });
  });

  for (const when of [0, 1, 100_000, 299_999]) {
    it(`from byte ${when} on nothing is in memory: it is read`, async () => {
      await withFile(async ({ fixture }) => {
        const client = fixture.open();
        client.send(`${get('/file')}${get('/')}`);
        let output = client.take();
        if (when > 0) output += client.take(when);
        for (let count = 0; count < 20 && client.socket.send !== null; count++) {
          if (client.socket.send.region < 0) {
            fixture.driver.failSend(client.slot, NOT_CACHED);
            fixture.turn();
            assert.equal(client.socket.send, null, 'nothing is sent during a read');
            await until(fixture, () => client.socket.send !== null);
          } else output += client.take();
        }
        assert.ok(output.includes(HEAD_END));
        assert.ok(contentOf(output) === TEXT + respond('text'), 'all of it, in order');
      });
    });
  }

  it('a file that has grown: no more than was announced is read', async () => {
    const length = 1000;
    await withFile(async ({ fixture }) => {
      const client = fixture.open();
      client.send(`${get('/file')}${get('/')}`);
      let output = client.take();
      fixture.driver.failSend(client.slot, NOT_CACHED);
      fixture.turn();
      await until(fixture, () => client.socket.send !== null);
      for (let count = 0; count < 20 && client.socket.send !== null; count++) {
        output += client.take();
      }
      assert.ok(contentOf(output) === TEXT.slice(0, length) + respond('text'));
    }, length);
  });

  it('a file that shrank: what is there is sent, then the connection ends', async () => {
    await withFile(async ({ fixture, path, owner }) => {
      const client = fixture.open();
      client.send(`${get('/file')}${get('/')}`);
      let output = client.take();
      output += client.take(1000);
      truncateSync(path, 1000);
      fixture.driver.failSend(client.slot, NOT_CACHED);
      fixture.turn();
      await until(fixture, () => client.isShut);
      assert.ok(client.isShut, 'the stream ends in order, before the content does');
      assert.ok(contentOf(output) === TEXT.slice(0, 1000));
      assert.equal(client.socket.send, null, 'the response behind it is not sent');
      assert.equal(owner.releases, 1);
      assert.match(fixture.errorLines.join(), /a file was truncated: it ended at byte 1000$/);
    });
  });

  it('a file that shrank, of a client that sends nothing more: the connection ends', async () => {
    await withFile(async ({ fixture, path, owner }) => {
      const client = fixture.open();
      client.send(get('/file'));
      client.finish();
      client.take();
      client.take(1000);
      truncateSync(path, 1000);
      fixture.driver.failSend(client.slot, NOT_CACHED);
      fixture.turn();
      await until(fixture, () => client.isClosed);
      assert.ok(client.isClosed, 'its slot and descriptor are free');
      assert.equal(owner.releases, 1);
    });
  });

  it('a response that comes while the last bytes are sent follows them', async () => {
    await withFile(async ({ fixture }) => {
      const client = fixture.open();
      client.send(get('/file'));
      client.take();
      client.take(299_000);
      fixture.driver.failSend(client.slot, NOT_CACHED);
      fixture.turn();
      await until(fixture, () => client.socket.send !== null);
      client.send(get('/'));
      const output = await client.read();
      assert.ok(output === TEXT.slice(299_000) + respond('text'));
    });
  });

  it('a connection that breaks during a read gets nothing, nor does the next one', async () => {
    await withFile(async ({ fixture, owner }) => {
      const client = fixture.open();
      client.send(get('/file'));
      client.take();
      fixture.driver.failSend(client.slot, NOT_CACHED);
      fixture.turn();
      client.breakOff();
      assert.equal(owner.releases, 1);
      const next = fixture.open();
      await fixture.rest();
      await fixture.rest();
      assert.equal(next.socket.send, null);
      assert.equal(await next.ask(get('/')), respond('text'));
    });
  });

  it('a connection that breaks between sends releases the file', async () => {
    await withFile(async ({ fixture, owner }) => {
      const client = fixture.open();
      client.send(get('/file'));
      client.take();
      client.take(10);
      client.breakOff();
      assert.equal(owner.releases, 1);
    });
  });
});
