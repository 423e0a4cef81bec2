// Every case through the parser's machines: whole, byte by byte, at every single cut, alone and in
// a train of other requests.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fault } from '../../src/http/fault.ts';
import type { Case } from './case.ts';
import { agrees, difference } from './difference.ts';
import { allCases } from './load.ts';
import { MessageReader } from './read-messages.ts';
import { alone, everyWay, inTrain } from './trains.ts';

/** More would be worth something, fewer would mean that some were lost. */
const CASES_MIN = 400;
/** A report of everything that is wrong would hide what is. */
const REPORTS_MAX = 3;

const cases = allCases();

/** What is wrong with a case, however it is sent; a few reports at most. */
function wrongs(one: Case): readonly string[] {
  const found: string[] = [];
  const reader = new MessageReader(one.limits);
  for (const train of [alone(one), inTrain(one)]) {
    const { how, bytes, expected } = train;
    for (const splits of everyWay(train)) {
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
          const found = wrongs(one);
          assert.equal(found.length, 0, found.join('\n'));
        });
      }
    });
  }
});

describe('cases: as a whole', () => {
  it(`are ${CASES_MIN} at least`, () => {
    assert.ok(cases.length >= CASES_MIN, `${cases.length} cases`);
  });

  it('show every fault that bytes can have', () => {
    const timeouts: readonly number[] = [Fault.HeadTimeout, Fault.BodyTimeout, Fault.Incomplete];
    const shown = new Set(
      cases.map(({ expected }) => (expected.end.kind === 'fault' ? expected.end.fault : 0)),
    );
    const missing = Object.entries(Fault).filter(
      ([, fault]) => !shown.has(fault) && !timeouts.includes(fault),
    );
    assert.deepEqual(missing, []);
  });

  it('quote a sentence from one place only', () => {
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
