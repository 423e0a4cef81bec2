// Where Vibing is stricter or more tolerant than the grammar: the example of every entry has its
// name in the model and its status in the parser.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { bytesOf } from '../../testing/splits.ts';
import { modelStream } from './model.ts';
import { DEFAULT_LIMITS } from './streams.ts';
import { STRICT, TOLERANT } from './strictness.ts';
import { readStream } from './subject.ts';

for (const [name, { example, status }] of Object.entries(STRICT)) {
  it(`rejects for ${name}`, () => {
    const bytes = bytesOf(example);
    const { rule, end } = modelStream(bytes, DEFAULT_LIMITS);
    assert.equal(rule, name);
    assert.deepEqual(end, { kind: 'rejected', status });
    assert.deepEqual(readStream(bytes, DEFAULT_LIMITS).end, end);
  });
}

for (const [name, { example }] of Object.entries(TOLERANT)) {
  it(`tolerates ${name}`, () => {
    const bytes = bytesOf(example);
    const { messages, end } = readStream(bytes, DEFAULT_LIMITS);
    assert.deepEqual(end, { kind: 'complete' });
    assert.equal(messages.length, 1);
    assert.deepEqual(modelStream(bytes, DEFAULT_LIMITS), { messages, end, rule: '' });
  });
}
