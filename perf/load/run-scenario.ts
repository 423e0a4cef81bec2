// What the server is asked when it is profiled or compared with another commit of itself, by the
// project's own load.

import { fileURLToPath } from 'node:url';
import type { LoadReport } from '../../src/load/report.ts';
import { runProgram } from '../measure/child-process.ts';
import { CONNECTIONS, LOAD_CORE, PIPELINE_DEPTH } from '../catalog/setup.ts';

export interface Scenario {
  readonly path: string;
  /** Requests that a connection has in flight. */
  readonly depth: number;
  readonly fields: readonly string[];
}

/** What a browser sends on top of its Host field. */
const BROWSER_FIELDS = [
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'Accept-Language: en-GB,en;q=0.5',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Cookie: session=5f2b9c7e1d3a4860b7c2; theme=dark; seen=1763823600',
  'Upgrade-Insecure-Requests: 1',
  'Sec-Fetch-Dest: document',
  'Sec-Fetch-Mode: navigate',
  'Sec-Fetch-Site: none',
  'Priority: u=0, i',
];

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  hello: { path: '/', depth: 1, fields: [] },
  browser: { path: '/', depth: 1, fields: BROWSER_FIELDS },
  'static-1k': { path: '/file-1k.txt', depth: 1, fields: [] },
  'pipelined-16': { path: '/', depth: PIPELINE_DEPTH, fields: [] },
};

export const SCENARIO_NAMES: readonly string[] = Object.keys(SCENARIOS);

const COMMAND = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
/** Connecting, and what is still unanswered in the end. */
const GRACE_MS = 20_000;

/** Asks as fast as it is answered; throws when a request was not answered as it should be. */
export async function runScenario(
  scenario: Scenario,
  port: number,
  seconds: number,
): Promise<LoadReport> {
  const { path, depth, fields } = scenario;
  const command = [
    ...[process.execPath, COMMAND, 'load', `http://127.0.0.1:${port}${path}`],
    ...['-c', String(CONNECTIONS), '-p', String(depth), '-d', `${seconds}s`],
    ...['--json', '-', '--no-progress'],
    ...fields.flatMap((field) => ['-H', field]),
  ];
  const { code, output } = await runProgram(command, LOAD_CORE, seconds * 1000 + GRACE_MS);
  if (code !== 0) throw new Error(`the load ended with ${code ?? 'a signal'}\n${output}`);
  return JSON.parse(output) as LoadReport;
}
