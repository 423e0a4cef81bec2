// The metrics of the program: what it counts is shown, what Prometheus does not allow throws.

import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import {
  LABEL_CHARACTERS_MAX,
  METRICS_BYTES_MAX,
  OWN_LABELS_MAX,
  OWN_METRICS_MAX,
  OWN_SERIES_MAX,
  OWN_SERIES_TOTAL_MAX,
} from '../../src/base/fixed-limits.ts';
import { OwnMetrics } from '../../src/metrics/own.ts';
import { Reader } from '../../src/metrics/reader.ts';
import { FixedMemory, type Memory, OwnMemory, Segment, Word } from '../../src/metrics/segment.ts';
import { TextFormat, textFormat } from '../../src/metrics/text-format.ts';
import type { Server } from '../../src/server/server.ts';
import { unlistenedServer } from '../../testing/unlistened-server.ts';
import { VirtualServer } from '../../testing/virtual-server.ts';
import { seriesOf, shownAs, shownJson, shownText, totalOf } from './fixtures/shown.ts';
import { parseText, sampleOf } from './fixtures/text.ts';

async function measured(body: (server: Server) => Promise<void>): Promise<void> {
  const { server } = unlistenedServer({ metrics: true });
  try {
    await body(server);
  } finally {
    await server.close();
  }
}

/** What text formats must escape, and what they must not. */
const HOSTILE = [
  'plain',
  '',
  'a"b',
  'a\\b',
  'a\nb',
  '\\n',
  '"} 1\nfake_total 7',
  'ümläut ☃ \u{1f600}',
  '\0\t\r',
  '{}=,',
];

