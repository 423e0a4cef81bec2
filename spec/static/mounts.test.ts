// Several mounts of files in one server, requested without a socket: what each adds to the methods
// of a path, and which of their pages takes the place of a 404 or a 405.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createServer, type Server } from '../../src/index.ts';
import { serveStatic } from '../../src/static/serve-static.ts';

describe('mounts of files', () => {
  let root: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'vibing-mounts-'));
    for (const [path, text] of [
      ['one/only-one.txt', 'in one'],
      ['one/missing.html', 'one has none'],
      ['one/undefined.html', 'of no name'],
      ['two/only-two.txt', 'in two'],
      ['two/app.html', 'the app'],
    ]) {
      mkdirSync(join(root, path, '..'), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  });
  after(() => rmSync(root, { recursive: true }));

  async function ask(server: Server, method: string, target: string): Promise<string> {
    const response = await server.inject({ method, target, headers: { accept: 'text/html' } });
    const text = await response.text();
    const allow = response.headers.get('allow');
    return `${response.status} ${allow ?? text}`;
  }

  it('each add their methods and pages, whichever comes first', async () => {
    const one = { notFound: 'missing.html' };
    const two = { spa: 'app.html' };
    for (const isReversed of [false, true]) {
      const server = createServer({ logLevel: 'silent' });
      server.get('/read', (_request, response) => response.text('read'));
      const mounts = [serveStatic(join(root, 'one'), one), serveStatic(join(root, 'two'), two)];
      for (const mount of isReversed ? mounts.reverse() : mounts) server.use('/', mount);
      for (const path of ['/only-one.txt', '/only-two.txt']) {
        assert.equal(await ask(server, 'POST', path), '405 GET, HEAD, OPTIONS', path);
      }
      assert.equal(await ask(server, 'GET', '/only-one.txt'), '200 in one');
      assert.equal(await ask(server, 'GET', '/only-two.txt'), '200 in two');
      // The page of the first mount that has one for the request.
      assert.equal(await ask(server, 'GET', '/none.png'), '404 one has none');
      const page = isReversed ? '200 the app' : '404 one has none';
      assert.equal(await ask(server, 'GET', '/none'), page);
    }
  });

  it('have no page for a path whose route takes another method', async () => {
    const server = createServer({ logLevel: 'silent' });
    server.post('/form', (_request, response) => response.text('sent'));
    server.use('/', serveStatic(join(root, 'two'), { spa: 'app.html', notFound: 'app.html' }));
    assert.equal(await ask(server, 'GET', '/form'), '405 OPTIONS, POST');
    assert.equal(await ask(server, 'GET', '/other'), '200 the app');
  });

  it('have no file of an omitted name', async () => {
    const server = createServer({ logLevel: 'silent' });
    server.use('/files', serveStatic(join(root, 'one'), { extensions: ['html'] }));
    assert.equal(await ask(server, 'GET', '/files/undefined'), '200 of no name');
    for (const target of ['/files', '/files/']) {
      assert.match(await ask(server, 'GET', target), /^404/, target);
    }
  });
});
