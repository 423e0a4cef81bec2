// The results of a load that counted very much: percentiles, counts and sums near 2^32 and 2^53.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram } from '../../src/load/histogram.ts';
import { LoadError, Recorder } from '../../src/load/recorder.ts';
import { setPrivate } from '../../testing/private-field.ts';
import { privateFields } from '../../testing/same-state.ts';

/** A histogram with `each` samples of 1 ms and of 100 ms. */
async function histogramOf(each: number): Promise<Histogram> {
  const histogram = new Histogram();
  histogram.add(1);
  histogram.add(100);
  const counts = privateFields(histogram).get('#counts');
  assert.ok(counts instanceof Float64Array);
  for (const [at, count] of counts.entries()) if (count > 0) counts[at] = each;
  await setPrivate(histogram, {
    '#count': 2 * each,
    '#sum': 101 * each,
    '#sumOfSquares': 10_001 * each,
  });
  return histogram;
}

const few = await histogramOf(1);

for (const [name, each] of [
  ['2^31', 2 ** 31 - 1],
  ['2^32', 2 ** 32 - 1],
  ['2^53', 2 ** 52 - 10],
] as const) {
  test(`a histogram with nearly ${name} samples has the same percentiles`, async () => {
    const histogram = await histogramOf(each);
    for (const share of [0, 0.1, 0.49, 0.51, 0.99, 1]) {
      assert.equal(histogram.at(share), few.at(share), `${share}`);
    }
    assert.equal(histogram.meanMs, few.meanMs);
    assert.ok(Math.abs(histogram.deviationMs - few.deviationMs) < 1e-6);
    assert.equal(histogram.countTo(50), each);
    const before = histogram.copyCounts();
    for (let count = 0; count < 4; count++) histogram.add(1);
    assert.equal(histogram.count, 2 * each + 4);
    assert.equal(histogram.countTo(50), each + 4);
    assert.equal(histogram.atSince(0.99, before), few.at(0.1));
    assert.deepEqual(
      histogram.buckets().map(({ count }) => count),
      [each + 4, each],
    );
  });

  test(`a series after nearly ${name} responses has exact differences`, () => {
    const recorder = new Recorder(1);
    recorder.responses = each;
    recorder.bytes = each;
    recorder.errors = each;
    recorder.endSecond(each);
    for (let count = 0; count < 3; count++) recorder.responded(1, 200, 0);
    recorder.bytes += 10;
    recorder.failed(LoadError.Reset, 2);
    recorder.endSecond(each + 1_000);
    const { endMs, lengthMs, responses, errors, bytes } = recorder.seconds[1];
    assert.deepEqual([endMs, lengthMs], [each + 1_000, 1_000]);
    assert.deepEqual([responses, errors, bytes], [3, 2, 10]);
    assert.equal(recorder.endedCount, 2 * each + 5);
  });
}
