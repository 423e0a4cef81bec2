// Content that a handler changes right after the call that sends it: the client gets what it was,
// also when blocks are short and the content is not copied into one.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { INLINE_BYTES } from '../../src/exchange/content.ts';
import type { Handler } from '../../src/exchange/handler.ts';
import type { Response } from '../../src/exchange/response.ts';
import { ConnectionFixture, get } from '../../testing/connection-fixture.ts';

const BLOCK_BYTES = 2 * INLINE_BYTES;

const WAYS: Readonly<Record<string, (response: Response, content: Buffer) => void>> = {
  'send()': (response, content) => void response.send(content),
  'write() of known length': (response, content) => {
    response.header('Content-Length', content.length);
    void response.write(content);
    response.end();
  },
  'write() in chunks': (response, content) => {
    void response.write(content);
    response.end();
  },
  'end()': (response, content) => void response.end(content),
};

for (const [name, respond] of Object.entries(WAYS)) {
  describe(`content of ${name} that changes at once`, () => {
    for (const isShort of [false, true]) {
      it(`is sent as it was, ${isShort ? 'with few' : 'with many'} blocks`, async () => {
        for (const length of [1, INLINE_BYTES, INLINE_BYTES + 1]) {
          const handler: Handler = (_request, response) => {
            const content = Buffer.alloc(length, 'a');
            respond(response, content);
            content.fill('b');
          };
          const options = { blocks: 16, blockBytes: BLOCK_BYTES };
          const fixture = new ConnectionFixture(handler, options);
          const client = fixture.open();
          const held: number[] = [];
          while (isShort && fixture.slab.freeCount > 2) held.push(fixture.slab.acquire());
          const text = await client.ask(get('/'));
          const from = text.indexOf('\r\n\r\n') + 4;
          const found = text.slice(from).replace(/^[0-9a-f]+\r\n(a+)\r\n0\r\n\r\n$/, '$1');
          assert.ok(found === 'a'.repeat(length), `${length} bytes`);
          for (const block of held) fixture.slab.release(block);
          await fixture.end();
        }
      });
    }
  });
}
