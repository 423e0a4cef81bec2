// The pure parts of measuring against a floor: pairs of windows, thresholds, the table of
// perf:floor, responses of floors and how they are read.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FLOOR_WORKLOADS } from '../../perf/catalog/scenarios.ts';
import { floorThreshold } from '../../perf/experiments/floor-ratios.ts';
import {
  conditions,
  type MeasuredWorkload,
  type Window,
  workloadTable,
} from '../../perf/experiments/floor-table.ts';
import { floorResponse } from '../../perf/floor/fixed-response.ts';
import { completeResponse } from '../../perf/load/probe.ts';
import { comparedRatio, median, pairUp, summary } from '../../perf/measure/pairs.ts';
import { isMet, thresholdLine } from '../../perf/runner/threshold.ts';

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

  it('are compared by rate, and by processor time where the load was the limit', () => {
    const window = (rate: number, cpuUs: number, isLoadBound = false) => {
      return { rate, cpuUs, isLoadBound };
    };
    const floors = [window(90, 9), window(110, 11)];
    assert.equal(comparedRatio(window(80, 20), floors), 0.8);
    assert.equal(comparedRatio(window(80, 20, true), floors), 0.5);
    const [first, second] = floors;
    assert.equal(comparedRatio(window(80, 20), [first, { ...second, isLoadBound: true }]), 0.5);
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

describe('thresholds of perf:floor', () => {
  it('are those of the gate, and one for the driver net', () => {
    const thresholds = FLOOR_WORKLOADS.map((_, index) => {
      const { name, bound } = floorThreshold(measured(1, {}, index));
      return `${name} ${bound}`;
    });
    assert.deepEqual(thresholds, [
      'hello: median ratio to the floor 0.9',
      'static-1k: median ratio to the floor 0.9',
      'pipelined-16: median ratio to the floor 0.588',
      'net: median ratio to the floor 0.85',
    ]);
  });

  it('are met by their own value and by no less', () => {
    assert.ok(isMet(floorThreshold(measured(0.9))));
    assert.ok(!isMet(floorThreshold(measured(0.899))));
    assert.match(thresholdLine(floorThreshold(measured(0.95))), /at least 0\.900: 0\.950, met$/);
  });
});

describe('the table of perf:floor', () => {
  it('has a row for each round and for the summary', () => {
    const [title, head, ...rows] = workloadTable(measured(0.95)).split('\n');
    assert.match(title, /^hello: GET \/, 130 bytes a response, driver epoll, 64 connections, no/);
    assert.match(head, /^round +floor\/s +server\/s +ratio/);
    assert.match(rows[0], /^1 +100 +95 +0\.950 +9\.00 +0 % +50 %$/);
    assert.match(rows[1], /^median +100 +95 +0\.950 +9\.00$/);
    assert.match(rows[4], /^the floor uses 9\.00 us of processor time, 1\.00 of the server's$/);
  });

  it('says why figures may mislead', () => {
    assert.doesNotMatch(workloadTable(measured(1)), /LOAD-BOUND|DISTURBED/);
    const bound = workloadTable(measured(1, { loadShare: 0.98 }));
    assert.match(bound, /LOAD-BOUND: .* 1 of 1 server windows/);
    const disturbed = workloadTable(measured(1, { othersShare: 0.2 }));
    assert.match(disturbed, /DISTURBED: .* 1 of 1 server windows/);
  });
});

describe('the response of the floor', () => {
  it('is complete, and has the given length', () => {
    const plain = floorResponse('hello', 0);
    assert.equal(plain.length, 130);
    assert.equal(floorResponse('hello', plain.length).length, plain.length);
    for (const name of ['hello', '1024']) {
      for (const bytes of [0, 1200, 1223, 2000]) {
        const response = floorResponse(name, bytes);
        if (bytes > 0) assert.equal(response.length, bytes);
        const probed = completeResponse(response.toString('latin1'));
        assert.ok(probed !== null && !(probed instanceof Error), `${name} of ${bytes} bytes`);
        assert.equal(probed.status, 200);
        assert.equal(probed.bytes, response.length);
      }
    }
  });

  it('cannot have every length', () => {
    assert.throws(() => floorResponse('hello', 100), /of 100 bytes cannot be made/);
    assert.throws(() => floorResponse('hello', 131), /cannot be made/);
    assert.throws(() => floorResponse('other', 0), /is called other/);
  });
});

describe('completeResponse', () => {
  const response = 'HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\n';

  it('is null until the end of the content', () => {
    for (let length = 0; length < response.length; length++) {
      assert.equal(completeResponse(response.slice(0, length)), null);
    }
    const [head, body] = [response.slice(0, -3), 'no\n'];
    const { length: bytes } = response;
    assert.deepEqual(completeResponse(response), { status: 404, bytes, head, body });
  });

  it('rejects more than one response, and one without a length', () => {
    assert.ok(completeResponse(`${response}H`) instanceof Error);
    assert.ok(completeResponse('HTTP/1.1 200 OK\r\n\r\n') instanceof Error);
  });
});

/** One round of a workload, hello unless another is given. */
function measured(ratio: number, server: Partial<Window> = {}, index = 0): MeasuredWorkload {
  const workload = FLOOR_WORKLOADS[index];
  const quiet = { requestsPerSecond: 100, microseconds: 9, othersShare: 0, loadShare: 0.5 };
  const pairs = pairUp([100, 100], [100 * ratio]);
  return {
    workload,
    conditions: conditions(workload, 130),
    pairs,
    floors: [quiet, quiet],
    servers: [{ ...quiet, ...server }],
    ratios: summary(pairs.map((pair) => pair.ratio)),
  };
}
