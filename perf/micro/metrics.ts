// Measures what metrics cost a request: the counts of a turn of 64 requests, and of one alone.

import { Meter } from '../../src/metrics/meter.ts';
import { OwnMemory, Segment } from '../../src/metrics/segment.ts';
import type { BenchCase } from '../bench/case.ts';

const BATCH = 64;
const METHODS = ['', 'GET', 'HEAD'];
const GET = 1;
const MEMORY_BYTES = 65_536;

export function metricsCases(): readonly BenchCase[] {
  return [
    { name: 'metrics, a request of a turn of 64', operations: BATCH, run: turnOf(BATCH) },
    { name: 'metrics, the same of eight routes', operations: BATCH, run: turnOf(BATCH, 8) },
    { name: 'metrics, a request alone in its turn', run: turnOf(1) },
  ];
}

/** Routes in turn, each with one response, so that its series exists. */
function turnOf(requests: number, routeCount = 1): () => void {
  const segment = new Segment(new OwnMemory(MEMORY_BYTES, 1024 * MEMORY_BYTES));
  const meter = new Meter({ segment, methods: METHODS });
  const routes = Array.from({ length: routeCount }, (_, index) => meter.route(`/${index}/:id`));
  let nowMs = 1_000;
  return () => {
    for (let index = 0; index < requests; index++) {
      meter.received(40);
      meter.began();
      const route = routes[index % routeCount];
      meter.responded(route, GET, 200, nowMs, 0, 11, false);
    }
    for (let index = 0; index < requests; index++) meter.sent(150);
    nowMs += 0.1;
    meter.polled(nowMs, requests);
  };
}
