// Uploads to disk on every driver: req.parts() with saveTo().

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Server } from '../../src/server/server.ts';
import { get, postChunks, request } from '../../testing/raw-client.ts';
import { eventually, onEachDriver, withServer } from '../../testing/with-server.ts';

const TYPE = 'Content-Type: multipart/form-data; boundary=b';
const HEAD = '--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n';
const CONTENT = Array.from({ length: 200_000 }, (_, index) => `${index}\r\n--`).join('');

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'vibing-uploads-'));
  try {
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

onEachDriver('uploads', (add) => {
  const routes = (folder: string) => (server: Server) => {
    server.get('/', (_request, response) => response.text('hello'));
    server.post('/', async (incoming, response) => {
      const bytes: number[] = [];
      for await (const part of incoming.parts()) bytes.push((await part.saveTo(folder)).bytes);
      response.json(bytes);
    });
  };

  add('become files, by length and by chunks', async (driver) => {
    await withFolder(async (folder) => {
      await withServer(driver, {}, routes(folder), async ({ open }) => {
        const client = await open();
        const form = `${HEAD}${CONTENT}\r\n${HEAD}\r\n--b--\r\n`;
        const length = request('POST', '/', [TYPE, `Content-Length: ${form.length}`]);
        const sent: string[] = [];
        for (let at = 0; at < form.length; at += 50_000) sent.push(form.slice(at, at + 50_000));
        const chunked = postChunks('/', sent).replace('\r\n', `\r\n${TYPE}\r\n`);
        for (const text of [length + form, chunked]) {
          assert.equal((await client.ask(text)).text, `[${CONTENT.length},0]`);
        }
        const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1'));
        assert.deepEqual(files.map((text) => text.length).sort(), [
          ...[0, 0],
          ...[CONTENT.length, CONTENT.length],
        ]);
        assert.ok(files.every((text) => text === '' || text === CONTENT));
        assert.equal((await client.ask(get('/'))).text, 'hello');
      });
    });
  });

  add('of clients that leave are removed', async (driver) => {
    await withFolder(async (folder) => {
      await withServer(driver, {}, routes(folder), async ({ open, log }) => {
        const clients = await Promise.all([open(), open(), open()]);
        for (const client of clients) {
          void client.send(request('POST', '/', [TYPE, 'Content-Length: 1000000']));
          void client.send(`${HEAD}one\r\n${HEAD}two${'x'.repeat(50_000)}`);
        }
        await eventually('two files of each', () => readdirSync(folder).length === 6);
        for (const client of clients) client.reset();
        await eventually('no file is left', () => readdirSync(folder).length === 0);
        assert.deepEqual(
          log.filter((line) => line.startsWith('vibing error')),
          [],
        );
      });
    });
  });
});