describe('metrics of the program', () => {
  it('are shown with what was counted', async () => {
    await measured(async (server) => {
      const mails = server.metrics.counter('mails_total', 'Mails.', ['queue']);
      const level = server.metrics.gauge('level', 'Level.');
      const parts = server.metrics.histogram('parts', 'Parts.', [], { buckets: [1, 10, 100] });
      mails.inc(1, { queue: 'fast' });
      mails.inc(2.5, { queue: 'fast' });
      mails.inc(undefined, { queue: 'slow' });
      level.set(7);
      level.add(-9.5);
      for (const value of [0, 1, 1.01, 10, 10.1, 1e9]) parts.observe(value);
      const text = await shownText(server);
      assert.equal(sampleOf(text, 'mails_total', { queue: 'fast' }), 3.5);
      assert.equal(sampleOf(text, 'mails_total', { queue: 'slow' }), 1);
      assert.equal(sampleOf(text, 'level'), -2.5);
      const counts = text.find(({ name }) => name === 'parts')?.samples;
      const buckets = counts?.filter(({ name }) => name === 'parts_bucket') ?? [];
      assert.equal(buckets.length, 4);
      assert.deepEqual(
        buckets.map(({ value }) => value),
        [2, 4, 5, 6],
      );
      assert.equal(sampleOf(text, 'parts_sum'), 1e9 + 22.11);
    });
  });

  it('may have any value of a label', async () => {
    await measured(async (server) => {
      const help = 'Help with "quotes", a \\ and\na second line.';
      const counter = server.metrics.counter('hostile_total', help, ['value']);
      for (const [index, value] of HOSTILE.entries()) counter.inc(index + 1, { value });
      const json = await shownJson(server);
      for (const [accept, isOpen] of [
        ['text/plain', false],
        ['application/openmetrics-text', true],
      ] as const) {
        const families = parseText(await shownAs(server, accept), isOpen);
        const name = isOpen ? 'hostile' : 'hostile_total';
        const family = families.find((one) => one.name === name);
        assert.equal(family?.help, help);
        const shown = new Map(
          family?.samples.map(({ labels, value }) => [labels['value'] ?? '', value]),
        );
        for (const [index, value] of HOSTILE.entries()) {
          // An empty value is the same as no label.
          assert.equal(shown.get(value), index + 1, value);
          if (value !== '') assert.equal(totalOf(json, 'hostile_total', { value }), index + 1);
        }
        assert.equal(shown.size, HOSTILE.length);
      }
    });
  });

  it('have a bounded number of series, and of characters in a label', async () => {
    await measured(async (server) => {
      const counter = server.metrics.counter('many_total', 'Many.', ['a', 'b']);
      for (let index = 0; index < OWN_SERIES_MAX + 50; index++)
        counter.inc(1, { a: index, b: 'x' });
      counter.inc(1, { a: 0, b: 'x' });
      const shown = await shownJson(server);
      assert.equal(seriesOf(shown, 'many_total').length, OWN_SERIES_MAX + 1);
      assert.equal(totalOf(shown, 'many_total', { a: '_OVERFLOW', b: '_OVERFLOW' }), 50);
      assert.equal(totalOf(shown, 'many_total', { a: '0' }), 2);
      const long = server.metrics.gauge('long', 'Long.', ['a']);
      long.set(1, { a: 'x'.repeat(100_000) });
      const [{ labels }] = seriesOf(await shownJson(server), 'long');
      assert.equal(labels['a'], 'x'.repeat(LABEL_CHARACTERS_MAX));
      const halves = server.metrics.counter('halves_total', 'Halves.', ['a']);
      halves.inc(1, { a: `${'x'.repeat(LABEL_CHARACTERS_MAX - 1)}\u{1f600}` });
      halves.inc(1, { a: '\ud800' });
      halves.inc(1, { a: '\udc00' });
      const values = seriesOf(await shownJson(server), 'halves_total');
      assert.deepEqual(
        values.map(({ labels: { a }, value }) => [a, value]),
        [
          ['x'.repeat(LABEL_CHARACTERS_MAX - 1), 1],
          ['\ufffd', 2],
        ],
      );
    });
  });

  it('may be as many, as long and as small as their limits say, and no more', async () => {
    await measured(async (server) => {
      const { metrics } = server;
      const name = 'n'.repeat(200);
      assert.throws(() => metrics.gauge(`${name}n`, 'Long.'), /at most 200/);
      metrics.gauge(name, 'Long.');
      const labels = Array.from({ length: OWN_LABELS_MAX }, (_, index) => `l${index}`);
      assert.throws(() => metrics.gauge('wider', 'x', [...labels, 'more']), /at most 10 names/);
      metrics.gauge('wide', 'Wide.', labels);
      metrics.gauge('long_label', 'x', [name]);
      assert.throws(() => metrics.gauge('longer_label', 'x', [`${name}n`]), /a label has/);
      const nothing = metrics.counter('nothing_total', 'Nothing.', ['a']);
      nothing.inc(0, { a: 'x'.repeat(LABEL_CHARACTERS_MAX) });
      nothing.inc(1, { a: `${'y'.repeat(LABEL_CHARACTERS_MAX)}z` });
      nothing.inc(1, { a: '\ud83d'.padStart(LABEL_CHARACTERS_MAX, 'h') });
      const zero = metrics.histogram('zero', 'Zero.', [], { buckets: [1, 1e20, 1e30] });
      zero.observe(0);
      zero.observe(1e25);
      const shown = await shownJson(server);
      assert.deepEqual(
        seriesOf(shown, 'nothing_total').map(({ labels: { a }, value }) => [a, value]),
        [
          ['x'.repeat(LABEL_CHARACTERS_MAX), 0],
          ['y'.repeat(LABEL_CHARACTERS_MAX), 1],
          [`${'h'.repeat(LABEL_CHARACTERS_MAX - 1)}\ufffd`, 1],
        ],
      );
      // Bounds beyond the last bucket are that of the last bucket.
      const family = (await shownText(server)).find((one) => one.name === 'zero');
      const counts = family?.samples.map(({ labels: { le }, value }) => [le, value]);
      const most = String(2 ** 26);
      assert.deepEqual(counts?.slice(0, 3), [
        ['1.0', 1],
        [`${most}.0`, 1],
        ['+Inf', 2],
      ]);
      const before = 5;
      for (let count = before; count < OWN_METRICS_MAX; count++) metrics.gauge(`g${count}`, 'x');
      assert.throws(() => metrics.gauge('one_more', 'x'), /there are 500 metrics, the most/);
    });
  });

  it('keep values of several labels apart, and count what has no series of its own', async () => {
    await measured(async (server) => {
      const pairs = server.metrics.counter('pairs_total', 'Pairs.', ['a', 'b']);
      pairs.inc(1, { a: 'x,y', b: 'z' });
      pairs.inc(2, { a: 'x', b: 'y,z' });
      const gauge = server.metrics.gauge('rooms', 'Rooms.', ['a']);
      for (let index = 0; index < OWN_SERIES_MAX + 5; index++) gauge.add(1, { a: index });
      for (let index = 0; index < OWN_SERIES_MAX + 5; index++) gauge.add(1, { a: index });
      const shown = await shownJson(server);
      assert.equal(totalOf(shown, 'pairs_total', { a: 'x,y', b: 'z' }), 1);
      assert.equal(totalOf(shown, 'pairs_total', { a: 'x', b: 'y,z' }), 2);
      assert.equal(totalOf(shown, 'rooms', { a: '_OVERFLOW' }), 10);
      assert.equal(totalOf(shown, 'rooms', { a: '0' }), 2);
    });
  });

  it('throw for what Prometheus, or the server, does not allow', async () => {
    await measured(async (server) => {
      const { metrics } = server;
      const rows: readonly (readonly [() => unknown, RegExp])[] = [
        [() => metrics.counter('mails', 'x'), /ends in _total: "mails_total"/],
        [() => metrics.counter('9_total', 'x'), /letters, digits and _/],
        [() => metrics.counter('a-b_total', 'x'), /letters, digits and _/],
        [() => metrics.counter('x\n_total', 'x'), /letters, digits and _/],
        [() => metrics.counter(7 as never, 'x'), /letters, digits and _/],
        [() => metrics.gauge('a_total', 'x'), /only a counter ends in _total/],
        [() => metrics.histogram('a_count', 'x'), /none in _bucket, _count, _sum/],
        [() => metrics.counter('vibing_faults_total', 'x'), /the server has a metric of this name/],
        [() => metrics.gauge('vibing_faults', 'x'), /the server has a metric of this name/],
        [() => metrics.counter('_total', 'x'), /says before _total what it counts/],
        [() => metrics.counter('a_total', ''), /its second argument says what it is/],
        [() => metrics.counter('a_total', 'x', 'queue' as never), /a list of at most 10 names/],
        [() => metrics.counter('a_total', 'x', ['__x']), /no digit and no __ first/],
        [() => metrics.counter('a_total', 'x', ['worker']), /"worker" is reserved/],
        [() => metrics.counter('a_total', 'x', ['a', 'a']), /listed twice/],
        [() => metrics.histogram('h', 'x', [], { buckets: [] }), /numbers above 0, ascending/],
        [() => metrics.histogram('h', 'x', [], { buckets: [2, 1] }), /ascending/],
        [() => metrics.histogram('h', 'x', [], { buckets: [2, 2] }), /ascending/],
        [() => metrics.histogram('h', 'x', [], { buckets: [0, 1] }), /above 0/],
        [() => metrics.histogram('h', 'x', [], { buckets: [1, Infinity] }), /list of numbers/],
      ];
      for (const [call, wanted] of rows) assert.throws(call, wanted);
      const counter = metrics.counter('a_total', 'x', ['queue']);
      assert.throws(() => metrics.gauge('a_total', 'x'), TypeError);
      assert.throws(
        () => metrics.counter('a_total', 'x'),
        /there is already a metric of this name/,
      );
      assert.throws(() => metrics.histogram('a', 'x'), /already a metric/);
      metrics.histogram('queue_wait_seconds', 'x');
      const second = () => metrics.counter('queue_wait_seconds_total', 'x');
      assert.throws(second, /already a metric that is shown as queue_wait_seconds, too/);
      assert.throws(() => metrics.counter('queue_wait_seconds_count_total', 'x'), /shown as/);
      assert.throws(() => counter.inc(-1, { queue: 'x' }), /grows by 0 or more, given -1/);
      assert.throws(() => counter.inc(Number.NaN, { queue: 'x' }), /given NaN/);
      assert.throws(() => counter.inc(1), /the label queue is a string, .* given undefined/);
      assert.throws(() => counter.inc(1, { queue: {} } as never), /given an object/);
      assert.throws(() => counter.inc(1, { queue: 'x', q: 'y' }), /no label "q", it has queue/);
      assert.throws(() => counter.inc(1, 'queue' as never), /labels are an object/);
      const gauge = metrics.gauge('g', 'x');
      assert.throws(() => gauge.set('7' as never), /a finite number, given "7"/);
      assert.throws(() => gauge.set(1, { a: 'b' }), /no label "a", it has none/);
      assert.throws(() => metrics.histogram('s', 'x').observe(-1), /0 or more, given -1/);
    });
  });
});

