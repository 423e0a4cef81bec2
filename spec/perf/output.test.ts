// What the commands of perf/ share: arguments, tables, thresholds, charts, figures of Linux.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lowRatesTable } from '../../perf/experiments/low-load-rates.ts';
import {
  type PeerFigures,
  peerTable,
  peerThresholds,
  ratio,
} from '../../perf/experiments/peer-table.ts';
import { chart } from '../../perf/runner/chart.ts';
import { cell, countText, shareText, tableText } from '../../perf/runner/table.ts';
import { isMet, type Threshold, thresholdLine } from '../../perf/runner/threshold.ts';
import { nginxConfiguration } from '../../perf/servers/nginx.ts';
import { hardLimit } from '../../perf/system/prerequisites.ts';
import { voluntarySwitches } from '../../perf/system/process-figures.ts';
import { clientPorts } from '../../perf/system/socket-owners.ts';
import { parseGiven, usage } from '../../testing/arguments.ts';
import { Random } from '../../testing/random.ts';

const SHAPE = {
  name: 'perf:echo',
  about: 'Measures a sample.',
  numbers: {
    rounds: { default: 7, max: 99, what: 'windows' },
    seed: { default: 0, min: 0, max: 9, what: 'a seed' },
  },
  lists: {
    only: { values: ['red', 'green', 'blue'], what: 'colours' },
    tried: { values: ['red', 'green'], default: ['green'], what: 'what is tried' },
  },
  choices: { shade: { values: ['dark', 'light'], default: 'dark', what: 'how' } },
  texts: { json: { value: 'FILE', what: 'where to' } },
  flags: { quick: 'less of it' },
} as const;

const POSITIONALS = {
  usage: 'ONE',
  lines: ['One of many:', '  one'],
  check: (names: readonly string[]) => (names.length === 1 ? null : 'one is needed'),
};

describe('arguments of a command', () => {
  it('have defaults', () => {
    assert.deepEqual(parseGiven(SHAPE, []), {
      numbers: { rounds: 7, seed: 0 },
      lists: { only: ['red', 'green', 'blue'], tried: ['green'] },
      choices: { shade: 'dark' },
      texts: { json: '' },
      flags: { quick: false },
      positionals: [],
      help: false,
    });
  });

  it('are parsed, lists in the order of the table', () => {
    const given = parseGiven(SHAPE, [
      '--rounds=3',
      '--only',
      'blue,red',
      '--help',
      '--quick',
      '--shade=light',
      '--json=a.json',
    ]);
    assert.ok(typeof given !== 'string');
    assert.equal(given.numbers.rounds, 3);
    assert.deepEqual(given.lists.only, ['red', 'blue']);
    assert.equal(given.help, true);
    assert.deepEqual(
      [given.choices['shade'], given.flags['quick'], given.texts['json']],
      ['light', true, 'a.json'],
    );
  });

  it('have usage errors of one line', () => {
    const wrong: [string[], RegExp][] = [
      [['--rounds', '0'], /^--rounds takes a whole number from 1 to 99$/],
      [['--rounds', '1.5'], /^--rounds takes/],
      [['--rounds='], /^--rounds takes/],
      [['--seed', '10'], /^--seed takes a whole number from 0 to 9$/],
      [['--only', 'red,grey'], /^--only takes some of red, green, blue, not 'grey'$/],
      [['--only', ''], /^--only takes/],
      [['--shade', 'pale'], /^--shade takes one of dark, light$/],
      [['--quick=yes'], /^--quick takes no value$/],
      [['--rounds'], /^--rounds needs a value$/],
      [['--rounds', '--quick'], /^--rounds needs a value$/],
      [['--fast'], /^unknown option --fast$/],
      [['--round=3'], /^unknown option --round \(did you mean --rounds\?\)$/],
      [['-x'], /^unknown option -x$/],
      [['red'], /^unexpected argument 'red'$/],
    ];
    for (const [given, problem] of wrong) {
      const result = parseGiven(SHAPE, given);
      assert.ok(typeof result === 'string', `${given.join(' ')} is an error`);
      assert.match(result, problem);
    }
  });

  it('are all in the help text', () => {
    const text = usage(SHAPE);
    assert.match(text, /^usage: npm run perf:echo -- /);
    for (const name of ['--rounds N', '--seed N', '--only NAMES', '--tried NAMES', '--help']) {
      assert.ok(text.includes(`  ${name} `), name);
    }
    assert.match(text, /windows, 1 to 99 \(7\)/);
    assert.match(text, /some of red, green \(green\)/);
    assert.match(text, /^ {2}--shade NAME +how: one of dark, light \(dark\)$/m);
    assert.match(text, /^ {2}--quick +less of it$/m);
  });

  it('may have positional ones', () => {
    const shape = { ...SHAPE, positionals: POSITIONALS };
    const given = parseGiven(shape, ['--rounds', '3', 'one', '--quick']);
    assert.ok(typeof given !== 'string');
    assert.deepEqual([given.positionals, given.numbers.rounds], [['one'], 3]);
    assert.equal(parseGiven(shape, []), 'one is needed');
    assert.ok(typeof parseGiven(shape, ['--help']) !== 'string');
    assert.match(usage(shape), /^usage: npm run perf:echo -- \[option\.\.\.\] ONE\n/);
    assert.match(usage(shape), /One of many:\n {2}one\n/);
    assert.match(usage({ ...shape, exitCodes: 'Always 0.' }), /\nAlways 0\.$/);
  });
});

