// What the scripts that measure share: arguments, tables and bars, trends.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseGiven, usage } from '../../testing/arguments.ts';
import { hardLimit } from '../../perf/measure/child-process.ts';
import { nginxConfiguration } from '../../perf/servers/nginx.ts';
import { type PeerFigures, peerBars, peerTable, ratio } from '../../perf/experiments/peer-table.ts';
import { voluntarySwitches } from '../../perf/system/process-figures.ts';
import { randomFrom } from '../../perf/random.ts';
import { clientPorts } from '../../perf/system/socket-owners.ts';
import { type Bar, barLine, cell, isMet, tableText } from '../../perf/runner/table.ts';
import { chart, median } from '../../perf/runner/chart.ts';

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
  flags: { quick: 'less of it' },
} as const;

describe('arguments of a script', () => {
  it('have defaults', () => {
    assert.deepEqual(parseGiven(SHAPE, []), {
      numbers: { rounds: 7, seed: 0 },
      lists: { only: ['red', 'green', 'blue'], tried: ['green'] },
      choices: { shade: 'dark' },
      flags: { quick: false },
      help: false,
    });
  });

  it('are taken, lists in the order of the table', () => {
    const given = parseGiven(SHAPE, [
      '--rounds=3',
      '--only',
      'blue,red',
      '--help',
      '--quick',
      '--shade=light',
    ]);
    assert.ok(typeof given !== 'string');
    assert.equal(given.numbers.rounds, 3);
    assert.deepEqual(given.lists.only, ['red', 'blue']);
    assert.equal(given.help, true);
    assert.deepEqual([given.choices['shade'], given.flags['quick']], ['light', true]);
  });

  it('are refused with one line', () => {
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
      assert.ok(typeof result === 'string', `${given.join(' ')} is refused`);
      assert.match(result, problem);
    }
  });

  it('all stand in the help', () => {
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
});

describe('bars', () => {
  const bar = (is: Bar['is'], value: number): Bar => ({
    name: 'x',
    value,
    is,
    bound: 1,
    digits: 2,
  });

  it('are met or missed, and missed by what was not measured', () => {
    assert.deepEqual(
      [0.9, 1, 1.1, Number.NaN].map((value) => isMet(bar('at least', value))),
      [false, true, true, false],
    );
    assert.deepEqual(
      [0.9, 1, 1.1, Number.NaN].map((value) => isMet(bar('at most', value))),
      [true, true, false, false],
    );
    assert.equal(isMet(bar('less than', 1)), false);
    assert.equal(isMet(bar('less than', Number.NaN)), false);
  });

  it('say so', () => {
    assert.equal(barLine(bar('at least', 0.5)), 'bar: x at least 1.00: 0.50, MISSED');
    assert.equal(barLine(bar('at most', 0.5)), 'bar: x at most 1.00: 0.50, met');
    assert.match(barLine(bar('at most', Number.NaN)), /: not measured, MISSED$/);
  });

  it('stand below a table with straight columns', () => {
    assert.equal(
      tableText([
        ['', 'b'],
        ['name', '12.5'],
      ]),
      '         b\nname  12.5',
    );
    assert.equal(cell(1.234, 2), '1.23');
    assert.equal(cell(Number.NaN, 2), '-');
  });
});

describe('figures of peers', () => {
  const peer = (name: PeerFigures['peer'], rates: number[], isMissing = false): PeerFigures => ({
    peer: name,
    rates,
    microseconds: 10,
    isMissing,
  });

  it('are compared round by round', () => {
    const figures = [peer('epoll', [100, 300, 240]), peer('nginx', [100, 150, 200])];
    assert.equal(ratio(figures, 'epoll', 'nginx'), 1.2);
    assert.ok(Number.isNaN(ratio(figures, 'epoll', 'bun')));
  });

  it('meet their bars, unless a server of ours did not run; a missing peer has none', () => {
    const figures = [
      peer('floor', [100]),
      peer('uring', []),
      peer('epoll', [100]),
      peer('nginx', [100]),
      peer('bun', [], true),
    ];
    const bars = peerBars(figures).map((bar) => `${bar.name} ${isMet(bar)}`);
    assert.deepEqual(bars, [
      'Vibing, io_uring to floor false',
      'Vibing, io_uring to Vibing, epoll false',
      'Vibing, io_uring to nginx false',
      'Vibing, epoll to nginx true',
    ]);
    assert.match(peerTable(figures), /^Vibing, io_uring +NOT RUN/m);
    assert.match(peerTable(figures), /^Vibing, epoll +100 +1\.000 +1\.000 +- +10\.00$/m);
  });

  it('name the port and the connections to nginx', () => {
    const text = nginxConfiguration(8123, 1000);
    assert.match(text, /listen 127\.0\.0\.1:8123 reuseport/);
    assert.match(text, /worker_connections 1064;/);
    assert.match(text, /access_log off;/);
  });
});

describe('trends', () => {
  it('finds the middle value', () => {
    assert.equal(median([30, 10, 20]), 20);
    assert.throws(() => median([]));
  });

  it('have charts of bounded length', () => {
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

describe('what Linux tells', () => {
  it('of sleeping and of limits', () => {
    const status = 'Name:\tnode\nvoluntary_ctxt_switches:\t150\nnonvoluntary_ctxt_switches:\t545\n';
    assert.equal(voluntarySwitches(status), 150);
    assert.throws(() => voluntarySwitches('Name:\tnode\n'), /no voluntary/);
    const limits = 'Max processes             9       9        processes\n';
    const open = 'Max open files            1024                 524288               files\n';
    assert.equal(hardLimit(limits + open), 524_288);
    assert.throws(() => hardLimit(limits), /does not speak of open files/);
  });

  it('of who has a connection', () => {
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

describe('chance', () => {
  it('repeats with its seed and stays below', () => {
    const draw = (seed: number): number[] => {
      const random = randomFrom(seed);
      return Array.from({ length: 200 }, () => random(10));
    };
    assert.deepEqual(draw(7), draw(7));
    assert.notDeepEqual(draw(7), draw(8));
    assert.deepEqual(new Set(draw(7)), new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
  });
});
