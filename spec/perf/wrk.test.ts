// Reading what wrk prints: its numbers with their suffixes, its errors, and what is no report.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCount, parseSeconds, parseWrk, wrkProblem } from '../../perf/load/wrk.ts';

const GOOD = `Running 2s test @ http://127.0.0.1:8080/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   687.45us  210.77us   9.44ms   92.11%
    Req/Sec    92.31k     4.02k   98.77k    76.19%
  192768 requests in 2.10s, 23.90MB read
Requests/sec:  91794.29
Transfer/sec:     11.38MB
`;

const BAD = `Running 10s test @ http://127.0.0.1:8080/none
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.02ms    3.11ms  40.01ms   98.00%
    Req/Sec     1.20M    10.50k    1.30M    76.19%
  12000001 requests in 10.00s, 1.39GB read
  Socket errors: connect 1, read 20, write 300, timeout 4000
  Non-2xx or 3xx responses: 51234
Requests/sec: 1200000.10
Transfer/sec:    142.29MB
`;

describe('parseWrk', () => {
  it('reads a good report', () => {
    assert.deepEqual(parseWrk(GOOD), {
      requests: 192_768,
      seconds: 2.1,
      requestsPerSecond: 91_794.29,
      errorResponses: 0,
      socketErrors: 0,
    });
  });

  it('reads socket errors and error responses', () => {
    const report = parseWrk(BAD);
    assert.equal(report.requests, 12_000_001);
    assert.equal(report.requestsPerSecond, 1_200_000.1);
    assert.equal(report.socketErrors, 4321);
    assert.equal(report.errorResponses, 51_234);
  });

  it('reads a rate with a suffix', () => {
    const text = GOOD.replace('91794.29', '91.79k');
    assert.equal(parseWrk(text).requestsPerSecond, 91_790);
  });

  it('throws for anything else', () => {
    const unable = 'unable to connect to 127.0.0.1:8080 Connection refused\n';
    for (const text of ['', unable, GOOD.slice(0, GOOD.indexOf('Requests/sec'))]) {
      assert.throws(() => parseWrk(text), /not a report of wrk/);
    }
    assert.throws(() => parseWrk(GOOD.replace('91794.29', 'nan')), /not a number of wrk: "nan"/);
  });
});

describe('wrkProblem', () => {
  it('is null for a good report', () => {
    assert.equal(wrkProblem(parseWrk(GOOD)), null);
  });

  it('names error responses, socket errors, and a report without requests', () => {
    const good = parseWrk(GOOD);
    assert.equal(wrkProblem({ ...good, errorResponses: 3 }), '3 responses were not 2xx');
    assert.equal(wrkProblem({ ...good, socketErrors: 2 }), '2 socket errors');
    assert.equal(wrkProblem({ ...good, requests: 0 }), 'no response came');
  });
});

describe('numbers of wrk', () => {
  it('have suffixes', () => {
    const samples: [string, number][] = [
      ['0', 0],
      ['950.25', 950.25],
      ['12.5k', 12_500],
      ['1.25M', 1_250_000],
      ['2G', 2e9],
    ];
    for (const [text, number] of samples) assert.equal(parseCount(text), number, text);
    for (const text of ['', 'k', '1.2K', '-1', '1e5', '1k ', '1..2']) {
      assert.throws(() => parseCount(text), /not a number of wrk/, text);
    }
  });

  it('are times of all lengths', () => {
    const samples: [string, number][] = [
      ['687.45us', 0.000_687_45],
      ['9.5ms', 0.0095],
      ['2.10s', 2.1],
      ['1.50m', 90],
      ['2h', 7200],
    ];
    for (const [text, seconds] of samples) {
      assert.ok(Math.abs(parseSeconds(text) - seconds) < 1e-12, text);
    }
    for (const text of ['', '2', 'ms', '2 s', '2d']) {
      assert.throws(() => parseSeconds(text), /not a time of wrk/, text);
    }
  });
});
