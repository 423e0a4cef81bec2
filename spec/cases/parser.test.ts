// Every case through the parser: unsplit, byte by byte, split at every single place, alone and
// between other requests.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fault } from '../../src/http/fault.ts';
import type { Case } from './case.ts';
import { agrees, difference } from './difference.ts';
import { allCases } from './load.ts';
import { MessageReader } from './read-messages.ts';
import { alone, pipelined, splitsOf } from './streams.ts';

/** Fewer cases mean that some were removed by mistake. */
const CASES_MIN = 400;
/** More reports would be hard to read. */
const REPORTS_MAX = 3;

const cases = allCases();

/** The failures of a case over all its streams and splits; a few reports at most. */
function failures(one: Case): readonly string[] {
  const found: string[] = [];
  const reader = new MessageReader(one.limits);
  for (const stream of [alone(one), pipelined(one)]) {
    const { how, bytes, expected } = stream;
    for (const splits of splitsOf(stream)) {
      const outcome = reader.read(bytes, splits);
      if (agrees(expected, outcome)) continue;
      found.push(difference(one, how, splits, expected, outcome));
      if (found.length === REPORTS_MAX) return found;
    }
  }
  return found;
}

describe('cases: the parser', () => {
  for (const file of new Set(cases.map((one) => one.file))) {
    describe(file, () => {
      for (const one of cases.filter((each) => each.file === file)) {
        it(one.id, () => {
          const found = failures(one);
          assert.equal(found.length, 0, found.join('\n'));
        });
      }
    });
  }
});

describe('cases: all files', () => {
  it(`are at least ${CASES_MIN}`, () => {
    assert.ok(cases.length >= CASES_MIN, `${cases.length} cases`);
  });

  it('contain every fault that bytes can cause', () => {
    const timeouts: readonly number[] = [Fault.HeadTimeout, Fault.BodyTimeout, Fault.Incomplete];
    const shown = new Set(
      cases.map(({ expected }) => (expected.end.kind === 'fault' ? expected.end.fault : 0)),
    );
    const missing = Object.entries(Fault).filter(
      ([, fault]) => !shown.has(fault) && !timeouts.includes(fault),
    );
    assert.deepEqual(missing, []);
  });

  it('quote each sentence from one section only', () => {
    const places = new Map<string, string>();
    for (const one of cases) {
      for (const { rfc, section, quote, line } of one.rules) {
        const place = `RFC ${rfc} ${section}`;
        const other = places.get(quote) ?? place;
        places.set(quote, place);
        assert.equal(place, other, `${one.file}:${line}: "${quote}"`);
      }
    }
  });
});
