// The gate's verdict on scripted windows: what closes it, what leaves it open, and what is not
// judged.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GATE_SCENARIOS, scenarioOf } from '../../perf/catalog/scenarios.ts';
import { FLOOR_RATIO_MIN } from '../../perf/catalog/thresholds.ts';
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

const SCENARIOS = GATE_SCENARIOS.map(scenarioOf);
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
  /** Of the server, a second. */
  readonly pauses?: (index: number) => number;
  readonly floorPauses?: number;
  readonly heap?: number;
  readonly resident?: number;
}

/** A fast, quiet machine and a server that meets every threshold, unless the script differs. */
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
  it('is open for a good server on a quiet machine', () => {
    const verdict = judge(figures(), STRICT);
    assert.deepEqual(
      verdict.checks.filter(({ state }) => state !== 'met'),
      [],
    );
    assert.equal(verdict.exitCode, 0);
    assert.deepEqual(verdict.remarks, []);
    assert.match(verdictText(verdict), /the gate is open: every threshold is met$/);
  });

  it('has the thresholds of the design', () => {
    const thresholds = GATE_SCENARIOS.map((name) => `${name} ${FLOOR_RATIO_MIN[name]}`);
    assert.deepEqual(thresholds, [
      'hello 0.9',
      'static-1k 0.9',
      'pipelined-16 0.588',
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

  it('detects that pause also where other processes often take the core', () => {
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

  it('allows pauses half of the noise where the floor has them too, up to a limit', () => {
    const noisy = (floorPauses: number, more: number) =>
      check(figures({ floorPauses, pauses: () => floorPauses + more }), 'pauses over 2 ms').state;
    assert.equal(noisy(0.5, 0.25), 'MISSED', 'quiet enough');
    assert.equal(noisy(0.75, 0.5), 'met');
    assert.equal(noisy(0.75, 0.625), 'MISSED');
    assert.equal(noisy(5, 0.5), 'met');
    assert.equal(noisy(5, 1), 'MISSED', 'an injected pause is detected');
  });

  it('judges pauses in windows where the floor had hardly any', () => {
    const floors = [0, 0, 0, 0, 0, 0, 4, 4, 4].map(turnWindow);
    const servers = [1, 1, 1, 1, 1, 4, 4, 4].map(turnWindow);
    const given = { ...figures(), turns: { floors, servers } };
    assert.equal(check(given, 'pauses over 2 ms').state, 'MISSED');
    const quiet = { floors, servers: [0, 0, 0, 0, 0, 9, 9, 9].map(turnWindow) };
    assert.equal(check({ ...figures(), turns: quiet }, 'pauses over 2 ms').state, 'met');
  });

  it('closes for a leak, by the heap and by resident memory', () => {
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

  it('closes for a long garbage collection, only in a window that counts', () => {
    const server = (index: number) => rateWindow(115_000, { gcPauseMs: index === 1 ? 1.1 : 0.2 });
    assert.equal(check(figures({ server }), 'garbage collections').state, 'MISSED');
    const noisy = figures({ server, floor: 100_000, floorP99: 3 });
    assert.equal(check(noisy, 'garbage collections').state, 'NOT JUDGED');
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
  it('are judged by the median of windows whose floor is fast enough', () => {
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

  it('are NOT JUDGED where too few windows count, with the figure of the floor', () => {
    const slow = figures({ floor: 109_000, floorP99: 0.51, serverP99: () => latencyWindow(0.6) });
    const verdict = judge(slow, OPEN);
    const rate = check(slow, 'hello at 100,000/s');
    assert.equal(rate.state, 'NOT JUDGED');
    assert.match(rate.text, /0 windows count, 5 are needed: the floor reached 109,000\/s/);
    assert.match(check(slow, 'P99 below 1 ms').text, /floor's P99 was 0\.51 ms/);
    assert.equal(verdict.exitCode, 0);
    assert.equal(judge(slow, STRICT).exitCode, 3, '--strict');
    assert.match(verdictText(verdict), /open, NOT JUDGED: hello at 100,000\/s; P99 below 1 ms/);
  });

  it('are replaced by the ratio of P99 where windows do not count', () => {
    const stateOf = (p99: number): string | undefined =>
      states(figures({ floorP99: 2, serverP99: () => latencyWindow(p99) }))['P99 to the floor'];
    assert.deepEqual([stateOf(3), stateOf(3.1)], ['met', 'MISSED']);
    assert.equal(states(figures())['P99 to the floor'], undefined);
  });

  it('missed count more than not judged', () => {
    assert.equal(judge(figures({ floor: 80_000, heap: 999 }), STRICT).exitCode, 1);
  });
});

describe('windows that other processes disturbed', () => {
  /** Good windows, of which some are slow because of other processes. */
  const disturbed = (count: number, of: number): Pick<GateFigures, 'throughput'> => ({
    throughput: SCENARIOS.map((scenario) => ({
      scenario,
      floors: many(of + 1, () => rateWindow(120_000)),
      servers: many(of, (index) =>
        index < count ? rateWindow(60_000, { othersShare: 0.3 }) : rateWindow(118_000),
      ),
    })),
  });

  it('do not count where enough quiet windows are left', () => {
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

  it('disqualify the windows next to them', () => {
    const { throughput } = disturbed(0, 6);
    const [hello] = throughput;
    const floors = hello.floors.map((floor, index) =>
      index === 3 ? { ...floor, othersShare: 0.05 } : floor,
    );
    assert.equal(quietRatios({ ...hello, floors }).length, 4);
  });
});

describe('the output of the gate', () => {
  it('says when the load was the limit', () => {
    const server = (index: number) => rateWindow(115_000, { loadShare: index < 2 ? 0.97 : 0.96 });
    const { remarks } = judge(figures({ server }), OPEN);
    assert.match(remarks[0], /^LOAD-BOUND: hello: .* 0 of 6 floor windows and 2 of 5 server/);
  });

  it('has ratios of processor time where the load was the limit', () => {
    // The load reaches 100,000/s with both, and the server uses a quarter more of its core.
    const server = () => rateWindow(100_000, { loadShare: 0.99, microseconds: 12 });
    const given = figures({ server, floor: 100_000 });
    const hello = check(given, 'hello');
    assert.equal(hello.state, 'MISSED');
    const how = 'in 5 windows (by processor time in 5, where the load was the limit)';
    assert.equal(hello.text, `median ratio to the floor 0.750 ${how}, at least 0.90`);
    assert.match(figuresText(given), /^1 +100,000 +100,000 +0\.750 CPU /m);
    // A floor that waits for the load flatters the server as well.
    const [first] = given.throughput;
    const floors = first.floors.map((floor) => ({ ...floor, loadShare: 0.98 }));
    const free = () => rateWindow(100_000, { microseconds: 12 });
    const servers = many(ROUNDS, free);
    const flattered = { ...given, throughput: [{ ...first, floors, servers }] };
    assert.equal(check(flattered, 'hello').state, 'MISSED');
  });

  it('names cores, connections and pipelining with every figure', () => {
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

  it('lowers the thresholds of rates by a margin, and says so', () => {
    const verdict = (ratio: number) =>
      judge(figures({ ratio, floor: 80_000 }), { strict: false, margin: 0.1 });
    assert.equal(verdict(0.82).exitCode, 0);
    assert.equal(verdict(0.8).exitCode, 1);
    assert.match(verdictText(verdict(0.82)), /at least 0\.81, which is the threshold less 10 %/);
  });

  it('replaces only missed checks by those of a second attempt', () => {
    const first = judge(figures({ pauses: () => 1, ratio: 0.92 }), OPEN);
    assert.deepEqual(partsToRepeat(first), ['turns']);
    const good = judge(figures({ ratio: 0.5 }), OPEN);
    assert.equal(judgeAgain(first, good, false).exitCode, 0);
    assert.equal(judgeAgain(first, first, false).exitCode, 1, 'missed twice');
    const none = { ...figures(), turns: null };
    assert.equal(judgeAgain(first, judge(none, OPEN), false).exitCode, 1, 'not measured again');
  });

  it('is not opened by a second attempt that judges nothing', () => {
    const counted = judge(figures({ serverP99: () => latencyWindow(1.2) }), OPEN);
    assert.deepEqual(partsToRepeat(counted), ['latency']);
    const uncounted = judge(figures({ floorP99: 2 }), OPEN);
    assert.equal(judgeAgain(counted, uncounted, false).exitCode, 1);
  });

  it('is closed by a failure or a leak in a second attempt', () => {
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
});
