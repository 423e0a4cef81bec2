// Status codes: reason phrases compared with Node's list, status lines, and which ones are final.

import assert from 'node:assert/strict';
import { STATUS_CODES } from 'node:http';
import { it } from 'node:test';
import {
  hasNoContent,
  hasNoLength,
  isFinalStatus,
  reasonPhrase,
  statusLine,
} from '../../src/http/status.ts';

/** Where RFC 9110 differs from Node, or has no such status. */
const NEWER: Readonly<Record<string, string>> = {
  '413': 'Content Too Large',
  '418': "I'm a teapot",
  '422': 'Unprocessable Content',
  '509': 'Internal Server Error',
};

it('phrases are those of the registry', () => {
  for (const [code, phrase] of Object.entries(STATUS_CODES)) {
    assert.equal(reasonPhrase(Number(code)), NEWER[code] ?? phrase, code);
  }
});

it('an unknown code has the phrase of its class', () => {
  assert.equal(reasonPhrase(199), 'Continue');
  assert.equal(reasonPhrase(299), 'OK');
  assert.equal(reasonPhrase(399), 'Multiple Choices');
  assert.equal(reasonPhrase(499), 'Bad Request');
  assert.equal(reasonPhrase(599), 'Internal Server Error');
  assert.equal(reasonPhrase(999), 'Unknown');
});

it('every status has a status line', () => {
  for (let status = 100; status <= 599; status++) {
    const line = Buffer.from(statusLine(status)).toString('latin1');
    assert.equal(line, `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`);
  }
});

it('numbers below 100 have no status line', () => {
  for (const status of [0, 1, 99]) assert.equal(statusLine(status).length, 0, `${status}`);
});

it('handlers may only set final statuses', () => {
  for (const status of [200, 204, 304, 404, 599]) assert.equal(isFinalStatus(status), true);
  for (const status of [100, 101, 103, 199, 600, 0, -200, 200.5, Number.NaN, 1e9]) {
    assert.equal(isFinalStatus(status), false, String(status));
  }
  for (const status of ['200', null, undefined]) {
    assert.equal(isFinalStatus(status as unknown as number), false, String(status));
  }
});

it('204, 205 and 304 have no content, and 205 has a Content-Length of 0', () => {
  const statuses = Array.from({ length: 400 }, (_, index) => 200 + index);
  assert.deepEqual(statuses.filter(hasNoContent), [204, 205, 304]);
  assert.deepEqual(statuses.filter(hasNoLength), [204, 304]);
});
