// Responses whose status has no content (204, 205, 304): they end at their head, however they are
// sent, and their connection persists.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Handler } from '../../src/exchange/handler.ts';
import { prepare } from '../../src/exchange/prepared.ts';
import { ConnectionFixture, DATE, get } from '../../testing/connection-fixture.ts';

const KEEP = 'Connection: keep-alive';
const HEAD = 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n';
const OLD_KEEP = `GET / HTTP/1.0\r\n${KEEP}\r\n\r\n`;
const EMPTY = [
  [204, '204 No Content', []],
  [205, '205 Reset Content', ['Content-Length: 0']],
  [304, '304 Not Modified', []],
] as const;

/** The responses to some requests on one connection. */
async function got(handler: Handler, ...requests: readonly string[]): Promise<string[]> {
  const fixture = new ConnectionFixture(handler);
  const client = fixture.open();
  const texts: string[] = [];
  for (const sent of requests) texts.push(await client.ask(sent));
  await fixture.end();
  return texts;
}

function lines(status: string, fields: readonly string[]): string {
  return `${[`HTTP/1.1 ${status}`, DATE, ...fields].join('\r\n')}\r\n\r\n`;
}

describe('a status without content', () => {
  for (const [status, line, fields] of EMPTY) {
    it(`${status}, at once or prepared`, async () => {
      const prepared = prepare(status);
      const handlers: Handler[] = [
        (_request, response) => response.empty(status),
        (_request, response) => response.prepared(prepared),
      ];
      const expected = lines(line, fields);
      for (const handler of handlers) {
        assert.deepEqual(await got(handler, get('/'), HEAD), [expected, expected]);
      }
    });

    it(`${status} with content is an error of its handler`, async () => {
      assert.throws(() => prepare(status, {}, 'x'), TypeError);
      const full: Handler = (_request, response) => response.status(status).text('content');
      const [text] = await got(full, get('/'));
      assert.match(text ?? '', /^HTTP\/1\.1 500 /);
    });

    it(`${status} ends its source with the first chunk`, async () => {
      let chunks = 0;
      const handler: Handler = (_request, response) =>
        response.status(status).stream(
          (async function* () {
            for (; chunks < 1_000; chunks++) yield 'chunk';
          })(),
        );
      const expected = lines(line, ['Content-Type: application/octet-stream', ...fields]);
      assert.deepEqual(await got(handler, get('/'), get('/')), [expected, expected]);
      assert.equal(chunks, 0);
    });

    it(`${status} needs no content of the declared length`, async () => {
      const handler: Handler = (_request, response) =>
        response.header('Content-Length', 5).empty(status);
      assert.deepEqual(await got(handler, get('/')), [lines(line, fields)]);
    });

    for (const declared of [-1, 5]) {
      const length = declared < 0 ? 'no length' : 'a length';
      it(`${status} begun as a stream of ${length} is its head`, async () => {
        const handler: Handler = async (_request, response) => {
          response.status(status);
          if (declared >= 0) response.header('Content-Length', declared);
          await response.write('hello');
          response.end();
        };
        const expected = lines(line, fields);
        const kept = lines(line, [...fields, KEEP]);
        const texts = await got(handler, get('/'), HEAD, OLD_KEEP, OLD_KEEP);
        assert.deepEqual(texts, [expected, expected, kept, kept]);
      });
    }
  }
});
