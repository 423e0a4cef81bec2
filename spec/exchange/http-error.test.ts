// Errors with a response: their status, their text, their cause.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { HttpError } from '../../src/exchange/http-error.ts';

it('has its status, and its reason phrase as message', () => {
  const error = new HttpError(404);
  assert.ok(error instanceof Error);
  assert.equal(error.name, 'HttpError');
  assert.equal(error.status, 404);
  assert.equal(error.message, 'Not Found');
  assert.equal(new HttpError(499).message, 'Bad Request');
});

it('keeps its message and its cause', () => {
  const cause = new Error('why');
  const error = new HttpError(503, 'come back later', { cause });
  assert.equal(error.message, 'come back later');
  assert.equal(error.cause, cause);
  assert.equal(new HttpError(400, '').message, '');
});

it('accepts only error statuses', () => {
  for (const status of [0, 100, 200, 302, 399, 600, 404.5, Number.NaN]) {
    assert.throws(() => new HttpError(status), RangeError, String(status));
  }
});