describe('thresholds', () => {
  const threshold = (is: Threshold['is'], value: number): Threshold => ({
    name: 'x',
    value,
    is,
    bound: 1,
    digits: 2,
  });

  it('are met or missed, and missed by what was not measured', () => {
    assert.deepEqual(
      [0.9, 1, 1.1, Number.NaN].map((value) => isMet(threshold('at least', value))),
      [false, true, true, false],
    );
    assert.deepEqual(
      [0.9, 1, 1.1, Number.NaN].map((value) => isMet(threshold('at most', value))),
      [true, true, false, false],
    );
    assert.equal(isMet(threshold('less than', 1)), false);
    assert.equal(isMet(threshold('less than', Number.NaN)), false);
  });

  it('are printed with their verdict', () => {
    assert.equal(
      thresholdLine(threshold('at least', 0.5)),
      'threshold: x at least 1.00: 0.50, MISSED',
    );
    assert.equal(thresholdLine(threshold('at most', 0.5)), 'threshold: x at most 1.00: 0.50, met');
    assert.match(thresholdLine(threshold('at most', Number.NaN)), /: not measured, MISSED$/);
  });

  it('come after a table with aligned columns', () => {
    assert.equal(
      tableText([
        ['', 'b'],
        ['name', '12.5'],
      ]),
      '         b\nname  12.5',
    );
    assert.equal(cell(1.234, 2), '1.23');
    assert.equal(cell(Number.NaN, 2), '-');
    assert.deepEqual([countText(98_765.4), countText(Number.NaN)], ['98,765', '-']);
    assert.equal(shareText(0.05), '5 %');
  });
});

describe('figures of peers', () => {
  const peer = (name: PeerFigures['peer'], rates: number[], isMissing = false): PeerFigures => ({
    peer: name,
    windows: rates.map((rate) => ({ rate, cpuUs: 10, isLoadBound: false })),
    isMissing,
  });

  it('are compared round by round', () => {
    const figures = [peer('epoll', [100, 300, 240]), peer('nginx', [100, 150, 200])];
    assert.equal(ratio(figures, 'epoll', 'nginx'), 1.2);
    assert.ok(Number.isNaN(ratio(figures, 'epoll', 'bun')));
  });

  it('miss thresholds of a server of ours that did not run; a missing peer has none', () => {
    const figures = [
      peer('floor', [100]),
      peer('uring', []),
      peer('epoll', [100]),
      peer('nginx', [100]),
      peer('bun', [], true),
    ];
    const thresholds = peerThresholds({ scenario: 'hello', figures }).map(
      (one) => `${one.name} ${isMet(one)}`,
    );
    assert.deepEqual(thresholds, [
      'hello: Vibing, io_uring to floor false',
      'hello: Vibing, io_uring to Vibing, epoll false',
      'hello: Vibing, io_uring to nginx false',
      'hello: Vibing, epoll to nginx true',
    ]);
    assert.match(peerTable(figures), /^Vibing, io_uring +NOT RUN/m);
    assert.match(peerTable(figures), /^Vibing, epoll +100 +1\.000 +1\.000 +- +10\.00$/m);
  });

  it('are compared by processor time where the load was the limit, which the table says', () => {
    const bound = (cpuUs: number) => ({ rate: 100, cpuUs, isLoadBound: true });
    const figures: PeerFigures[] = [
      { peer: 'floor-c', windows: [bound(5)], isMissing: false },
      { peer: 'uring', windows: [bound(10)], isMissing: false },
      peer('nginx', [100]),
    ];
    assert.equal(ratio(figures, 'floor-c', 'uring'), 2);
    const last = peerTable(figures).split('\n').at(-1);
    assert.match(last ?? '', /^LOAD-BOUND: .* floor in C 1 of 1, Vibing, io_uring 1 of 1$/);
  });

  it('need a configuration of nginx with port and connections', () => {
    const text = nginxConfiguration(8123, 1000);
    assert.match(text, /listen 127\.0\.0\.1:8123 reuseport/);
    assert.match(text, /worker_connections 1064;/);
    assert.match(text, /access_log off;/);
  });
});

