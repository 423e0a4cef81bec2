// One window of load by autocannon, in a process of its own:
//
//   node build/perf/load/autocannon-process.js URL CONNECTIONS SECONDS
//
// It prints its report as one line of JSON.

import { createRequire } from 'node:module';

/** What this script prints. */
export interface AutocannonReport {
  readonly responses: number;
  readonly rate: number;
  readonly problems: number;
  readonly latencyMs: Readonly<Record<string, number>>;
}

interface Result {
  readonly requests: { readonly total: number; readonly average: number };
  readonly latency: Readonly<Record<string, number>>;
  readonly errors: number;
  readonly non2xx: number;
}

type Autocannon = (options: {
  readonly url: string;
  readonly connections: number;
  readonly duration: number;
}) => Promise<Result>;

const autocannon = createRequire(import.meta.url)('autocannon') as Autocannon;
const [url = '', connections, seconds] = process.argv.slice(2);
const result = await autocannon({
  url,
  connections: Number(connections),
  duration: Number(seconds),
});
const { errors, latency, non2xx, requests } = result;
const report: AutocannonReport = {
  responses: requests.total,
  rate: requests.average,
  problems: errors + non2xx,
  latencyMs: {
    '50': latency['p50'],
    '90': latency['p90'],
    '99': latency['p99'],
    most: latency['max'],
  },
};
console.log(JSON.stringify(report));
