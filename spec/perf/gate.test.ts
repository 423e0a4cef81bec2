// The gate's verdict upon scripted windows: what closes it, what leaves it open, and what is not
// judged.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseGateArguments } from '../../perf/gate/arguments.ts';
import { SCENARIOS } from '../../perf/catalog/thresholds.ts';
import {
  type Check,
  type GateFigures,
  judge,
  judgeAgain,
  type LatencyWindow,
  partsToRepeat,
  quietRatios,
  type RateWindow,
} from '../../perf/gate/judge.ts';
import { figuresText, verdictText } from '../../perf/gate/report.ts';

const ROUNDS = 5;
const OPEN = { strict: false, margin: 0 };
const STRICT = { strict: true, margin: 0 };

const rateWindow = (rate: number, change: Partial<RateWindow> = {}): RateWindow => ({
  rate,
  microseconds: 9,
  loadShare: 0.8,
  othersShare: 0,
  failures: 0,
  gcPauseMs: 0,
  ...change,
});

const latencyWindow = (p99Ms: number, change: Partial<LatencyWindow> = {}): LatencyWindow => ({
  p50Ms: p99Ms / 4,
  p99Ms,
  p999Ms: p99Ms * 2,
  lateTurns: 0,
  loadShare: 0.5,
  failures: 0,
  gcPauseMs: 0,
  ...change,
});

const turnWindow = (busyTurns: number) => ({ busyTurns, loadShare: 0.1, failures: 0 });

const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

interface Script {
  /** Requests a second of the floor, and of the server by it. */
  readonly floor?: number;
  readonly ratio?: number;
  readonly server?: (index: number) => RateWindow;
  readonly floorP99?: number;
  readonly serverP99?: (index: number) => LatencyWindow;
  readonly floorLatency?: LatencyWindow;
  /** A second, of the server. */
  readonly pauses?: (index: number) => number;
  readonly floorPauses?: number;
  readonly heap?: number;
  readonly resident?: number;
}

/** A quiet machine that can carry everything, and a server that is well, unless told otherwise. */
function figures(script: Script = {}): GateFigures {
  const { floor = 120_000, floorP99 = 0.3, heap = 1, ratio = 0.95, resident = 90e6 } = script;
  const server = script.server ?? (() => rateWindow(floor * ratio));
  return {
    throughput: SCENARIOS.map((scenario) => ({
      scenario,
      floors: many(ROUNDS + 1, () => rateWindow(floor)),
      servers: many(ROUNDS, server),
    })),
    latency: {
      floors: many(ROUNDS + 1, () => script.floorLatency ?? latencyWindow(floorP99)),
      servers: many(ROUNDS, script.serverP99 ?? (() => latencyWindow(0.4))),
    },
    turns: {
      floors: many(ROUNDS + 1, () => turnWindow(script.floorPauses ?? 0)),
      servers: many(ROUNDS, (index) => turnWindow(script.pauses?.(index) ?? 0)),
    },
    heapBytesPerRequest: heap,
    residentBytes: resident,
  };
}

function check(given: GateFigures, name: string): Check {
  const found = judge(given, OPEN).checks.find((one) => one.name === name);
  assert.ok(found !== undefined, name);
  return found;
}

const states = (given: GateFigures): Record<string, string> =>
  Object.fromEntries(judge(given, OPEN).checks.map(({ name, state }) => [name, state]));

