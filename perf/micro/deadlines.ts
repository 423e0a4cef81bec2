// Measures deadlines: arming and disarming among thousands of others, extending, expiring, and the
// search for the next one.

import { do_not_optimize as keep } from 'mitata';
import { Deadlines } from '../../src/base/deadlines.ts';
import type { BenchCase } from '../bench/case.ts';

const NODES = 10_000;
const IDLE = 0;
const HEAD = 1;
const TIMEOUTS_MS = [60_000, 10_000, 30_000, 5_000];
const STEP_MS = 0.01;

export function deadlinesCases(): readonly BenchCase[] {
  return [
    { name: 'arm and disarm, 9,999 others armed', run: arming() },
    { name: 'extend, within the slack', run: extending(0) },
    { name: 'extend, moved', run: extending(200) },
    { name: 'nothing to expire, and the next due', run: asking() },
    { name: 'arm and expire', run: expiring() },
  ];
}

function pool(nowMs: number): Deadlines {
  const deadlines = new Deadlines(NODES, TIMEOUTS_MS);
  for (let node = 0; node < NODES; node++) deadlines.arm(node, IDLE, nowMs);
  return deadlines;
}

function arming(): () => void {
  const deadlines = pool(0);
  let node = 0;
  return () => {
    node = node === NODES - 1 ? 0 : node + 1;
    deadlines.arm(node, HEAD, 0);
    deadlines.disarm(node);
    deadlines.arm(node, IDLE, 0);
  };
}

/** Each node is extended again after `roundMs`, or always at the same moment with 0. */
function extending(roundMs: number): () => void {
  const deadlines = pool(0);
  let node = 0;
  let nowMs = 0;
  return () => {
    node = node === NODES - 1 ? 0 : node + 1;
    nowMs += roundMs / NODES;
    deadlines.extend(node, IDLE, nowMs);
  };
}

function asking(): () => void {
  const deadlines = pool(0);
  return () => {
    for (let kind = 0; kind < TIMEOUTS_MS.length; kind++) keep(deadlines.expire(kind, 1));
    keep(deadlines.nextDueMs());
  };
}

function expiring(): () => void {
  const deadlines = new Deadlines(NODES, TIMEOUTS_MS);
  let nowMs = 0;
  return () => {
    deadlines.arm(7, HEAD, nowMs);
    nowMs += TIMEOUTS_MS[HEAD] + STEP_MS;
    if (deadlines.expire(HEAD, nowMs) !== 7) throw new Error('the node expires');
  };
}
