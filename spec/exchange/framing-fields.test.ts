// The fields that a handler may not set.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { checkFraming } from '../../src/exchange/framing-fields.ts';

it("those that delimit a response are the server's", () => {
  for (const name of [
    'transfer-encoding',
    'content-length',
    'connection',
    'keep-alive',
    'upgrade',
    'trailer',
  ]) {
    assert.throws(() => checkFraming(name), { name: 'TypeError', message: new RegExp(name) });
  }
});

it("others are the handler's", () => {
  for (const name of ['content-type', 'content-encoding', 'date', 'x-trailer', 'te', 'etag']) {
    checkFraming(name);
  }
});