/** The processes of a worker slot: each start of the program continues one of the memories. */
class Slot {
  readonly memories: readonly Memory[] = [1, 2].map(
    () => new FixedMemory(new ArrayBuffer(1 << 20)),
  );
  #starts = 0;

  /** A process counts in a metric with these labels, in place of that of the other memory. */
  run(memory: 0 | 1, labels: readonly string[], count: number): Segment {
    this.#starts += 1;
    const segment = new Segment(this.memories[memory], 1, this.#starts);
    this.end(memory === 0 ? 1 : 0);
    const given = Object.fromEntries(labels.map((label) => [label, 'x']));
    new OwnMetrics(segment).counter('mails_total', 'Mails.', labels).inc(count, given);
    return segment;
  }

  /** A process without such a metric. */
  runWithout(memory: 0 | 1): void {
    this.#starts += 1;
    new Segment(this.memories[memory], 1, this.#starts);
    this.end(memory === 0 ? 1 : 0);
  }

  end(memory: 0 | 1): void {
    new Uint32Array(this.memories[memory].buffer)[Word.IsUsed] = 0;
  }

  lines(): string[] {
    const segments = this.memories.map(({ buffer }, id) => ({ id, buffer }));
    const text = [...textFormat(new Reader(() => segments), TextFormat.Prometheus)].join('');
    return text.split('\n').filter((line) => line.startsWith('mails_total'));
  }
}

describe('a metric whose labels change', () => {
  it('is shown as the process uses it that runs: after a rollback', () => {
    const slot = new Slot();
    slot.run(0, ['a'], 1);
    slot.run(0, ['a', 'b'], 2);
    slot.run(0, ['a'], 4);
    assert.deepEqual(slot.lines(), ['mails_total{a="x"} 5']);
  });

  it('after two reloads, and when a process that started last has ended', () => {
    const slot = new Slot();
    slot.run(0, ['a'], 1);
    slot.run(1, ['a', 'b'], 2);
    const third = slot.run(0, ['a', 'b', 'c'], 4);
    assert.deepEqual(slot.lines(), ['mails_total{a="x",b="x",c="x"} 4']);
    slot.run(1, ['a', 'b'], 8);
    assert.deepEqual(slot.lines(), ['mails_total{a="x",b="x"} 10']);
    slot.end(1);
    third.words[Word.IsUsed] = 1;
    assert.deepEqual(slot.lines(), ['mails_total{a="x",b="x",c="x"} 4']);
  });

  it('is not that of an older process whose memory another one uses now', () => {
    const slot = new Slot();
    slot.run(0, ['a'], 1);
    slot.run(1, ['a', 'b'], 2);
    slot.runWithout(0);
    assert.deepEqual(slot.lines(), ['mails_total{a="x",b="x"} 2']);
  });

  it('is not shown before anything counts', () => {
    const segment = new Segment(new OwnMemory(16_384, 1 << 20));
    const own = new OwnMetrics(segment);
    const counter = own.counter('mails_total', 'Mails.', ['a', 'b']);
    const lines = (): string[] => {
      const reader = new Reader(() => [{ id: 0, buffer: segment.buffer }]);
      return [...textFormat(reader, TextFormat.Prometheus)].join('').split('\n').slice(0, -1);
    };
    assert.deepEqual(lines(), []);
    counter.inc(2, { a: 'x', b: '' });
    assert.equal(lines().at(-1), 'mails_total{a="x"} 2', 'an empty label is none');
  });
});

test('series of earlier processes leave room for those of the server', () => {
  const memory = new FixedMemory(new ArrayBuffer(METRICS_BYTES_MAX));
  let counted = 0;
  for (let start = 1; start <= 30; start++) {
    const own = new OwnMetrics(new Segment(memory, 1, start));
    const counter = own.counter(`of_${start % 25}_total`, 'Of a start.', ['a']);
    for (let index = 0; index < OWN_SERIES_MAX + 10; index++) {
      counter.inc(1, { a: `${start} ${index}` });
      counted += 1;
    }
  }
  const segment = new Segment(memory, 1, 31);
  assert.ok(segment.hasRoom);
  const reader = new Reader(() => [{ id: 0, buffer: memory.buffer }]);
  const lines = [...textFormat(reader, TextFormat.Prometheus)].join('').split('\n');
  const own = lines.filter((line) => line.startsWith('of_'));
  const further = own.filter((line) => line.includes('_OVERFLOW'));
  // The series of overflow of the families before the last one count, too.
  const before = Math.floor(OWN_SERIES_TOTAL_MAX / (OWN_SERIES_MAX + 1));
  assert.equal(own.length - further.length, OWN_SERIES_TOTAL_MAX - before);
  const total = own.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  assert.equal(total, counted);
});

test('that the memory is full is logged once, and shown', async (context) => {
  const memory = new FixedMemory(new ArrayBuffer(65_536));
  const shared = {
    memory,
    worker: 1,
    start: 1,
    segments: () => [{ id: 0, buffer: memory.buffer }],
    sources: () => [],
    begin: () => {},
    end: () => {},
    close: () => {},
    place: { path: '/metrics', hasListener: false },
    workers: 1,
    startedSeconds: 0,
  };
  const life = new VirtualServer({ metrics: true }, () => {}, { sharedMetrics: () => shared });
  context.after(() => life.end());
  await life.server.listen();
  assert.equal(totalOf(await shownJson(life.server), 'vibing_metrics_full'), 0);
  const counter = life.server.metrics.counter('many_total', 'Many.', ['a']);
  for (let index = 0; index < OWN_SERIES_MAX; index++) counter.inc(1, { a: index });
  for (let scrape = 0; scrape < 2; scrape++) {
    const shown = await shownJson(life.server);
    assert.equal(totalOf(shown, 'vibing_metrics_full'), 1);
    assert.equal(totalOf(shown, 'many_total'), OWN_SERIES_MAX);
  }
  const lines = life.asyncIo.log.filter((line) => line.includes('memory is full'));
  assert.equal(lines.length, 1);
  assert.match(lines[0], /metrics: .* new series count in the series _OVERFLOW/);
});
