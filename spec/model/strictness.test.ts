// The list of what is stricter or looser than the grammar: every entry shows in its example, in the
// model by its name and in the parser by its status.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { bytesOf } from '../../testing/splits.ts';
import { modelStream } from './model.ts';
import { USUAL_LIMITS } from './streams.ts';
import { STRICT, TOLERANT } from './strictness.ts';
import { readStream } from './subject.ts';

for (const [name, { example, status }] of Object.entries(STRICT)) {
  it(`refuses for ${name}`, () => {
    const bytes = bytesOf(example);
    const { rule, end } = modelStream(bytes, USUAL_LIMITS);
    assert.equal(rule, name);
    assert.deepEqual(end, { kind: 'refused', status });
    assert.deepEqual(readStream(bytes, USUAL_LIMITS).end, end);
  });
}

for (const [name, { example }] of Object.entries(TOLERANT)) {
  it(`tolerates ${name}`, () => {
    const bytes = bytesOf(example);
    const { messages, end } = readStream(bytes, USUAL_LIMITS);
    assert.deepEqual(end, { kind: 'whole' });
    assert.equal(messages.length, 1);
    assert.deepEqual(modelStream(bytes, USUAL_LIMITS), { messages, end, rule: '' });
  });
}