describe('the gate', () => {
  it('is open for a server that is well on a machine that is quiet', () => {
    const verdict = judge(figures(), STRICT);
    assert.deepEqual(
      verdict.checks.filter(({ state }) => state !== 'met'),
      [],
    );
    assert.equal(verdict.exitCode, 0);
    assert.deepEqual(verdict.remarks, []);
    assert.match(verdictText(verdict), /the gate is open: every bar is met$/);
  });

  it('has the bars of the design', () => {
    const bars = SCENARIOS.map(({ bar, name }) => `${name} ${bar}`);
    assert.deepEqual(bars, [
      'hello 0.9',
      'static-1k 0.9',
      'pipelined-16 0.55',
      'browser-headers 0.85',
    ]);
  });

  it('closes for a server that is a fifth slower', () => {
    const slow = figures({ ratio: 0.97 / 1.2, floor: 80_000 });
    assert.equal(check(slow, 'hello').state, 'MISSED');
    assert.equal(check(slow, 'static-1k').state, 'MISSED');
    assert.equal(judge(slow, OPEN).exitCode, 1);
    assert.equal(check(figures({ floor: 80_000, ratio: 0.9 }), 'hello').state, 'met');
    assert.equal(check(figures({ floor: 80_000, ratio: 0.899 }), 'hello').state, 'MISSED');
  });

  it('closes for a pause of 5 ms once a second, which no P99 shows', () => {
    const pausing = figures({
      serverP99: () => latencyWindow(0.4, { lateTurns: 1 }),
      pauses: () => 1,
    });
    assert.equal(check(pausing, 'P99 below 1 ms').state, 'met');
    assert.equal(check(pausing, 'late turns over 2 ms').state, 'MISSED');
    assert.equal(check(pausing, 'pauses over 2 ms').state, 'MISSED');
    assert.equal(judge(pausing, OPEN).exitCode, 1);
    const once = figures({ pauses: (index) => (index === 2 ? 5 : 0) });
    assert.equal(check(once, 'pauses over 2 ms').state, 'met', 'it is a median');
  });

  it('finds that pause also where others take the core away all the time', () => {
    const floorLatency = latencyWindow(6, { lateTurns: 25 });
    const noisy = { floorLatency, serverP99: () => latencyWindow(6, { lateTurns: 20 }) };
    const well = figures({ ...noisy, pauses: () => 0.1 });
    assert.equal(check(well, 'pauses over 2 ms').state, 'met');
    assert.equal(check(well, 'late turns over 2 ms').state, 'NOT JUDGED');
    assert.match(check(well, 'late turns over 2 ms').text, /25\.0 times a second/);
    const pausing = figures({ ...noisy, pauses: () => 1 });
    assert.equal(check(pausing, 'pauses over 2 ms').state, 'MISSED');
    assert.equal(judge(pausing, OPEN).exitCode, 1);
  });

  it('allows pauses half of the noise where the floor has them too, and no more', () => {
    const noisy = (floorPauses: number, more: number) =>
      check(figures({ floorPauses, pauses: () => floorPauses + more }), 'pauses over 2 ms').state;
    assert.equal(noisy(0.5, 0.25), 'MISSED', 'quiet enough');
    assert.equal(noisy(0.75, 0.5), 'met');
    assert.equal(noisy(0.75, 0.625), 'MISSED');
    assert.equal(noisy(5, 0.5), 'met');
    assert.equal(noisy(5, 1), 'MISSED', 'what is planted is found');
  });

  it('judges pauses by the windows in which the floor had hardly any', () => {
    const floors = [0, 0, 0, 0, 0, 0, 4, 4, 4].map(turnWindow);
    const servers = [1, 1, 1, 1, 1, 4, 4, 4].map(turnWindow);
    const given = { ...figures(), turns: { floors, servers } };
    assert.equal(check(given, 'pauses over 2 ms').state, 'MISSED');
    const quiet = { floors, servers: [0, 0, 0, 0, 0, 9, 9, 9].map(turnWindow) };
    assert.equal(check({ ...figures(), turns: quiet }, 'pauses over 2 ms').state, 'met');
  });

  it('closes for a leak, by what the heap keeps and by the memory', () => {
    assert.equal(check(figures({ heap: 1_024 }), 'heap').state, 'MISSED');
    assert.equal(check(figures({ heap: 64 }), 'heap').state, 'met');
    assert.equal(check(figures({ heap: Number.NaN }), 'heap').state, 'MISSED');
    assert.equal(check(figures({ resident: 121 * 1024 * 1024 }), 'memory').state, 'MISSED');
    assert.equal(judge(figures({ heap: 1_024 }), OPEN).exitCode, 1);
  });

  it('closes for a single failure, in a window of the server or of the floor', () => {
    const server = (index: number) => rateWindow(115_000, { failures: index === 3 ? 1 : 0 });
    assert.equal(check(figures({ server }), 'failures').state, 'MISSED');
    const floorLatency = latencyWindow(0.3, { failures: 1 });
    assert.equal(check(figures({ floorLatency }), 'failures').state, 'MISSED');
  });

  it('closes for a long collection of garbage in a window that counts, and in no other', () => {
    const server = (index: number) => rateWindow(115_000, { gcPauseMs: index === 1 ? 1.1 : 0.2 });
    assert.equal(check(figures({ server }), 'collections of garbage').state, 'MISSED');
    const noisy = figures({ server, floor: 100_000, floorP99: 3 });
    assert.equal(check(noisy, 'collections of garbage').state, 'NOT JUDGED');
  });

  it('closes when nothing was measured', () => {
    const none: GateFigures = {
      throughput: [{ scenario: SCENARIOS[0], floors: [], servers: [] }],
      latency: { floors: [], servers: [] },
      turns: { floors: [], servers: [] },
      heapBytesPerRequest: Number.NaN,
      residentBytes: Number.NaN,
    };
    const { checks, exitCode } = judge(none, OPEN);
    assert.equal(exitCode, 1);
    assert.deepEqual(
      checks.filter(({ state }) => state === 'met'),
      [],
    );
  });
});