describe('the table of low rates', () => {
  const figures = (cost: number, p99 = 1) => ({ cost, latencyMs: { '99': p99, '99.9': 2 * p99 } });

  it('has a row for each server that ran, with ratios to nginx', () => {
    const both = new Map([
      ['uring', figures(20)],
      ['nginx', figures(10)],
    ]);
    const half = new Map([
      ['uring', figures(8, 0.5)],
      ['nginx', figures(16, 0.25)],
    ]);
    const text = lowRatesTable({ low: both, many: both, half, halfRate: 40_000 });
    assert.match(text, /^us CPU .* 1,000\/s .* 10,000\/s, 1,024 conn\. .* half: 40,000\/s /);
    assert.match(text, /^uring +20\.00 +2\.000 +20\.00 +2\.000 +8\.00 +0\.500 +0\.500 +1\.000$/m);
    assert.match(text, /^nginx +10\.00 +1\.000 +10\.00 +1\.000 +16\.00 +1\.000 +0\.250 +0\.500$/m);
    const alone = new Map([['uring', figures(20)]]);
    const lonely = lowRatesTable({ low: alone, many: alone, half: alone, halfRate: 1 });
    assert.match(lonely, /^uring +20\.00 +- /m, 'without nginx there is no ratio');
  });
});

describe('charts', () => {
  it('have a bounded length', () => {
    assert.equal(chart([1, 2, 3, 4, 5, 6, 7, 8], 8), '▁▂▃▄▅▆▇█');
    assert.equal(chart([3, 3], 8), '▁▁');
    assert.equal(
      chart(
        Array.from({ length: 100 }, (_none, index) => index),
        10,
      ).length,
      10,
    );
  });
});

describe('figures of Linux', () => {
  it('are wake-ups and limits', () => {
    const status = 'Name:\tnode\nvoluntary_ctxt_switches:\t150\nnonvoluntary_ctxt_switches:\t545\n';
    assert.equal(voluntarySwitches(status), 150);
    assert.throws(() => voluntarySwitches('Name:\tnode\n'), /no voluntary/);
    const limits = 'Max processes             9       9        processes\n';
    const open = 'Max open files            1024                 524288               files\n';
    assert.equal(hardLimit(limits + open), 524_288);
    assert.throws(() => hardLimit(limits), /no line about open files/);
  });

  it('are the connections of a process', () => {
    const row = (local: string, remote: string, state: string, inode: number): string =>
      `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000  0  0 ${inode} 1`;
    const table = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid',
      row('0100007F:1F90', '00000000:0000', '0A', 11),
      row('0100007F:1F90', '0100007F:D431', '01', 12),
      row('0100007F:D431', '0100007F:1F90', '01', 13),
      row('0100007F:1F91', '0100007F:D432', '01', 14),
    ].join('\n');
    assert.deepEqual([...clientPorts(table, 8080)], [['12', 54_321]]);
  });
});

describe('random numbers', () => {
  it('repeat with their seed and stay below the bound', () => {
    const draw = (seed: number): number[] => {
      const random = new Random(seed).draw;
      return Array.from({ length: 200 }, () => random(10));
    };
    assert.deepEqual(draw(7), draw(7));
    assert.notDeepEqual(draw(7), draw(8));
    assert.deepEqual(new Set(draw(7)), new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
  });
});
