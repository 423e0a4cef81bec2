// What can be sent as content, and what the errors say about the rest.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkContent, jsonText } from '../../src/exchange/content.ts';
import { unlistenedServer } from '../../testing/unlistened-server.ts';

/** Its rejection, which no handler sees, must not end the process. */
const rejected = () => Promise.reject(new Error('not awaited'));

describe('content', () => {
  it('is text or bytes', () => {
    checkContent('');
    checkContent(Buffer.from('a'));
    for (const [given, shown] of [
      [5, 'given 5;'],
      [null, 'given null;'],
      [{}, 'given an object;'],
      [['a'], 'given an array;'],
      [new ArrayBuffer(1), 'given an object;'],
    ] as const) {
      assert.throws(() => checkContent(given), {
        name: 'TypeError',
        message: `content is a string or bytes (a Uint8Array), ${shown} json() takes other values`,
      });
    }
  });

  it('is no promise', () => {
    const expected = { name: 'TypeError', message: 'content is not a promise: await it first' };
    assert.throws(() => checkContent(rejected()), expected);
    assert.throws(() => jsonText(rejected()), expected);
    assert.throws(() => jsonText(Promise.resolve({ a: 1 })), expected);
  });

  it('of json() is what JSON.stringify() makes', () => {
    assert.equal(jsonText({}), '{}');
    assert.equal(jsonText('{}'), '"{}"');
    assert.equal(jsonText(null), 'null');
    assert.equal(jsonText({ toJSON: () => 1 }), '1');
    for (const value of [undefined, () => {}, Symbol('a')]) {
      assert.throws(() => jsonText(value), /json\(\) cannot send undefined or a function/);
    }
  });

  it('that is wrong is a 500, and the log says what to do', async () => {
    const { server, log } = unlistenedServer();
    server.post('/', (request, response) => response.json(request.json()));
    const response = await server.inject({ method: 'POST', target: '/', body: '{' });
    assert.equal(response.status, 500);
    assert.match(log.join(''), /POST \/: TypeError: content is not a promise: await it/);
    await server.close();
  });

  it('of a file has its length, whatever beforeSend() declares', async () => {
    const { server, log } = unlistenedServer();
    server.get('/:declared', (request, response) => {
      const { declared } = request.params;
      response.beforeSend(() => {
        response.header('Content-Length', declared);
      });
      return response.file(fileURLToPath(import.meta.url));
    });
    const { length } = readFileSync(fileURLToPath(import.meta.url));
    const right = await server.inject(`/${length}`);
    assert.deepEqual([right.status, (await right.text()).length], [200, length]);
    for (const headers of [{}, { Range: 'bytes=0-9' }, { Range: 'bytes=0-9,20-29' }]) {
      for (const declared of ['5', String(length + 1)]) {
        const wrong = await server.inject({ target: `/${declared}`, headers });
        assert.equal(wrong.status, 500, declared);
      }
    }
    const errors = log.filter((line) => line.startsWith('vibing error'));
    assert.equal(errors.length, 6);
    assert.match(errors[0] ?? '', /TypeError: Content-Length is 5, the content has \d+ bytes/);
    await server.close();
  });
});
