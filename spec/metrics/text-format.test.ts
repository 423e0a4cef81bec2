// The text formats line by line: escapes, units, bounds, and the end of OpenMetrics.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Family } from '../../src/metrics/family.ts';
import { jsonFormat } from '../../src/metrics/json-format.ts';
import { Reader } from '../../src/metrics/reader.ts';
import { OwnMemory, Segment, Word } from '../../src/metrics/segment.ts';
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

const FACTS = { name: '', version: '', node: '', driver: '', started: 0, workers: 1 };

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

test('JSON and text leave out a gauge of a process that has ended, wherever it is', () => {
  const level: Family = { ...COUNTER, name: 'level', type: 'gauge', labels: ['kind'] };
  for (const ended of [[0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2]]) {
    const segments = ['a', 'b', 'c'].map((kind, index) => {
      const segment = new Segment(new OwnMemory(16_384, 16_384));
      segment.cells[segment.cellOf(level, [kind])] = 1 + index;
      if (ended.includes(index)) segment.words[Word.IsUsed] = 0;
      return segment;
    });
    const reader = new Reader(() => segments.map(({ buffer }, id) => ({ id, buffer })));
    const left = [0, 1, 2].filter((index) => !ended.includes(index));
    const json = JSON.parse([...jsonFormat(reader, FACTS, 1)].join(''));
    const values = json.families.flatMap(({ series }: { series: { value: number }[] }) => {
      return series.map(({ value }) => value);
    });
    assert.deepEqual(
      values,
      left.map((index) => 1 + index),
    );
    const lines = [...textFormat(reader, TextFormat.Prometheus)].join('').split('\n');
    assert.equal(lines.filter((line) => line.startsWith('level{')).length, left.length);
  }
});

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
