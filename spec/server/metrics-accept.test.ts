// Which format of metrics a client gets, by its Accept.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricsFormat } from '../../src/server/metrics-accept.ts';

test('the format that the client prefers, and the first of several', () => {
  const open = 'application/openmetrics-text';
  for (const [accept, format] of [
    [undefined, 'text'],
    ['', 'text'],
    ['image/png', 'text'],
    ['application/json', 'json'],
    ['application/*', 'json'],
    ['text/*;q=0.1, application/json;q=0.2', 'json'],
    ['text/event-stream', 'events'],
    ['*/*', 'text'],
    ['application/json, text/plain', 'json'],
    ['text/plain, application/json', 'text'],
    ['application/json;q=0.5, text/plain;q=0.5', 'json'],
    ['application/json;q=0.5, text/plain;q=0.6', 'text'],
    ['application/json;q=0.6, text/event-stream;q=0.9, text/plain;q=0.7', 'events'],
    ['application/json;q=0', 'text'],
    // A weight that is none is 0.
    ['application/json;q=2', 'text'],
    ['application/json;q=-1', 'text'],
    ['application/json;q=x', 'text'],
    ['application/json;q=1', 'json'],
    [`${open};version=1.0.0`, 'openmetrics'],
    [`${open};version="1.0.0"`, 'openmetrics'],
    [open, 'openmetrics'],
    [`${open};version=0.0.1, text/plain;q=0.1`, 'text'],
    [`${open};version=0.0.1;q=0.9, ${open};version=1.0.0;q=0.8, */*;q=0.1`, 'openmetrics'],
    [`${open};version=2.0.0, application/json;q=0.1`, 'json'],
    ['APPLICATION/JSON ; Q=1', 'json'],
  ] as const) {
    assert.equal(metricsFormat(accept), format, accept);
  }
});
