// The processes of a scenario: the server, a floor that sends as many bytes, idle connections.
// Before anything is measured every request is sent once and its response is checked.

import { gunzipSync } from 'node:zlib';
import { bytesOf, type ScenarioRequest } from '../catalog/requests.ts';
import type { Scenario } from '../catalog/scenarios.ts';
import { LOAD_CORE, SERVER_CORE } from '../catalog/setup.ts';
import { type ProbedResponse, probeWith } from '../load/probe.ts';
import { startVibing } from '../servers/start-vibing.ts';
import { descriptorsOf } from '../system/prerequisites.ts';
import { freePort, type ServerChild, startServer } from './child-process.ts';

/** Descriptors for listeners, loads, and what a process has open anyway. */
const SPARE = 200;
const KEEP_ALIVE_MS = 900_000;
/** Each server has a page of its own. */
const STATUS_NOT_FOUND = 404;

/** Settings with which a server can hold all connections of a scenario. */
export function connectionSettings(scenario: Scenario): readonly string[] {
  return [`connectionsMax=${descriptorsFor(scenario)}`, `keepAliveTimeoutMs=${KEEP_ALIVE_MS}`];
}

export function descriptorsFor({ connections, idleConnections }: Scenario): number {
  return connections + idleConnections + SPARE;
}

export function startScenarioServer(scenario: Scenario, driver: string): Promise<ServerChild> {
  const descriptors = descriptorsFor(scenario);
  return startVibing(driver, { settings: connectionSettings(scenario), descriptors });
}

export interface FloorOptions {
  /** The script, when it is not the one that the scenario names. */
  readonly script?: string;
  readonly nodeFlags?: readonly string[];
}

/** A floor that sends as many bytes as `response` has; `response` is that of the server. */
export async function startScenarioFloor(
  scenario: Scenario,
  response: ProbedResponse,
  options: FloorOptions = {},
): Promise<ServerChild> {
  const { script, args } = floorCommand(scenario, response, await freePort());
  const floor = await startServer(options.script ?? script, {
    args,
    core: SERVER_CORE,
    descriptors: descriptorsFor(scenario),
    nodeFlags: options.nodeFlags ?? [],
  });
  const { bytes } = await probeWith(floor.port, bytesOf(scenario.requests[0]), scenario.name);
  if (bytes === response.bytes) return floor;
  throw new Error(`the floor sends ${bytes} bytes, the server ${response.bytes}`);
}

export function floorCommand(
  scenario: Scenario,
  { bytes, body }: Pick<ProbedResponse, 'bytes' | 'body'>,
  port: number,
): { readonly script: string; readonly args: readonly string[] } {
  if (scenario.floor === 'epoll') {
    const name = body.length === 1024 ? '1024' : 'hello';
    return { script: 'floor/epoll.ts', args: [String(port), name, String(bytes)] };
  }
  const requestBytes = bytesOf(scenario.requests[0]).length;
  const args = [port, requestBytes, body.length, bytes].map(String);
  return { script: 'floor/sized.ts', args };
}

/** Sends every request once; resolves with the first response, rejects when one is wrong. */
export async function probeScenario(port: number, { requests }: Scenario): Promise<ProbedResponse> {
  const responses: ProbedResponse[] = [];
  for (const request of requests) {
    const name = `${request.method} ${request.target}`;
    const response = await probeWith(port, bytesOf(request), name);
    const problem = responseProblem(request, response);
    if (problem !== null) throw new Error(`${name}: ${problem}`);
    responses.push(response);
  }
  const [first] = responses;
  if (responses.some(({ bytes }) => bytes !== first.bytes)) {
    throw new Error('its responses differ in length, so no floor can be compared with it');
  }
  return first;
}

export function responseProblem(
  { coding, expected, status: wanted }: ScenarioRequest,
  { body: sent, head, status }: ProbedResponse,
): string | null {
  if (status !== wanted) return `status ${status}`;
  if (wanted === STATUS_NOT_FOUND) return null;
  const used = /\r\nContent-Encoding: (\S+)\r\n/i.exec(head)?.[1] ?? '';
  if (used !== coding) return `the coding '${used}' instead of '${coding}'`;
  const body = coding === '' ? sent : gunzipSync(Buffer.from(sent, 'latin1')).toString('latin1');
  if (typeof expected === 'number') {
    return body.length === expected ? null : `${body.length} bytes instead of ${expected}`;
  }
  if (body === expected) return null;
  return `${JSON.stringify(body.slice(0, 80))} instead of ${JSON.stringify(expected.slice(0, 80))}`;
}

/** Opens the idle connections of a scenario in a child process; null when it has none. */
export async function startIdle(
  { idleConnections }: Scenario,
  server: ServerChild,
): Promise<ServerChild | null> {
  if (idleConnections === 0) return null;
  const descriptors = idleConnections + SPARE;
  const available = descriptorsOf(descriptors);
  if (available < descriptors) {
    throw new Error(
      `a process may have ${available} descriptors (ulimit -Hn), ${descriptors} are needed`,
    );
  }
  return startConnections(server, 'idle', idleConnections, descriptors);
}

/** Background connections in a child process: see perf/load/background-connections.ts. */
export function startConnections(
  server: ServerChild,
  kind: 'idle' | 'trickle' | 'unread',
  count: number,
  descriptors = 0,
): Promise<ServerChild> {
  const args = ['--port', `${server.port}`, '--kind', kind, '--count', `${count}`];
  const options = { args, core: LOAD_CORE, descriptors };
  return startServer('load/background-connections.ts', options);
}
