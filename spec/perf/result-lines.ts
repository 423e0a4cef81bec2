// Invented results for tests of the page, with figures that are easy to find in it.

import type { ResultLine, ServerResult } from '../../perf/measure/results.ts';

export function serverResult(rate: number, cpuUs: number): ServerResult {
  return {
    rate: { median: rate, least: rate * 0.9, most: rate * 1.1 },
    cpuUs: { median: cpuUs, least: cpuUs * 0.9, most: cpuUs * 1.1 },
    latencyMs: { '10': 0.2, '50': 0.412, '90': 0.7, '99': 1.234, '99.9': 4.5, most: 9 },
  };
}

export function line(changes: Partial<ResultLine> = {}): ResultLine {
  return {
    format: 1,
    kind: 'perf',
    startedAt: '2026-11-22T10:00:00.000Z',
    commit: 'abcdef123',
    machine: 'Some Processor',
    cores: 2,
    node: 'v20.20.2',
    kernel: '6.18.0',
    scenario: 'hello',
    server: 'vibing',
    driver: 'uring',
    connections: 64,
    pipelining: 1,
    load: 'full',
    askedRate: 0,
    windows: 5,
    windowMs: 1000,
    ...serverResult(98_765, 11.25),
    floor: { name: 'floor/epoll', ...serverResult(101_010, 10.5) },
    ratio: { median: 0.978, least: 0.95, most: 1.01 },
    cpuRatio: { median: 0.93, least: 0.9, most: 0.95 },
    remarks: [],
    checks: [],
    ...changes,
  };
}