describe('the targets', () => {
  it('are judged on windows whose floor could carry them, by the median', () => {
    const rates = [99_000, 99_500, 101_000, 102_000, 103_000];
    const server = (index: number) => rateWindow(rates[index] ?? 0);
    const target = check(figures({ floor: 110_000, server }), 'hello at 100,000/s');
    assert.deepEqual(target.state, 'met');
    assert.match(target.text, /median of 5 counted windows 101,000\/s/);
    const below = (index: number) => rateWindow((rates[index] ?? 0) - 2_000);
    assert.equal(check(figures({ floor: 110_000, server: below }), target.name).state, 'MISSED');
    const p99 = [0.5, 0.6, 0.99, 5, 9];
    const late = figures({ serverP99: (index) => latencyWindow(p99[index] ?? 0) });
    assert.equal(check(late, 'P99 below 1 ms').state, 'met');
    const later = figures({ serverP99: (index) => latencyWindow((p99[index] ?? 0) + 0.01) });
    assert.equal(check(later, 'P99 below 1 ms').state, 'MISSED');
  });

  it('are NOT JUDGED where too few windows count, with the floor that was seen', () => {
    const slow = figures({ floor: 109_000, floorP99: 0.51, serverP99: () => latencyWindow(0.6) });
    const verdict = judge(slow, OPEN);
    const rate = check(slow, 'hello at 100,000/s');
    assert.equal(rate.state, 'NOT JUDGED');
    assert.match(rate.text, /0 windows count, 5 are needed: the floor gave 109,000\/s/);
    assert.match(check(slow, 'P99 below 1 ms').text, /floor's P99 was 0\.51 ms/);
    assert.equal(verdict.exitCode, 0);
    assert.equal(judge(slow, STRICT).exitCode, 3, '--strict');
    assert.match(verdictText(verdict), /open, NOT JUDGED: hello at 100,000\/s; P99 below 1 ms/);
  });

  it('give way to the ratio of P99 where windows do not count', () => {
    const beside = (p99: number): string | undefined =>
      states(figures({ floorP99: 2, serverP99: () => latencyWindow(p99) }))['P99 beside the floor'];
    assert.deepEqual([beside(3), beside(3.1)], ['met', 'MISSED']);
    assert.equal(states(figures())['P99 beside the floor'], undefined);
  });

  it('missed weigh more than not judged', () => {
    assert.equal(judge(figures({ floor: 80_000, heap: 999 }), STRICT).exitCode, 1);
  });
});

describe('windows that others disturbed', () => {
  /** Good ones, of which some are slow because of others. */
  const disturbed = (count: number, of: number): Pick<GateFigures, 'throughput'> => ({
    throughput: SCENARIOS.map((scenario) => ({
      scenario,
      floors: many(of + 1, () => rateWindow(120_000)),
      servers: many(of, (index) =>
        index < count ? rateWindow(60_000, { othersShare: 0.3 }) : rateWindow(118_000),
      ),
    })),
  });

  it('do not count where enough others are there', () => {
    const { checks, remarks } = judge({ ...figures(), ...disturbed(8, 13) }, OPEN);
    assert.equal(checks[0].state, 'met');
    assert.match(checks[0].text, /^median ratio to the floor 0\.983 in 5 windows/);
    assert.match(remarks[0], /^DISTURBED: hello: .* 8 of 13 server windows/);
  });

  it('count where too few are left', () => {
    const { checks } = judge({ ...figures(), ...disturbed(8, 12) }, OPEN);
    assert.equal(checks[0].state, 'MISSED');
    assert.match(checks[0].text, /^median ratio to the floor 0\.500 in 12 windows/);
  });

  it('take the windows beside them along', () => {
    const { throughput } = disturbed(0, 6);
    const [hello] = throughput;
    const floors = hello.floors.map((floor, index) =>
      index === 3 ? { ...floor, othersShare: 0.05 } : floor,
    );
    assert.equal(quietRatios({ ...hello, floors }).length, 4);
  });
});

describe('what the gate prints', () => {
  it('says when the load was what limited', () => {
    const server = (index: number) => rateWindow(115_000, { loadShare: index < 2 ? 0.97 : 0.96 });
    const { remarks } = judge(figures({ server }), OPEN);
    assert.match(remarks[0], /^LOAD-BOUND: hello: .* 0 of 6 floor windows and 2 of 5 server/);
  });

  it('names cores, connections and pipelining beside every figure', () => {
    const text = figuresText(figures());
    const heads = text.split('\n\n').map((part) => part.split('\n', 1)[0]);
    assert.equal(heads.length, SCENARIOS.length + 2);
    for (const head of heads) {
      assert.match(
        head,
        /64 connections, (no pipelining|pipelining 16), server and floor on core 0/,
      );
      assert.match(head, /load on core 1$/);
    }
    assert.match(heads.at(-2) ?? '', /30,000 requests\/s in an open loop/);
    assert.match(heads.at(-1) ?? '', /2,000 requests\/s in an open loop/);
  });

  it('lowers the bars of rates by a margin, and says so', () => {
    const verdict = (ratio: number) =>
      judge(figures({ ratio, floor: 80_000 }), { strict: false, margin: 0.1 });
    assert.equal(verdict(0.82).exitCode, 0);
    assert.equal(verdict(0.8).exitCode, 1);
    assert.match(verdictText(verdict(0.82)), /at least 0\.81, which is 10 % less than the bar/);
    assert.ok(typeof parseGateArguments(['--margin', '11']) === 'string');
  });

  it('takes of a second measuring what was missed in the first, and nothing else', () => {
    const first = judge(figures({ pauses: () => 1, ratio: 0.92 }), OPEN);
    assert.deepEqual(partsToRepeat(first), ['turns']);
    const well = judge(figures({ ratio: 0.5 }), OPEN);
    assert.equal(judgeAgain(first, well, false).exitCode, 0);
    assert.equal(judgeAgain(first, first, false).exitCode, 1, 'missed twice');
    const none = { ...figures(), turns: null };
    assert.equal(judgeAgain(first, judge(none, OPEN), false).exitCode, 1, 'not measured again');
  });

  it('is not opened by a second measuring that judges nothing', () => {
    const counted = judge(figures({ serverP99: () => latencyWindow(1.2) }), OPEN);
    assert.deepEqual(partsToRepeat(counted), ['latency']);
    const uncounted = judge(figures({ floorP99: 2 }), OPEN);
    assert.equal(judgeAgain(counted, uncounted, false).exitCode, 1);
  });

  it('is closed by a failure or a leak in a second measuring', () => {
    const first = judge(figures({ pauses: () => 1 }), OPEN);
    assert.equal(judgeAgain(first, judge(figures({ heap: 1_024 }), OPEN), false).exitCode, 1);
    const server = () => rateWindow(115_000, { failures: 1 });
    assert.equal(judgeAgain(first, judge(figures({ server }), OPEN), false).exitCode, 1);
  });

  it('measures nothing again for a failure or a leak', () => {
    assert.deepEqual(partsToRepeat(judge(figures({ heap: 1_024, pauses: () => 1 }), OPEN)), []);
    const server = () => rateWindow(115_000, { failures: 1 });
    assert.deepEqual(partsToRepeat(judge(figures({ server }), OPEN)), []);
    assert.deepEqual(partsToRepeat(judge(figures(), OPEN)), []);
  });

  it('comes from arguments that are checked, all at once', () => {
    const given = parseGateArguments(['--only', 'hello,latency', '--strict', '--seconds=1']);
    assert.ok(typeof given !== 'string');
    assert.deepEqual([given.only, given.latency, given.strict], [['hello'], true, true]);
    const wrong = parseGateArguments(['--rounds', '4', '--only', 'helo', '--driver', 'iocp']);
    assert.ok(typeof wrong === 'string');
    assert.match(
      wrong,
      /^--rounds takes a whole number from 5 to 25, not '4'\n--only .*\n--driver/,
    );
    assert.match(String(parseGateArguments(['--fast'])), /--fast/);
  });
});
