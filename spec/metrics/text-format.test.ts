// The text formats line by line: escapes, units, bounds, and the end of OpenMetrics.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Family } from '../../src/metrics/family.ts';
import { Reader } from '../../src/metrics/reader.ts';
import { OwnMemory, Segment } from '../../src/metrics/segment.ts';
import { TextFormat, textFormat } from '../../src/metrics/text-format.ts';

const COUNTER: Family = {
  name: 'things_bytes_total',
  type: 'counter',
  unit: 'bytes',
  help: 'A "thing" \\ of\ntwo lines.',
  labels: ['kind'],
};
const SIZES: Family = {
  ...{ name: 'sizes', type: 'histogram', unit: '', help: 'Sizes.', labels: [] },
  ...{ base: 1, bounds: [0.5, 1, 4] },
};

function textOf(format: TextFormat): string {
  const segment = new Segment(new OwnMemory(16_384, 16_384));
  segment.cells[segment.cellOf(COUNTER, ['a"\\\n'])] = 3;
  segment.cells[segment.cellOf(COUNTER, ['b'])] = 4;
  const sizes = segment.cellOf(SIZES);
  // In buckets that end at the bounds, and in the ones behind them.
  for (const bucket of [191, 192]) segment.observe(sizes, bucket, 1);
  const reader = new Reader(() => [{ id: 0, buffer: segment.buffer }]);
  return [...textFormat(reader, format)].join('');
}

const SERIES = String.raw`things_bytes_total{kind="a\"\\\n"} 3
things_bytes_total{kind="b"} 4
`;
const BUCKETS = `sizes_bucket{le="0.5"} 0
sizes_bucket{le="1.0"} 1
sizes_bucket{le="4.0"} 2
sizes_bucket{le="+Inf"} 2
sizes_sum 2
sizes_count 2
`;

test('the format of Prometheus', () => {
  const help = String.raw`A "thing" \\ of\ntwo lines.`;
  assert.equal(
    textOf(TextFormat.Prometheus),
    `# HELP things_bytes_total ${help}\n# TYPE things_bytes_total counter\n${SERIES}` +
      `# HELP sizes Sizes.\n# TYPE sizes histogram\n${BUCKETS}`,
  );
});

test('OpenMetrics', () => {
  const help = String.raw`A \"thing\" \\ of\ntwo lines.`;
  assert.equal(
    textOf(TextFormat.OpenMetrics),
    `# TYPE things_bytes counter\n# UNIT things_bytes bytes\n# HELP things_bytes ${help}\n` +
      `${SERIES}# TYPE sizes histogram\n# HELP sizes Sizes.\n${BUCKETS}# EOF\n`,
  );
});
