// The cases of spec/cases for mutation testing: each unsplit and byte by byte. Every split of every
// case, as in spec/cases/parser.test.ts, would take a minute for a mutant that survives.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { agrees } from '../cases/difference.ts';
import { allCases } from '../cases/load.ts';
import { MessageReader } from '../cases/read-messages.ts';
import { alone } from '../cases/streams.ts';

for (const one of allCases()) {
  it(one.id, () => {
    const reader = new MessageReader(one.limits);
    const { bytes, expected } = alone(one);
    const bytewise = Array.from({ length: bytes.length - 1 }, (_, index) => index + 1);
    for (const splits of [[], bytewise]) {
      assert.ok(agrees(expected, reader.read(bytes, splits)), `${one.id}, ${splits.length} splits`);
    }
  });
}
