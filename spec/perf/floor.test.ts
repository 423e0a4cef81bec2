// The pure parts of perf/experiments/floor-ratios.ts: arguments, pairs of windows, the answer, the table.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type FloorArguments, parseFloorArguments } from '../../perf/against-floor-arguments.ts';
import { floorResponse } from '../../perf/floor/fixed-response.ts';
import { tableOf, type Window } from '../../perf/experiments/floor-table.ts';
import { median, pairUp, summary } from '../../perf/measure/pairs.ts';
import { wholeResponse } from '../../perf/load/probe.ts';
import { passes, WORKLOADS, type Workload } from '../../perf/catalog/setup.ts';

describe('pairs', () => {
  it('compare a window with the mean of the floor around it', () => {
    assert.deepEqual(pairUp([100, 300, 100], [100, 50]), [
      { floor: 200, server: 100, ratio: 0.5 },
      { floor: 200, server: 50, ratio: 0.25 },
    ]);
  });

  it('need a window of the floor on both sides', () => {
    assert.throws(() => pairUp([100, 100], [100, 50]), /2 windows need 3 of the floor/);
  });

  it('are judged by their median', () => {
    assert.equal(median([5]), 5);
    assert.equal(median([9, 1, 5]), 5);
    assert.equal(median([4, 1, 3, 2]), 2.5);
    assert.equal(median([100, 20, 3]), 20);
    assert.throws(() => median([]), /no median/);
    assert.deepEqual(summary([3, 1, 2, 10]), { median: 2.5, least: 1, most: 10 });
    const values = [3, 1, 2];
    median(values);
    assert.deepEqual(values, [3, 1, 2], 'the values keep their order');
  });
});

describe('the bars', () => {
  const [hello] = WORKLOADS;

  it('are met by their own value and by no less', () => {
    for (const workload of WORKLOADS) {
      const { bar } = workload;
      assert.ok(passes(workload, { median: bar, least: 0, most: 1 }), workload.name);
      assert.ok(!passes(workload, { median: bar - 0.001, least: 0, most: 2 }), workload.name);
    }
  });

  it('are those of the project', () => {
    const bars = WORKLOADS.map(({ name, bar }) => `${name} ${bar}`);
    assert.deepEqual(bars, ['hello 0.9', 'static-1k 0.85', 'pipelined-16 0.588', 'net 0.85']);
  });

  it('stand below the figures of a workload', () => {
    assert.match(table(hello, 0.95), /bar 0\.900 \(0\.90 of the floor\): median 0\.950, met/);
    assert.match(table(hello, 0.85), /bar 0\.900 \(0\.90 of the floor\): median 0\.850, MISSED/);
  });

  it('come with what makes the figures worth less', () => {
    assert.doesNotMatch(table(hello, 1), /LOAD-BOUND|DISTURBED/);
    assert.match(table(hello, 1, { loadShare: 0.98 }), /LOAD-BOUND: .* 1 of 1 server windows/);
    assert.match(table(hello, 1, { othersShare: 0.2 }), /DISTURBED: .* 1 of 1 server windows/);
  });
});

describe('parseFloorArguments', () => {
  it('has a default for everything', () => {
    const { workloads, ...others } = accepted([]);
    assert.deepEqual(others, { seconds: 2, rounds: 7, json: '', help: false });
    assert.deepEqual(workloads, WORKLOADS);
  });

  it('takes what is asked for', () => {
    const given = ['--seconds', '5', '--rounds=3', '--only', 'net,hello', '--json', 'a.json'];
    const { seconds, rounds, workloads, json } = accepted(given);
    assert.deepEqual([seconds, rounds, json], [5, 3, 'a.json']);
    assert.deepEqual(
      workloads.map(({ name }) => name),
      ['hello', 'net'],
    );
    assert.equal(accepted(['--help']).help, true);
  });

  it('refuses the rest with one line', () => {
    const wrong: [string[], RegExp][] = [
      [['--seconds', '0'], /^--seconds takes a whole number from 1 to 60$/],
      [['--seconds', '1.5'], /^--seconds takes/],
      [['--seconds', '61'], /^--seconds takes/],
      [['--rounds', 'many'], /^--rounds takes a whole number from 1 to 99$/],
      [['--rounds', '-1'], /--rounds/],
      [['--only', 'helo'], /^--only takes some of hello, .*, not 'helo'$/],
      [['--only', ''], /^--only takes/],
      [['--fast'], /--fast/],
      [['hello'], /hello/],
    ];
    for (const [given, problem] of wrong) {
      const result = parseFloorArguments(given);
      assert.ok(typeof result === 'string', `${given.join(' ')} is refused`);
      assert.match(result, problem);
    }
  });
});

describe('the answer of the floor', () => {
  it('is whole, and as long as it is asked to be', () => {
    const plain = floorResponse('hello', 0);
    assert.equal(plain.length, 130);
    assert.equal(floorResponse('hello', plain.length).length, plain.length);
    for (const name of ['hello', '1024']) {
      for (const bytes of [0, 1200, 1223, 2000]) {
        const response = floorResponse(name, bytes);
        if (bytes > 0) assert.equal(response.length, bytes);
        const probed = wholeResponse(response.toString('latin1'));
        assert.ok(probed !== null && !(probed instanceof Error), `${name} of ${bytes} bytes`);
        assert.equal(probed.status, 200);
        assert.equal(probed.bytes, response.length);
      }
    }
  });

  it('is refused where it cannot be so long', () => {
    assert.throws(() => floorResponse('hello', 100), /an answer of 100 bytes cannot be made/);
    assert.throws(() => floorResponse('hello', 131), /cannot be made/);
    assert.throws(() => floorResponse('other', 0), /no answer is called other/);
  });
});

describe('wholeAnswer', () => {
  const response = 'HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\n';

  it('waits for all of it', () => {
    for (let length = 0; length < response.length; length++) {
      assert.equal(wholeResponse(response.slice(0, length)), null);
    }
    const [head, body] = [response.slice(0, -3), 'no\n'];
    assert.deepEqual(wholeResponse(response), { status: 404, bytes: response.length, head, body });
  });

  it('refuses more than one, and one without a length', () => {
    assert.ok(wholeResponse(`${response}H`) instanceof Error);
    assert.ok(wholeResponse('HTTP/1.1 200 OK\r\n\r\n') instanceof Error);
  });
});

function accepted(given: readonly string[]): FloorArguments {
  const result = parseFloorArguments(given);
  assert.ok(typeof result !== 'string', `accepted: ${result}`);
  return result;
}

function table(workload: Workload, ratio: number, server: Partial<Window> = {}): string {
  const quiet = { requestsPerSecond: 100, microseconds: 9, othersShare: 0, loadShare: 0.5 };
  const pairs = pairUp([100, 100], [100 * ratio]);
  const ratios = summary(pairs.map((pair) => pair.ratio));
  return tableOf({
    workload,
    conditions: '',
    pairs,
    floors: [quiet, quiet],
    servers: [{ ...quiet, ...server }],
    ratios,
    passed: passes(workload, ratios),
  });
}
