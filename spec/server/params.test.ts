// req.params is a plain object without a prototype: any name is a parameter like others.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Server } from '../../src/server/server.ts';
import { get } from '../../testing/raw-client.ts';
import { withSite } from '../../testing/virtual-site.ts';

it('parameters may have any name, and nothing is inherited', async () => {
  let checked = 0;
  const routes = (server: Server) => {
    server.get('/:__proto__/:constructor/:toString/:_0/*', (request, response) => {
      const params: Record<string, unknown> = request.params;
      assert.equal(Object.getPrototypeOf(params), null);
      assert.deepEqual(
        [...Object.entries(params)],
        [
          ['__proto__', 'a'],
          ['constructor', 'b'],
          ['toString', 'c'],
          ['_0', 'd'],
          ['*', 'e/f'],
        ],
      );
      for (const name of ['valueOf', 'hasOwnProperty', '__defineGetter__', 'then']) {
        assert.equal(name in params, false, name);
      }
      // Each reader has an object of its own.
      params['_0'] = 'changed';
      assert.equal((request.params as Record<string, unknown>)['_0'], 'd');
      checked += 1;
      response.json(request.params);
    });
  };
  await withSite(routes, async ({ ask }) => {
    for (let times = 0; times < 3; times++) {
      const { text } = await ask(get('/a/b/c/d/e/f'));
      assert.equal(text, '{"__proto__":"a","constructor":"b","toString":"c","_0":"d","*":"e/f"}');
    }
  });
  assert.equal(checked, 3);
});
